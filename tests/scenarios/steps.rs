//! The language of the stories: each step is one of these sentences.
//!
//! | sentence | what it does |
//! |---|---|
//! | `it is 2026-11-20 08:00` | time goes on to this moment (UTC); the first step of every story |
//! | `2h later`, `3days later` | time goes on by so much |
//! | `targets anna, berta` | these people exist, and the configuration names them |
//! | `setting KEY = VALUE` | a line of the configuration file, in TOML |
//! | `a session is imported` | what the operator did once, before the story |
//! | `a password is configured` | so is the login name |
//! | `a script tells me` | what `notify.command` names |
//! | `anna posts 3 stories`, `anna posts 1 post` | a second apart, the last one now; `, 5h ago` makes them older |
//! | `anna posts 2 stories a day for 30 days` | at this time of day, beginning now |
//! | `anna is now called anna.b` | keeps her pk, as a rename does |
//! | `anna vanishes`, `anna goes private`, `anna is public again` | |
//! | `instagram answers the next KIND with REPLY` | a recorded reply or a fault of the transport, see `practice/trouble.rs` |
//! | `instagram answers the next 3 KIND with REPLY` | three times in a row |
//! | `instagram ends every session` | as when a password is changed elsewhere |
//! | `the machine is suspended for 3days, 2m from now` | programs and clocks stand still, the world does not |
//! | `a second machine, desktop, with its own database` | or `on the same database` |
//! | `$ story-liker ...`, `desktop$ story-liker ...` | the real command, traced in full |
//! | `every 1h until 2026-11-27 18:00 $ story-liker run` | what a timer does, traced a line a pass |
//! | `30s from now desktop$ story-liker ...` | while the next command waits |
//! | `what the script told me` | everything so far, in its order |
//! | `what instagram saw` | everything received; the last step of every story |

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;
use std::time::Duration;

use story_liker::model::Timestamp;
use story_liker::practice::trouble::Trouble;
use story_liker::practice::world::Kind;

use super::stage::{LAPTOP, Stage};
use super::trace;

/// What a step left to show, filled in at once or by a later step.
pub type Trace = Rc<RefCell<Vec<String>>>;

/// Does what the sentence says; `None` if it is none of the language.
pub fn perform(stage: &Rc<Stage>, step: &str) -> Option<Trace> {
    let done = || Some(Trace::default());
    if step == "what instagram saw" {
        assert!(stage.nothing_waits(), "a command was to run and did not");
        return Some(Rc::new(RefCell::new(trace::whole_record(stage))));
    }
    if step == "what the script told me" {
        return Some(Rc::new(RefCell::new(trace::told(stage))));
    }
    if step == "a script tells me" {
        let note = "printf '%s\\n' \"$STORY_LIKER_NOTICE\" >> \"$0\"";
        let file = stage.path(trace::TOLD);
        let command = format!("['/bin/sh', '-c', '''{note}''', '{}']", file.display());
        stage.set("notify.command", &command);
        return done();
    }
    if let Some((before, command)) = step.split_once("$ ") {
        return told_to_run(stage, before.trim(), command);
    }
    if let Some(moment) = step.strip_prefix("it is ") {
        stage.clock.advance_to(moment_of(moment)?);
        return done();
    }
    if let Some(span) = step.strip_suffix(" later") {
        let now = stage.clock.now();
        stage.clock.advance_to(now.plus(span_of(span)?));
        return done();
    }
    if let Some(names) = step.strip_prefix("targets ") {
        let names: Vec<&str> = names.split(", ").collect();
        for name in names.iter().filter(|name| !stage.has_person(name)) {
            stage.add_person(name);
        }
        stage.set("targets", &format!("{names:?}"));
        return done();
    }
    if let Some(setting) = step.strip_prefix("setting ") {
        let (key, value) = setting.split_once(" = ")?;
        stage.set(key, value);
        return done();
    }
    if step == "a session is imported" {
        import_session(stage);
        return done();
    }
    if step == "a password is configured" {
        let known = stage.server.credentials();
        stage.set("account.username", &format!("\"{}\"", known.username));
        stage.set_secret("account.password_file", &known.password);
        return done();
    }
    if let Some(rest) = step.strip_prefix("the machine is suspended for ") {
        let (span, after) = rest.strip_suffix(" from now")?.split_once(", ")?;
        let at = stage.clock.now().plus(span_of(after)?);
        stage.clock.suspend(at, span_of(span)?);
        return done();
    }
    if let Some(rest) = step.strip_prefix("a second machine, ") {
        let (name, database) = rest.split_once(", ")?;
        match database {
            "with its own database" => stage.add_machine(name, &format!("{name}.db")),
            "on the same database" => stage.add_machine(name, &stage.database_of(LAPTOP)),
            _ => return None,
        }
        return done();
    }
    if let Some(rest) = step.strip_prefix("instagram ") {
        of_instagram(stage, rest)?;
        return done();
    }
    of_people(stage, step)?;
    done()
}

