//! The checks for people: a line each, what to do below it.

use super::check::{Check, Status, exit_code};
use crate::exit::ExitCode;

const STATUS_WIDTH: usize = 8;

/// All checks, and the sum of them.
pub(super) fn render(checks: &[Check]) -> String {
    let names = checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for check in checks {
        let status = check.status.as_str();
        let Check { id, finding, .. } = check;
        text.push_str(&format!(
            "{status:<STATUS_WIDTH$} {id:<names$}  {finding}\n"
        ));
        if let Some(remedy) = &check.remedy {
            text.push_str(&format!(
                "{:<STATUS_WIDTH$} {:<names$}  > {remedy}\n",
                "", ""
            ));
        }
    }
    text + &sum(checks)
}

fn sum(checks: &[Check]) -> String {
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let plural = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let warnings = plural(count(Status::Warning), "warning");
    match exit_code(checks) {
        ExitCode::Ok => format!("no problem, {warnings}"),
        code => {
            let problems = plural(count(Status::Problem), "problem");
            format!("{problems}, {warnings}: a pass would end with {code}")
        }
    }
}
