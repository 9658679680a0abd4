//! The real VPP that tests may use, if there is one.

use std::path::PathBuf;

use tokio::sync::{Mutex, MutexGuard};

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
