//! Writing and reading VPP through the client: pipelined against one at a
//! time, and the whole state at once.
//!
//! Runs on the embedded dataplane, with and without weights, and on a real VPP of either kind
//! as well when `MAGLEV_TEST_VPP_API` names its socket; that VPP's `lb` configuration must
//! be empty, and is empty again in the end. `cargo bench --bench vpp`

#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::path::Path;
use std::time::{Duration, Instant};

use vpp_maglev::domain::dataplane::dialect::LbDialect;
use vpp_maglev::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use vpp_maglev::domain::dataplane::step::{Step, VipSpec};
use vpp_maglev::vpp::client::{ClientOptions, VppClient};
use vpp_maglev::vpp::embedded::plugin::PluginApi;
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};

const VIPS: u16 = 1000;
const SERVERS: u8 = 10;
const READS: usize = 11;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("{VIPS} VIPs with {SERVERS} servers each, tables of 1024, weight 100");
    for (name, api) in [("embedded", PluginApi::V1_2), ("1.1.0", PluginApi::V1_1)] {
        let options = EmbeddedOptions { api, ..EmbeddedOptions::default() };
        let embedded = Embedded::start_private(options).unwrap();
        runtime.block_on(measure(name, embedded.api_path()));
    }
    match std::env::var_os("MAGLEV_TEST_VPP_API") {
        Some(socket) => runtime.block_on(measure("real VPP", Path::new(&socket))),
        None => println!("real VPP: skipped, MAGLEV_TEST_VPP_API is not set"),
    }
}

fn vip(number: u16) -> Vip {
    let [high, low] = number.to_be_bytes();
    let prefix = IpAddr::V4(Ipv4Addr::new(192, 168, high, low));
    let port = NonZeroU16::new(80).unwrap();
    Vip::new(prefix.into(), Service::Port { protocol: 6, port })
}

fn server(number: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, number])
}

/// A step for each server of each VIP.
fn for_each_server(step: impl Fn(Vip, IpAddr) -> Step) -> Vec<Step> {
    let step = &step;
    (0..VIPS).flat_map(|v| (1..=SERVERS).map(move |s| step(vip(v), server(s)))).collect()
}

async fn measure(name: &str, socket: &Path) {
    let client = VppClient::connect(socket, ClientOptions::default()).await.unwrap();
    let empty = client.read_state().await.unwrap().vips.is_empty();
    assert!(empty, "{name} holds VIPs: give one that is empty");

    let specs = (0..VIPS).map(|number| VipSpec {
        vip: vip(number),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        table_length: TableLength::DEFAULT,
    });
    all(&client, specs.map(Step::AddVip).collect()).await;

    let add =
        || for_each_server(|vip, server| Step::AddServer { vip, server, weight: Weight::FULL });
    let remove =
        |flush: bool| for_each_server(move |vip, server| Step::RemoveServer { vip, server, flush });

    let together = all(&client, add()).await;
    all(&client, remove(true)).await;
    let singly = one_by_one(&client, add()).await;
    report(name, "server adds", together, singly);
    match client.lb_dialect().unwrap() {
        LbDialect::Weights => {
            let set = |weight: i64| {
                let weight = Weight::try_from(weight).unwrap();
                let flush = false;
                for_each_server(move |vip, server| Step::SetWeight { vip, server, weight, flush })
            };
            let together = all(&client, set(50)).await;
            let singly = one_by_one(&client, set(100)).await;
            report(name, "weight sets", together, singly);
        }
        LbDialect::Membership => {
            let together = all(&client, remove(false)).await;
            all(&client, add()).await;
            let singly = one_by_one(&client, remove(false)).await;
            report(name, "server removals", together, singly);
            let together = all(&client, add()).await;
            all(&client, remove(false)).await;
            let singly = one_by_one(&client, add()).await;
            report(name, "server returns", together, singly);
        }
    }

    let mut reads = Vec::new();
    for _ in 0..READS {
        let begun = Instant::now();
        let seen = client.read_state().await.unwrap();
        reads.push(begun.elapsed());
        assert_eq!(seen.vips.len(), usize::from(VIPS));
    }
    reads.sort();
    println!(
        "{name:<10} whole state     min {:.1} ms, median {:.1} ms, max {:.1} ms",
        millis(reads[0]),
        millis(reads[READS / 2]),
        millis(reads[READS - 1])
    );

    all(&client, remove(true)).await;
    all(&client, (0..VIPS).map(|number| Step::RemoveVip(vip(number))).collect()).await;
    client.close().await;
}

/// Applies steps in one go.
async fn all(client: &VppClient, steps: Vec<Step>) -> Duration {
    let begun = Instant::now();
    for result in client.apply(steps, false).await {
        result.unwrap();
    }
    begun.elapsed()
}

/// Applies each step when the one before is answered.
async fn one_by_one(client: &VppClient, steps: Vec<Step>) -> Duration {
    let begun = Instant::now();
    for step in steps {
        client.apply(vec![step], false).await.remove(0).unwrap();
    }
    begun.elapsed()
}

fn report(name: &str, what: &str, together: Duration, singly: Duration) {
    let count = f64::from(VIPS) * f64::from(SERVERS);
    println!(
        "{name:<10} {count} {what}: pipelined {:.0}/s, one at a time {:.0}/s, ratio {:.2}",
        count / together.as_secs_f64(),
        count / singly.as_secs_f64(),
        singly.as_secs_f64() / together.as_secs_f64()
    );
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
