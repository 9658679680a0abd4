//! Estimates from counts of flows how fast they end, and when the last one will.
//!
//! Flows that come to their end independently of each other become fewer in proportion
//! to how many are left: n·exp(-kt). Flows that are taken off by something of a fixed
//! rate become fewer linearly. Which of the two is at work, or what between them, shows in
//! how the rate changes with the count: rate = k·count^p, with p = 1 for the first and
//! p = 0 for the second. So p and k are taken from the counts since they began to fall,
//! and the law is followed until less than half a flow is left.

use std::time::Duration;

use super::history::FlowSample;

/// Fewer samples than this, since the count began to fall, say nothing of p.
const SAMPLES_FOR_LAW: usize = 6;

/// p where nothing is known of it: half-way between the two laws.
const USUAL_EXPONENT: f64 = 0.5;

/// How much of p is believed where the count has hardly fallen: a small error of the rates
/// would be a large one of p, and one of p is multiplied by the logarithm of the count.
const CAUTION: f64 = 0.2;

/// p at most. What slows down even more comes to rest.
const GREATEST_EXPONENT: f64 = 2.0;

/// What is left when none is left, on average.
const LAST: f64 = 0.5;

/// Beyond it there is no saying.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// What samples say of a drain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrainEstimate {
    /// Flows that end in a second, of late; below 0 while they become more. `None`: it
    /// takes two samples.
    pub rate: Option<f64>,
    pub end: DrainEnd,
}

/// When the last flow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainEnd {
    /// None is left.
    Reached,
    /// So long after the last sample.
    In(Duration),
    /// They do not become fewer, or so slowly that there is no saying.
    Unknown,
}

/// Estimates from `samples`, the oldest first, each later than the one before.
#[must_use]
pub fn estimate(samples: &[FlowSample]) -> DrainEstimate {
    let Some(last) = samples.last() else {
        return DrainEstimate { rate: None, end: DrainEnd::Unknown };
    };
    let recent = &samples[samples.len() / 2..];
    let recent = if recent.len() < 2 { samples } else { recent };
    let rate = FlowTrend::of(recent).map(|trend| trend.rate);
    let end = match last.flows {
        0 => DrainEnd::Reached,
        _ => end(samples, last.flows),
    };
    DrainEstimate { rate, end }
}

fn end(samples: &[FlowSample], left: u64) -> DrainEnd {
    // From the last of the greatest counts on.
    let most = samples.iter().map(|sample| sample.flows).max().unwrap_or(0);
    let begin = samples.iter().rposition(|sample| sample.flows == most).unwrap_or(0);
    let falling = &samples[begin..];
    let (law, late) = if falling.len() < SAMPLES_FOR_LAW {
        (None, FlowTrend::of(falling))
    } else {
        let (first, second) = falling.split_at(falling.len() / 2);
        let (early, late) = (FlowTrend::of(first), FlowTrend::of(second));
        (early.zip(late).map(|(early, late)| exponent(early, late)), late)
    };
    let Some(late) = late.filter(|late| late.rate > 0.0 && late.mean > 0.0) else {
        return DrainEnd::Unknown;
    };
    let exponent = law.unwrap_or(USUAL_EXPONENT);
    let speed = late.rate / late.mean.powf(exponent);
    let seconds = integral(exponent, float(left)) / speed;
    match Duration::try_from_secs_f64(seconds) {
        Ok(span) if span <= LONGEST => DrainEnd::In(span),
        _ => DrainEnd::Unknown,
    }
}

/// p, from the rates at two counts.
fn exponent(early: FlowTrend, late: FlowTrend) -> f64 {
    let fell = (early.mean / late.mean).ln();
    if early.rate <= 0.0 || late.rate <= 0.0 || fell <= 0.0 || !fell.is_finite() {
        return 0.0;
    }
    // Least squares for ln(rate) = p·ln(count), with a penalty on p.
    let slowed = (early.rate / late.rate).ln();
    (slowed * fell / (fell * fell + CAUTION)).clamp(0.0, GREATEST_EXPONENT)
}

/// The integral of count^-p from [`LAST`] to `left`, which is at least 1.
fn integral(exponent: f64, left: f64) -> f64 {
    let power = 1.0 - exponent;
    if power.abs() < 1e-6 {
        return (left / LAST).ln();
    }
    (left.powf(power) - LAST.powf(power)) / power
}

/// The straight line of least squares through some samples.
#[derive(Clone, Copy, Debug)]
struct FlowTrend {
    /// The mean count.
    mean: f64,
    /// How much it falls in a second.
    rate: f64,
}

impl FlowTrend {
    /// `None` where all samples are of one moment.
    fn of(samples: &[FlowSample]) -> Option<Self> {
        let first = samples.first()?.at;
        let number = float(samples.len() as u64);
        let points = || {
            let since = |sample: &FlowSample| sample.at.saturating_sub(first).as_secs_f64();
            samples.iter().map(move |sample| (since(sample), float(sample.flows)))
        };
        let (times, counts) = points().fold((0.0, 0.0), |sum, (t, c)| (sum.0 + t, sum.1 + c));
        let (time, mean) = (times / number, counts / number);
        let spread: f64 = points().map(|(t, _)| (t - time) * (t - time)).sum();
        let both: f64 = points().map(|(t, c)| (t - time) * (c - mean)).sum();
        (spread > 0.0).then(|| Self { mean, rate: -both / spread })
    }
}

/// Counts far below 2^53 are exact, and the others need not be.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
