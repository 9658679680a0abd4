//! A page in Prometheus' text format.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::domain::histogram::Histogram;
use crate::domain::printable::is_control;

/// A family of metrics, for its HELP and TYPE lines.
pub(crate) struct MetricFamily {
    /// Without the `maglev_` that every name begins with.
    pub(crate) name: &'static str,
    pub(crate) kind: MetricKind,
    pub(crate) help: &'static str,
}

pub(crate) const fn gauge(name: &'static str, help: &'static str) -> MetricFamily {
    MetricFamily { name, kind: MetricKind::Gauge, help }
}

pub(crate) const fn counter(name: &'static str, help: &'static str) -> MetricFamily {
    MetricFamily { name, kind: MetricKind::Counter, help }
}

/// A histogram of durations, in seconds.
pub(crate) const fn histogram(name: &'static str, help: &'static str) -> MetricFamily {
    MetricFamily { name, kind: MetricKind::Histogram, help }
}

#[derive(Clone, Copy)]
pub(crate) enum MetricKind {
    Gauge,
    Counter,
    Histogram,
}

/// The text of the page so far.
#[derive(Default)]
pub(crate) struct MetricsPage(String);

/// Names and values.
pub(crate) type Labels<'a> = &'a [(&'static str, &'a str)];

impl MetricsPage {
    /// Writes the HELP and TYPE lines of a family; its series must follow.
    pub(crate) fn family(&mut self, family: &MetricFamily) {
        let kind = match family.kind {
            MetricKind::Gauge => "gauge",
            MetricKind::Counter => "counter",
            MetricKind::Histogram => "histogram",
        };
        let MetricFamily { name, help, .. } = family;
        // Writing to a String cannot fail.
        let _ = write!(self.0, "# HELP maglev_{name} {help}\n# TYPE maglev_{name} {kind}\n");
    }

    /// Writes a series of the last family.
    pub(crate) fn series(&mut self, family: &MetricFamily, labels: Labels<'_>, value: f64) {
        self.line(family.name, "", labels, value);
    }

    fn line(&mut self, name: &str, suffix: &str, labels: Labels<'_>, value: f64) {
        let _ = write!(self.0, "maglev_{name}{suffix}");
        for (place, (name, text)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{before}{name}=\"{}\"", escaped(text));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{after} {value}");
    }

    /// Writes a histogram of the last family: cumulative buckets by their upper
    /// bound in seconds, their sum and their count.
    pub(crate) fn histogram(
        &mut self,
        family: &MetricFamily,
        labels: Labels<'_>,
        values: &Histogram,
    ) {
        let buckets = values
            .cumulative()
            .map(|(bound, cumulative)| (bound.as_secs_f64().to_string(), cumulative));
        for (bound, cumulative) in buckets.chain([("+Inf".into(), values.count())]) {
            let labels: Vec<_> = labels.iter().copied().chain([("le", &*bound)]).collect();
            self.line(family.name, "_bucket", &labels, count(cumulative));
        }
        self.line(family.name, "_sum", labels, values.sum().as_secs_f64());
        self.line(family.name, "_count", labels, count(values.count()));
    }

    /// Writes a family of one series without labels.
    pub(crate) fn single(&mut self, family: &MetricFamily, value: f64) {
        self.family(family);
        self.series(family, &[], value);
    }

    /// Writes a family of one series of the whole process. Its name has no
    /// `maglev_`: dashboards know it of every process.
    pub(crate) fn process(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Prometheus' numbers are doubles: above 2^53 they are rounded.
#[expect(clippy::cast_precision_loss, reason = "the format has no other numbers")]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}

pub(crate) fn flag(is_set: bool) -> f64 {
    if is_set { 1.0 } else { 0.0 }
}

/// A label's value, in which nothing is left that a terminal obeys: the format
/// would let those characters through as they are.
fn escaped(text: &str) -> Cow<'_, str> {
    if text.chars().all(|char| !matches!(char, '\\' | '"') && !is_control(char)) {
        return text.into();
    }
    let mut value = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\\' => value.push_str("\\\\"),
            '"' => value.push_str("\\\""),
            '\n' => value.push_str("\\n"),
            char if !is_control(char) => value.push(char),
            // The backslash is the value's own, and so is doubled.
            char => {
                value.push('\\');
                value.extend(char.escape_default());
            }
        }
    }
    value.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_histogram_has_cumulative_buckets_and_an_endless_one() {
        let family = histogram("x_seconds", "An x.");
        let mut values = Histogram::default();
        values.record(Duration::from_micros(400));
        values.record(Duration::from_secs(8));
        let mut page = MetricsPage::default();
        page.family(&family);
        page.histogram(&family, &[], &values);
        let text = page.into_text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "# TYPE maglev_x_seconds histogram");
        assert_eq!(lines[2], "maglev_x_seconds_bucket{le=\"0.00025\"} 0");
        assert_eq!(lines[3], "maglev_x_seconds_bucket{le=\"0.0005\"} 1");
        assert_eq!(
            lines[lines.len() - 4..],
            [
                "maglev_x_seconds_bucket{le=\"5\"} 1",
                "maglev_x_seconds_bucket{le=\"+Inf\"} 2",
                "maglev_x_seconds_sum 8.0004",
                "maglev_x_seconds_count 2",
            ]
        );
    }

    #[test]
    fn a_label_holds_nothing_that_a_terminal_obeys() {
        for (value, written) in [
            ("plain ü 漢", "plain ü 漢"),
            ("\u{1b}[2J", "\\\\u{1b}[2J"),
            ("a\tb\rc\0", "a\\\\tb\\\\rc\\\\u{0}"),
            ("\u{7f}\u{9b}31m", "\\\\u{7f}\\\\u{9b}31m"),
            ("\u{202e}gpj.exe\u{2066}", "\\\\u{202e}gpj.exe\\\\u{2066}"),
            ("a\\u001b", "a\\\\u001b"),
        ] {
            assert_eq!(escaped(value), written, "{value:?}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        let family = gauge("x", "An x.");
        let mut page = MetricsPage::default();
        page.family(&family);
        page.series(&family, &[("a", "b\\\"\n"), ("c", "")], 1.5);
        page.single(&family, 2.0);
        assert_eq!(
            page.into_text(),
            "# HELP maglev_x An x.\n# TYPE maglev_x gauge\nmaglev_x{a=\"b\\\\\\\"\\n\",c=\"\"} 1.5\n\
             # HELP maglev_x An x.\n# TYPE maglev_x gauge\nmaglev_x 2\n"
        );
    }
}
