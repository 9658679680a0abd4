//! A daemon that has found everything to be well.

use std::path::Path;

use tonic::transport::Channel;
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{FrontendInfo, SetWeightRequest};

use super::{Backend, Config, Daemon, Dataplane};

/// A daemon in its steady state: `a` and `b` in the primary pools of `v4` and
/// `v6`, `c` in their fallback, all up.
pub(crate) struct ReadyDaemon {
    dir: tempfile::TempDir,
    pub(crate) backends: [Backend; 3],
    pub(crate) dataplane: Dataplane,
    pub(crate) daemon: Daemon,
    pub(crate) client: MaglevClient<Channel>,
}

impl ReadyDaemon {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let backends = ["a", "b", "c"].map(Backend::start);
        let every = backends.each_ref();
        let config =
            every.iter().fold(Config::new("1h"), |config, backend| config.backend(backend));
        config.both(&["a b:40", "c"]).write(dir.path());
        let dataplane = Dataplane::start(dir.path(), &every);
        let daemon = Daemon::start(dir.path(), dataplane.socket(), &every).await;
        daemon.all(&["a", "b", "c"], "up").await;
        dataplane.until_both("a=100 b=40 c=0").await;
        let names = ["backend a", "backend b", "backend c", "frontend v4", "frontend v6"];
        daemon.told_up(&names).await;
        dataplane.writes();
        let client = daemon.client().await;
        Self { dir, backends, dataplane, daemon, client }
    }

    /// What the dataplane was told, once this command's effect is there.
    pub(crate) async fn told(&self, servers: &str) -> Vec<String> {
        self.dataplane.until_both(servers).await;
        self.dataplane.writes()
    }

    /// Where its configuration is.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) async fn weight(&mut self, pool: &str, backend: &str, weight: i32) -> FrontendInfo {
        let (frontend, pool, backend) = ("v4".into(), pool.into(), backend.into());
        let request = SetWeightRequest { frontend, pool, backend, weight };
        self.client.set_frontend_pool_backend_weight(request).await.unwrap().into_inner()
    }
}
