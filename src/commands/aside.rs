//! What is done beside a pass and may change neither how it ends nor what it reports.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does `work`; a panic of it is a warning in the log. `what` completes "while it".
pub(super) fn aside(what: &str, work: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        log::warn!(
            "an invariant of the program broke while it {what}; the pass and its exit code are as \
             they are: please report this with the message above it"
        );
    }
}
