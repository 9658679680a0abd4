//! Every thread of maglevd keeps off the cores that VPP's threads are bound to:
//! an embedded dataplane in a process of its own, of which a thread is bound to
//! a core, and, where `MAGLEV_TEST_VPP_API` names its socket, a real VPP.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::vpp::real_vpp;
use crate::support::{Daemon, TestBed, maglevd};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use vpp_maglev::vpp::client::{ClientOptions, VppClient};

/// The cores that a thread may use.
fn cores_of(thread: Option<Pid>) -> BTreeSet<usize> {
    let set = sched_getaffinity(thread).unwrap();
    (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect()
}

/// The threads of a process.
fn threads_of(process: u32) -> Vec<Option<Pid>> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let number = |thread: std::fs::DirEntry| thread.file_name().to_str().unwrap().parse().unwrap();
    threads.map(|thread| Pid::from_raw(number(thread.unwrap()))).collect()
}

/// A daemon of the VPP at `api` keeps off `taken`, and uses all others.
async fn keeps_off(api: &Path, taken: usize) {
    let left: BTreeSet<_> = cores_of(None).into_iter().filter(|&core| core != taken).collect();
    let bed = TestBed::new(&["a"]).pools(&["a"]).vpp(api.to_str().unwrap());
    let mut daemon = bed.start_with(&["--vpp-stats-addr", ""]).await;
    let logged = daemon.logged("cores-left-to-vpp").await;
    assert_eq!(logged["own"], format!("{left:?}"));
    // Threads that were started later are among them.
    daemon.all(&["a"], "up").await;
    let threads: Vec<_> = threads_of(daemon.pid()).into_iter().map(cores_of).collect();
    assert!(threads.len() > 3, "{threads:?}");
    assert!(threads.iter().all(|cores| *cores == left), "{threads:?}, and {left:?} are left");
    daemon.terminate().await;
}

#[tokio::test]
async fn vpp_has_the_cores_that_it_is_bound_to_for_itself() {
    let all = cores_of(None);
    if all.len() < 2 {
        println!("skipped: this process may use one core alone");
        return;
    }
    let taken = *all.last().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut dataplane = Daemon::spawn(maglevd(dir.path()).arg("--dataplane-only").arg(dir.path()));
    dataplane.logged("dataplane-ready").await;
    let mut bound = CpuSet::new();
    bound.set(taken);
    let thread = *threads_of(dataplane.pid()).last().unwrap();
    sched_setaffinity(thread, &bound).unwrap();
    keeps_off(&dir.path().join("api.sock"), taken).await;
    dataplane.terminate().await;

    if let Some(vpp) = real_vpp().await {
        let client = VppClient::connect(&vpp.api, ClientOptions::default()).await.unwrap();
        let process = Pid::from_raw(client.peer_process().unwrap());
        client.close().await;
        let taken = cores_of(process);
        assert_eq!(taken.len(), 1, "VPP binds its main thread to a core");
        keeps_off(&vpp.api, *taken.first().unwrap()).await;
    }
}
