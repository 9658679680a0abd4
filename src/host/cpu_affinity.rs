//! Keeps the daemon's threads off the cores that VPP's are bound to.

use std::fs;

use crate::host::bound_cores::{BoundCores, Cores};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, getpid};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::sync::watch;
use tracing::{debug, info};

/// Threads may start others while the threads are gone through. Those that were
/// started by one that had its turn have had theirs.
const ROUNDS: usize = 8;

/// Leaves its cores to each VPP that `peer` tells of, for as long as there is
/// somebody to tell. Cores that the operator kept the daemon off are not used.
pub async fn leave_to(mut peer: watch::Receiver<Option<i32>>) {
    let allowed = match cores_of(None) {
        Ok(allowed) => allowed,
        // The system has more cores than it can be told of.
        Err(error) => return debug!(%error, "cores-unknown"),
    };
    let mut present = allowed.clone();
    loop {
        let process = peer.borrow_and_update().and_then(Pid::from_raw);
        if let Some(process) = process {
            let bound = bound(process);
            let left = bound.leaves(&allowed);
            if left != present {
                match take(&left) {
                    Ok(()) => info!(vpp = ?bound.all, own = ?left, "cores-left-to-vpp"),
                    Err(error) => debug!(%error, own = ?left, "cores-refused"),
                }
                present = left;
            }
        }
        if peer.changed().await.is_err() {
            return;
        }
    }
}

/// What the threads of a process are bound to. Where they are hidden (a drop-in
/// with `ProtectProc=invisible`, say), only the main one is seen.
fn bound(process: Pid) -> BoundCores {
    let core = |thread| cores_of(Some(thread)).ok().and_then(the_one);
    let main = core(process);
    BoundCores { main, all: threads(process).filter_map(core).chain(main).collect() }
}

/// The core, if it is one alone.
fn the_one(mut cores: Cores) -> Option<usize> {
    cores.pop_first().filter(|_| cores.is_empty())
}

/// Has every thread of this process use these cores alone, and those that they
/// start.
fn take(cores: &Cores) -> Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|&core| set.set(core));
    for _ in 0..ROUNDS {
        let elsewhere = |thread: &Pid| cores_of(Some(*thread)).is_ok_and(|at| at != *cores);
        let threads: Vec<_> = threads(getpid()).filter(elsewhere).collect();
        if threads.is_empty() {
            break;
        }
        for thread in threads {
            match sched_setaffinity(Some(thread), &set) {
                // It has ended meanwhile.
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The cores that a thread may use; `None`: the present one.
fn cores_of(thread: Option<Pid>) -> Result<Cores> {
    let set = sched_getaffinity(thread)?;
    Ok((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect())
}

/// The threads of a process, as far as they are visible.
fn threads(process: Pid) -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    entries.filter_map(number).filter_map(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use rustix::thread::gettid;

    use super::*;

    #[test]
    fn a_thread_that_is_bound_to_a_core_is_seen() {
        let core = *cores_of(None).unwrap().last().unwrap();
        let (bind, bound_now) = channel();
        let (end, until) = channel::<()>();
        let binding = thread::spawn(move || {
            let mut set = CpuSet::new();
            set.set(core);
            sched_setaffinity(None, &set).unwrap();
            bind.send(gettid()).unwrap();
            // The other end says nothing and goes.
            let _ = until.recv();
        });
        let thread = bound_now.recv().unwrap();
        assert!(threads(getpid()).any(|other| other == thread));
        assert!(bound(getpid()).all.contains(&core));
        drop(end);
        binding.join().unwrap();
    }
}
