//! How a number of flows changes.

use super::FlowSample;

/// How many flows there were at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FlowPoint {
    /// Seconds since the drain began.
    pub(super) at: f64,
    pub(super) flows: f64,
}

impl FlowPoint {
    /// By VPP's count.
    pub(super) fn counted(sample: &FlowSample) -> Self {
        Self { at: sample.at.as_secs_f64(), flows: float(sample.flows) }
    }
}

/// The straight line of least squares through some points.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlowTrend {
    /// The mean number.
    pub(super) mean: f64,
    /// How much it falls in a second.
    pub(super) rate: f64,
}

impl FlowTrend {
    /// `None` where all points are of one moment.
    pub(super) fn of(points: &[FlowPoint]) -> Option<Self> {
        let first = points.first()?.at;
        let number = float(points.len() as u64);
        let spots = || points.iter().map(move |point| (point.at - first, point.flows));
        let (times, flows) = spots().fold((0.0, 0.0), |sum, (t, n)| (sum.0 + t, sum.1 + n));
        let (time, mean) = (times / number, flows / number);
        let spread: f64 = spots().map(|(t, _)| (t - time) * (t - time)).sum();
        let both: f64 = spots().map(|(t, n)| (t - time) * (n - mean)).sum();
        (spread > 0.0).then(|| Self { mean, rate: -both / spread })
    }
}

/// Counts far below 2^53 are exact, and the others need not be.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}
