//! Samples as text and back, in Prometheus' classic text format 0.0.4. (`OpenMetrics`, which newer
//! libraries write, is not what the textfile collector reads.)
//!
//! A file may serve several profiles, and a start that could not read the database has nothing to say
//! about it: so what is there already is read and kept where it is not replaced.

use std::iter::Peekable;
use std::str::Chars;

use prometheus::TextEncoder;
use prometheus::proto::{Gauge, LabelPair, Metric as Encoded, MetricFamily, MetricType};

use super::snapshot::seconds;
use super::{Group, Metric, Sample, list};
use crate::model::Timestamp;

/// The file holds the figures of another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOurs;

/// Whether a file that holds `old` may be replaced.
pub fn are_ours(old: &str) -> Result<(), NotOurs> {
    let mut lines = old.lines();
    if old.trim().is_empty() || lines.any(|line| line.starts_with("# HELP story_liker_")) {
        Ok(())
    } else {
        Err(NotOurs)
    }
}

/// The new content of a file that holds `old`, at `now`. Samples of other profiles stay, and so do the
/// figures of `profile` where `fresh` has none, and what a
/// later start said that found this one at work and ended before it.
pub fn merged(
    old: &str,
    profile: &str,
    fresh: &[Sample],
    now: Timestamp,
) -> Result<String, NotOurs> {
    are_ours(old)?;
    let old: Vec<Sample> = read(old).collect();
    let has_figures = value(fresh, &list::SNAPSHOT, profile).is_some();
    let start = |samples| value(samples, &list::LAST_START, profile);
    let is_overtaken = match (start(&old), start(fresh)) {
        // A start that is still to come was told of by a clock that was ahead.
        (Some(old), Some(fresh)) => old > fresh && old <= seconds(now),
        _ => false,
    };
    let stays = |sample: &Sample| match (known(sample), sample.label("profile")) {
        (None, _) | (_, None) => false,
        (Some(metric), Some(whose)) => {
            whose != profile
                || match metric.group {
                    Group::Start => is_overtaken,
                    Group::Figures => !has_figures,
                }
        }
    };
    let is_news = |sample: &&Sample| {
        !is_overtaken || known(sample).is_none_or(|metric| metric.group == Group::Figures)
    };
    let mut samples: Vec<Sample> = old.into_iter().filter(stays).collect();
    samples.extend(fresh.iter().filter(is_news).cloned());
    samples.sort_by(|a, b| a.label("profile").cmp(&b.label("profile")));
    Ok(encode(&samples))
}

/// The value of a metric of `profile` without labels of its own.
fn value(samples: &[Sample], metric: &Metric, profile: &str) -> Option<f64> {
    let is_it =
        |sample: &&Sample| sample.name == metric.name && sample.label("profile") == Some(profile);
    samples.iter().find(is_it).map(|sample| sample.value)
}

/// The metric that a sample is of, if this version knows it with just these labels.
fn known(sample: &Sample) -> Option<&'static Metric> {
    let metric = list::find(&sample.name)?;
    let labels = sample.labels.iter().map(|(name, _)| name.as_str());
    let expected = std::iter::once("profile").chain(metric.labels.iter().copied());
    labels.eq(expected).then_some(metric)
}

/// Samples of known metrics as text, metric by metric.
pub fn encode(samples: &[Sample]) -> String {
    let families: Vec<MetricFamily> = list::ALL
        .iter()
        .filter_map(|metric| {
            let mut family = MetricFamily::default();
            family.set_name(metric.name.to_owned());
            family.set_help(metric.help.to_owned());
            family.set_field_type(MetricType::GAUGE);
            let of_it = samples.iter().filter(|sample| sample.name == metric.name);
            family.set_metric(of_it.map(encoded).collect());
            (!family.get_metric().is_empty()).then_some(family)
        })
        .collect();
    let mut text = String::new();
    // Writing to a string cannot fail, and no family is empty or without a name.
    let _ = TextEncoder::new().encode_utf8(&families, &mut text);
    text
}

fn encoded(sample: &Sample) -> Encoded {
    let pair = |(name, value): &(String, String)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.clone());
        pair.set_value(value.clone());
        pair
    };
    let mut gauge = Gauge::default();
    gauge.set_value(sample.value);
    let mut metric = Encoded::from_label(sample.labels.iter().map(pair).collect());
    metric.set_gauge(gauge);
    metric
}

/// The samples in a text; lines that are none are left out.
pub fn read(text: &str) -> impl Iterator<Item = Sample> {
    text.lines().filter_map(sample)
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let mut rest = rest.chars().peekable();
    let labels = if rest.next_if_eq(&'{').is_some() {
        labels(&mut rest)?
    } else {
        Vec::new()
    };
    let value: String = rest.collect();
    let value = value.strip_prefix(' ')?.parse().ok()?;
    let name = name.to_owned();
    (!name.is_empty() && !name.starts_with('#')).then_some(Sample {
        name,
        labels,
        value,
    })
}

fn labels(rest: &mut Peekable<Chars<'_>>) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    loop {
        let mut name = String::new();
        loop {
            match rest.next()? {
                '=' => break,
                c => name.push(c),
            }
        }
        rest.next_if_eq(&'"')?;
        labels.push((name, label_value(rest)?));
        match rest.next()? {
            ',' => {}
            '}' => return Some(labels),
            _ => return None,
        }
    }
}

/// Up to the closing quote, which goes too.
fn label_value(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut value = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(value),
            '\\' => value.push(match rest.next()? {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                _ => return None,
            }),
            c => value.push(c),
        }
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
