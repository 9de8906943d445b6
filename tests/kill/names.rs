//! A power cut after the end: a new file's name is on the disk by then, as its content is.

use crate::lab::lab;
use crate::strace::{Site, Words};
use crate::sweep::tracer;

const FILE: &str = "only.copy";

#[test]
fn the_name_of_a_new_key_and_of_an_exported_session_reaches_the_disk_before_the_end() {
    let Some(tracer) = tracer("names") else {
        return;
    };
    for arguments in [&["session", "new-key", FILE], &["session", "export", FILE]] {
        let home = lab();
        let input = None;
        let (ended, sites) = tracer.sites(&home, Words { arguments, input });
        ended.expect(0);
        let folder = format!("<{}>", home.folder.path().display());
        let named = |site: &Site| {
            ["renameat2", "link", "linkat"].contains(&site.call.as_str())
                && site.arguments.contains(FILE)
        };
        let kept = |site: &Site| site.call == "fsync" && site.arguments.contains(&folder);
        let named = sites.iter().position(named);
        let kept = sites.iter().rposition(kept);
        assert!(
            named.is_some() && named < kept,
            "{named:?}, {kept:?}: {sites:?}"
        );
    }
}
