//! What a failure needs, and nothing else: events are left out as long as the same promise is still
//! broken.

use crate::events::{Event, Settings};
use crate::history::{How, play};

/// The name of the broken promise.
pub fn promise(broken: &str) -> &str {
    broken.split(':').next().unwrap_or_default()
}

/// The settings and events that remain: without any one of these events, the promise is kept.
pub fn minimise(
    mut settings: Settings,
    mut events: Vec<Event>,
    broken: &str,
    how: How,
) -> (Settings, Vec<Event>) {
    let wanted = promise(broken);
    let fails = |settings: &Settings, events: &[Event]| {
        let broken = play(settings, events, how).broken;
        broken.filter(|(_, what)| promise(what) == wanted)
    };
    loop {
        events = fewer(events, |events| {
            fails(&settings, events).map(|(at, _)| at + 1)
        });
        let before = settings;
        for plainer in PLAINER {
            let mut merged = settings;
            plainer(&mut merged);
            if fails(&merged, &events).is_some() {
                settings = merged;
            }
        }
        if settings == before {
            return (settings, events);
        }
    }
}

/// Leaves out halves, quarters and so on down to single events, as long as it fails; `fails` tells
/// after how many events.
fn fewer(mut events: Vec<Event>, fails: impl Fn(&[Event]) -> Option<usize>) -> Vec<Event> {
    events.truncate(fails(&events).unwrap_or(events.len()));
    let mut size = events.len();
    while size > 0 {
        let mut shorter = false;
        let mut from = 0;
        while from < events.len() {
            let to = (from + size).min(events.len());
            let without = [&events[..from], &events[to..]].concat();
            if let Some(needed) = fails(&without) {
                events = without;
                events.truncate(needed);
                shorter = true;
            } else {
                from = to;
            }
        }
        if !shorter || size > 1 {
            size /= 2;
        }
    }
    events
}

/// Ways to make the settings plainer, one by one.
const PLAINER: [fn(&mut Settings); 10] = [
    |settings| settings.relogin = false,
    |settings| settings.second_factor = false,
    |settings| settings.like_posts = false,
    |settings| settings.mark_seen = false,
    |settings| settings.rest = None,
    |settings| settings.warm_up = false,
    |settings| settings.doubles = false,
    |settings| settings.max_runtime = 15 * crate::world::MINUTE,
    |settings| settings.dated = true,
    |settings| settings.clock_trouble = false,
];
