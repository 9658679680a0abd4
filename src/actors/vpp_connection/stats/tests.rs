//! Counters over the embedded dataplane.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::*;
use crate::actors::broadcaster::{Broadcaster, Limits};
use crate::actors::event_batcher::EventBatcher;
use crate::actors::vpp_connection::{
    Apply, Close, Connected, Epoch, GetCounters, GetVppInfo, Lost, Observe, Outcome,
    SubscribeConnection, VipCounters, VppInfo,
};
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::host::logging::LogDemand;
use crate::vpp::client::ClientOptions;
use crate::vpp::embedded::plugin::PluginVipKey;
use crate::vpp::embedded::{Embedded, EmbeddedOptions};
use crate::vpp::stats::StatsError;

/// Stands in for the Reconciler.
struct StatsTestServer(mpsc::UnboundedSender<Result<Epoch, Epoch>>);

impl Actor for StatsTestServer {
    type Context = Context<Self>;
}

impl Handler<Connected> for StatsTestServer {
    type Result = ();
    fn handle(&mut self, Connected { epoch }: Connected, _: &mut Self::Context) {
        let _ = self.0.send(Ok(epoch));
    }
}

impl Handler<Lost> for StatsTestServer {
    type Result = ();
    fn handle(&mut self, Lost { epoch, .. }: Lost, _: &mut Self::Context) {
        let _ = self.0.send(Err(epoch));
    }
}

struct StatsTestBed {
    vpp: Embedded,
    connection: Addr<VppConnection>,
    received: mpsc::UnboundedReceiver<Result<Epoch, Epoch>>,
}

impl StatsTestBed {
    async fn start(stats: impl FnOnce(&Embedded) -> Option<PathBuf>) -> Self {
        let vpp = Embedded::start_private(EmbeddedOptions::default()).unwrap();
        let broadcaster = Broadcaster::new(1, Limits::default(), LogDemand::default()).start();
        let api = Some(vpp.api_path().to_owned());
        // Room for some 60 VIPs, whatever this machine's setting is.
        let options = ClientOptions { send_budget: Some(32 << 10), ..ClientOptions::default() };
        let connection = VppConnection::new(api, options, EventBatcher::new(&broadcaster))
            .with_stats(stats(&vpp))
            .with_ping_interval(Duration::from_millis(10))
            .start();
        let (sender, received) = mpsc::unbounded_channel();
        let subscriber = StatsTestServer(sender).start();
        let (connected, lost) = (subscriber.clone().recipient(), subscriber.recipient());
        connection.send(SubscribeConnection { connected, lost }).await.unwrap();
        Self { vpp, connection, received }
    }

    async fn next_epoch(&mut self) -> Result<Epoch, Epoch> {
        let received = tokio::time::timeout(Duration::from_secs(20), self.received.recv()).await;
        received.expect("VPP is connected in time").unwrap()
    }

    async fn write(&self, epoch: Epoch, steps: Vec<Step>) {
        let wanted = vec![Outcome::Done; steps.len()];
        let outcomes = self.connection.send(Apply { epoch, steps, urgent: false }).await.unwrap();
        assert_eq!(outcomes, Ok(wanted));
    }

    async fn counters(&self) -> Result<Vec<VipPackets>, CountersError> {
        self.connection.send(GetCounters).await.unwrap()
    }

    async fn info(&self) -> VppInfo {
        self.connection.send(GetVppInfo).await.unwrap().unwrap()
    }

    async fn can_program(&self) {
        self.connection.send(Observe).await.unwrap().unwrap();
    }

    fn packets(&self, vip: Vip, counts: [u64; 4]) {
        let key = PluginVipKey::from_wire(vip.into());
        let control = self.vpp.control();
        control.edit(move |plugin, _| plugin.count_packets(key, counts)).unwrap().unwrap();
    }
}

fn vip(last: u8) -> Vip {
    let service = Service::Port { protocol: 6, port: NonZeroU16::new(80).unwrap() };
    Vip::new(format!("192.0.2.{last}/32").parse().unwrap(), service)
}

fn add(vip: Vip) -> Step {
    let table_length = TableLength::DEFAULT;
    Step::AddVip(VipSpec { vip, encap: Encap::Gre4, src_ip_sticky: false, table_length })
}

fn counted(vip: Vip, [next, first, untracked, no_server]: [u64; 4]) -> VipPackets {
    VipPackets { vip, packets: VipCounters { next, first, untracked, no_server } }
}

