//! The client against a peer that the test scripts.

mod log;
mod peer;
mod room;

use std::os::unix::net::UnixListener;
use std::time::Duration;

use super::*;
use crate::domain::config::LbConf;
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::vpp::wire::{
    self, CliInbandReply, LbAsSetWeightReply, LbAsV2Details, LbConfGetReply, LbVipDetails, VipKey,
};
use peer::{peer, usual};

fn options() -> ClientOptions {
    ClientOptions { send_budget: Some(159_744), ..ClientOptions::default() }
}

fn vip(prefix: &str) -> Vip {
    Vip::new(prefix.parse().unwrap(), Service::All)
}

fn weights(count: usize) -> Vec<Step> {
    let server = [10, 0, 0, 1].into();
    let step =
        Step::SetWeight { vip: vip("192.0.2.1/32"), server, weight: Weight::ZERO, flush: false };
    vec![step; count]
}

#[tokio::test]
async fn connecting_reads_the_version_and_closing_says_goodbye() {
    let scene = peer("", usual());
    let client = VppClient::connect(&scene.path, options()).await.unwrap();
    let info = client.info();
    assert_eq!(
        (info.version.as_str(), info.build_directory.as_str(), info.pid),
        ("26.10", "/build", 42)
    );
    assert_eq!(client.missing(), Vec::<String>::new());
    assert_eq!(client.ping().await, Ok(42));
    assert_eq!(client.close().await, EndReason::Left);
    assert_eq!(client.ended().await, EndReason::Left);
    let sent: Vec<_> = scene.log.iter().collect();
    let first = ["show_version", "control_ping", "cli_inband", "cli_inband"];
    assert_eq!(sent[..4], first);
    assert_eq!(sent[4..], ["control_ping", "sockclnt_delete"]);
    let late = client.ping().await;
    assert!(matches!(late, Err(CallError::Lost { applied: Applied::No, .. })), "{late:?}");
    // One of them after the goodbye.
    let pings = client.stats().await.messages["control_ping"];
    assert_eq!((pings.answered, pings.failed), (2, 0), "all of it is still known");
}

#[tokio::test]
async fn the_stale_client_workaround_can_be_turned_off() {
    let scene = peer("", usual());
    let off = ClientOptions { stale_client_workaround: false, ..options() };
    let client = VppClient::connect(&scene.path, off).await.unwrap();
    client.connection.run_stale_client_workaround().await.unwrap();
    client.close().await;
    let sent: Vec<_> = scene.log.iter().collect();
    assert_eq!(sent, ["show_version", "control_ping", "sockclnt_delete"]);
}

#[tokio::test]
async fn dropping_the_last_handle_says_goodbye() {
    let scene = peer("", usual());
    let client = VppClient::connect(&scene.path, options()).await.unwrap();
    let other = client.clone();
    drop(client);
    assert_eq!(other.ping().await, Ok(42));
    let mut ended = other.connection.state().ended.clone();
    drop(other);
    ended.wait_for(Option::is_some).await.unwrap();
    assert_eq!(*ended.borrow(), Some(EndReason::Left));
    assert_eq!(scene.log.iter().last().as_deref(), Some("sockclnt_delete"));
}

#[tokio::test]
async fn a_goodbye_handle_needs_no_task() {
    let scene = peer("", usual());
    let client = VppClient::connect(&scene.path, options()).await.unwrap();
    let goodbye = client.goodbye_handle();
    assert!(goodbye.say());
    assert_eq!(client.ended().await, EndReason::PeerClosed);
    assert_eq!(scene.log.iter().last().as_deref(), Some("sockclnt_delete"));
    assert!(!goodbye.say(), "the socket is gone");
}

#[tokio::test]
async fn an_absent_socket_a_refusal_and_silence_are_different_errors() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let connect = || {
        VppClient::connect(
            &path,
            ClientOptions { handshake: Duration::from_millis(20), ..options() },
        )
    };
    assert!(matches!(connect().await, Err(ConnectError::NotThere { .. })));
    let listener = UnixListener::bind(&path).unwrap();
    let silent = connect().await;
    let expected =
        matches!(silent, Err(ConnectError::Handshake { why: EndReason::NoHandshake, .. }));
    assert!(expected, "{silent:?}");
    drop(listener);
    assert!(matches!(connect().await, Err(ConnectError::Refused { .. })));
}

