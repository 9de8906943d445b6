//! A story as a text file: prose, steps, and below each step what came of it.
//!
//! ```text
//! # prose: what happens, and what the operator expects
//! it is 2026-11-20 08:00
//! anna posts 2 stories
//! $ story-liker run
//! | 08:00:01  user_lookup anna
//! | ...
//! ```
//!
//! Lines with a bar are the golden trace; they are rewritten, the others are not.

use std::fmt::Write as _;

/// One line of the file that is no trace, and the trace below it.
pub struct Line {
    /// Which line of the file, from 1.
    pub number: usize,
    pub text: String,
    pub expected: Vec<String>,
}

impl Line {
    /// Whether something is to be done.
    pub fn is_step(&self) -> bool {
        !self.text.trim().is_empty() && !self.text.starts_with('#')
    }
}

const BAR: &str = "|";

pub fn parse(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let number = index + 1;
        match (text.strip_prefix(BAR), lines.last_mut()) {
            (Some(trace), Some(above)) => {
                let trace = trace.strip_prefix(' ').unwrap_or(trace);
                above.expected.push(trace.to_owned());
            }
            (Some(_), None) => panic!("line {number}: a trace without a step"),
            (None, _) => lines.push(Line {
                number,
                text: text.to_owned(),
                expected: Vec::new(),
            }),
        }
    }
    lines
}

/// The file with these traces.
pub fn write(lines: &[Line], traces: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (line, trace) in lines.iter().zip(traces) {
        writeln!(text, "{}", line.text).unwrap();
        for trace in trace {
            writeln!(text, "{}", format!("{BAR} {trace}").trim_end()).unwrap();
        }
    }
    text
}

/// Where two texts part: common lines are shown only around differences.
pub fn difference(expected: &str, found: &str) -> String {
    const CONTEXT: usize = 3;
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let marked = marked(&old, &new);
    let near = |at: usize| {
        let from = at.saturating_sub(CONTEXT);
        marked[from..marked.len().min(at + CONTEXT + 1)]
            .iter()
            .any(|(mark, _)| *mark != ' ')
    };
    let mut text = String::new();
    let mut gap = false;
    for (at, (mark, line)) in marked.iter().enumerate() {
        if near(at) {
            writeln!(text, "{mark} {line}").unwrap();
        } else if !gap {
            writeln!(text, "  ...").unwrap();
        }
        gap = !near(at);
    }
    text
}

/// The lines of both, by the longest common subsequence: `-` expected only, `+` found only.
fn marked<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut marked) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            marked.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            marked.push(('-', old[i]));
            i += 1;
        } else {
            marked.push(('+', new[j]));
            j += 1;
        }
    }
    marked
}

#[test]
fn a_difference_shows_what_changed_and_little_more() {
    let expected = "1\n2\n3\n4\n5\n6\n7\n8\n9";
    let found = "1\n2\n3\n4\n5\n6\n7\n7b\n8\n9";
    assert_eq!(
        difference(expected, found),
        "  ...\n  5\n  6\n  7\n+ 7b\n  8\n  9\n"
    );
    assert_eq!(difference("a\nb", "a\nc"), "  a\n- b\n+ c\n");
}

#[test]
fn what_is_written_is_what_was_read() {
    let text = "# prose\n\nit is\n| one\n|\n| two\nend\n";
    let lines = parse(text);
    let traces: Vec<Vec<String>> = lines.iter().map(|line| line.expected.clone()).collect();
    assert_eq!(write(&lines, &traces), text);
}
