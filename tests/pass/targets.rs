//! A target's own trouble, its renames, and the operator's own account.

use story_liker::engage::{Mode, Stop};
use story_liker::exit::ExitCode;
use story_liker::model::{ItemKind, TargetTrouble};

use crate::world::*;

#[test]
fn a_target_in_trouble_is_left_for_a_day_then_longer_up_to_a_week_and_the_others_go_on() {
    let mut rig = Rig::new(&["anna", "berta"]).acquainted();
    rig.server.world().person("anna").private = true;
    for days in [1, 2, 4, 7, 7] {
        rig.story("berta", 100 + i64::from(days) + rig.mark() as i64);
        let from = rig.mark();
        let report = rig.pass();
        assert_eq!(report.exit_code(), ExitCode::Partial);
        let anna = rig.target("anna");
        assert_eq!(anna.trouble, Some(TargetTrouble::Private));
        let now = rig.clock.server();
        let wait = anna.retry_at.unwrap().since(now);
        assert!(wait <= days * DAY && wait + HOUR > days * DAY, "{wait:?}");
        let asked = rig.server.trace(from);
        assert_eq!(asked.iter().filter(|(_, on)| *on == 1).count(), 1);
        assert!(asked.iter().any(|(act, _)| *act == Act::Like));

        rig.later(days * DAY - 2 * HOUR);
        let from = rig.mark();
        let report = rig.pass();
        assert_eq!(report.exit_code(), ExitCode::Ok);
        assert!(rig.server.trace(from).iter().all(|(_, on)| *on != 1));
        rig.later(2 * HOUR);
    }
    rig.server.world().person("anna").private = false;
    rig.check_all();
    let anna = rig.target("anna");
    assert_eq!(
        (anna.trouble, anna.trouble_count, anna.retry_at),
        (None, 0, None)
    );
}

#[test]
fn a_target_that_cannot_be_found_or_seen_at_first_is_recorded_without_listing_it() {
    for gone in [true, false] {
        let mut rig = Rig::new(&["anna"]);
        if gone {
            rig.server.world().person("anna").gone = true;
        } else {
            rig.server.world().person("anna").private = true;
        }
        let report = rig.pass();
        assert_eq!(report.exit_code(), ExitCode::Partial);
        assert_eq!(rig.server.acts(), [Act::UserByName]);
        let expected = if gone {
            TargetTrouble::Gone
        } else {
            TargetTrouble::Private
        };
        assert_eq!(rig.target("anna").trouble, Some(expected));
    }
}

#[test]
fn a_rename_is_noticed_and_changes_nothing_else() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.server.world().person("anna").name = "anna.new".to_owned();
    rig.server
        .world()
        .add_story("anna.new", 100, START.plus(8 * HOUR));
    rig.pass();
    assert_eq!(rig.server.count(Act::UserByName), 0);
    assert_eq!(rig.server.likes_of(100), 1);
    let target = rig.target("anna");
    assert_eq!(target.username, "anna.new");
}

#[test]
fn a_new_name_for_a_known_target_goes_on_with_its_history() {
    for keeps_the_old_name in [false, true] {
        let mut rig = Rig::new(&["anna"]).acquainted();
        rig.server.world().person("anna").name = "anna.new".to_owned();
        rig.server
            .world()
            .add_story("anna.new", 100, START.plus(8 * HOUR));
        rig.server
            .world()
            .add_post("anna.new", 200, START.plus(8 * HOUR));
        rig.config.targets = vec![target("anna.new")];
        if keeps_the_old_name {
            rig.config.targets.push(target("anna"));
        }
        let report = rig.pass();
        assert_eq!(report.exit_code(), ExitCode::Ok, "{:?}", report.stop);
        let acts = rig.server.acts();
        // The post is new to a known target, so it is liked rather than observed.
        assert_eq!(rig.server.likes_of(200), 1);
        assert_eq!(rig.server.likes_of(100), 1);
        assert_eq!(rig.server.count(Act::Stories), 1, "{acts:?}");
        assert_eq!(rig.server.count(Act::Posts), 1, "{acts:?}");
        assert_eq!(rig.target("anna.new").pk, Some(pk(1)));
        let of_target = report.targets.iter().filter(|target| target.liked > 0);
        assert_eq!(of_target.map(|target| target.liked).sum::<u32>(), 2);
    }
}

