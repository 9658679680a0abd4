//! Every thread of maglevd keeps off the cores that VPP's threads are bound to:
//! an embedded dataplane in this process, which has a thread bound to a core,
//! and, where `MAGLEV_TEST_VPP_API` names its socket, a real VPP.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;

use crate::support::{Backend, Config, Daemon, maglevd};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use vpp_maglev::vpp::client::{ClientOptions, VppClient};
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};

/// The cores that a thread may use.
fn cores_of(thread: Option<Pid>) -> BTreeSet<usize> {
    let set = sched_getaffinity(thread).unwrap();
    (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect()
}

/// Those of each thread of a process.
fn cores_of_all(process: u32) -> Vec<BTreeSet<usize>> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let number = |thread: std::fs::DirEntry| thread.file_name().to_str().unwrap().parse().unwrap();
    threads.map(|thread| cores_of(Pid::from_raw(number(thread.unwrap())))).collect()
}

/// A daemon of the VPP at `api` keeps off `taken`, and uses all others.
async fn keeps_off(api: &Path, taken: usize) {
    let left: BTreeSet<_> = cores_of(None).into_iter().filter(|&core| core != taken).collect();
    let dir = tempfile::tempdir().unwrap();
    let backend = Backend::start("a");
    Config::new("1h").backend(&backend).both(&["a"]).write(dir.path());
    let mut command = maglevd(dir.path());
    command.arg("--config").arg(dir.path().join("maglev.yaml")).arg("--vpp-api-addr").arg(api);
    command.args(["--vpp-stats-addr", "", "--grpc-addr", "127.0.0.1:0"]);
    let mut daemon = Daemon::spawn(&mut command);
    let told = daemon.logged("cores-left-to-vpp").await;
    assert_eq!(told["own"], format!("{left:?}"));
    // Whatever is started later as well.
    daemon.logged("grpc-listening").await;
    daemon.all(&["a"], "up").await;
    let threads = cores_of_all(daemon.pid());
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
    let (end, until) = channel::<()>();
    let (bind, bound) = channel();
    let taken = *all.last().unwrap();
    let binding = thread::spawn(move || {
        let mut set = CpuSet::new();
        set.set(taken);
        sched_setaffinity(None, &set).unwrap();
        bind.send(()).unwrap();
        // The other end says nothing and goes.
        let _ = until.recv();
    });
    bound.recv().unwrap();
    let embedded = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    keeps_off(embedded.api_path(), taken).await;
    drop(end);
    binding.join().unwrap();

    match std::env::var_os("MAGLEV_TEST_VPP_API").filter(|path| !path.is_empty()) {
        Some(api) => {
            let client =
                VppClient::connect(Path::new(&api), ClientOptions::default()).await.unwrap();
            let process = Pid::from_raw(client.peer_process().unwrap());
            client.close().await;
            let taken = cores_of(process);
            assert_eq!(taken.len(), 1, "VPP binds its main thread to a core");
            keeps_off(Path::new(&api), *taken.first().unwrap()).await;
        }
        None => println!("real VPP skipped: MAGLEV_TEST_VPP_API is not set"),
    }
}
