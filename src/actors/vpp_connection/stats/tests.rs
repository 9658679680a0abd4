use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::*;
use crate::actors::broadcaster::{Broadcaster, Limits};
use crate::actors::event_batcher::EventBatcher;
use crate::actors::vpp_connection::{
    Apply, Close, Connected, Epoch, GetCounters, GetVppInfo, Lost, Observe, Outcome,
    SubscribeConnection, VipCounters, VppInfo,
};
use crate::domain::dataplane::net::{Encap, Service, TableLength, Weight};
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::host::logging::LogDemand;
use crate::vpp::client::ClientOptions;
use crate::vpp::embedded::plugin::PluginVipKey;
use crate::vpp::embedded::{Embedded, EmbeddedOptions};

/// Stands for the Reconciler.
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
    link: Addr<VppConnection>,
    heard: mpsc::UnboundedReceiver<Result<Epoch, Epoch>>,
}

impl StatsTestBed {
    async fn start(stats: impl FnOnce(&Embedded) -> Option<PathBuf>) -> Self {
        let vpp = Embedded::start_private(EmbeddedOptions::default()).unwrap();
        let broadcaster = Broadcaster::new(1, Limits::default(), LogDemand::default()).start();
        let api = Some(vpp.api_path().to_owned());
        // Room for some 60 VIPs, whatever this machine's setting is.
        let options = ClientOptions { send_budget: Some(32 << 10), ..ClientOptions::default() };
        let link = VppConnection::new(api, options, EventBatcher::new(&broadcaster))
            .with_stats(stats(&vpp))
            .with_ping_interval(Duration::from_millis(10))
            .start();
        let (told, heard) = mpsc::unbounded_channel();
        let listening = StatsTestServer(told).start();
        let (connected, lost) = (listening.clone().recipient(), listening.recipient());
        link.send(SubscribeConnection { connected, lost }).await.unwrap();
        Self { vpp, link, heard }
    }

    async fn heard(&mut self) -> Result<Epoch, Epoch> {
        let heard = tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await;
        heard.expect("VPP is connected in time").unwrap()
    }

    async fn write(&self, epoch: Epoch, steps: Vec<Step>) {
        let wanted = vec![Outcome::Done; steps.len()];
        let outcomes = self.link.send(Apply { epoch, steps, urgent: false }).await.unwrap();
        assert_eq!(outcomes, Ok(wanted));
    }

    async fn counters(&self) -> Result<Vec<VipPackets>, DataplaneError> {
        self.link.send(GetCounters).await.unwrap()
    }

    async fn info(&self) -> VppInfo {
        self.link.send(GetVppInfo).await.unwrap().unwrap()
    }

    async fn can_program(&self) {
        self.link.send(Observe).await.unwrap().unwrap();
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
    let mut lab = StatsTestBed::start(own_stats).await;
    let epoch = lab.heard().await.unwrap();
    assert_eq!(lab.counters().await, Ok(vec![]));
    // A server keeps the slot of its deleted VIP.
    let (server, weight) = ("198.51.100.1".parse().unwrap(), Weight::try_from(1).unwrap());
    let serve = Step::AddServer { vip: vip(1), server, weight };
    lab.write(epoch, vec![add(vip(1)), serve, add(vip(2))]).await;
    lab.packets(vip(1), [1, 2, 3, 4]);
    lab.packets(vip(2), [5, 6, 7, 8]);
    let (one, two) = (counted(vip(1), [1, 2, 3, 4]), counted(vip(2), [5, 6, 7, 8]));
    assert_eq!(lab.counters().await, Ok(vec![one, two]));
    lab.write(epoch, vec![Step::RemoveVip(vip(1)), add(vip(1))]).await;
    assert_eq!(lab.counters().await, Ok(vec![counted(vip(1), [0; 4]), two]));
    let booted_at = lab.info().await.booted_at.unwrap();
    assert!(booted_at.elapsed().unwrap() < Duration::from_secs(60));

    lab.vpp.control().restart().unwrap();
    assert_eq!(lab.heard().await, Err(epoch));
    let next = lab.heard().await.unwrap();
    assert!(next > epoch);
    assert_eq!(lab.info().await.epoch, next);
    lab.write(next, vec![add(vip(2))]).await;
    assert_eq!(lab.counters().await, Ok(vec![counted(vip(2), [0; 4])]));
    lab.link.send(Close).await.unwrap();
}

#[actix_rt::test]
async fn without_a_stats_socket_vpp_is_programmed_until_one_appears() {
    let dir = tempfile::tempdir().unwrap();
    let late = dir.path().join("stats.sock");
    let mut lab = StatsTestBed::start(|_| Some(late.clone())).await;
    let epoch = lab.heard().await.unwrap();
    lab.write(epoch, vec![add(vip(1))]).await;
    lab.packets(vip(1), [1, 0, 0, 0]);
    lab.can_program().await;
    assert_eq!(lab.info().await.booted_at, None);
    let missing = DataplaneError::Stats(StatsError::NotThere { path: late.clone() });
    assert_eq!(lab.counters().await, Err(missing));

    std::os::unix::fs::symlink(lab.vpp.stats_path(), &late).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let counters = loop {
        match lab.counters().await {
            Err(DataplaneError::Stats(_)) if Instant::now() < deadline => {}
            other => break other,
        }
    };
    assert_eq!(counters, Ok(vec![counted(vip(1), [1, 0, 0, 0])]));
    assert!(lab.info().await.booted_at.is_some());
    lab.link.send(Close).await.unwrap();
    assert_eq!(lab.counters().await, Err(DataplaneError::ended()));
}

#[actix_rt::test]
async fn nobody_is_told_counters_that_were_not_wanted() {
    let mut lab = StatsTestBed::start(|_| None).await;
    lab.heard().await.unwrap();
    assert_eq!(lab.counters().await, Err(DataplaneError::StatsOff));
    lab.link.send(Close).await.unwrap();
}

#[actix_rt::test]
async fn a_list_that_may_fill_vpps_send_buffer_goes_alone_and_leaves_no_dead_client() {
    let mut lab = StatsTestBed::start(own_stats).await;
    let epoch = lab.heard().await.unwrap();
    lab.write(epoch, (1..=40).map(|last| add(vip(last))).collect()).await;
    assert_eq!(lab.counters().await.map(|counted| counted.len()), Ok(40));
    lab.write(epoch, (41..=80).map(|last| add(vip(last))).collect()).await;
    assert_eq!(lab.counters().await.map(|counted| counted.len()), Ok(80));
    lab.can_program().await;
    lab.link.send(Close).await.unwrap();
    assert_eq!(lab.vpp.control().snapshot().unwrap().clients.len(), 0);
}
