//! Backends that are named: from a lookup to what the Reconciler is told.

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
async fn a_name_becomes_a_server_moves_make_before_break_and_stays_when_it_fails() {
    // Where the name leads; and of what backend every probe fails.
    let leads: Arc<Mutex<Option<u8>>> = Arc::default();
    let zone = Arc::clone(&leads);
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
    let bed = ControllerTestBed::start_as(FILE, |controller| {
        controller.with_fake_probe(Arc::new(fake_probe)).with_fake_resolver(Arc::new(fake_resolver))
    });

    // Nothing is known: the frontend waits, and no probe is made.
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(bed.take_heard(), ["all web 9=100"]);
    let (view, reading) = bed.backend("b").await.unwrap();
    assert_eq!((view.state, view.address), (State::Unknown, None));
    assert_eq!(view.unresolved.as_deref(), Some("no such name"));
    assert_eq!(reading.last, None);

    *leads.lock().unwrap() = Some(5);
    bed.until("probed web 5=100 9=100").await;
    assert_eq!(bed.take_heard()[0], "changed web 5=? 9=100");
    assert_eq!(bed.backend("b").await.unwrap().0.unresolved, None);

    // The other server takes its place with its weight, and is found to be ill.
    *leads.lock().unwrap() = Some(6);
    bed.until("probed web 6=0 9=100").await;
    assert_eq!(bed.take_heard(), ["changed web 6=100 9=100", "probed web 6=0 9=100"]);
    *leads.lock().unwrap() = Some(5);
    bed.until("probed web 5=100 9=100").await;

    *leads.lock().unwrap() = None;
    bed.take_heard();
    tokio::time::sleep(AN_HOUR).await;
    assert_eq!(bed.take_heard(), [""; 0]);
    let (view, _) = bed.backend("b").await.unwrap();
    assert_eq!((view.state, view.address), (State::Up, Some(IpAddr::from([10, 0, 0, 5]))));
    assert_eq!(view.unresolved.as_deref(), Some("no such name"));

    // A pause holds also what is not resolved.
    bed.administer("b", AdminCommand::Pause).await.unwrap();
    assert_eq!(bed.state("b").await, State::Paused);
}
