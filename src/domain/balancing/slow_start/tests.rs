//! The plan of a ramp against its definition, and beside a naive one.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::domain::balancing::maglev;
use crate::domain::dataplane::net::TableLength;

const SPAN: Duration = Duration::from_secs(60);

fn weight(number: u8) -> Weight {
    Weight::try_from(i64::from(number)).unwrap()
}

fn request(others: &[u8], target: u8, log_length: u32) -> RampRequest {
    let address = |last: u8| IpAddr::from([10, 0, 0, last]);
    RampRequest {
        others: (2..).zip(others).map(|(last, weight)| (address(last), *weight)).collect(),
        server: address(1),
        target: weight(target),
        length: TableLength::try_from(1_u64 << log_length).unwrap(),
        span: SPAN,
    }
}

fn table(request: &RampRequest, weight: u8) -> maglev::Table {
    let mut servers = request.others.clone();
    servers.push((request.server, weight));
    maglev::table(&servers, request.length.get().into())
}

fn entries(request: &RampRequest, weight: u8) -> u32 {
    *table(request, weight).buckets().last().unwrap()
}

/// Entries that go from one other server to another, over all steps from weight 0 on.
fn collateral(request: &RampRequest, weights: impl IntoIterator<Item = u8>) -> u32 {
    let mut before = table(request, 0);
    let mut sum = 0;
    for weight in weights {
        let after = table(request, weight);
        sum += maglev::diff(&before, &after).collateral;
        before = after;
    }
    sum
}

fn weights(steps: &[RampStep]) -> Vec<u8> {
    steps.iter().map(|step| step.weight.get()).collect()
}

/// A ramp in so many equal steps of the weight.
fn naive(target: u8, steps: u32) -> Vec<u8> {
    let weight = |step: u32| (u32::from(target) * step).div_ceil(steps);
    let mut weights: Vec<u8> = (1..=steps).map(|it| u8::try_from(weight(it)).unwrap()).collect();
    weights.dedup();
    weights
}

#[test]
fn the_planned_ramp_moves_fewer_flows_of_others_than_naive_ones() {
    let pools: [(&str, Vec<u8>, u32); 6] = [
        ("2 others, 1024 entries", vec![100; 2], 10),
        ("5 others, 1024 entries", vec![100; 5], 10),
        ("19 others, 1024 entries", vec![100; 19], 10),
        ("5 others, 4096 entries", vec![100; 5], 12),
        ("7 others of 10 to 80, 4096 entries", vec![10, 20, 30, 40, 50, 60, 80], 12),
        ("7 others, 16384 entries", vec![100; 7], 14),
    ];
    let (mut all, mut all_naive, mut all_seconds) = (0, 0, 0);
    for (name, others, log_length) in pools {
        let request = request(&others, 100, log_length);
        let planned = weights(&plan(&request));
        let steps = u32::try_from(planned.len()).unwrap();
        let moved = collateral(&request, planned.clone());
        let equal = collateral(&request, naive(100, steps));
        let seconds = collateral(&request, naive(100, 60));
        let at_once = collateral(&request, [100]);
        let ratio = |of: u32| f64::from(moved) / f64::from(of.max(1));
        println!(
            "{name}: {planned:?} moves {moved}; {steps} equal steps {equal} (ratio {:.2}), \
             one a second {seconds} ({:.2}), at once {at_once}",
            ratio(equal),
            ratio(seconds)
        );
        assert!(moved <= seconds, "{name}");
        (all, all_naive, all_seconds) = (all + moved, all_naive + equal, all_seconds + seconds);
    }
    println!("in all: {all}, of {all_naive} in as many equal steps, {all_seconds} one a second");
    assert!(2 * all < all_seconds, "{all} of {all_seconds}");
    assert!(all < all_naive, "{all} of {all_naive}");
}

#[test]
fn a_weight_without_a_lesser_one_has_no_ramp() {
    let steps = plan(&request(&[100], 1, 10));
    assert_eq!(steps, [RampStep { at: Duration::ZERO, weight: weight(1) }]);
}

#[test]
fn weights_that_add_no_entry_take_the_whole_time_all_the_same() {
    let request = request(&[100; 15], 2, 4);
    assert_eq!((entries(&request, 1), entries(&request, 2)), (1, 1));
    let steps = [(Duration::ZERO, 1), (SPAN, 2)];
    assert_eq!(plan(&request), steps.map(|(at, to)| RampStep { at, weight: weight(to) }));
}

#[test]
fn a_ramp_has_the_least_weight_until_it_is_planned_and_the_whole_one_at_its_end() {
    let now = Instant::now();
    let mut ramp = Ramp::new(RampId::default().next(), weight(50), SPAN);
    assert_eq!((ramp.weight(), ramp.advance(now)), (weight(1), None));
    assert_eq!(ramp.view(now), RampView { weight: weight(1), target: weight(50), left: SPAN });
    ramp.begin(plan(&request(&[100, 100], 50, 10)), now);
    assert!(ramp.advance(now).is_some());
    let half = now + SPAN / 2;
    assert!(ramp.advance(half).is_some());
    assert!(ramp.weight() > weight(1) && ramp.weight() < weight(50));
    assert_eq!(ramp.view(half).left, SPAN / 2);
    assert!(ramp.advance(now + SPAN - Duration::from_nanos(1)).is_some());
    assert!(ramp.weight() < weight(50));
    assert_eq!((ramp.advance(now + SPAN), ramp.weight()), (None, weight(50)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn steps_rise_to_the_configured_weight_in_time_and_never_run_ahead_of_a_straight_line(
        others in prop::collection::vec(0..=100_u8, 1..12),
        target in 1..=100_u8,
        log_length in 4..14_u32,
        moments in prop::collection::vec(0.0..1.0, 8),
    ) {
        prop_assume!(others.iter().any(|weight| *weight > 0));
        let request = request(&others, target, log_length);
        let steps = plan(&request);
        let (first, last) = (steps[0], steps[steps.len() - 1]);
        prop_assert_eq!(first.at, Duration::ZERO);
        prop_assert_eq!(last.weight.get(), target);
        prop_assert!(steps.len() == 1 || last.at == SPAN);
        prop_assert!(steps.len() <= 24, "a bounded number");
        for two in steps.windows(2) {
            prop_assert!(two[0].weight < two[1].weight && two[0].at <= two[1].at);
        }
        // All but the last add entries: a weight that adds none is left out.
        let held: Vec<_> = steps.iter().map(|step| entries(&request, step.weight.get())).collect();
        for two in held.windows(2).rev().skip(1) {
            prop_assert!(two[0] < two[1], "{:?}", held);
        }
        let now = Instant::now();
        let mut ramp = Ramp::new(RampId::default(), request.target, SPAN);
        ramp.begin(steps.clone(), now);
        let (least, whole) = (f64::from(held[0]), f64::from(entries(&request, target)));
        let mut moments = moments;
        moments.sort_by(f64::total_cmp);
        let mut before = Weight::ZERO;
        for moment in moments {
            ramp.advance(now + SPAN.mul_f64(moment));
            prop_assert!(ramp.weight() >= before && ramp.weight() <= request.target);
            let share = f64::from(entries(&request, ramp.weight().get()));
            let line = least + (whole - least).max(0.0) * moment;
            prop_assert!(steps.len() == 1 || share <= line + 1e-6, "{} of {}", share, line);
            before = ramp.weight();
        }
        prop_assert_eq!(ramp.advance(now + SPAN), None);
        prop_assert_eq!(ramp.weight(), request.target);
    }
}
