//! What maglevd is for, end to end: backends are probed, VPP is programmed,
//! and what other clients change in VPP is corrected.

use std::net::IpAddr;

use crate::support::{Names, TestBed, VIP4, VIP6};
use vpp_maglev::domain::balancing::maglev;
use vpp_maglev::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use vpp_maglev::domain::dataplane::step::{Step, VipSpec};
use vpp_maglev::pb::{SyncVpplbStateRequest, SyncVpplbStateResponse};

fn weight(weight: i64) -> Weight {
    weight.try_into().unwrap()
}

fn tcp80(address: &str) -> Vip {
    let service = Service::Port { protocol: 6, port: 80.try_into().unwrap() };
    Vip::new(address.parse::<IpAddr>().unwrap().into(), service)
}

#[tokio::test]
async fn backends_that_stop_and_come_back_move_the_weights() {
    let mut bed = TestBed::new(&["a", "b", "c", "d"]).pools(&["a b c:50", "d"]);
    let dataplane = bed.dataplane();
    let daemon = bed.start().await;
    let [a, b, c, d] = &mut bed.backends[..] else { panic!() };

    // The start: made at weight 0, raised as verdicts come in.
    daemon.all(&["a", "b", "c", "d"], "up").await;
    dataplane.until_both("a=100 b=100 c=50 d=0").await;
    let writes = dataplane.writes();
    let made = ["conf", "+v4", "+v4 a", "+v4 b", "+v4 c", "+v4 d", "+v6", "+v6 a"];
    for (write, made) in writes.iter().zip(made) {
        assert!(write.starts_with(made), "{made}: {writes:#?}");
    }
    assert_eq!(writes.iter().find(|write| write.ends_with("flush")), None);
    let names = ["backend a", "backend b", "backend c", "backend d", "frontend v6"];
    daemon.published_up(&names).await;
    let mut watch = daemon.watch().await;
    let present = watch.until("frontend v6 up>up").await;
    let up = ["backend a up>up", "backend b up>up", "backend c up>up", "backend d up>up"];
    assert_eq!(present, [&up[..], &["frontend v4 up>up"]].concat());

    // One is gone: weight 0 and its flows with it.
    a.stop().await;
    dataplane.until_both("a=0 b=100 c=50 d=0").await;
    assert_eq!(dataplane.writes(), ["v4 a 0 flush", "v6 a 0 flush"]);
    let expected = [
        "backend a up>down",
        "dataplane v4 as_weight_updated v4 a weight 0, flush (was 100)",
        "dataplane v6 as_weight_updated v6 a weight 0, flush (was 100)",
    ];
    let events = watch.until_all(&expected).await;
    assert_eq!(events.len(), expected.len(), "{events:#?}");

    // The whole pool is gone: the fallback is raised before the last goes.
    b.stop().await;
    dataplane.until_both("a=0 b=0 c=50 d=0").await;
    assert_eq!(dataplane.writes(), ["v4 b 0 flush", "v6 b 0 flush"]);
    c.stop().await;
    dataplane.until_both("a=0 b=0 c=0 d=100").await;
    let writes = dataplane.writes();
    assert_eq!(writes, ["v4 d 100", "v4 c 0 flush", "v6 d 100", "v6 c 0 flush"]);

    // One is back: the primary pool again. The fallback keeps its flows.
    a.serve();
    dataplane.until_both("a=100 b=0 c=0 d=0").await;
    assert_eq!(dataplane.writes(), ["v4 a 100", "v4 d 0", "v6 a 100", "v6 d 0"]);
    watch.until("backend a down>up").await;

    // Nobody is left, and then one of the fallback.
    d.stop().await;
    a.stop().await;
    dataplane.until_both("a=0 b=0 c=0 d=0").await;
    watch.until_all(&["frontend v4 up>down", "frontend v6 up>down"]).await;
    d.serve();
    dataplane.until_both("a=0 b=0 c=0 d=100").await;
    watch.until_all(&["frontend v4 down>up", "frontend v6 down>up"]).await;
    daemon.terminate().await;
}

#[tokio::test]
async fn the_drift_pass_puts_right_what_others_changed() {
    let mut bed = TestBed::new(&["a", "b"])
        .configured(|config| config.sync_interval("200ms").both(&["a b:40"]));
    let dataplane = bed.dataplane();
    let daemon = bed.start().await;
    let [a, b] = &bed.backends[..] else { panic!() };
    dataplane.until_both("a=100 b=40").await;
    daemon.published_up(&["frontend v6"]).await;
    let mut watch = daemon.watch().await;
    watch.until("frontend v6 up>up").await;

    let (vip, server) = (tcp80(VIP4), a.ip());
    dataplane.writes();
    let seven = Step::SetWeight { vip, server, weight: weight(7), flush: false };
    dataplane.meddle(vec![seven]).await;
    watch.until("dataplane v4 as_weight_updated v4 a weight 100 (was 7); drift").await;
    assert_eq!(dataplane.writes(), ["v4 a 7", "v4 a 100"]);

    let foreign = Step::AddVip(VipSpec {
        vip: tcp80("192.0.2.99"),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        table_length: TableLength::DEFAULT,
    });
    dataplane.meddle(vec![Step::RemoveServer { vip, server: b.ip(), flush: false }, foreign]).await;
    watch
        .until_all(&[
            "dataplane v4 as_added v4 b weight 40 (was missing); drift",
            "dataplane  vip_removed 192.0.2.99/32 tcp/80; drift",
        ])
        .await;
    assert_eq!(dataplane.held(), "v4 a=100 b=40 / v6 a=100 b=40");
    daemon.terminate().await;
}

