//! The estimate against drains whose end is known.

use proptest::prelude::*;

use super::trend::float;
use super::*;

const FORGETTING: Forgetting = Forgetting { after: Duration::from_secs(42), quiet: Duration::ZERO };

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// `count` samples of a law, over the first `part` of `whole` seconds.
fn samples(law: impl Fn(f64) -> f64, whole: f64, part: f64, count: u32) -> Vec<FlowSample> {
    let step = whole * part / f64::from(count - 1);
    let sample = |number| {
        let at = step * f64::from(number);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
        FlowSample { at: seconds(at), flows: law(at).round().max(0.0) as u64, packets: None }
    };
    (0..count).map(sample).collect()
}

/// How many times as long, or as short, the estimate is as what is really left.
fn factor(samples: &[FlowSample], left: f64) -> f64 {
    factor_of(estimate(samples, FORGETTING), left)
}

fn factor_of(estimate: DrainEstimate, left: f64) -> f64 {
    match estimate.end {
        DrainEnd::In(span) => (span.as_secs_f64() / left).max(left / span.as_secs_f64()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_said_where_there_is_nothing_to_say() {
    let at = |at, flows| FlowSample { at: Duration::from_secs(at), flows, packets: None };
    let said = |samples: &[FlowSample]| {
        let DrainEstimate { rate, end, .. } = estimate(samples, FORGETTING);
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

#[test]
fn the_law_changes_by_little_where_its_power_does() {
    // At 1 the integral is a logarithm.
    for left in [1.0, 40.0, 1e5] {
        let [below, at, above] = [1.0 - 1e-4, 1.0, 1.0 + 1e-4].map(|it| integral(it, left));
        let (least, most) = (below.min(above), below.max(above));
        assert!(least < at && at < most && most - least < 0.01 * at, "{below} {at} {above}");
    }
}

/// Samples of a drain whose flows send packets while they are in use, and stay counted.
fn silent_samples(
    law: impl Fn(f64) -> f64,
    (counted, packets_a_second): (u64, f64),
    times: impl Iterator<Item = f64>,
) -> Vec<FlowSample> {
    let (mut sent, mut before) = (0.0, 0.0);
    let sample = |at: f64| {
        let steps = 100;
        let step = (at - before) / f64::from(steps);
        let in_use = (0..steps).map(|it| law(before + step * (f64::from(it) + 0.5)).max(0.0));
        sent += in_use.sum::<f64>() * step * packets_a_second;
        before = at;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let packets = Some(sent as u64);
        FlowSample { at: seconds(at), flows: counted, packets }
    };
    times.map(sample).collect()
}

#[test]
fn flows_in_use_are_told_by_their_packets_though_the_count_rests() {
    let law = |at: f64| 100.0 - at;
    let times = (0..=25).map(|step| f64::from(step) * 2.0);
    let drain = silent_samples(law, (130, 3.0), times);
    let DrainEstimate { rate, in_use, end } = estimate(&drain, FORGETTING);
    // Of 130 that are counted 100 are in use: they are taken for 130.
    let (rate, in_use) = (rate.unwrap(), in_use.unwrap());
    assert!((rate - 1.3).abs() < 0.1 && (in_use - 66.0).abs() < 4.0, "{rate} {in_use}");
    let DrainEnd::In(span) = end else { panic!("{end:?}") };
    assert!((span.as_secs_f64() - (50.0 + 42.0)).abs() < 4.0, "{span:?}");
}

#[test]
fn where_none_is_in_use_it_lasts_until_the_last_is_forgotten() {
    let law = |at: f64| if at < 20.0 { 40.0 } else { 0.0 };
    let drain = silent_samples(law, (40, 5.0), (0..20).map(|step| f64::from(step) * 2.0));
    let quiet = Duration::from_secs(18);
    let DrainEstimate { in_use, end, .. } = estimate(&drain, Forgetting { quiet, ..FORGETTING });
    assert_eq!((in_use, end), (Some(0.0), DrainEnd::In(Duration::from_secs(24))));
}

#[test]
fn packets_that_are_unknown_or_few_say_nothing() {
    let law = |_: f64| 100.0;
    let mut drain = silent_samples(law, (100, 0.02), (0..10).map(f64::from));
    assert_eq!(estimate(&drain, FORGETTING).in_use, None, "{drain:?}");
    drain = silent_samples(law, (100, 1.0), (0..10).map(f64::from));
    assert!(estimate(&drain, FORGETTING).in_use.is_some());
    drain[8].packets = None;
    assert_eq!(estimate(&drain, FORGETTING).in_use, None);
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
    fn a_drain_whose_count_rests_is_estimated_within_a_factor_of_two_at_half_time(
        flows in 20.0..1e5_f64,
        ended in 0_u32..100,
        whole in 20.0..3600.0_f64,
        packets_a_second in 1.0..100.0_f64,
        is_linear: bool,
    ) {
        let rate = (2.0 * flows).ln() / whole;
        let law = |at: f64| {
            if is_linear { flows * (1.0 - at / whole) } else { flows * (-rate * at).exp() }
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let counted = flows as u64 + u64::from(ended);
        let half = (whole + 42.0) / 2.0;
        let times = (0..=20).map(|step| half * f64::from(step) / 20.0);
        let drain = silent_samples(law, (counted, packets_a_second), times);
        let quiet = seconds((half - whole).max(0.0));
        let estimate = estimate(&drain, Forgetting { quiet, ..FORGETTING });
        prop_assert!(factor_of(estimate, half) < 2.0, "{:?}", estimate);
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
        packets in prop::collection::vec(prop::option::of(any::<u64>()), 70),
        step_ms in 0_u64..10_000_000,
    ) {
        let at = |number: usize| Duration::from_millis(step_ms.saturating_mul(number as u64));
        let sample = |(number, &flows)| FlowSample { at: at(number), flows, packets: None };
        let drain: Vec<_> = counts.iter().enumerate().map(sample).collect();
        let DrainEstimate { rate, end, .. } = estimate(&drain, FORGETTING);
        prop_assert!(rate.is_none_or(f64::is_finite));
        prop_assert_eq!(end == DrainEnd::Reached, counts.last() == Some(&0));
        if let DrainEnd::In(span) = end {
            prop_assert!(span > Duration::ZERO && span <= LONGEST);
        }
        let with_packets = |(sample, packets): (&FlowSample, _)| FlowSample { packets, ..*sample };
        let sent: Vec<_> = drain.iter().zip(packets).map(with_packets).collect();
        let DrainEstimate { rate, in_use, end } = estimate(&sent, FORGETTING);
        prop_assert!(rate.is_none_or(f64::is_finite) && in_use.is_none_or(f64::is_finite));
        let most = counts.iter().max().map_or(0.0, |most| float(*most));
        prop_assert!(in_use.is_none_or(|flows| flows <= most), "{:?} of {}", in_use, most);
        prop_assert_eq!(end == DrainEnd::Reached, counts.last() == Some(&0));
        let mut rising = counts.clone();
        rising.sort_unstable();
        rising.retain(|flows| *flows > 0);
        let rising: Vec<_> = rising.iter().enumerate().map(sample).collect();
        prop_assert_eq!(estimate(&rising, FORGETTING).end, DrainEnd::Unknown);
        prop_assert!(estimate(&rising, FORGETTING).rate.is_none_or(|rate| rate <= 0.0));
    }
}
