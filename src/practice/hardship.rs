//! What goes wrong in the days of a rehearsal: an ordinary month, and one in which everything does.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::json;

use super::reply::Reply;
use super::switches::{HasLiked, LostWrite, RepeatedLike, Seen, Switches};
use super::trouble::{Misunderstood, Trouble};
use super::world::World;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// How much goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hardship {
    /// Nothing.
    None,
    /// What an ordinary month brings.
    Mild,
    /// Everything that is known to happen, and often.
    Hostile,
}

/// What goes wrong, and when.
#[derive(Debug, Default)]
pub struct Plan {
    /// To be armed at the beginning.
    pub troubles: Vec<Trouble>,
    /// When every session of the operator ends, in milliseconds since 1970 UTC, in order.
    pub session_ends_ms: Vec<i64>,
}

impl Hardship {
    /// The word an operator chooses it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mild => "mild",
            Self::Hostile => "hostile",
        }
    }

    /// What goes wrong in `days` days from `start_ms`.
    pub fn plan(self, seed: u64, start_ms: i64, days: u32) -> Plan {
        match self {
            Self::None => Plan::default(),
            Self::Mild => Plan {
                troubles: mild(seed, start_ms, days),
                ..Plan::default()
            },
            Self::Hostile => hostile(seed, start_ms, days),
        }
    }

    /// How the platform behaves where the real one is not known.
    pub fn switches(self, seed: u64) -> Switches {
        let known = Switches::default();
        if self != Self::Hostile {
            return known;
        }
        let mut rng = stream(seed, 1);
        let lost = [LostWrite::Lost, LostWrite::Applied, LostWrite::AppliedLate];
        let liked = [HasLiked::Present, HasLiked::Late, HasLiked::Absent];
        let repeated = [RepeatedLike::Ok, RepeatedLike::Refused];
        let seen = [Seen::Recorded, Seen::Ignored];
        Switches {
            lost_like: lost[rng.random_range(0..lost.len())],
            has_liked: liked[rng.random_range(0..liked.len())],
            repeated_like: repeated[rng.random_range(0..repeated.len())],
            seen: seen[rng.random_range(0..seen.len())],
            ..known
        }
    }

    /// What happens to the people: in a hostile world one is renamed, one is private for a third of
    /// the time and, where there are enough of them, one disappears.
    pub fn befall(self, world: &mut World, seed: u64, days: u32) {
        if self != Self::Hostile {
            return;
        }
        let mut rng = stream(seed, 2);
        let (start_s, span_s) = (world.start_s(), i64::from(days) * DAY_MS / 1000);
        let mut people: Vec<u64> = world.users().iter().map(|user| user.pk).collect();
        let mut somebody = || {
            let number = people.len();
            (number > 0).then(|| people.swap_remove(rng.random_range(0..number)))
        };
        let (renamed, private, gone) = (somebody(), somebody(), somebody());
        if let Some(user) = renamed.and_then(|pk| world.user_mut(pk)) {
            let name = format!(
                "{}.new",
                user.name(start_s).chars().take(26).collect::<String>()
            );
            user.names.push((start_s + span_s / 4, name));
        }
        if let Some(user) = private.and_then(|pk| world.user_mut(pk)) {
            user.private_from = Some(start_s + span_s / 3);
            user.private_until = Some(start_s + span_s * 2 / 3);
        }
        if let Some(user) = gone.filter(|_| world.users().len() > 3)
            && let Some(user) = world.user_mut(user)
        {
            user.vanished_from = Some(start_s + span_s / 2);
        }
    }
}

fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::MAX / 2 + number);
    rng
}

/// What an ordinary month brings, for rehearsals of `days` days from `start_ms`: a throttled read
/// and a server error in most weeks, a lost connection now and then, and one action block.
pub fn mild(seed: u64, start_ms: i64, days: u32) -> Vec<Trouble> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::from(days));
    let mut plan = Vec::new();
    for day in 0..i64::from(days) {
        for (on, reply, days_in_ten) in MILD {
            if rng.random_range(0..10) < *days_in_ten {
                let at_ms = start_ms + day * DAY_MS + rng.random_range(0..DAY_MS);
                plan.extend(Trouble::new(on, reply).map(|trouble| trouble.from_ms(at_ms)));
            }
        }
    }
    let block_ms = start_ms + i64::from(days) * rng.random_range(DAY_MS / 3..DAY_MS * 2 / 3);
    let block = Trouble::new("like", "error_feedback_required_limit");
    plan.extend(block.map(|trouble| trouble.from_ms(block_ms)));
    plan
}

