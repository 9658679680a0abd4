//! Tests backends that are given by name, from a lookup to the desired state.

use std::sync::atomic::AtomicU8;

use super::*;
use crate::domain::resolution::{HostName, LookupAnswer};

const FILE: &str = "
maglev:
  vpp: {lb: {ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1, startup-max-delay: 1h}}
  healthchecks:
    c: {type: icmp, interval: 10s, fast-interval: 1s, timeout: 5s, rise: 2, fall: 3}
  backends:
    b: {address: b.example.org, resolve: ipv4, healthcheck: c}
    other: {address: 10.0.0.9}
  frontends:
    web: {address: 192.0.2.80, pools: [{name: p, backends: {b: {}, other: {}}}]}
";

#[actix_rt::test]
async fn a_new_address_gets_the_weight_at_once_and_a_failing_name_keeps_its_address() {
    // The last byte of the name's address; `None`: it does not resolve.
    let answer: Arc<Mutex<Option<u8>>> = Arc::default();
    let zone = Arc::clone(&answer);
    let fake_resolver =
        move |host: &HostName| -> Pin<Box<dyn Future<Output = LookupAnswer> + Send>> {
            assert_eq!(host.name, "b.example.org");
            let answer = match *zone.lock().unwrap() {
                None => LookupAnswer::Failed("no such name".into()),
                Some(last) => LookupAnswer::Found {
                    addresses: vec![IpAddr::from([10, 0, 0, last])],
                    ttl: Duration::from_secs(60),
                },
            };
            Box::pin(async move { answer })
        };
    let fake_probe = |address: IpAddr| -> Pin<Box<dyn Future<Output = ProbeResult> + Send>> {
        let fails = address == IpAddr::from([10, 0, 0, 6]);
        let code = if fails { ResultCode::L3Timeout } else { ResultCode::L3Ok };
        Box::pin(async move { ProbeResult::new(code, "") })
    };
    let bed = ControllerTestBed::start_with(FILE, |controller| {
        controller.with_fake_probe(Arc::new(fake_probe)).with_fake_resolver(Arc::new(fake_resolver))
    });

    // Without an address the frontend waits, and no probe is made.
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(bed.take_recorded(), ["all web 9=100 *=?"]);
    let (view, reading) = bed.backend("b").await.unwrap();
    assert_eq!((view.state, view.address), (State::Unknown, None));
    assert_eq!(view.unresolved.as_deref(), Some("no such name"));
    assert_eq!(reading.last, None);

    *answer.lock().unwrap() = Some(5);
    bed.until("probed web 5=100 9=100").await;
    assert_eq!(bed.take_recorded()[0], "changed web 5=? 9=100");
    assert_eq!(bed.backend("b").await.unwrap().0.unresolved, None);

    // The new server gets the weight, until its own probes fail.
    *answer.lock().unwrap() = Some(6);
    bed.until("probed web 6=0 9=100").await;
    assert_eq!(bed.take_recorded(), ["changed web 6=100 9=100", "probed web 6=0 9=100"]);
    *answer.lock().unwrap() = Some(5);
    bed.until("probed web 5=100 9=100").await;

    *answer.lock().unwrap() = None;
    bed.take_recorded();
    tokio::time::sleep(AN_HOUR).await;
    assert_eq!(bed.take_recorded(), [""; 0]);
    let (view, _) = bed.backend("b").await.unwrap();
    assert_eq!((view.state, view.address), (State::Up, Some(IpAddr::from([10, 0, 0, 5]))));
    assert_eq!(view.unresolved.as_deref(), Some("no such name"));

    // A backend whose name fails can be paused.
    bed.administer("b", AdminCommand::Pause).await.unwrap();
    assert_eq!(bed.state("b").await, State::Paused);
}

