//! The client with a VPP without weights: what is written is read back, whichever way the
//! state is read, and a message for another VPP is never sent. On the embedded dataplane and,
//! where `MAGLEV_TEST_VPP_API` names its socket, on a real one, whose VIPs are all removed.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::path::Path;
use std::time::Duration;

use crate::support::vpp::{dialect, empty, real_vpp};
use vpp_maglev::domain::config::LbConf;
use vpp_maglev::domain::dataplane::dialect::LbDialect;
use vpp_maglev::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use vpp_maglev::domain::dataplane::observed::{Observed, ObservedConf, ObservedVip};
use vpp_maglev::domain::dataplane::step::{Step, VipSpec};
use vpp_maglev::vpp::client::{CallError, ClientOptions, StepError, VppClient};
use vpp_maglev::vpp::embedded::plugin::{PluginApi, PluginVipKey, from_ip};
use vpp_maglev::vpp::embedded::{Clock, Embedded, EmbeddedOptions};

fn start() -> Embedded {
    let options = EmbeddedOptions {
        api: PluginApi::V1_1,
        clock: Clock::Manual,
        ..EmbeddedOptions::default()
    };
    Embedded::start_private(options).unwrap()
}

/// A client whose VPP's send buffer takes so many bytes.
async fn connect(vpp: &Embedded, send_budget: usize) -> VppClient {
    connect_to(vpp.api_path(), send_budget).await
}

async fn connect_to(api: &Path, send_budget: usize) -> VppClient {
    let options = ClientOptions { send_budget: Some(send_budget), ..ClientOptions::default() };
    VppClient::connect(api, options).await.unwrap()
}

const LARGE: usize = 159_744;
/// Less than the verbose listing of the VIPs below, and more than any dump of one.
const SMALL: usize = 12_000;

