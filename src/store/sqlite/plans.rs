//! The cost of a claim, a pass and a `status` does not grow with the ledger: no statement over
//! attempts reads more than an index range, and none sorts.

use super::{Db, history, holds, items, ledger, notices, prune, runs, schema, status, window};

fn plan(statement: &str) -> Vec<String> {
    let mut db = Db::in_memory().expect("memory");
    schema::migrate(&mut db).expect("a schema");
    let explained = format!("EXPLAIN QUERY PLAN {statement}");
    let mut prepared = db.connection.prepare(&explained).expect("a statement");
    let rows = prepared
        .raw_query()
        .mapped(|row| row.get(3))
        .collect::<Result<_, _>>();
    rows.expect("a plan")
}

#[test]
fn a_statement_over_attempts_searches_one_index() {
    for (statement, index) in [
        (
            window::REQUESTS,
            "attempt_of_account (account=? AND stands_at>?)",
        ),
        (
            window::OF_KIND,
            "attempt_of_kind (account=? AND kind=? AND stands_at>?)",
        ),
        (
            window::TARGET_LIKES,
            "attempt_of_target (account=? AND target=? AND stands_at>?)",
        ),
        (
            ledger::LIKES_OF_ITEM,
            "attempt_on_item (account=? AND item_pk=?)",
        ),
        (history::LIKES, "attempt_on_item (account=? AND item_pk=?)"),
        (
            history::OTHERS,
            "attempt_about_item (account=? AND item_pk=?)",
        ),
        (
            ledger::UNSETTLED,
            "attempt_of_account (account=? AND stands_at=?)",
        ),
        (
            ledger::STANDING_SINCE,
            "attempt_of_account (account=? AND stands_at>?)",
        ),
        (
            status::REQUESTS_SINCE,
            "attempt_of_account (account=? AND stands_at>?)",
        ),
        (ledger::NEWEST, "attempt_of_account (account=?)"),
        (
            ledger::NEWEST_LIKE,
            "attempt_of_kind (account=? AND kind=?)",
        ),
        (
            prune::NEWEST_SETTLED,
            "attempt_of_account (account=? AND stands_at<?)",
        ),
        (
            prune::PRUNE_STORY_LIKES,
            "attempt_story_like (account=? AND stands_at<?)",
        ),
        (
            prune::PRUNE_OTHER_ATTEMPTS,
            "attempt_of_kind (account=? AND kind=? AND stands_at<?)",
        ),
    ] {
        let plan = plan(statement);
        assert!(
            plan[0].starts_with("SEARCH attempt USING ") && plan[0].ends_with(index),
            "{statement}: {plan:?}"
        );
        assert!(
            !plan.iter().any(|step| step.contains("TEMP B-TREE")),
            "{statement}: {plan:?}"
        );
    }
}

#[test]
fn no_other_statement_of_a_pass_scans_a_table_that_grows() {
    for statement in [
        holds::IN_FORCE,
        notices::WAITING,
        notices::CLEARED,
        notices::LAST,
        notices::UNDELIVERED,
        runs::RECENT,
        runs::LAST_ENDED,
        runs::LAST_END_WITH,
        items::STORIES_IN,
        items::POSTS_IN,
    ] {
        let plan = plan(statement);
        assert!(plan[0].starts_with("SEARCH "), "{statement}: {plan:?}");
        let scans = plan.iter().filter(|step| step.starts_with("SCAN"));
        for scan in scans {
            assert!(scan.contains("json_each"), "{statement}: {plan:?}");
        }
    }
}

#[test]
fn what_nobody_was_told_is_found_without_reading_what_everybody_was() {
    let plan = plan(notices::UNDELIVERED);
    assert!(
        plan[0].ends_with("delivery USING INDEX delivery_open (channel=?)"),
        "{plan:?}"
    );
    assert!(
        !plan.iter().any(|step| step.contains("TEMP B-TREE")),
        "{plan:?}"
    );
}
