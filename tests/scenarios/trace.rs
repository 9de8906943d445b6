//! What came of a command, as an operator would tell it: what Instagram received, what was decided,
//! why it ended, with which code, and when there is something to do again.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use story_liker::model::Timestamp;
use story_liker::practice::{Outcome, RecordEntry};

use super::stage::{Ended, Stage};

/// Runs a command and traces it in full.
pub fn command(stage: &Rc<Stage>, machine: &str, command: &str) -> Vec<String> {
    let before = stage.clock.now();
    let ended = stage.execute(machine, command);
    let mut trace = requests(stage, before, &ended.record);
    let report = report(&ended);
    // What the line for machines says is traced in words, or stands on standard error as well.
    let said = ended.out.iter().filter(|line| !line.starts_with('{'));
    trace.extend(said.chain(&ended.err).cloned());
    if let Some(report) = &report {
        trace.extend(about(stage, report));
    }
    trace.push(format!(
        "{}  exit {}",
        time(before, stage.clock.now()),
        ended.code
    ));
    if report.is_some() {
        trace.push(format!("next      {}", next(stage, machine)));
    }
    trace
}

/// Runs a pass every so often until a moment and traces each in a line; passes that sent nothing for
/// the same reason share one.
pub fn repeated(
    stage: &Rc<Stage>,
    machine: &str,
    command: &str,
    every: Duration,
    until: Timestamp,
) -> Vec<String> {
    let mut lines: Vec<(Timestamp, Timestamp, u32, String)> = Vec::new();
    while stage.clock.now() < until {
        let began = stage.clock.now();
        let ended = stage.execute(machine, command);
        let sent = sums(&ended.record);
        let said = match report(&ended) {
            Some(report) => text(&report["exit"]["reason"]).to_owned(),
            None => ended.err.join(" "),
        };
        let line = format!("{sent}; {said}; exit {}", ended.code);
        match lines.last_mut() {
            Some((_, last, count, same)) if *same == line && ended.record.is_empty() => {
                *last = began;
                *count += 1;
            }
            _ => lines.push((began, began, 1, line)),
        }
        stage
            .clock
            .advance_to(began.plus(every).max(stage.clock.now()));
    }
    lines
        .into_iter()
        .map(|(from, to, count, line)| match count {
            1 => format!("{}  {line}", minute(from)),
            _ => format!("{} .. {}  {count} passes, {line}", minute(from), minute(to)),
        })
        .chain([format!("next      {}", next(stage, machine))])
        .collect()
}

/// Where the script writes what it is told.
pub const TOLD: &str = "told";

/// What a person was told, in its order.
pub fn told(stage: &Stage) -> Vec<String> {
    let noted = std::fs::read_to_string(stage.path(TOLD)).unwrap_or_default();
    let line = |line: &str| {
        let notice: Value = serde_json::from_str(line).unwrap();
        let part = |name: &str| text(&notice[name]).to_owned();
        let person = if notice["needs_person"] == true {
            "!"
        } else {
            "."
        };
        format!(
            "{person} {}  {}: {}",
            part("at"),
            part("kind"),
            part("title")
        )
    };
    if noted.is_empty() {
        return vec!["nothing".to_owned()];
    }
    noted.lines().map(line).collect()
}

/// What Instagram has received in all. What must be so in every story is asserted: no renewed trace
/// can take it back.
pub fn whole_record(stage: &Stage) -> Vec<String> {
    let record = stage.server.record();
    let likes: Vec<&RecordEntry> = record.iter().filter(|entry| entry.act.is_like()).collect();
    let most = |span: Duration| {
        let millis = i64::try_from(span.as_millis()).unwrap();
        let in_window = |entry: &&RecordEntry| {
            let end = entry.at_ms;
            likes
                .iter()
                .filter(|like| (end - millis..=end).contains(&like.at_ms))
                .count()
        };
        likes.iter().map(in_window).max().unwrap_or(0)
    };
    let twice: Vec<String> = stage
        .server
        .likes_per_item()
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(item, count)| format!("{} {count} times", stage.label(&item)))
        .collect();
    let flaws: Vec<String> = stage
        .server
        .violations()
        .into_iter()
        .map(|(name, count)| format!("{name} {count} times"))
        .collect();
    assert!(twice.is_empty(), "liked more than once: {twice:?}");
    let windows = [1, 24, 7 * 24].map(|hours| most(Duration::from_hours(hours)));
    let ledgers = stage.ledgers();
    for (sent, limit) in windows.iter().zip(LIKES) {
        assert!(*sent <= limit * ledgers, "{windows:?} in 1h, 24h, 7d");
    }
    // A session in two hands cannot bring back the newest state in both.
    assert!(ledgers > 1 || flaws.is_empty(), "{flaws:?}");
    let [hour, day, week] = windows;
    vec![
        sums(&record),
        format!("most likes in an hour {hour}, in a day {day}, in a week {week}"),
        format!("asked to like more than once: {}", or_nothing(&twice)),
        format!("requests no app would send: {}", or_nothing(&flaws)),
    ]
}

