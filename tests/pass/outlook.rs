//! The next moment that `status` tells is when a pass has something to do again, and no earlier pass
//! has.

use story_liker::care::hold::MEMORY;
use story_liker::care::limits::LimitsInForce;
use story_liker::care::window::Windows;
use story_liker::engage::{Outlook, Seen, as_if_synchronised, outlook, wanted};
use story_liker::model::{ItemKind, ItemState, ScopedLimit, Timestamp};
use story_liker::ports::Store;

use crate::forecast::stories;
use crate::world::*;

fn told(rig: &mut Rig) -> Outlook {
    let now = rig.clock.server();
    let store = &mut rig.store.inner;
    let account = store.account().unwrap();
    let holds = store.holds(now.minus(MEMORY)).unwrap();
    let attempts = store.attempts(now.minus(7 * DAY)).unwrap();
    let mut targets = store.targets().unwrap();
    as_if_synchronised(&mut targets, &wanted(&rig.config));
    let limits = LimitsInForce::new(&rig.config.limits, &holds, &attempts, now);
    let windows = Windows::new(attempts);
    let mut all = limits.windows.clone();
    let mut left_over = Vec::new();
    for target in targets.iter().filter(|target| target.id.0 > 0) {
        all.extend(limits.for_target(Some(target.id)));
        for kind in [ItemKind::Story, ItemKind::Post] {
            let new = store.items_in(target.id, kind, &[ItemState::New], 50);
            left_over.extend(new.unwrap());
        }
    }
    let room = |limit: &ScopedLimit| Some((*limit, windows.room(*limit, 1, now).next_at?));
    let full: Vec<(ScopedLimit, Timestamp)> = all.iter().filter_map(room).collect();
    let seen = Seen {
        account: &account,
        holds: &holds,
        targets: &targets,
        full: &full,
        limits_grow_at: limits.grow_at(),
        left_over: &left_over,
    };
    outlook(&rig.config, &seen, now)
}

/// What one pass asks for or does, a proof of life aside.
fn acts(rig: &mut Rig) -> Vec<(Act, i64)> {
    let from = rig.mark();
    rig.pass();
    let mut acts = rig.server.trace(from);
    acts.retain(|(act, _)| *act != Act::CurrentUser);
    acts
}

/// Eight stories, one of them liked ten minutes ago, and a long time until the next listing.
fn left_over(change: impl FnOnce(&mut Rig)) -> Rig {
    let mut rig = stories(8);
    rig.config.limits.likes_per_run = 1;
    rig.config.stories.check_every = 12 * HOUR;
    change(&mut rig);
    rig.pass();
    assert_eq!(rig.server.count(Act::Like), 1);
    rig.later(10 * MINUTE);
    rig
}

#[test]
fn no_pass_before_the_next_moment_has_anything_to_do_and_one_at_it_has() {
    let cases: Vec<(&str, &str, Rig)> = vec![
        (
            "nothing in the way",
            "items wait to be liked",
            left_over(|_| {}),
        ),
        (
            "the window of its target",
            "limits.likes_per_target 1/3h has room for anna",
            left_over(|rig| rig.config.limits.likes_per_target = limits(&["1/3h"])),
        ),
        (
            "the window of its target, and its listing is due before",
            "limits.likes_per_target 1/6h has room for anna",
            left_over(|rig| {
                rig.config.limits.likes_per_target = limits(&["1/6h"]);
                rig.config.stories.check_every = 2 * HOUR;
            }),
        ),
        (
            "the window of views",
            "limits.story_views 1/3h has room for anna",
            left_over(|rig| rig.config.limits.story_views = limits(&["1/3h"])),
        ),
        ("its kind is not wanted any more", "anna is due", {
            let mut rig = left_over(|rig| rig.config.targets[0].posts = true);
            rig.config.targets[0].stories = false;
            rig.pass();
            rig.later(HOUR);
            rig
        }),
        ("its target is off", "berta is due", {
            let mut rig = left_over(|_| {});
            rig.server.world().add_person(2, "berta");
            rig.config.targets.push(target("berta"));
            rig.config.targets[0].enabled = false;
            rig.pass();
            rig.later(HOUR);
            rig
        }),
        (
            "the stories end before they are listed again",
            "anna is due",
            {
                let rig = left_over(|rig| rig.config.stories.check_every = 2 * DAY);
                rig.later(DAY);
                rig
            },
        ),
    ];
    for (name, why, mut rig) in cases {
        let next = told(&mut rig);
        assert_eq!(next.why, why, "{name}");
        let at = next.at.unwrap();
        while rig.clock.server().plus(20 * MINUTE) < at {
            assert_eq!(acts(&mut rig), [], "{name}, {}", rig.clock.server());
            rig.later(20 * MINUTE);
        }
        rig.later(at.since(rig.clock.server()));
        assert_ne!(acts(&mut rig), [], "{name}, {at}");
    }
}