#[test]
fn a_new_name_shows_nothing_that_is_not_due_again() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.pass();
    rig.server.world().person("anna").name = "anna.new".to_owned();
    rig.config.targets = vec![target("anna.new")];
    rig.later(HOUR);
    let from = rig.mark();
    rig.pass();
    assert_eq!(rig.server.trace(from), [(Act::UserByName, 0)]);
}

#[test]
fn the_trouble_of_a_known_target_under_a_new_name_is_its_own() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.server.world().person("anna").name = "anna.new".to_owned();
    rig.server.world().person("anna.new").private = true;
    rig.config.targets = vec![target("anna.new")];
    let report = rig.pass();
    assert_eq!(report.exit_code(), ExitCode::Partial);
    let anna = rig.target("anna.new");
    assert_eq!(
        (anna.pk, anna.trouble),
        (Some(pk(1)), Some(TargetTrouble::Private))
    );
}

#[test]
fn a_dry_run_follows_a_new_name_without_storing_it() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.server.world().person("anna").name = "anna.new".to_owned();
    rig.server
        .world()
        .add_post("anna.new", 200, START.plus(8 * HOUR));
    rig.config.targets = vec![target("anna.new")];
    let before = rig.dump();
    let report = rig.dry_run();
    assert_eq!(report.exit_code(), ExitCode::Ok, "{:?}", report.stop);
    assert!(
        report
            .decisions
            .iter()
            .any(|decision| decision.decision == "would_like")
    );
    assert_eq!(rig.dump()["target"], before["target"]);
}

#[test]
fn the_operator_s_own_account_is_no_target() {
    let mut rig = Rig::new(&["anna", "operator"]);
    rig.server.world().person("operator").pk = MYSELF;
    rig.config.targets = vec![target("operator")];
    let report = rig.pass();
    assert!(matches!(report.stop, Stop::WrongAccount { .. }));
    assert_eq!(report.exit_code(), ExitCode::Config);
    assert_eq!(rig.server.acts(), [Act::UserByName]);
    assert_eq!(rig.target("operator").pk, None);
}

#[test]
fn only_the_named_targets_are_looked_at() {
    let mut rig = Rig::new(&["anna", "berta"]).acquainted();
    rig.pass_as(Mode {
        only: Some(vec!["berta".to_owned()]),
        ..Mode::default()
    });
    assert!(rig.server.trace(0).iter().all(|(_, on)| *on == 2));
    assert_eq!(rig.mark(), 2);
}

#[test]
fn a_target_taken_off_the_list_keeps_its_rows_and_is_asked_for_no_more() {
    let rig = Rig::new(&["anna", "berta"]);
    rig.post("anna", 200);
    let mut rig = rig.acquainted();
    rig.config
        .targets
        .retain(|target| target.username != "anna");
    rig.pass();
    assert!(rig.server.trace(0).iter().all(|(_, on)| *on == 2));
    assert!(rig.item(ItemKind::Post, 200).is_some());
    assert!(!rig.target("anna").enabled);
}

#[test]
fn a_renamed_target_is_named_by_its_old_name_and_by_its_new_one() {
    for name in ["berta", "berta.new"] {
        let mut rig = Rig::new(&["anna", "berta"]).acquainted();
        rig.server.world().person("berta").name = "berta.new".to_owned();
        rig.story("berta.new", 100);
        rig.check_all();
        rig.later(HOUR);
        let from = rig.mark();
        rig.pass_as(Mode {
            only: Some(vec![name.to_owned()]),
            check_all: true,
            ..Mode::default()
        });
        let listed = rig.server.trace(from);
        assert!(!listed.is_empty(), "{name}");
        assert!(listed.iter().all(|(_, on)| *on == 2), "{name}");
    }
}

#[test]
fn two_entries_that_are_one_account_are_reported_once_under_the_newer_name() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.server.world().person("anna").name = "anna.new".to_owned();
    rig.config.targets.push(rig.config.targets[0].clone());
    rig.config.targets[1].username = "anna.new".to_owned();
    let report = rig.check_all();
    let names: Vec<&str> = (report.targets.iter())
        .map(|target| target.username.as_str())
        .collect();
    assert_eq!(names, ["anna.new"]);
}
