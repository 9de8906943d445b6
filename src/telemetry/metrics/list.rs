//! The one list of metrics. README's table is checked against it, and so are the names in the alert
//! rules and the dashboard.

/// Who keeps a metric up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Every start, whatever became of it.
    Start,
    /// Every start that could read configuration and database; the others leave them as they were.
    Figures,
}

/// A metric. Each has the label `profile` beside those named here.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its labels beside `profile`.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
    /// Who keeps it up to date.
    pub group: Group,
}

macro_rules! metrics {
    ($($constant:ident $group:ident $name:literal [$($label:literal),*] $help:literal)*) => {
        $(pub(super) const $constant: Metric = Metric {
            name: concat!("story_liker_", $name),
            labels: &[$($label),*],
            help: $help,
            group: Group::$group,
        };)*

        /// Every metric, in the order of the file.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
}

metrics! {
    BUILD_INFO Start "build_info" ["version"]
        "Always 1; the label says which version started last."
    LAST_START Start "last_start_timestamp_seconds" []
        "When `run` was last started, whatever became of it."
    LAST_START_EXIT_CODE Start "last_start_exit_code" []
        "With what that start ended; 75 may be a pass that found another one at work."
    SNAPSHOT Figures "snapshot_timestamp_seconds" []
        "When all figures below were read from the database."
    LAST_RUN_END Figures "last_run_end_timestamp_seconds" []
        "When the last pass on record ended. A start that met a busy lock or a mistake in the configuration is no pass."
    LAST_RUN_DURATION Figures "last_run_duration_seconds" []
        "How long that pass took."
    LAST_RUN_EXIT_CODE Figures "last_run_exit_code" []
        "With what that pass ended, before --success-codes."
    LAST_RUN_STOP Figures "last_run_stop" ["stop"]
        "1 for the reason for which that pass ended, 0 for the others."
    LAST_RUN_REQUESTS Figures "last_run_requests" ["kind", "outcome"]
        "Requests of that pass."
    LAST_RUN_PRUNED Figures "last_run_pruned_rows" ["table"]
        "Rows that expired and were removed at the end of that pass."
    LAST_RUN_MISSED Figures "last_run_missed_stories" []
        "Of the stories removed by that pass, those that had never been liked."
    LAST_SUCCESS Figures "last_success_timestamp_seconds" []
        "When a pass last ended as planned (exit code 0 or 10); 0 if none ever did."
    LAST_DAY_REQUESTS Figures "last_day_requests" ["kind", "outcome"]
        "Requests of the last 24 hours."
    WINDOW_USED Figures "window_used" ["key", "span"]
        "Requests that count in a rolling window."
    WINDOW_LIMIT Figures "window_limit" ["key", "span"]
        "How many that window may hold, after warm-up and halving."
    WINDOW_ROOM Figures "window_room_timestamp_seconds" ["key", "span"]
        "When a full window has room again; absent while it has."
    TARGETS_AT_LIMIT Figures "targets_at_limit" ["span"]
        "Targets whose window of limits.likes_per_target is full."
    HALVED_UNTIL Figures "limits_halved_until_timestamp_seconds" []
        "Until when likes are halved after an action block; absent if they are not."
    WARM_UP Figures "warm_up_ratio" []
        "The share of the limits that is in force while the account warms up; absent afterwards."
    NEXT_PASS Figures "next_pass_timestamp_seconds" []
        "When a pass may next find something to do; absent if not before a person acts."
    HOLD Figures "hold" ["reason"]
        "1 while this hold is in force."
    HOLD_UNTIL Figures "hold_until_timestamp_seconds" ["reason"]
        "When the hold in force ends by itself; absent if it waits for a person."
    PERSON_NEEDED Figures "person_needed" []
        "1 if nothing is sent until a person acts: a hold without an end, or no session."
    SESSION_PRESENT Figures "session_present" []
        "1 if there is a session that Instagram has not declared dead."
    SESSION_OBTAINED Figures "session_obtained_timestamp_seconds" []
        "When that session was obtained."
    SESSION_PROVED Figures "session_proved_timestamp_seconds" []
        "When a reply last proved it alive."
    TARGETS Figures "targets" ["state"]
        "Targets by state."
    ITEMS Figures "items" ["kind", "state"]
        "Stories on record, and posts that are not done with."
    DATABASE_SIZE Figures "database_size_bytes" []
        "Size of the database file."
}

/// The metric of this name.
pub(super) fn find(name: &str) -> Option<&'static Metric> {
    ALL.iter().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Suffixes that mean something else, units that are not base units, and types.
    const NOT_IN_A_NAME: [&str; 17] = [
        "total",
        "count",
        "sum",
        "bucket",
        "minutes",
        "hours",
        "days",
        "weeks",
        "milliseconds",
        "ms",
        "percent",
        "kilobytes",
        "gauge",
        "counter",
        "histogram",
        "summary",
        "info_total",
    ];

    #[test]
    fn names_obey_the_conventions() {
        for metric in ALL {
            let words: Vec<&str> = metric.name.split('_').collect();
            assert!(metric.name.starts_with("story_liker_"), "{}", metric.name);
            for word in &words {
                let plain = |c: char| c.is_ascii_lowercase();
                assert!(
                    !word.is_empty() && word.chars().all(plain),
                    "{}",
                    metric.name
                );
                assert!(!NOT_IN_A_NAME.contains(word), "{}", metric.name);
            }
            // A unit stands last, and a moment is a number of seconds.
            let unit = words
                .iter()
                .position(|w| ["seconds", "bytes", "ratio"].contains(w));
            assert!(
                unit.is_none_or(|at| at == words.len() - 1),
                "{}",
                metric.name
            );
            if words.contains(&"timestamp") {
                assert!(
                    metric.name.ends_with("_timestamp_seconds"),
                    "{}",
                    metric.name
                );
            }
            assert!(metric.help.ends_with('.'), "{}", metric.name);
            assert!(!metric.labels.contains(&"profile"), "{}", metric.name);
        }
    }

    #[test]
    fn no_name_appears_twice() {
        let names: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
