//! Two rehearsals of the same world and seed side by side.

use serde::Serialize;

use super::summary::Summary;
use super::text::{counted, percent, quotient, span};

/// One figure of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// What it is.
    pub what: String,
    /// Of the first configuration.
    pub first: String,
    /// Of the second.
    pub second: String,
    /// Whether they differ.
    pub differs: bool,
}

/// Every figure by which an operator chooses, of both.
pub fn compare(first: &Summary, second: &Summary) -> Vec<Compared> {
    let mut rows = Vec::new();
    let mut row = |what: &str, of: &dyn Fn(&Summary) -> String| {
        let (first, second) = (of(first), of(second));
        rows.push(Compared {
            what: what.to_owned(),
            differs: first != second,
            first,
            second,
        });
    };
    row("stories liked in time", &|s| {
        percent(s.share_of_stories_liked)
    });
    row("posts liked in time", &|s| percent(s.share_of_posts_liked));
    for (target, kind) in targets(first, second) {
        let plural = if kind == "story" { "stories" } else { "posts" };
        let share = |summary: &Summary| {
            let mut items = summary.items.iter();
            let items = items.find(|items| items.target == target && items.kind == kind);
            items.map_or_else(
                || "not wanted".to_owned(),
                |items| format!("{}, {} missed", percent(items.share_liked), items.missed),
            )
        };
        row(&format!("  {target} ({plural})"), &share);
    }
    row("stories missed", &|s| s.totals("story").missed.to_string());
    row("posts missed", &|s| s.totals("post").missed.to_string());
    row("likes a day", &|s| format!("{:.1}", s.likes.per_day));
    row("requests a day", &|s| format!("{:.1}", s.requests.per_day));
    row("requests on the busiest day", &|s| {
        s.requests.most_in_a_day.to_string()
    });
    row("requests for each liked item", &|s| {
        quotient(s.requests.per_liked_item)
    });
    row("listings", &|s| s.requests.listings.to_string());
    row("listings with nothing new", &|s| {
        s.requests.listings_without_news.to_string()
    });
    row("time in passes a day", &|s| {
        span(s.seconds_in_passes.per_day)
    });
    row("longest pass", &|s| span(s.seconds_in_passes.longest));
    row("setting that binds", &|s| {
        s.binding.clone().unwrap_or_else(|| "none".to_owned())
    });
    row("objections and outages", &|s| {
        s.holds.values().sum::<u32>().to_string()
    });
    row("a person was needed", &|s| counted(s.person.needed, "time"));
    row("broken promises", &|s| {
        s.promises.broken().len().to_string()
    });
    rows
}

/// Every target and kind that either has, in the order of the first.
fn targets<'a>(first: &'a Summary, second: &'a Summary) -> Vec<(&'a str, &'static str)> {
    let mut targets = Vec::new();
    for items in first.items.iter().chain(&second.items) {
        let key = (items.target.as_str(), items.kind);
        if !targets.contains(&key) {
            targets.push(key);
        }
    }
    targets
}

/// The table for people: a star at the end of each row that differs.
pub fn compare_text(names: [&str; 2], first: &Summary, second: &Summary) -> String {
    let rows = compare(first, second);
    let widest = |of: &dyn Fn(&Compared) -> &str, head: &str| {
        let rows = rows.iter().map(|row| of(row).chars().count());
        rows.max().unwrap_or(0).max(head.chars().count()) + 2
    };
    let what = widest(&|row| &row.what, "");
    let one = widest(&|row| &row.first, names[0]);
    let two = widest(&|row| &row.second, names[1]);
    let line = |what_text: &str, first: &str, second: &str, mark: &str| {
        let line = format!("{what_text:<what$}{first:>one$}{second:>two$}  {mark}");
        format!("{}\n", line.trim_end())
    };
    let mut text = line("", names[0], names[1], "");
    for row in &rows {
        let mark = if row.differs { "*" } else { "" };
        text.push_str(&line(&row.what, &row.first, &row.second, mark));
    }
    for (name, summary) in names.iter().zip([first, second]) {
        for promise in summary.promises.broken() {
            text.push_str(&format!("BROKEN PROMISE ({name}): {promise}\n"));
        }
    }
    text.truncate(text.trim_end().len());
    text
}