/// The default limits of likes in an hour, a day and a week. No story raises them.
const LIKES: [usize; 3] = [12, 60, 300];

fn or_nothing(list: &[String]) -> String {
    if list.is_empty() {
        "nothing".to_owned()
    } else {
        list.join(", ")
    }
}

fn report(ended: &Ended) -> Option<Value> {
    let report: Value = serde_json::from_str(ended.out.last()?).ok()?;
    report["counts"].is_object().then_some(report)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn requests(stage: &Stage, began: Timestamp, record: &[RecordEntry]) -> Vec<String> {
    let line = |entry: &RecordEntry| {
        let at = Timestamp::from_millis(entry.at_ms);
        let about = match (&entry.item, &entry.target) {
            (Some(item), _) => stage.label(item),
            (None, Some(name)) => name.clone(),
            (None, None) => String::new(),
        };
        let outcome = match &entry.outcome {
            Outcome::Ok | Outcome::Applied => String::new(),
            other => format!(" -> {other}"),
        };
        let line = format!("{}  {} {about}", time(began, at), entry.act.name());
        format!("{}{outcome}", line.trim_end())
    };
    record.iter().map(line).collect()
}

/// How many requests of each kind.
fn sums(record: &[RecordEntry]) -> String {
    let count = |is: fn(&RecordEntry) -> bool| record.iter().filter(|entry| is(entry)).count();
    let views = count(|entry| entry.act.is_write() && !entry.act.is_like());
    let likes = count(|entry| entry.act.is_like());
    let logins = count(|entry| matches!(entry.act.name(), "login" | "two_factor"));
    let reads = record.len() - views - likes - logins;
    let kinds = [
        (reads, "reads"),
        (views, "views"),
        (likes, "likes"),
        (logins, "logins"),
    ];
    let named: Vec<String> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{kind} {count}"))
        .collect();
    if named.is_empty() {
        "nothing sent".to_owned()
    } else {
        named.join(", ")
    }
}

/// What the report says beyond what was sent.
fn about(stage: &Stage, report: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let none = Vec::new();
    for target in report["targets"].as_array().unwrap_or(&none) {
        let mut line = format!(
            "target    {}: {} listed, {} new, {} liked",
            text(&target["username"]),
            target["listed"],
            target["new"],
            target["liked"]
        );
        if let Some(trouble) = target["trouble"].as_str() {
            line.push_str(&format!(
                "; {trouble}, looked at again after {}",
                text(&target["retry_at"])
            ));
        }
        lines.push(line);
    }
    lines.extend(decisions(stage, report));
    let likes: Vec<String> = report["windows"]
        .as_array()
        .unwrap_or(&none)
        .iter()
        .filter(|window| window["key"] == "limits.likes")
        .map(|window| format!("{} of {}", window["used"], text(&window["limit"])))
        .collect();
    lines.push(format!("likes     {}", likes.join(", ")));
    if let Some(until) = report["halved_until"].as_str() {
        lines.push(format!("halved    until {until}"));
    }
    lines.push(format!("ended     {}", text(&report["exit"]["reason"])));
    lines
}

/// Item by item but for what was liked, which the requests tell; neighbours of the same fate share a
/// line.
fn decisions(stage: &Stage, report: &Value) -> Vec<String> {
    let none = Vec::new();
    let mut groups: Vec<(String, String, String)> = Vec::new();
    for decision in report["decisions"].as_array().unwrap_or(&none) {
        if decision["decision"] == "liked" {
            continue;
        }
        let label = stage.label(text(&decision["item"]));
        let fate = format!(
            "{}: {}",
            text(&decision["decision"]),
            text(&decision["why"])
        );
        match groups.last_mut() {
            Some((_, last, same)) if *same == fate => *last = label,
            _ => groups.push((label.clone(), label, fate)),
        }
    }
    groups
        .into_iter()
        .map(|(first, last, fate)| {
            if first == last {
                format!("decided   {first} {fate}")
            } else {
                format!("decided   {first} .. {last} {fate}")
            }
        })
        .collect()
}

/// When the next pass has something to do, by `status`.
fn next(stage: &Rc<Stage>, machine: &str) -> String {
    let ended = stage.execute(machine, "story-liker status --json");
    let status: Value = serde_json::from_str(&ended.out.concat()).unwrap_or_default();
    let next = &status["next"];
    let why = text(&next["why"]);
    match next["at"].as_str() {
        Some(at) => format!("{at}: {why}"),
        None => format!("not before a person acts: {why}"),
    }
}

/// Clock time; with the day if it is not the day the command began.
fn time(began: Timestamp, at: Timestamp) -> String {
    let (day, clock) = parts(at);
    if day == parts(began).0 {
        clock
    } else {
        format!("{day} {clock}")
    }
}

fn minute(at: Timestamp) -> String {
    let (day, clock) = parts(at);
    format!("{day} {}", &clock[..5])
}

fn parts(at: Timestamp) -> (String, String) {
    let text = Timestamp::from_secs(at.as_secs()).to_string();
    let (day, clock) = text.split_once('T').unwrap();
    (day.to_owned(), clock[..8].to_owned())
}