#[tokio::test]
async fn steps_get_one_result_each_and_a_refusal_keeps_nothing_back() {
    let mut count = 0;
    let scene = peer(
        "",
        Box::new(move |peer, name, head, body, out| {
            if name == "lb_as_set_weight" {
                count += 1;
                let retval = if count == 2 { -6 } else { 0 };
                peer.reply(out, head, &LbAsSetWeightReply { retval });
                return true;
            }
            peer.usual(name, head, body, out)
        }),
    );
    let client = VppClient::connect(&scene.path, options()).await.unwrap();
    let mut steps = weights(3);
    let bad = LbConf {
        ip4_src: [0, 0, 0, 0].into(),
        ip6_src: std::net::Ipv6Addr::UNSPECIFIED,
        sticky_buckets_per_core: 3,
        flow_timeout_s: 40,
    };
    steps.insert(0, Step::SetConf(bad));
    let results = client.apply(steps, false).await;
    assert!(matches!(results[0], Err(CallError::Unsafe(_))));
    assert_eq!(results[1], Ok(()));
    let no_such = CallError::Refused { call: "lb_as_set_weight", retval: Retval::NO_SUCH_ENTRY };
    assert_eq!(results[2], Err(no_such));
    assert_eq!(results[3], Ok(()));
    let traffic = client.stats().await.messages["lb_as_set_weight"];
    assert_eq!(traffic, Traffic { sent: 3, answered: 2, refused: 1, failed: 0 });
    client.close().await;
}

