//! A frontend that fails open: the whole way from a probe to VPP and to whoever looks.

use crate::support::wait::{DEADLINE, eventually};
use crate::support::{TestBed, get, metrics_address, sample};
use vpp_maglev::pb::{FailOpenInfo, GetFrontendRequest};

const NOTE: &str = "1 frontend fails open: too little is up for health checks to be believed";

#[tokio::test]
async fn a_frontend_fails_open_below_its_share_and_nobody_is_flushed_for_it() {
    let mut bed = TestBed::new(&["a", "b", "c", "d"]).configured(|config| {
        config.fail_open("50%").frontend("v4", "192.0.2.80", &["a b c:50", "d"])
    });
    let dataplane = bed.dataplane();
    let mut daemon = bed.start_with(&["--metrics-addr", "127.0.0.1:0"]).await;
    let metrics = metrics_address(&mut daemon).await;
    let [a, b, c, d] = &mut bed.backends[..] else { panic!() };
    daemon.all(&["a", "b", "c", "d"], "up").await;
    dataplane.until("v4 a=100 b=100 c=50 d=0").await;
    dataplane.writes();
    daemon.published_up(&["frontend v4"]).await;
    let mut watch = daemon.watch().await;
    watch.until("frontend v4 up>up").await;
    let series = "maglev_frontend_fail_open{frontend=\"v4\"}";
    assert_eq!(sample(&metrics, series).await, "0");

    // 250 of 350 are up.
    a.stop().await;
    dataplane.until("v4 a=0 b=100 c=50 d=0").await;
    assert_eq!(dataplane.writes(), ["v4 a 0 flush"]);

    // 150 are: `a` is back, and `b` is not flushed.
    b.stop().await;
    watch.until("fail-open v4 closed>open pool0 150/350").await;
    dataplane.until("v4 a=100 b=100 c=50 d=0").await;
    assert_eq!(dataplane.writes(), ["v4 a 100"]);
    assert_eq!(sample(&metrics, series).await, "1");
    eventually("/readyz says so", DEADLINE, async || {
        let (status, body) = get(&metrics, "/readyz").await;
        status.contains(" 200 ") && body == format!("ready\n{NOTE}\n")
    })
    .await;
    let mut client = daemon.client().await;
    let mut state = async || {
        let request = GetFrontendRequest { name: "v4".into() };
        let frontend = client.get_frontend(request).await.unwrap().into_inner();
        (frontend.state, frontend.fail_open.unwrap())
    };
    let (name, open) = state().await;
    assert!(open.since_unix_ns > 0);
    let pool_name = "pool0".to_owned();
    let expected = FailOpenInfo {
        open: true,
        threshold_percent: 50,
        up_weight: 150,
        total_weight: 350,
        pool_name,
        since_unix_ns: open.since_unix_ns,
    };
    assert_eq!((name.as_str(), open), ("up", expected));
    // Whoever comes now learns of it with the present state.
    let mut late = daemon.watch().await;
    late.until("fail-open v4 open>open pool0 150/350").await;

    // A fallback that is up serves as it always would, and the last that served goes on.
    c.stop().await;
    dataplane.until("v4 a=0 b=0 c=0 d=100").await;
    let flushes = ["v4 a 0 flush", "v4 b 0 flush", "v4 c 0 flush"];
    assert_eq!(dataplane.writes(), [&["v4 d 100"], &flushes[..]].concat());
    d.stop().await;
    watch.until("backend d up>down").await;
    assert_eq!(state().await.1.up_weight, 0);
    assert_eq!(dataplane.writes(), Vec::<String>::new());
    assert_eq!(dataplane.held(), "v4 a=0 b=0 c=0 d=100");

    // One of the primary pool is back, so all of it is; `d`, which is down, is flushed.
    a.serve();
    dataplane.until("v4 a=100 b=100 c=50 d=0").await;
    assert_eq!(dataplane.writes(), ["v4 a 100", "v4 b 100", "v4 c 50", "v4 d 0 flush"]);

    // 200 of 350: the verdicts count again, and what is down is flushed once.
    b.serve();
    watch.until("fail-open v4 open>closed pool0 200/350").await;
    dataplane.until("v4 a=100 b=100 c=0 d=0").await;
    assert_eq!(dataplane.writes(), ["v4 c 0 flush"]);
    assert_eq!(sample(&metrics, series).await, "0");
    assert_eq!(get(&metrics, "/readyz").await.1, "ready\n");
    let (_, closed) = state().await;
    assert_eq!((closed.open, closed.pool_name.as_str(), closed.since_unix_ns), (false, "", 0));
    daemon.logged("frontend-fail-open").await;
    daemon.logged("frontend-fail-open-ended").await;
    daemon.terminate().await;
}
