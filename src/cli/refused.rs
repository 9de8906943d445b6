//! A command line that cannot be read may still say that its reader is a program.

/// Commands whose log is their output, with a report as the last line.
const REPORTING: [&str; 3] = ["run", "cleanup", "migrate"];

/// Whether a report in JSON belongs on stdout although nobody knows what was asked.
pub fn expects_report(words: &[String], stdout_is_terminal: bool) -> bool {
    let has = |word: &str| words.iter().any(|other| other == word);
    let reports = REPORTING.iter().any(|command| has(command));
    let as_text = has("--log-format=text")
        || words
            .windows(2)
            .any(|pair| pair == ["--log-format", "text"]);
    has("--json") || reports && !stdout_is_terminal && !as_text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_expected_where_a_program_reads() {
        for (line, on_a_terminal, elsewhere) in [
            ("run --speed 9", false, true),
            ("run --speed 9 --json", true, true),
            ("--json status now", true, true),
            ("status now", false, false),
            ("migrate --log-format text now", false, false),
            ("migrate --log-format=text now", false, false),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(expects_report(&words, true), on_a_terminal, "{line}");
            assert_eq!(expects_report(&words, false), elsewhere, "{line}");
        }
    }
}