#[tokio::test]
async fn a_vpp_of_no_dialect_is_neither_read_nor_written() {
    let scene = peer("lb_add_del_vip_v2", usual());
    let client = VppClient::connect(&scene.path, options()).await.unwrap();
    assert_eq!(client.missing(), ["lb_add_del_vip_v2_7c520e0f"]);
    let missing = CallError::Missing { message: "lb_add_del_vip_v2_7c520e0f".into() };
    let mut steps = weights(2);
    steps.push(Step::AddVip(VipSpec {
        vip: vip("192.0.2.1/32"),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        table_length: TableLength::DEFAULT,
    }));
    let refused = Err(missing.clone());
    assert_eq!(client.apply(steps, true).await, [refused.clone(), refused.clone(), refused]);
    assert_eq!(client.read_state().await.unwrap_err(), missing);
    assert_eq!(client.read_servers(&[(vip("192.0.2.1/32"), 1)].into()).await, Err(missing.clone()));
    assert_eq!(client.read_verbose().await, Err(missing));
    assert_eq!(client.ping().await, Ok(42), "the connection stands");
    assert_eq!(client.close().await, EndReason::Left);
    let sent: Vec<_> = scene.log.iter().collect();
    assert!(!sent.iter().any(|name| name.starts_with("lb_")), "{sent:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_says_what_may_have_been_applied() {
    let mut count = 0;
    let scene = peer(
        "",
        Box::new(move |peer, name, head, body, out| {
            if name == "lb_as_set_weight" {
                count += 1;
                return count <= 5 && peer.usual(name, head, body, out);
            }
            peer.usual(name, head, body, out)
        }),
    );
    let client = VppClient::connect(&scene.path, options()).await.unwrap();
    let results = client.apply(weights(100), false).await;
    let lost = |result: &Result<(), CallError>, want| match result {
        Err(CallError::Lost { applied, why, .. }) => {
            *applied == want && *why == EndReason::PeerClosed
        }
        _ => false,
    };
    assert!(results[..5].iter().all(Result::is_ok));
    assert!(lost(&results[5], Applied::MayBe), "{:?}", results[5]);
    assert!(lost(&results[99], Applied::No), "{:?}", results[99]);
    assert!(results[5..].is_sorted_by_key(|result| lost(result, Applied::No)));
    assert_eq!(client.ended().await, EndReason::PeerClosed);
}

#[tokio::test]
async fn a_silent_vpp_times_out() {
    let scene = peer(
        "",
        Box::new(|peer, name, head, body, out| {
            name == "lb_as_set_weight" || peer.usual(name, head, body, out)
        }),
    );
    // Long enough for the calls that are answered, on a busy machine too.
    let patience = Duration::from_millis(500);
    let impatient = ClientOptions { patience, window: 2, ..options() };
    let client = VppClient::connect(&scene.path, impatient).await.unwrap();
    let results = client.apply(weights(3), false).await;
    let timeout = |applied| Err(CallError::Timeout { call: "lb_as_set_weight", applied });
    let want = [timeout(Applied::MayBe), timeout(Applied::MayBe), timeout(Applied::No)];
    assert_eq!(results, want);
    assert_eq!(client.ping().await, Ok(42), "the connection goes on");
    assert_eq!(client.close().await, EndReason::Left);
}

#[tokio::test]
async fn a_state_with_unmanaged_vips_in_it_is_read() {
    let scene = peer(
        "",
        Box::new(|peer, name, head, body, out| {
            let key = |prefix: &str| VipKey::from(vip(prefix));
            let mut row = LbVipDetails {
                vip: key("192.0.2.1/32"),
                encap: 0,
                dscp: 9,
                srv_type: 9,
                target_port: 0,
                flow_table_length: 0,
            };
            let mut server = LbAsV2Details {
                vip: row.vip,
                app_srv: std::net::IpAddr::from([10, 0, 0, 1]).into(),
                flags: 1,
                in_use_since: 91,
                weight: 255,
                num_buckets: 7,
            };
            match name {
                "cli_inband" if body.ends_with(b"show lb vips") => {
                    let text = "ip4-gre4 192.0.2.1/32 new_size:65536 #as:2\n\
                            ip6-gre6 ::/0 new_size:16 #as:1\n\
                            ip4-l3dsr 198.51.100.7/32 new_size:16 #as:0  dscp:10\n";
                    peer.reply(out, head, &CliInbandReply { retval: 0, reply: text.into() });
                }
                "lb_conf_get" => {
                    let conf = wire::LbConfSet {
                        ip4_src_address: [192, 0, 2, 9].into(),
                        ip6_src_address: std::net::Ipv6Addr::LOCALHOST,
                        sticky_buckets_per_core: 1024,
                        flow_timeout: 40,
                    };
                    peer.reply(out, head, &LbConfGetReply { retval: 0, conf });
                }
                "lb_vip_dump" => {
                    peer.reply(out, head, &row);
                    row.vip = key("0.0.0.0/0");
                    row.encap = 1;
                    row.flow_table_length = 16;
                    peer.reply(out, head, &row);
                    row.vip = key("198.51.100.7/32");
                    row.encap = 2;
                    peer.reply(out, head, &row);
                    row.vip.prefix.address.af = 2;
                    peer.reply(out, head, &row);
                    row.vip = key("203.0.113.5/32");
                    peer.reply(out, head, &row);
                }
                "lb_as_v2_dump" => {
                    peer.reply(out, head, &server);
                    server.flags = 0;
                    server.app_srv = std::net::IpAddr::from([10, 0, 0, 2]).into();
                    peer.reply(out, head, &server);
                    server.vip = key("203.0.113.9/32");
                    peer.reply(out, head, &server);
                    server.flags = 1;
                    peer.reply(out, head, &server);
                    server.vip = key("0.0.0.0/0");
                    peer.reply(out, head, &server);
                }
                _ => return peer.usual(name, head, body, out),
            }
            true
        }),
    );
    let client = VppClient::connect(&scene.path, options()).await.unwrap();
    let seen = client.read_state().await.unwrap();
    assert_eq!(seen.conf.known().unwrap().flow_timeout_s, 40);
    let vips: Vec<_> = seen.vips.keys().map(ToString::to_string).collect();
    assert_eq!(vips, ["192.0.2.1/32 all", "198.51.100.7/32 all", "::/0 all"]);
    let web = &seen.vips[&vip("192.0.2.1/32")];
    assert_eq!(web.table_length, None, "longer than VPP can report");
    assert_eq!(web.src_ip_sticky, None, "the verbose listing was empty");
    assert_eq!(web.servers.values().next().map(|server| server.weight), Some(255));
    assert_eq!((web.retired.len(), web.retired[0].removed_at_s), (1, Some(91)));
    assert_eq!(seen.vips[&vip("::/0")].servers.len(), 1, "listed under 0.0.0.0/0");
    assert_eq!(seen.unexpected_rows.len(), 3, "{:#?}", seen.unexpected_rows);
    client.close().await;
}
