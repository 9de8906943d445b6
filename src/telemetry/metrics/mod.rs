//! The figures of the last pass for Prometheus: a file in the text format that `node_exporter`'s
//! textfile collector reads.
//!
//! Pure but for [`mod@file`]: a [`Snapshot`] becomes samples, samples become text. All are gauges. A
//! counter must never shrink, and whatever could be counted here does: history is pruned, and an
//! unknown like becomes a disproved one. So requests are told of the last pass and of the last 24
//! hours, which also survives a pass that was killed and a file that was lost.

pub mod file;
mod list;
mod snapshot;
pub mod text;

pub use list::{ALL, Group, Metric};
pub use snapshot::{
    Figures, HoldFigure, LastRun, Snapshot, Start, TargetState, WindowFigure, samples,
};

/// One value of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The metric's name.
    pub name: String,
    /// Label names and values, `profile` first.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(label, _)| label == name);
        found.map(|(_, value)| value.as_str())
    }
}
