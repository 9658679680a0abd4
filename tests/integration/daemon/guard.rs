//! Changes that are too large to be meant: at a reload, and at a start.

use crate::support::vpp::on_each_with_weights;
use crate::support::wait::{DEADLINE, eventually};
use crate::support::{Config, Daemon, TestBed, get, metrics_address, sample};
use rustix::process::Signal;
use vpp_maglev::pb::{
    GetVppInfoRequest, GetVpplbStateRequest, ListFrontendsRequest, ReloadConfigRequest,
    ReloadConfigResponse, SyncVpplbStateRequest, SyncVpplbStateResponse, VpplbState,
};

/// Frontends `f1` to `f<count>`, all with the backend `a`.
fn frontends(config: Config, count: u8) -> Config {
    let with = |config: Config, number| {
        config.frontend(&format!("f{number}"), &format!("192.0.2.10{number}"), &["a"])
    };
    (1..=count).fold(config, with)
}

struct GuardedDaemon {
    daemon: Daemon,
    metrics: String,
}

impl GuardedDaemon {
    /// A daemon with so many frontends, which has written them.
    async fn start(bed: &TestBed, count: u8) -> Self {
        let mut command = bed.command();
        bed.write_config(&frontends(bed.config(), count).text());
        command.args(["--grpc-addr", "127.0.0.1:0", "--vpp-stats-addr", ""]);
        let mut daemon = bed.run(&mut command).await;
        let metrics = metrics_address(&mut daemon).await;
        daemon.all(&["a"], "up").await;
        Self { daemon, metrics }
    }

    async fn reload(&self, force: bool) -> ReloadConfigResponse {
        let mut client = self.daemon.client().await;
        client.reload_config(ReloadConfigRequest { force }).await.unwrap().into_inner()
    }

    async fn sync(&self, dry_run: bool, force: bool) -> SyncVpplbStateResponse {
        let request = SyncVpplbStateRequest { frontend_name: None, dry_run, force };
        self.daemon.client().await.sync_vpplb_state(request).await.unwrap().into_inner()
    }

    async fn state(&self) -> VpplbState {
        let mut client = self.daemon.client().await;
        client.get_vpplb_state(GetVpplbStateRequest {}).await.unwrap().into_inner()
    }

    /// Waits until VPP has so many VIPs.
    async fn until_vips(&self, count: usize) {
        let holds = async || self.state().await.vips.len() == count;
        eventually(&format!("VPP has {count} VIPs"), DEADLINE, holds).await;
    }

    async fn listed(&self) -> (usize, Vec<String>) {
        let mut client = self.daemon.client().await;
        let listed = client.list_frontends(ListFrontendsRequest {}).await.unwrap().into_inner();
        (listed.frontend_names.len(), listed.held_removals)
    }
}

#[tokio::test]
async fn a_reload_that_removes_most_of_what_serves_is_refused_unless_it_is_forced() {
    on_each_with_weights(async |api| {
        let bed = TestBed::new(&["a"]).vpp(api.display().to_string());
        let mut system = GuardedDaemon::start(&bed, 4).await;
        system.until_vips(4).await;
        bed.write_config(&frontends(bed.config(), 1).text());
        let why = "it would leave 1 of 4 frontends in service, and remove f2, f3, f4; if that is \
                   meant: maglevc config reload force";
        let refused = system.reload(false).await;
        assert_eq!((refused.ok, refused.reload_error.as_str()), (false, why));
        system.daemon.signal(Signal::HUP);
        for _ in 0..2 {
            let record = system.daemon.logged("config-reload-refused").await;
            assert_eq!(record["what"], why);
        }
        let outcome =
            async || sample(&system.metrics, "maglev_config_last_reload_successful").await;
        assert_eq!(outcome().await, "0");
        assert_eq!((system.listed().await.0, system.state().await.vips.len()), (4, 4));
        assert!(system.reload(true).await.ok);
        assert_eq!((outcome().await.as_str(), system.listed().await), ("1", (1, vec![])));
        system.until_vips(1).await;
        // An empty file is no smaller a change.
        bed.write_config(&bed.config().text());
        let refused = system.reload(false).await.reload_error;
        assert!(refused.starts_with("it would leave no frontends, and remove f1;"), "{refused}");
        system.daemon.terminate().await;
    })
    .await;
}

#[tokio::test]
async fn a_start_that_would_remove_most_vips_leaves_them_until_it_is_forced() {
    on_each_with_weights(async |api| {
        let bed = TestBed::new(&["a"]).vpp(api.display().to_string());
        let first = GuardedDaemon::start(&bed, 5).await;
        first.until_vips(5).await;
        first.daemon.terminate().await;

        // The file was cut off. What is left of it is programmed.
        let mut system = GuardedDaemon::start(&bed, 1).await;
        let record = system.daemon.logged("vpp-lb-removals-held").await;
        assert_eq!((&record["held"], &record["of"]), (&4.into(), &5.into()));
        let held: Vec<_> = (2..=5).map(|number| format!("192.0.2.10{number}/32 tcp/80")).collect();
        assert_eq!(system.listed().await, (1, held.clone()));
        let mut client = system.daemon.client().await;
        let info = client.get_vpp_info(GetVppInfoRequest {}).await.unwrap().into_inner();
        assert_eq!(info.held_removals, held);
        let state = system.state().await;
        let marks: Vec<_> = state.vips.iter().map(|vip| vip.removal_held).collect();
        assert_eq!(marks, [false, true, true, true, true]);
        assert!(state.vips.iter().all(|vip| vip.application_servers[0].weight == 100));
        assert_eq!(sample(&system.metrics, "maglev_vpp_removals_held").await, "4");
        let told = async || {
            get(&system.metrics, "/readyz").await.1
                == "ready; 4 VIPs of no frontend are held in VPP\n"
        };
        eventually("/readyz tells of it", DEADLINE, told).await;
        // Steps: four VIPs with a server each.
        for dry_run in [true, false] {
            let sync = system.sync(dry_run, false).await;
            assert_eq!(sync.steps.iter().filter(|step| step.held).count(), 8);
            assert_eq!(sync.steps.len(), 8);
        }
        assert_eq!(system.sync(true, true).await.steps.iter().filter(|step| step.held).count(), 0);
        assert_eq!(system.state().await.vips.len(), 5);
        let frontend_name = Some("f1".to_owned());
        let one = SyncVpplbStateRequest { frontend_name, dry_run: false, force: true };
        let refused = client.sync_vpplb_state(one).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
        let forced = system.sync(false, true).await;
        assert_eq!((forced.steps.len(), forced.applied), (8, true));
        system.until_vips(1).await;
        system.daemon.logged("vpp-lb-removals-released").await;
        assert_eq!(sample(&system.metrics, "maglev_vpp_removals_held").await, "0");
        system.daemon.terminate().await;
    })
    .await;
}

#[tokio::test]
async fn a_forced_reload_ends_what_a_start_holds() {
    on_each_with_weights(async |api| {
        let bed = TestBed::new(&["a"]).vpp(api.display().to_string());
        let first = GuardedDaemon::start(&bed, 2).await;
        first.until_vips(2).await;
        first.daemon.terminate().await;
        let mut system = GuardedDaemon::start(&bed, 0).await;
        system.daemon.logged("vpp-lb-removals-held").await;
        assert!(system.reload(false).await.ok);
        assert_eq!(system.listed().await.1.len(), 2, "only force ends it");
        assert!(system.reload(true).await.ok);
        system.until_vips(0).await;
        system.daemon.terminate().await;
    })
    .await;
}