/// The steps of an answer: `v4 as-weight new-flows v4 a weight 100`.
fn steps(response: &SyncVpplbStateResponse, names: &Names) -> Vec<String> {
    let step = |step: &vpp_maglev::pb::SyncStep| {
        assert_eq!(step.error, "");
        let (frontend, detail) = (&step.frontend_name, names.shorten(&step.detail));
        format!("{frontend} {} {} {detail}", step.action, step.disruption)
    };
    response.steps.iter().map(step).collect()
}

#[tokio::test]
async fn a_sync_does_exactly_what_its_dry_run_lists() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b:40"]);
    let dataplane = bed.dataplane();
    let daemon = bed.start().await;
    let names = bed.names();
    let [a, b] = &bed.backends[..] else { panic!() };
    dataplane.until_both("a=100 b=40").await;

    let vip = tcp80(VIP4);
    let foreign = VipSpec {
        vip: tcp80("192.0.2.99"),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        table_length: TableLength::DEFAULT,
    };
    dataplane
        .meddle(vec![
            Step::SetWeight { vip, server: a.ip(), weight: weight(7), flush: false },
            Step::SetWeight { vip, server: b.ip(), weight: weight(90), flush: false },
            Step::RemoveServer { vip: tcp80(VIP6), server: b.ip(), flush: true },
            Step::AddVip(foreign),
        ])
        .await;
    let changed = dataplane.held();
    assert_eq!(changed, "192.0.2.99/32 tcp/80 / v4 a=7 b=90 / v6 a=100");
    dataplane.writes();

    let mut client = daemon.client().await;
    let mut sync = async |frontend: Option<&str>, dry_run| {
        let frontend_name = frontend.map(str::to_owned);
        let request = SyncVpplbStateRequest { frontend_name, dry_run, force: false };
        client.sync_vpplb_state(request).await.unwrap().into_inner()
    };
    let expected = [
        "v4 as-weight new-flows v4 a weight 100",
        "v4 as-weight new-flows v4 b weight 40",
        "v6 as-add new-flows v6 b weight 40",
        " vip-del disruptive 192.0.2.99/32 tcp/80",
    ];
    let dry = sync(None, true).await;
    assert_eq!((dry.applied, steps(&dry, &names)), (false, expected.map(str::to_owned).to_vec()));
    assert_eq!(dataplane.writes(), Vec::<String>::new());
    assert_eq!(dataplane.held(), changed);
    // Each step says what it moves, from where the one before it left off.
    let tables = [[7, 90], [100, 90], [100, 40]]
        .map(|weights| maglev::table(&[(a.ip(), weights[0]), (b.ip(), weights[1])], 1024));
    let moves = |step: usize| {
        let moves = dry.steps[step].moves.unwrap();
        (moves.own, moves.collateral, moves.entries)
    };
    for (step, tables) in tables.windows(2).enumerate() {
        let expected = maglev::diff(&tables[0], &tables[1]);
        assert_eq!(moves(step), (expected.own, expected.collateral, expected.entries));
    }
    assert!(dry.steps[2].moves.is_some());
    assert_eq!(dry.steps[3].moves, None, "a VIP without servers moves nothing");

    // One frontend, and nothing else.
    let one = sync(Some("v6"), false).await;
    assert_eq!((one.applied, steps(&one, &names)), (true, vec![expected[2].to_owned()]));
    assert_eq!(dataplane.held(), "192.0.2.99/32 tcp/80 / v4 a=7 b=90 / v6 a=100 b=40");

    let rest = sync(None, false).await;
    let left = [expected[0], expected[1], expected[3]].map(str::to_owned);
    assert_eq!((rest.applied, steps(&rest, &names)), (true, left.to_vec()));
    assert_eq!(dataplane.writes(), ["+v6 b 40", "v4 a 100", "v4 b 40", "-192.0.2.99/32 tcp/80"]);
    assert_eq!(dataplane.held(), "v4 a=100 b=40 / v6 a=100 b=40");
    assert_eq!(sync(None, false).await.steps, []);
    assert_eq!(dataplane.writes(), Vec::<String>::new());
    daemon.terminate().await;
}
