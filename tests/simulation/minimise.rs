//! What a failure needs, and nothing else: events are left out as long as the same promise is still
//! broken.

use crate::events::{Event, Settings};
use crate::history::{How, play};

const QUIETLY: How = How {
    told: false,
    prunes: true,
};

/// The name of the broken promise.
fn promise(broken: &str) -> &str {
    broken.split(':').next().unwrap_or_default()
}

/// The settings and events that remain.
pub fn minimise(settings: Settings, events: Vec<Event>, broken: &str) -> (Settings, Vec<Event>) {
    let wanted = promise(broken);
    let fails = |settings: &Settings, events: &[Event]| {
        let broken = play(settings, events, QUIETLY).broken;
        broken.filter(|(_, what)| promise(what) == wanted)
    };
    let mut settings = settings;
    let mut events = events;
    let mut size = events.len();
    while size > 0 {
        if let Some((at, _)) = fails(&settings, &events) {
            events.truncate(at + 1);
        }
        let mut shorter = false;
        let mut from = 0;
        while from < events.len() {
            let to = (from + size).min(events.len());
            let without = [&events[..from], &events[to..]].concat();
            if let Some((at, _)) = fails(&settings, &without) {
                events = without;
                events.truncate(at + 1);
                shorter = true;
            } else {
                from = to;
            }
        }
        if !shorter || size > 1 {
            size /= 2;
        }
    }
    for plainer in PLAINER {
        let mut merged = settings;
        plainer(&mut merged);
        if fails(&merged, &events).is_some() {
            settings = merged;
        }
    }
    (settings, events)
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
