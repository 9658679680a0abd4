//! A page in Prometheus' text format.

use std::fmt::Write as _;

use crate::domain::histogram::Histogram;

/// What a family of metrics is, for its HELP and TYPE lines.
pub(super) struct MetricFamily {
    /// Without the `maglev_` that every name begins with.
    pub(super) name: &'static str,
    pub(super) kind: MetricKind,
    pub(super) help: &'static str,
}

/// How the numbers of a family move.
#[derive(Clone, Copy)]
pub(super) enum MetricKind {
    Gauge,
    Counter,
    Histogram,
}

/// The page, growing.
#[derive(Default)]
pub(super) struct MetricsPage(String);

/// The names and values of one series.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

impl MetricsPage {
    /// Begins a family; its series follow.
    pub(super) fn family(&mut self, family: &MetricFamily) {
        let kind = match family.kind {
            MetricKind::Gauge => "gauge",
            MetricKind::Counter => "counter",
            MetricKind::Histogram => "histogram",
        };
        let MetricFamily { name, help, .. } = family;
        // Writing to a String cannot fail.
        let _ = write!(self.0, "# HELP maglev_{name} {help}\n# TYPE maglev_{name} {kind}\n");
    }

    /// A series of the family begun last.
    pub(super) fn series(&mut self, family: &MetricFamily, labels: Labels<'_>, value: f64) {
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

    /// A histogram of the family begun last, in seconds.
    pub(super) fn histogram(&mut self, family: &MetricFamily, labels: Labels<'_>, of: &Histogram) {
        let bounds =
            of.cumulative().map(|(bound, so_far)| (bound.as_secs_f64().to_string(), so_far));
        for (bound, so_far) in bounds.chain([("+Inf".into(), of.count())]) {
            let labels: Vec<_> = labels.iter().copied().chain([("le", &*bound)]).collect();
            self.line(family.name, "_bucket", &labels, count(so_far));
        }
        self.line(family.name, "_sum", labels, of.sum().as_secs_f64());
        self.line(family.name, "_count", labels, count(of.count()));
    }

    /// A family of one series without labels.
    pub(super) fn single(&mut self, family: &MetricFamily, value: f64) {
        self.family(family);
        self.series(family, &[], value);
    }

    /// A family of one series of the whole process, under the name that every
    /// process gives it.
    pub(super) fn process(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Prometheus' numbers are doubles: beyond 2^53 they count in steps.
#[expect(clippy::cast_precision_loss, reason = "the format has no other numbers")]
pub(super) fn count(number: u64) -> f64 {
    number as f64
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_histogram_has_cumulative_buckets_and_an_endless_one() {
        let family = MetricFamily { name: "x_seconds", kind: MetricKind::Histogram, help: "An x." };
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_micros(400));
        histogram.record(Duration::from_secs(8));
        let mut page = MetricsPage::default();
        page.family(&family);
        page.histogram(&family, &[], &histogram);
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
    fn labels_are_escaped() {
        let family = MetricFamily { name: "x", kind: MetricKind::Gauge, help: "An x." };
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
