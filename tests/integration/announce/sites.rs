//! Two sites announce one VIP, and a router spreads connections over them: what breaks
//! when the servers of a site die, when a site is taken out for maintenance, and when
//! nobody sees any more whether servers live.

use rustix::process::Signal;
use serde_json::Value;

use super::support::{Monitor, RouteEvent, Sites, VIP, ip, prefix};
use crate::support::Daemon;
use crate::tester::process::Running;

const HELD: usize = 40;

/// How many connections are held to servers of this name.
fn held(interval: &Value, name: &str) -> u64 {
    interval["held_tally"][name].as_u64().unwrap_or_default()
}

/// Waits until all connections are held and both sites have some, or these servers alone.
async fn held_by(test: &mut Running, names: &[&str]) -> Value {
    let what = format!("{HELD} connections to {names:?}");
    let interval = test.until_vip(&what, |vip| {
        let all: u64 = names.iter().map(|name| held(vip, name)).sum();
        all == HELD as u64 && names.iter().all(|name| held(vip, name) > 0)
    });
    interval.await["vips"][0].clone()
}

/// Waits until a new connection after another succeeded, and none failed.
async fn new_ones_work(test: &mut Running) -> Value {
    let interval = test.until_vip("new connections work", |vip| {
        let failed = vip["failed"].as_object().is_none_or(serde_json::Map::is_empty);
        failed && vip["ok"].as_u64() > Some(0)
    });
    interval.await["vips"][0].clone()
}

/// What happened to the VIP at the router until now: another route comes behind it.
async fn events(sites: &Sites, monitor: &mut Monitor) -> Vec<RouteEvent> {
    let last = prefix("203.0.113.9/32");
    ip(&format!("-n {} route add blackhole {last}", sites.router));
    let (_, mut events) = monitor.until(RouteEvent::Came(last)).await;
    ip(&format!("-n {} route del blackhole {last}", sites.router));
    events.retain(|event| !matches!(event, RouteEvent::Went(at) if *at == last));
    events
}

/// The daemons of both sites, which announce.
async fn announced(sites: &Sites) -> [Daemon; 2] {
    [&sites.a, &sites.b].into_iter().for_each(|site| sites.configure(site, true));
    let daemons = [sites.maglevd(&sites.a).await, sites.maglevd(&sites.b).await];
    sites.until_routed(&[&sites.a, &sites.b]).await;
    daemons
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_sites_servers_die_its_connections_end_and_no_other() {
    let Some(sites) = Sites::make(false) else { return };
    let (mut of_a, of_b) = (sites.a.serve(&["a"]).await, sites.b.serve(&["b"]).await);
    let [mut first, second] = announced(&sites).await;
    let mut test = sites.maglevt(HELD);
    let before = held_by(&mut test, &["a", "b"]).await;

    of_a.refuse().await;
    of_a.change(|servers| servers.resets += 1);
    let record = first.logged_as("a withdraw", |it| it["to"] == "withdrawn").await;
    let why = record["why"].as_str().unwrap();
    assert!(why.contains("of the weight of web's servers 0 of"), "{why}");
    sites.until_routed(&[&sites.b]).await;
    new_ones_work(&mut test).await;
    held_by(&mut test, &["b"]).await;

    let ended = test.stop().await;
    let (vip, of_first) = (ended.vip(), held(&before, "a"));
    assert_eq!(vip["broken"], of_first, "those of a, each once, and none of b");
    assert_eq!(vip["broken_slots"], of_first);
    println!("longest gap of new connections: {} ms", vip["longest_gap_ms"]);
    drop(of_b);
    for daemon in [first, second] {
        daemon.terminate().await;
    }
}

/// How an operator takes a site out and brings it back.
#[derive(Clone, Copy, Debug)]
enum Maintenance {
    /// maglevd is stopped and started.
    Stop,
    /// The frontend leaves the configuration and comes back.
    Reload,
}

/// The servers are those of both sites, so that connections live on over the other one.
#[tokio::test(flavor = "multi_thread")]
async fn maintenance_of_a_site_that_forwards_on_breaks_no_connection() {
    let Some(sites) = Sites::make(true) else { return };
    let _servers = sites.a.serve(&["s"]).await;
    let [mut first, second] = announced(&sites).await;
    let mut test = sites.maglevt(HELD);
    held_by(&mut test, &["s"]).await;
    for maintenance in [Maintenance::Stop, Maintenance::Reload] {
        match maintenance {
            Maintenance::Stop => {
                first.signal(Signal::TERM);
                assert!(first.ended().await.success());
                assert_eq!(first.records("announcements-withdrawn").len(), 1);
            }
            Maintenance::Reload => {
                sites.configure(&sites.a, false);
                first.signal(Signal::HUP);
                first.logged_as("a removed VIP", |it| it["msg"] == "vpp-lbsync-vip-del").await;
            }
        }
        sites.until_routed(&[&sites.b]).await;
        new_ones_work(&mut test).await;
        match maintenance {
            Maintenance::Stop => first = sites.maglevd(&sites.a).await,
            Maintenance::Reload => {
                sites.configure(&sites.a, true);
                first.signal(Signal::HUP);
            }
        }
        sites.until_routed(&[&sites.a, &sites.b]).await;
        new_ones_work(&mut test).await;
    }
    let ended = test.stop().await;
    let vip = ended.vip();
    assert_eq!(
        (&vip["broken"], &vip["moved"], &vip["failed"]),
        (&0.into(), &0.into(), &Value::Object(Default::default()))
    );
    for daemon in [first, second] {
        daemon.terminate().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_that_see_nothing_any_more_stay_announced_and_one_whose_servers_die_does_not() {
    let Some(sites) = Sites::make(false) else { return };
    let (mut of_a, _of_b) = (sites.a.serve(&["a"]).await, sites.b.serve(&["b"]).await);
    let mut monitor = sites.monitor().await;
    let mut daemons = announced(&sites).await;
    monitor.until(RouteEvent::Came(prefix(&format!("{VIP}/32")))).await;
    let mut test = sites.maglevt(HELD);
    held_by(&mut test, &["a", "b"]).await;
    events(&sites, &mut monitor).await;

    [&sites.a, &sites.b].into_iter().for_each(|site| site.cut_probes());
    for daemon in &mut daemons {
        daemon.logged_as("a server that is down", |it| is_transition(it, "up", "down")).await;
    }
    [&sites.a, &sites.b].into_iter().for_each(|site| site.mend_probes());
    for daemon in &mut daemons {
        daemon.logged_as("a server that is up again", |it| is_transition(it, "down", "up")).await;
        let changes = daemon.records("announcement");
        assert!(changes.iter().all(|it| it["to"] == "announced"), "{changes:?}");
    }
    assert_eq!(events(&sites, &mut monitor).await, []);

    of_a.refuse().await;
    of_a.change(|servers| servers.resets += 1);
    daemons[0].logged_as("a withdraw", |it| it["to"] == "withdrawn").await;
    sites.until_routed(&[&sites.b]).await;
    assert_ne!(events(&sites, &mut monitor).await, []);
    let of_second = daemons[1].records("announcement");
    assert!(of_second.iter().all(|it| it["to"] == "announced"), "{of_second:?}");
}

fn is_transition(record: &Value, from: &str, to: &str) -> bool {
    record["msg"] == "backend-transition" && record["from"] == from && record["to"] == to
}