/// What strikes in a mild rehearsal, and on how many of ten days.
const MILD: &[(&str, &str, u32)] = &[
    ("read", "error_please_wait_429", 1),
    ("read", "error_503_html", 2),
    ("read", "drop", 2),
    ("like", "drop", 1),
];

/// What strikes in a hostile rehearsal: on which calls, how, how often in a row, and on how many of
/// a hundred days.
const HOSTILE: &[(&str, &str, u32, u32)] = &[
    ("read", "error_429_empty", 1, 6),
    ("like", "error_429_empty", 1, 6),
    ("any", "error_please_wait_401", 1, 4),
    ("read", "error_please_wait_429", 1, 4),
    // Two in a row: the repetition of the read fails as well.
    ("read", "drop", 2, 15),
    ("like", "drop", 1, 30),
    ("like", "drop_applied", 1, 20),
    ("like", "stall", 1, 10),
    ("like", "truncated", 1, 10),
    ("seen", "drop", 1, 10),
    ("read", "truncated", 1, 15),
    ("any", "slow", 3, 20),
    // Longer than two passes: an outage that becomes a hold.
    ("any", "error_503_html", 5, 5),
    ("read", "error_500_json", 1, 10),
    ("read", "redirect", 1, 3),
    ("like", "error_200_empty_body", 1, 4),
    ("read", "error_200_html_login_page", 1, 3),
];

/// How long each of these lies in wait: what a hold outlasts does not strike when it ends.
const LIES_IN_WAIT_MS: i64 = 12 * HOUR_MS;

/// What only a person can settle, one after another.
const FOR_A_PERSON: &[(&str, &str)] = &[
    ("read", "error_challenge_required"),
    ("like", "error_checkpoint_required"),
    ("read", "error_user_has_logged_out"),
    ("read", "error_consent_required"),
    ("any", "error_challenge_required_auth_platform"),
];

fn hostile(seed: u64, start_ms: i64, days: u32) -> Plan {
    let mut rng = stream(seed, 3);
    let mut plan = Plan::default();
    let arm = |plan: &mut Plan, trouble: Result<Trouble, Misunderstood>, at_ms| {
        let trouble = trouble.map(|trouble: Trouble| trouble.from_ms(at_ms));
        plan.troubles.extend(trouble);
    };
    let today = |plan: &mut Plan, trouble: Result<Trouble, Misunderstood>, at_ms| {
        let trouble = trouble.map(|trouble| trouble.until_ms(at_ms + LIES_IN_WAIT_MS));
        arm(plan, trouble, at_ms);
    };
    for day in 0..i64::from(days) {
        let day_ms = start_ms + day * DAY_MS;
        for (on, reply, times, days_in_hundred) in HOSTILE {
            if rng.random_range(0..100) < *days_in_hundred {
                let trouble = Trouble::new(on, reply).map(|trouble| trouble.times(*times));
                today(&mut plan, trouble, day_ms + rng.random_range(0..DAY_MS));
            }
        }
        if rng.random_range(0..100) < 10 {
            let trouble = throttled_for(rng.random_range(1..8) * 1800);
            today(&mut plan, trouble, day_ms + rng.random_range(0..DAY_MS));
        }
        if rng.random_range(0..100) < 4 {
            today(&mut plan, doubtful(), day_ms + rng.random_range(0..DAY_MS));
        }
    }
    // Evenly spread, so that each has its turn however long the rest keeps the program silent.
    let evenly =
        |number: i64, of: i64| start_ms + i64::from(days) * DAY_MS * (2 * number + 1) / (2 * of);
    let blocks = i64::from(days / 7).clamp(1, 4);
    for number in 0..blocks {
        let at_ms = evenly(number, blocks);
        let trouble = if number % 2 == 0 {
            Trouble::new("like", "error_feedback_required_like")
        } else {
            blocked_until(at_ms + 3 * DAY_MS)
        };
        arm(&mut plan, trouble, at_ms);
    }
    let questions = i64::from(days / 6).max(1);
    for (number, (on, reply)) in (0..questions).zip(FOR_A_PERSON.iter().cycle()) {
        arm(
            &mut plan,
            Trouble::new(on, reply),
            evenly(number, questions) + 5 * HOUR_MS,
        );
    }
    let ends = i64::from(days / 10).max(1);
    plan.session_ends_ms = (0..ends)
        .map(|number| evenly(number, ends) - 7 * HOUR_MS)
        .collect();
    plan
}

