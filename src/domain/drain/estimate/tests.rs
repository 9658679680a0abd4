//! The estimate against drains whose end is known.

use proptest::prelude::*;

use super::*;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// `count` samples of a law, over the first `part` of `whole` seconds.
fn samples(law: impl Fn(f64) -> f64, whole: f64, part: f64, count: u32) -> Vec<FlowSample> {
    let step = whole * part / f64::from(count - 1);
    let sample = |number| {
        let at = step * f64::from(number);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
        FlowSample { at: seconds(at), flows: law(at).round().max(0.0) as u64 }
    };
    (0..count).map(sample).collect()
}

/// How many times as long, or as short, the estimate is as what is really left.
fn factor(samples: &[FlowSample], left: f64) -> f64 {
    match estimate(samples).end {
        DrainEnd::In(span) => (span.as_secs_f64() / left).max(left / span.as_secs_f64()),
        other => panic!("{other:?} of {samples:?}"),
    }
}

#[test]
fn nothing_is_said_where_there_is_nothing_to_say() {
    let at = |at, flows| FlowSample { at: Duration::from_secs(at), flows };
    let said = |samples: &[FlowSample]| {
        let DrainEstimate { rate, end } = estimate(samples);
        (rate, end)
    };
    assert_eq!(said(&[]), (None, DrainEnd::Unknown));
    assert_eq!(said(&[at(1, 5)]), (None, DrainEnd::Unknown));
    assert_eq!(said(&[at(1, 0)]), (None, DrainEnd::Reached));
    assert_eq!(said(&[at(1, 5), at(1, 5)]), (None, DrainEnd::Unknown), "one moment");
    assert_eq!(said(&[at(0, 5), at(2, 9)]), (Some(-2.0), DrainEnd::Unknown), "they rise");
    assert_eq!(said(&[at(0, 5), at(2, 5)]), (Some(0.0), DrainEnd::Unknown), "they rest");
    let rest = [9, 7, 5, 4, 4, 4, 4, 4, 4, 4].into_iter().zip(0..).map(|(f, t)| at(t, f));
    assert_eq!(said(&rest.collect::<Vec<_>>()), (Some(0.0), DrainEnd::Unknown), "at rest");
    let (rate, end) = said(&[at(0, 10), at(2, 6)]);
    assert_eq!(rate, Some(2.0));
    assert!(matches!(end, DrainEnd::In(span) if span > Duration::from_secs(3)), "{end:?}");
}

#[test]
fn counts_that_fall_only_after_a_while_are_estimated_from_there() {
    // As in VPP, where a flow that has ended has its entry until it times out.
    let law = |at: f64| if at < 40.0 { 1000.0 } else { 1000.0 - 20.0 * (at - 40.0) };
    let at_two_thirds = samples(law, 90.0, 2.0 / 3.0, 31);
    assert!(factor(&at_two_thirds, 30.0) < 1.3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_linear_drain_is_estimated_within_a_factor_of_two_at_half_time(
        flows in 20.0..1e6,
        whole in 10.0..1e5,
        count in 6_u32..64,
    ) {
        let drain = samples(|at| flows * (1.0 - at / whole), whole, 0.5, count);
        prop_assert!(factor(&drain, whole / 2.0) < 2.0);
    }

    #[test]
    fn flows_that_end_independently_are_estimated_within_a_factor_of_two_at_half_time(
        flows in 50.0..1e6_f64,
        whole in 10.0..1e5,
        count in 12_u32..64,
    ) {
        // The last flow ends when half of one is left.
        let rate = (2.0 * flows).ln() / whole;
        let drain = samples(|at| flows * (-rate * at).exp(), whole, 0.5, count);
        prop_assert!(factor(&drain, whole / 2.0) < 2.0);
    }

    #[test]
    fn noise_of_a_twentieth_leaves_it_within_a_factor_of_three(
        flows in 1000.0..1e6_f64,
        whole in 10.0..1e5_f64,
        is_linear: bool,
        noise in prop::collection::vec(-0.05..0.05, 40),
    ) {
        let rate: f64 = (2.0 * flows).ln() / whole;
        let law = |at: f64| {
            if is_linear { flows * (1.0 - at / whole) } else { flows * (-rate * at).exp() }
        };
        let mut drain = samples(law, whole, 0.5, 40);
        for (sample, noise) in drain.iter_mut().zip::<Vec<f64>>(noise) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small counts"
            )]
            let noisy = (float(sample.flows) * (1.0 + noise)).round() as u64;
            sample.flows = noisy;
        }
        prop_assert!(factor(&drain, whole / 2.0) < 3.0);
    }

    #[test]
    fn whatever_is_counted_the_estimate_is_sane(
        counts in prop::collection::vec(any::<u64>(), 0..70),
        step_ms in 0_u64..10_000_000,
    ) {
        let at = |number: usize| Duration::from_millis(step_ms.saturating_mul(number as u64));
        let sample = |(number, &flows)| FlowSample { at: at(number), flows };
        let drain: Vec<_> = counts.iter().enumerate().map(sample).collect();
        let DrainEstimate { rate, end } = estimate(&drain);
        prop_assert!(rate.is_none_or(f64::is_finite));
        prop_assert_eq!(end == DrainEnd::Reached, counts.last() == Some(&0));
        if let DrainEnd::In(span) = end {
            prop_assert!(span > Duration::ZERO && span <= LONGEST);
        }
        let mut rising = counts.clone();
        rising.sort_unstable();
        rising.retain(|flows| *flows > 0);
        let rising: Vec<_> = rising.iter().enumerate().map(sample).collect();
        prop_assert_eq!(estimate(&rising).end, DrainEnd::Unknown);
        prop_assert!(estimate(&rising).rate.is_none_or(|rate| rate <= 0.0));
    }
}
