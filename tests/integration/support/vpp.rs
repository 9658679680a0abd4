//! The real VPP that tests may use, if there is one.

use std::path::{Path, PathBuf};

use tokio::sync::{Mutex, MutexGuard};
use vpp_maglev::domain::dataplane::dialect::LbDialect;
use vpp_maglev::domain::dataplane::step::Step;
use vpp_maglev::vpp::client::{ClientOptions, VppClient};
use vpp_maglev::vpp::embedded::plugin::PluginApi;
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

/// Runs `scenario` on an embedded dataplane of each dialect, then on the real VPP, emptied.
pub(crate) async fn on_each(scenario: impl AsyncFn(&Path, LbDialect)) {
    for api in [PluginApi::V1_2, PluginApi::V1_1] {
        let options = EmbeddedOptions { api, ..EmbeddedOptions::default() };
        let embedded = Embedded::start_private(options).unwrap();
        scenario(embedded.api_path(), dialect(embedded.api_path()).await).await;
    }
    if let Some(vpp) = real_vpp().await {
        empty(&vpp.api).await;
        scenario(&vpp.api, dialect(&vpp.api).await).await;
        empty(&vpp.api).await;
    }
}

/// Runs `scenario` on an embedded dataplane, then on the real VPP, emptied, if it has weights.
pub(crate) async fn on_each_with_weights(scenario: impl AsyncFn(&Path)) {
    let embedded = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    scenario(embedded.api_path()).await;
    if let Some(vpp) = real_vpp().await {
        if dialect(&vpp.api).await != LbDialect::Weights {
            return println!("skipped: the VPP of MAGLEV_TEST_VPP_API has no weights");
        }
        empty(&vpp.api).await;
        scenario(&vpp.api).await;
        empty(&vpp.api).await;
    }
}

/// How a VPP is programmed.
pub(crate) async fn dialect(api: &Path) -> LbDialect {
    let client = VppClient::connect(api, ClientOptions::default()).await.unwrap();
    let dialect = client.lb_dialect().expect("a VPP that can be programmed");
    client.close().await;
    dialect
}

/// Removes every VIP.
pub(crate) async fn empty(api: &Path) {
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