fn own_stats(vpp: &Embedded) -> Option<PathBuf> {
    Some(vpp.stats_path().to_owned())
}

#[actix_rt::test]
async fn live_vips_have_counters_and_each_connection_its_own() {
    let mut bed = StatsTestBed::start(own_stats).await;
    let epoch = bed.next_epoch().await.unwrap();
    assert_eq!(bed.counters().await, Ok(vec![]));
    // A server keeps the slot of its deleted VIP.
    let (server, weight) = ("198.51.100.1".parse().unwrap(), Weight::try_from(1).unwrap());
    let serve = Step::AddServer { vip: vip(1), server, weight };
    bed.write(epoch, vec![add(vip(1)), serve, add(vip(2))]).await;
    bed.packets(vip(1), [1, 2, 3, 4]);
    bed.packets(vip(2), [5, 6, 7, 8]);
    let (one, two) = (counted(vip(1), [1, 2, 3, 4]), counted(vip(2), [5, 6, 7, 8]));
    assert_eq!(bed.counters().await, Ok(vec![one, two]));
    bed.write(epoch, vec![Step::RemoveVip(vip(1)), add(vip(1))]).await;
    assert_eq!(bed.counters().await, Ok(vec![counted(vip(1), [0; 4]), two]));
    let booted_at = bed.info().await.booted_at.unwrap();
    assert!(booted_at.elapsed().unwrap() < Duration::from_secs(60));

    bed.vpp.control().restart().unwrap();
    assert_eq!(bed.next_epoch().await, Err(epoch));
    let next = bed.next_epoch().await.unwrap();
    assert!(next > epoch);
    assert_eq!(bed.info().await.epoch, next);
    bed.write(next, vec![add(vip(2))]).await;
    assert_eq!(bed.counters().await, Ok(vec![counted(vip(2), [0; 4])]));
    bed.connection.send(Close).await.unwrap();
}

#[actix_rt::test]
async fn without_a_stats_socket_vpp_is_programmed_until_one_appears() {
    let dir = tempfile::tempdir().unwrap();
    let late = dir.path().join("stats.sock");
    let mut bed = StatsTestBed::start(|_| Some(late.clone())).await;
    let epoch = bed.next_epoch().await.unwrap();
    bed.write(epoch, vec![add(vip(1))]).await;
    bed.packets(vip(1), [1, 0, 0, 0]);
    bed.can_program().await;
    assert_eq!(bed.info().await.booted_at, None);
    let missing = CountersError::Segment(StatsError::NotThere { path: late.clone() });
    assert_eq!(bed.counters().await, Err(missing));

    std::os::unix::fs::symlink(bed.vpp.stats_path(), &late).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let counters = loop {
        match bed.counters().await {
            Err(CountersError::Segment(_)) if Instant::now() < deadline => {}
            other => break other,
        }
    };
    assert_eq!(counters, Ok(vec![counted(vip(1), [1, 0, 0, 0])]));
    assert!(bed.info().await.booted_at.is_some());
    bed.connection.send(Close).await.unwrap();
    assert_eq!(bed.counters().await, Err(DataplaneError::ended().into()));
}

#[actix_rt::test]
async fn without_a_stats_socket_in_the_settings_there_are_no_counters() {
    let mut bed = StatsTestBed::start(|_| None).await;
    bed.next_epoch().await.unwrap();
    assert_eq!(bed.counters().await, Err(CountersError::Off));
    bed.connection.send(Close).await.unwrap();
}

#[actix_rt::test]
async fn a_list_that_may_fill_vpps_send_buffer_goes_alone_and_leaves_no_dead_client() {
    let mut bed = StatsTestBed::start(own_stats).await;
    let epoch = bed.next_epoch().await.unwrap();
    bed.write(epoch, (1..=40).map(|last| add(vip(last))).collect()).await;
    assert_eq!(bed.counters().await.map(|counted| counted.len()), Ok(40));
    bed.write(epoch, (41..=80).map(|last| add(vip(last))).collect()).await;
    assert_eq!(bed.counters().await.map(|counted| counted.len()), Ok(80));
    bed.can_program().await;
    bed.connection.send(Close).await.unwrap();
    assert_eq!(bed.vpp.control().snapshot().unwrap().clients.len(), 0);
}
