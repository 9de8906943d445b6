//! The table: what, target, measured, verdict.

use std::fmt;

/// One line.
struct Line {
    what: String,
    target: String,
    measured: String,
    verdict: &'static str,
}

/// All lines, in the order they were measured.
#[derive(Default)]
pub struct Table(Vec<Line>);

impl Table {
    /// A line with a target: `unit` stands behind both numbers.
    pub fn at_most(&mut self, what: &str, most: f64, measured: f64, unit: &str, detail: &str) {
        let verdict = if measured <= most { "ok" } else { "MISSED" };
        self.0.push(Line {
            what: what.to_owned(),
            target: format!("<= {most} {unit}").trim_end().to_owned(),
            measured: join(&format!("{measured:.2} {unit}"), detail),
            verdict,
        });
    }

    /// A line that only tells.
    pub fn tell(&mut self, what: &str, measured: &str) {
        self.0.push(Line {
            what: what.to_owned(),
            target: String::new(),
            measured: measured.to_owned(),
            verdict: "",
        });
    }
}

fn join(number: &str, detail: &str) -> String {
    let number = number.trim_end();
    if detail.is_empty() {
        number.to_owned()
    } else {
        format!("{number} ({detail})")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if cfg!(debug_assertions) {
            writeln!(f, "NOT a release build: no figure below counts\n")?;
        }
        writeln!(f, "| what | target | measured | verdict |")?;
        writeln!(f, "|---|---|---|---|")?;
        for line in &self.0 {
            let Line {
                what,
                target,
                measured,
                verdict,
            } = line;
            writeln!(f, "| {what} | {target} | {measured} | {verdict} |")?;
        }
        Ok(())
    }
}
