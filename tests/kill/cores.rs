//! What a crash leaves: no memory, whatever the machine does with cores.

use std::fs;

use crate::home::BINARY;
use crate::lab::lab;
use crate::sweep::tracer;

#[test]
fn the_kernel_is_asked_for_no_core_before_any_file_of_the_operator_is_opened() {
    let Some(tracer) = tracer("core") else {
        return;
    };
    let home = lab();
    let log = home.path("calls.log");
    let mut strace = tracer.command(&log);
    strace.args(["-e", "trace=prctl,prlimit64,openat", "--", BINARY]);
    home.prepare(strace, ["session", "show"]).output().unwrap();
    let calls = fs::read_to_string(log).unwrap();
    let first = |words: &str| {
        calls
            .find(words)
            .unwrap_or_else(|| panic!("{words}: {calls}"))
    };
    let opened = first("config.toml");
    for asked in [
        "RLIMIT_CORE, {rlim_cur=0,",
        // core(5): the limit is not heeded where cores are piped to a program.
        "prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE) = 0",
    ] {
        assert!(first(asked) < opened, "{asked}: {calls}");
    }
}
