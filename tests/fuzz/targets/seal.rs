#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| story_liker::fuzzing::seal(bytes));
