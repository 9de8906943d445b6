//! What a pass looks at, and in which order.

use crate::world::*;

#[test]
fn a_new_target_s_stories_are_liked_and_its_posts_only_observed() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.post("anna", 200);
    let report = rig.pass();
    assert_eq!(report.exit_code().number(), 0);
    assert_eq!(
        rig.server.acts(),
        [
            Act::UserByName,
            Act::Stories,
            Act::View,
            Act::Like,
            Act::Posts
        ]
    );
}
