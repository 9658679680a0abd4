//! Estimates from readings of a server's flows how fast they end, and when the last one
//! will.
//!
//! VPP's count includes flows that have ended, until new ones take their places. How many
//! are in use shows in the packets: as a flow in use sends so many a second on average,
//! they become fewer with them. Where packets are not known, or too few to tell, the count
//! has to do.
//!
//! Flows that come to their end independently of each other become fewer in proportion
//! to how many are left: n·exp(-kt). Flows that are taken off by something of a fixed
//! rate become fewer linearly. Which of the two is at work, or what between them, shows in
//! how the rate changes with their number: rate = k·n^p, with p = 1 for the first and
//! p = 0 for the second. So p and k are taken from the numbers since they began to fall,
//! and the law is followed until less than half a flow is left.

mod in_use;
mod trend;

use std::time::Duration;

use super::history::FlowSample;
use in_use::in_use;
use trend::{FlowPoint, FlowTrend};

/// Fewer points than this, since the number began to fall, say nothing of p.
const POINTS_FOR_LAW: usize = 6;

/// p where nothing is known of it: half-way between the two laws.
const USUAL_EXPONENT: f64 = 0.5;

/// How much of p is believed where the number has hardly fallen: a small error of the rates
/// would be a large one of p, and one of p is multiplied by the logarithm of the number.
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
    /// How many flows are in use, about; `None`: packets do not tell.
    pub in_use: Option<f64>,
    pub end: DrainEnd,
}

/// When the last flow is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainEnd {
    /// None is left.
    Reached,
    /// So long after the last sample.
    In(Duration),
    /// They do not become fewer, or so slowly that there is no saying.
    Unknown,
}

/// How VPP forgets flows that have ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forgetting {
    /// How long after its last packet it has surely forgotten a flow.
    pub after: Duration,
    /// How long the server has had no packet at the last sample.
    pub quiet: Duration,
}

/// Estimates from `samples`, the oldest first, each later than the one before.
#[must_use]
pub fn estimate(samples: &[FlowSample], forgetting: Forgetting) -> DrainEstimate {
    let Some(last) = samples.last() else {
        return DrainEstimate { rate: None, in_use: None, end: DrainEnd::Unknown };
    };
    let in_use = in_use(samples);
    let counted = || samples.iter().map(FlowPoint::counted).collect();
    let points = in_use.clone().unwrap_or_else(counted);
    let recent = &points[points.len() / 2..];
    let recent = if recent.len() < 2 { &points } else { recent };
    let rate = FlowTrend::of(recent).map(|trend| trend.rate);
    let in_use = in_use.and_then(|points| points.last().copied());
    let end = match (last.flows, in_use) {
        (0, _) => DrainEnd::Reached,
        (_, Some(point)) if point.flows < LAST => {
            DrainEnd::In(forgetting.after.saturating_sub(forgetting.quiet))
        }
        (_, Some(point)) => {
            let since = last.at.as_secs_f64() - point.at;
            end(&points, forgetting.after.as_secs_f64() - since)
        }
        (_, None) => end(&points, 0.0),
    };
    DrainEstimate { rate, in_use: in_use.map(|point| point.flows), end }
}

/// `further`: seconds from the end of the last flow to the end of the drain.
fn end(points: &[FlowPoint], further: f64) -> DrainEnd {
    // From the last of the greatest numbers on.
    let most = points.iter().fold(0.0_f64, |most, point| most.max(point.flows));
    let begin = points.iter().rposition(|point| point.flows >= most).unwrap_or(0);
    let falling = &points[begin..];
    let (law, late) = if falling.len() < POINTS_FOR_LAW {
        (None, FlowTrend::of(falling))
    } else {
        let (first, second) = falling.split_at(falling.len() / 2);
        let (early, late) = (FlowTrend::of(first), FlowTrend::of(second));
        (early.zip(late).map(|(early, late)| exponent(early, late)), late)
    };
    let late = late.filter(|late| late.rate > 0.0 && late.mean > 0.0);
    let Some((late, left)) = late.zip(points.last()) else { return DrainEnd::Unknown };
    let exponent = law.unwrap_or(USUAL_EXPONENT);
    let speed = late.rate / late.mean.powf(exponent);
    let seconds = integral(exponent, left.flows) / speed + further;
    match Duration::try_from_secs_f64(seconds) {
        Ok(span) if span <= LONGEST => DrainEnd::In(span),
        _ => DrainEnd::Unknown,
    }
}

/// p, from the rates at two numbers.
fn exponent(early: FlowTrend, late: FlowTrend) -> f64 {
    let fell = (early.mean / late.mean).ln();
    if early.rate <= 0.0 || late.rate <= 0.0 || fell <= 0.0 || !fell.is_finite() {
        return 0.0;
    }
    // Least squares for ln(rate) = p·ln(count), with a penalty on p.
    let slowed = (early.rate / late.rate).ln();
    (slowed * fell / (fell * fell + CAUTION)).clamp(0.0, GREATEST_EXPONENT)
}

/// The integral of n^-p from [`LAST`] to `left`, which is at least as much.
fn integral(exponent: f64, left: f64) -> f64 {
    let power = 1.0 - exponent;
    if power.abs() < 1e-6 {
        return (left / LAST).ln();
    }
    (left.powf(power) - LAST.powf(power)) / power
}

#[cfg(test)]
mod tests;