fn told_to_run(stage: &Rc<Stage>, before: &str, command: &str) -> Option<Trace> {
    if let Some(rest) = before.strip_prefix("every ") {
        let (every, rest) = rest.split_once(" until ")?;
        let (moment, machine) = match rest.rsplit_once(' ') {
            Some((moment, machine)) if moment_of(moment).is_some() => (moment, machine),
            _ => (rest, LAPTOP),
        };
        let (every, until) = (span_of(every)?, moment_of(moment)?);
        let passes = trace::repeated(stage, machine, command, every, until);
        return Some(Rc::new(RefCell::new(passes)));
    }
    if let Some((after, machine)) = before.split_once(" from now ") {
        return Some(stage.arm_meanwhile(span_of(after)?, machine, command));
    }
    let machine = if before.is_empty() { LAPTOP } else { before };
    let trace = trace::command(stage, machine, command);
    Some(Rc::new(RefCell::new(trace)))
}

/// What a session looks like that another client of the account has written.
fn import_session(stage: &Rc<Stage>) {
    let known = stage.server.credentials();
    let settings = serde_json::json!({
        "cookies": { "sessionid": known.session_id },
        "authorization_data": { "ds_user_id": known.pk.to_string(), "sessionid": known.session_id },
    });
    fs::write(stage.path("settings.json"), settings.to_string()).unwrap();
    let ended = stage.execute(LAPTOP, "story-liker session import settings.json");
    assert_eq!(ended.code, 0, "{:?}", ended.err);
}

fn of_instagram(stage: &Stage, does: &str) -> Option<()> {
    if does == "ends every session" {
        stage.server.revoke_sessions();
        return Some(());
    }
    let (on, reply) = does
        .strip_prefix("answers the next ")?
        .split_once(" with ")?;
    let (times, on) = match on.split_once(' ') {
        Some((times, on)) => (times.parse().ok()?, on.trim_end_matches('s')),
        None => (1, on),
    };
    let on = if on == "request" { "any" } else { on };
    stage.arm(Trouble::new(on, reply).ok()?.times(times));
    Some(())
}

fn of_people(stage: &Stage, step: &str) -> Option<()> {
    let (name, does) = step.split_once(' ')?;
    if let Some(what) = does.strip_prefix("posts ") {
        let (what, days) = match what.split_once(" a day for ") {
            Some((what, days)) => (what, days.strip_suffix(" days")?.parse().ok()?),
            None => (what, 1),
        };
        let (what, age) = match what.split_once(", ") {
            Some((what, age)) => (what, span_of(age.strip_suffix(" ago")?)?),
            None => (what, Duration::ZERO),
        };
        let (count, kind) = what.split_once(' ')?;
        let kind = match kind {
            "story" | "stories" => Kind::Story,
            "post" | "posts" => Kind::Post,
            _ => return None,
        };
        let taken_at = stage.clock.now().minus(age);
        for day in 0..days {
            let taken_at = taken_at.plus(Duration::from_hours(24) * day);
            stage.publish(name, kind, count.parse().ok()?, taken_at);
        }
        return Some(());
    }
    let now_s = stage.clock.now().as_secs();
    let pk = stage.pk(name);
    stage.server.with_world(|world| {
        let user = world.user_mut(pk)?;
        match does {
            "vanishes" => user.vanished_from = Some(now_s),
            "goes private" => user.private_from = Some(now_s),
            "is public again" => user.private_from = None,
            _ => {
                let name = does.strip_prefix("is now called ")?;
                user.names.push((now_s, name.to_owned()));
            }
        }
        Some(())
    })
}

pub fn moment_of(text: &str) -> Option<Timestamp> {
    let text = format!("{}:00Z", text.replace(' ', "T"));
    let moment: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

fn span_of(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}