#[actix_rt::test]
async fn addresses_that_change_for_all_backends_spread_their_probes() {
    let (network, probes): (Arc<AtomicU8>, Arc<AtomicUsize>) = Default::default();
    let (of_names, counted) = (Arc::clone(&network), Arc::clone(&probes));
    let mut text = String::from(
        "maglev:\n  vpp: {lb: {ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1}}\n  \
         healthchecks: {c: {type: icmp, interval: 60s, fast-interval: 10s, timeout: 5s}}\n  \
         backends:\n",
    );
    for number in 0..20 {
        text +=
            &format!("    b{number}: {{address: {number}.test, resolve: ipv4, healthcheck: c}}\n");
    }
    let bed = ControllerTestBed::start_with(&text, |controller| {
        let controller = controller.with_fake_probe(Arc::new(move |_| {
            counted.fetch_add(1, Relaxed);
            Box::pin(async { ProbeResult::new(ResultCode::L3Ok, "") })
        }));
        controller.with_fake_resolver(Arc::new(move |host: &HostName| {
            let number = host.name.strip_suffix(".test").unwrap().parse().unwrap();
            let address = [10, 0, of_names.load(Relaxed), number].into();
            let found = LookupAnswer::Found { addresses: vec![address], ttl: AN_HOUR };
            Box::pin(async { found })
        }))
    });
    tokio::time::sleep(Duration::from_secs(120)).await;
    network.store(1, Relaxed);
    probes.store(0, Relaxed);
    bed.reload(&text).await.unwrap();
    let (mut busiest, mut all) = (0, 0);
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(505)).await;
        let probes = probes.swap(0, Relaxed);
        busiest = busiest.max(probes);
        all += probes;
    }
    assert!(all >= 20, "{all} probes: each is probed within the fast interval");
    assert!(busiest <= 10, "{busiest} of {all} probes in half a second");
    let (view, _) = bed.backend("b7").await.unwrap();
    assert_eq!(view.address, Some(IpAddr::from([10, 0, 1, 7])));
}

/// Every name has the address 10.0.0.5, and every probe passes.
fn all_at_one_address() -> ControllerTestBed {
    let found = LookupAnswer::Found {
        addresses: vec![IpAddr::from([10, 0, 0, 5])],
        ttl: Duration::from_secs(60),
    };
    ControllerTestBed::start_with(FILE, |controller| {
        let controller = controller.with_fake_probe(Arc::new(|_| {
            Box::pin(async { ProbeResult::new(ResultCode::L3Ok, "") })
        }));
        controller.with_fake_resolver(Arc::new(move |_: &HostName| {
            let found = found.clone();
            Box::pin(async { found })
        }))
    })
}

#[actix_rt::test]
async fn a_reload_that_changes_a_backends_name_in_the_dns_disturbs_no_traffic() {
    let bed = all_at_one_address();
    bed.until("probed web 5=100 9=100").await;
    // The startup grace is over.
    tokio::time::sleep(2 * AN_HOUR).await;
    let by_name = "{address: b.example.org, resolve: ipv4";
    let changes = ["{address: new.example.org, resolve: ipv4", "{address: 10.0.0.5", by_name];
    let mut text = FILE.to_owned();
    let mut before = by_name;
    for after in changes {
        text = text.replace(before, after);
        before = after;
        bed.take_recorded();
        bed.reload(&text).await.unwrap();
        tokio::time::sleep(AN_HOUR).await;
        let mut recorded = bed.take_recorded();
        recorded.dedup();
        if after.contains("10.0.0.5") {
            // What was probed at this address keeps its verdict, under whatever name.
            assert_eq!(recorded, ["all web 5=100 9=100"], "{after}");
            continue;
        }
        // Until the name is resolved, what VPP has besides stays as it is.
        assert_eq!(recorded[..2], ["all web 9=100 *=?", "changed web 9=100 *=?"], "{after}");
        let spared =
            |line: &String| line.contains("5=?") || line.contains("5=100") || line.contains("*=?");
        assert!(recorded.iter().all(spared), "{after}: {recorded:?}");
        assert_eq!(recorded.last().unwrap(), "probed web 5=100 9=100", "{after}");
    }
}
