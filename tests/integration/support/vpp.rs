//! The real VPP that tests may use, if there is one.

use std::path::{Path, PathBuf};

use tokio::sync::{Mutex, MutexGuard};
use vpp_maglev::domain::dataplane::step::Step;
use vpp_maglev::vpp::client::{ClientOptions, VppClient};
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};

/// The sockets of a real VPP, which no other test uses meanwhile.
pub(crate) struct RealVpp {
    pub(crate) api: PathBuf,
    pub(crate) stats: Option<PathBuf>,
    _alone: MutexGuard<'static, ()>,
}

/// One VPP, one test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The VPP that `MAGLEV_TEST_VPP_API` and `MAGLEV_TEST_VPP_STATS` name, once no
/// other test uses it; `None`, and a line that says so, without the first.
pub(crate) async fn real_vpp() -> Option<RealVpp> {
    let path = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let Some(api) = path("MAGLEV_TEST_VPP_API") else {
        println!("skipped: MAGLEV_TEST_VPP_API does not name a VPP's API socket");
        return None;
    };
    let stats = path("MAGLEV_TEST_VPP_STATS");
    Some(RealVpp { api, stats, _alone: ALONE.lock().await })
}

/// Runs `scenario` on an embedded dataplane, then on the real VPP, emptied.
pub(crate) async fn on_each(scenario: impl AsyncFn(&Path)) {
    let embedded = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    scenario(embedded.api_path()).await;
    if let Some(vpp) = real_vpp().await {
        empty(&vpp.api).await;
        scenario(&vpp.api).await;
        empty(&vpp.api).await;
    }
}

async fn empty(api: &Path) {
    let client = VppClient::connect(api, ClientOptions::default()).await.unwrap();
    let mut steps = Vec::new();
    for (&vip, seen) in &client.read_state().await.unwrap().vips {
        let servers = seen.servers.keys();
        steps.extend(servers.map(|&server| Step::RemoveServer { vip, server, flush: true }));
        steps.push(Step::RemoveVip(vip));
    }
    for result in client.apply(steps, false).await {
        result.unwrap();
    }
    client.close().await;
}
