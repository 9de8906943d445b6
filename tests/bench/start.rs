//! What the program costs before it does anything: its size, and the time to its first answer.

use super::Asked;
use super::lab::{PROGRAM, program};
use super::measure::median_of;
use super::table::Table;

pub fn measure(_: &Asked, table: &mut Table) {
    let bytes = std::fs::metadata(PROGRAM).unwrap().len();
    let megabytes = f64::from(u32::try_from(bytes).unwrap()) / 1e6;
    table.at_most("release binary", 16.0, megabytes, "MB", "");
    let version = || {
        let mut command = program();
        command.arg("--version");
        command
    };
    let (median, detail) = median_of(101, version);
    table.at_most("`--version`", 5.0, median, "ms", &detail);
}