fn vip(prefix: &str, protocol: u8, port: u16) -> Vip {
    let service =
        NonZeroU16::new(port).map_or(Service::All, |port| Service::Port { protocol, port });
    Vip::new(prefix.parse().unwrap(), service)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn add_vip(vip: Vip, encap: Encap) -> Step {
    let table_length = TableLength::DEFAULT;
    Step::AddVip(VipSpec { vip, encap, src_ip_sticky: false, table_length })
}

fn add(vip: Vip, server: &str) -> Step {
    Step::AddServer { vip, server: ip(server), weight: Weight::MEMBER }
}

fn remove(vip: Vip, server: &str, flush: bool) -> Step {
    Step::RemoveServer { vip, server: ip(server), flush }
}

async fn done(client: &VppClient, steps: Vec<Step>) {
    for (step, result) in steps.iter().zip(client.apply(steps.clone(), false).await) {
        result.unwrap_or_else(|error| panic!("{} {step}: {error}", step.action()));
    }
}

fn servers(seen: &ObservedVip) -> Vec<(String, u8, u32)> {
    let row = |(address, server): (&IpAddr, _)| {
        let server: &vpp_maglev::domain::dataplane::observed::ObservedServer = server;
        (address.to_string(), server.weight, server.buckets)
    };
    seen.servers.iter().map(row).collect()
}

#[tokio::test]
async fn what_is_written_is_read_back_with_flows_and_what_waits_to_be_collected() {
    let vpp = start();
    let client = connect(&vpp, LARGE).await;
    assert_eq!(client.lb_dialect(), Some(LbDialect::Membership));
    let conf = LbConf {
        ip4_src: Ipv4Addr::new(192, 0, 2, 254),
        ip6_src: "2001:db8::fe".parse().unwrap(),
        sticky_buckets_per_core: 2048,
        flow_timeout_s: 33,
    };
    let (web, all) = (vip("192.0.2.1/32", 6, 80), vip("2001:db8:7::/48", 0, 0));
    let sticky = VipSpec {
        vip: all,
        encap: Encap::Gre6,
        src_ip_sticky: true,
        table_length: TableLength::MAX,
    };
    let steps = vec![
        Step::SetConf(conf),
        add_vip(web, Encap::Gre4),
        Step::AddVip(sticky),
        add(web, "10.1.0.1"),
        add(web, "10.1.0.2"),
        add(web, "10.1.0.3"),
        add(all, "2001:db8:a::1"),
        remove(web, "10.1.0.3", false),
    ];
    done(&client, steps).await;
    let (key, server) = (PluginVipKey::from(web), from_ip(ip("10.1.0.3")));
    vpp.control().edit(move |plugin, _| plugin.put_flows(key, server, 5)).unwrap().unwrap();

    let seen = client.read_state().await.unwrap();
    let ObservedConf::Partial(told) = &seen.conf else { panic!("{:?}", seen.conf) };
    assert_eq!(told.sources, Some((conf.ip4_src, conf.ip6_src)));
    assert_eq!(told.sticky_buckets, [2048].into());
    assert_eq!((seen.dialect, seen.vips.len()), (LbDialect::Membership, 2));
    assert_eq!(seen.unexpected_rows, Vec::<String>::new());
    assert!(!seen.is_uncollected, "a flow leads to what was removed");
    let web_seen = &seen.vips[&web];
    assert_eq!(servers(web_seen), [("10.1.0.1".into(), 1, 512), ("10.1.0.2".into(), 1, 512)]);
    assert_eq!((web_seen.retired[0].address, web_seen.retired[0].flows), (ip("10.1.0.3"), Some(5)));
    assert_eq!(web_seen.src_ip_sticky, Some(false));
    assert_eq!(seen.vips[&all].src_ip_sticky, Some(true));
    assert_eq!(seen.vips[&all].table_length, Some(TableLength::MAX));

    // Flushed, then collected: of its own VPP never does that.
    done(
        &client,
        vec![
            remove(web, "10.1.0.3", true),
            remove(all, "2001:db8:a::1", true),
            Step::RemoveVip(all),
        ],
    )
    .await;
    vpp.control().advance(Duration::from_secs(600)).unwrap();
    let seen = client.read_state().await.unwrap();
    assert!(seen.is_uncollected && !seen.vips.contains_key(&all));
    assert_eq!(seen.vips[&web].retired[0].flows, Some(0));
    client.collect(conf.ip4_src).await.unwrap();
    let seen = client.read_state().await.unwrap();
    assert!(!seen.is_uncollected && seen.vips[&web].retired.is_empty());
    let snapshot = vpp.control().snapshot().unwrap();
    assert_eq!((snapshot.conf.ip4_src, snapshot.conf.flow_timeout), (conf.ip4_src, 33));
    assert_eq!(snapshot.servers.len(), 2);
    client.close().await;
}

/// VIPs that dumps cannot tell apart: two protocols of one port, two lengths of one
/// address, and one that was removed and came back.
async fn make_lookalikes(client: &VppClient) -> Vec<Vip> {
    let mut vips = Vec::new();
    for prefix in ["192.0.2.0/32", "192.0.2.0/24", "198.51.100.0/24"] {
        for protocol in [6, 17] {
            vips.push(vip(prefix, protocol, 53));
        }
    }
    vips.extend((1..40).map(|host| vip(&format!("203.0.113.{host}/32"), 6, 80)));
    let mut steps = Vec::new();
    for (number, &vip) in vips.iter().enumerate() {
        steps.push(add_vip(vip, Encap::Gre4));
        steps.push(add(vip, &format!("10.1.{number}.1")));
        steps.push(add(vip, &format!("10.1.{number}.2")));
        steps.push(add(vip, &format!("10.1.{number}.3")));
        steps.push(remove(vip, &format!("10.1.{number}.3"), true));
    }
    let back = vips[7];
    steps.push(remove(back, "10.1.7.1", true));
    steps.push(Step::RemoveVip(back));
    steps.push(add_vip(back, Encap::Gre4));
    steps.push(add(back, "10.9.9.9"));
    done(client, steps).await;
    vips
}

/// What both ways of reading tell.
fn common(mut observed: Observed) -> Observed {
    for vip in observed.vips.values_mut() {
        vip.src_ip_sticky = None;
        for row in &mut vip.retired {
            (row.removed_at_s, row.flows) = (None, None);
        }
    }
    observed
}

#[tokio::test]
async fn the_state_is_the_same_whichever_way_it_is_read() {
    let vpp = start();
    let client = connect(&vpp, LARGE).await;
    let vips = make_lookalikes(&client).await;
    let dumps = |vpp: &Embedded| vpp.control().received().unwrap().get("lb_as_dump").copied();
    let by_text = client.read_state().await.unwrap();
    assert_eq!(dumps(&vpp), None, "the verbose listing has it all");
    let poor = connect(&vpp, SMALL).await;
    let by_dumps = poor.read_state().await.unwrap();
    assert_eq!(dumps(&vpp), Some(vips.len() as u64));
    assert_eq!(by_text.vips.len(), vips.len());
    let expected: Vec<_> = ["10.1.1.1", "10.1.1.2"].map(|ip| (ip.to_owned(), 1, 512)).into();
    assert_eq!(servers(&by_text.vips[&vips[1]]), expected);
    assert_eq!(servers(&by_text.vips[&vips[7]]), [("10.9.9.9".to_owned(), 1, 1024)]);
    assert_eq!(by_text.unexpected_rows, Vec::<String>::new());
    assert!(by_text.is_uncollected);
    assert_eq!(common(by_dumps), common(by_text.clone()));

    // The servers alone say the same.
    let wanted = vips.iter().map(|vip| (*vip, 3)).collect();
    let read = client.read_servers(&wanted).await.unwrap();
    for vip in vips {
        let members: Vec<_> = read[&vip].servers.keys().collect();
        assert_eq!(members, by_text.vips[&vip].servers.keys().collect::<Vec<_>>(), "{vip}");
    }
    poor.close().await;
    client.close().await;
}

#[tokio::test]
async fn the_state_of_a_real_vpp_is_the_same_whichever_way_it_is_read() {
    let Some(vpp) = real_vpp().await else { return };
    if dialect(&vpp.api).await != LbDialect::Membership {
        return println!("skipped: the VPP of MAGLEV_TEST_VPP_API has weights");
    }
    empty(&vpp.api).await;
    let (client, poor) = (connect_to(&vpp.api, LARGE).await, connect_to(&vpp.api, SMALL).await);
    let vips = make_lookalikes(&client).await;
    let (by_text, by_dumps) =
        (client.read_state().await.unwrap(), poor.read_state().await.unwrap());
    assert_eq!(by_text.vips.keys().len(), vips.len());
    let expected: Vec<_> = ["10.1.1.1", "10.1.1.2"].map(|ip| (ip.to_owned(), 1, 512)).into();
    assert_eq!(servers(&by_text.vips[&vips[1]]), expected);
    assert_eq!(servers(&by_text.vips[&vips[7]]), [("10.9.9.9".to_owned(), 1, 1024)]);
    let ours = |mut observed: Observed| {
        observed.vips.retain(|vip, _| vips.contains(vip));
        common(observed)
    };
    let conf = by_text.conf.clone();
    assert_eq!(ours(by_dumps).vips, ours(by_text).vips);
    let ObservedConf::Partial(told) = conf else { panic!("{conf:?}") };
    client.collect(told.sources.expect("its source addresses").0).await.unwrap();
    poor.close().await;
    client.close().await;
    empty(&vpp.api).await;
}

#[tokio::test]
async fn a_vip_of_every_address_is_read_from_the_listing() {
    let vpp = start();
    let client = connect(&vpp, SMALL).await;
    make_lookalikes(&client).await;
    let zero = vip("::/0", 0, 0);
    done(&client, vec![add_vip(zero, Encap::Gre6), add(zero, "2001:db8::1")]).await;
    let seen = client.read_state().await.unwrap();
    assert_eq!(servers(&seen.vips[&zero]), [("2001:db8::1".to_owned(), 1, 1024)]);
    assert_eq!(seen.unexpected_rows, Vec::<String>::new());
    client.close().await;
}

#[tokio::test]
async fn what_is_not_understood_is_told_and_spoils_nothing_else() {
    let vpp = start();
    let client = connect(&vpp, LARGE).await;
    let web = vip("192.0.2.1/32", 6, 80);
    done(&client, vec![add_vip(web, Encap::Gre4), add(web, "10.1.0.1")]).await;
    // A VIP of no prefix, as somebody else's client may make it.
    let mut odd = PluginVipKey::from(vip("192.0.2.9/32", 6, 80));
    odd.prefix.len = 129;
    let new = vpp_maglev::vpp::embedded::plugin::NewVip {
        encap: 0,
        dscp: 0,
        srv_type: 0,
        target_port: 0,
        table_length: 16,
        src_ip_sticky: false,
    };
    vpp.control().edit(move |plugin, now| plugin.add_vip(odd, new, now)).unwrap().unwrap();
    let seen = client.read_state().await.unwrap();
    assert_eq!(servers(&seen.vips[&web]), [("10.1.0.1".to_owned(), 1, 1024)]);
    assert_eq!((seen.vips.len(), seen.unexpected_rows.len()), (1, 1));
    client.close().await;
}

#[tokio::test]
async fn a_weight_is_not_sent_to_a_vpp_that_has_none() {
    let vpp = start();
    let client = connect(&vpp, LARGE).await;
    let web = vip("192.0.2.1/32", 6, 80);
    let server = ip("10.1.0.1");
    let steps = vec![
        add_vip(web, Encap::Gre4),
        Step::AddServer { vip: web, server, weight: Weight::ZERO },
        Step::SetWeight { vip: web, server, weight: Weight::FULL, flush: false },
    ];
    let not_sent = Err(CallError::Unsafe(StepError::NoWeights));
    assert_eq!(client.apply(steps, false).await, [Ok(()), not_sent.clone(), not_sent]);
    assert_eq!(vpp.control().take_writes().unwrap().len(), 1);
    client.close().await;
}