/// Too many requests, with the number of seconds to wait.
fn throttled_for(seconds: i64) -> Result<Trouble, Misunderstood> {
    let mut reply = Reply::new(429, super::reply::JSON, Vec::new());
    reply.set("retry-after", &seconds.to_string());
    Trouble::answering("read", format!("{THROTTLED_FOR}{seconds}"), reply)
}

/// An action block that names its last day.
fn blocked_until(at_ms: i64) -> Result<Trouble, Misunderstood> {
    let day = jiff::Timestamp::from_millisecond(at_ms).map(|at| at.strftime("%F").to_string());
    let day = day.map_err(|error| Misunderstood::new("trouble", error.to_string()))?;
    let body = json!({
        "message": "feedback_required", "spam": true, "feedback_title": "Action Blocked",
        "feedback_message": format!("You are temporarily blocked from taking this action. This \
                                     block will expire on {day}."),
        "status": "fail",
    });
    Trouble::answering(
        "like",
        format!("{BLOCKED_UNTIL}{day}"),
        Reply::json(400, &body),
    )
}

/// A refusal without a word about why.
fn doubtful() -> Result<Trouble, Misunderstood> {
    let reply = Reply::json(403, &json!({"message": "", "status": "fail"}));
    Trouble::answering("read", DOUBTFUL.to_owned(), reply)
}

const THROTTLED_FOR: &str = "throttled_for_";
const BLOCKED_UNTIL: &str = "blocked_until_";
const DOUBTFUL: &str = "unexplained_403";

/// What a refusal asks of a client that means well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// To send less; to wait so many seconds, if it says so.
    Throttled(i64),
    /// To wait a few minutes.
    PleaseWait,
    /// To leave an action alone: until the end of the UTC day that begins at this Unix second, if
    /// it names one.
    Blocked(Option<i64>),
    /// To log in again.
    LoginRequired,
    /// Nothing: it is not clear whether the session lives.
    Doubtful,
    /// A person to act.
    Person,
    /// Nothing that could be understood.
    Unreadable,
}

/// What the refusal or fault of this name asks for; `None` if for nothing.
pub fn asks(name: &str) -> Option<Asks> {
    if let Some(seconds) = name.strip_prefix(THROTTLED_FOR) {
        return seconds.parse().ok().map(Asks::Throttled);
    }
    if let Some(day) = name.strip_prefix(BLOCKED_UNTIL) {
        let day: Option<jiff::civil::Date> = day.parse().ok();
        let begins = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
        return Some(Asks::Blocked(begins.map(|at| at.timestamp().as_second())));
    }
    Some(match name {
        "error_429_empty" => Asks::Throttled(0),
        "error_please_wait_401" | "error_please_wait_429" => Asks::PleaseWait,
        "error_login_required" | "error_login_required_short" => Asks::LoginRequired,
        DOUBTFUL => Asks::Doubtful,
        "redirect"
        | "oversized"
        | "gzip_bomb"
        | "non_utf8"
        | "error_200_empty_body"
        | "error_200_html_login_page"
        | "error_200_status_fail" => Asks::Unreadable,
        name if name.starts_with("error_feedback_required") => Asks::Blocked(None),
        name if name.starts_with("error_challenge")
            || name.starts_with("error_checkpoint")
            || name.starts_with("error_consent")
            || name == "error_user_has_logged_out"
            || name == "error_account_suspended" =>
        {
            Asks::Person
        }
        _ => return None,
    })
}
