//! A daemon that has found everything to be well.

use tonic::transport::Channel;
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{FrontendInfo, SetWeightRequest};

use super::{Daemon, Dataplane, TestBed};

/// A daemon in its steady state: `a` and `b` in the primary pools of `v4` and
/// `v6`, `c` in their fallback, all up.
pub(crate) struct ReadyDaemon {
    pub(crate) client: MaglevClient<Channel>,
    pub(crate) daemon: Daemon,
    pub(crate) dataplane: Dataplane,
    pub(crate) bed: TestBed,
}

impl ReadyDaemon {
    pub(crate) async fn start() -> Self {
        let mut bed = TestBed::new(&["a", "b", "c"]).pools(&["a b:40", "c"]);
        let dataplane = bed.dataplane();
        let daemon = bed.start().await;
        daemon.all(&["a", "b", "c"], "up").await;
        dataplane.until_both("a=100 b=40 c=0").await;
        let names = ["backend a", "backend b", "backend c", "frontend v4", "frontend v6"];
        daemon.published_up(&names).await;
        dataplane.writes();
        let client = daemon.client().await;
        Self { client, daemon, dataplane, bed }
    }

    /// What the dataplane was sent, once this command's effect is there.
    pub(crate) async fn written(&self, servers: &str) -> Vec<String> {
        self.dataplane.until_both(servers).await;
        self.dataplane.writes()
    }

    pub(crate) async fn weight(&mut self, pool: &str, backend: &str, weight: i32) -> FrontendInfo {
        let (frontend, pool, backend) = ("v4".into(), pool.into(), backend.into());
        let request =
            SetWeightRequest { frontend, pool, backend, weight, ..SetWeightRequest::default() };
        self.client.set_frontend_pool_backend_weight(request).await.unwrap().into_inner()
    }
}
