//! Keeps the daemon's threads off the cores that VPP's threads are bound to.

mod bound_cores;

use std::fs;

use rustix::io::{Errno, Result};
use rustix::process::{Pid, getpid};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::sync::watch;
use tracing::{debug, info};

use bound_cores::{BoundCores, Cores};

/// How often the threads are listed anew. A thread may start another while the
/// list is worked off; one that was started by a thread with the new affinity has
/// it already.
const ROUNDS: usize = 8;

/// Leaves its cores to each VPP whose process id comes from `peer`, until the
/// sender is gone. Cores that the operator has the daemon kept off are never used.
pub async fn avoid_cores_of(mut peer: watch::Receiver<Option<i32>>) {
    let allowed = match cores_of(None) {
        Ok(allowed) => allowed,
        // The machine has more cores than a CpuSet.
        Err(error) => return debug!(%error, "cores-unknown"),
    };
    let mut current = allowed.clone();
    loop {
        let process = peer.borrow_and_update().and_then(Pid::from_raw);
        if let Some(process) = process {
            let bound = bound_cores_of(process);
            let free = bound.free_of(&allowed);
            if free != current {
                match set_affinity(&free) {
                    Ok(()) => info!(vpp = ?bound.all, own = ?free, "cores-left-to-vpp"),
                    Err(error) => debug!(%error, own = ?free, "cores-refused"),
                }
                current = free;
            }
        }
        if peer.changed().await.is_err() {
            return;
        }
    }
}

/// The cores that the threads of a process are bound to. Where its `/proc` is
/// hidden (a drop-in with `ProtectProc=invisible`, say), only the main thread's.
fn bound_cores_of(process: Pid) -> BoundCores {
    let core = |thread| cores_of(Some(thread)).ok().and_then(single);
    let main = core(process);
    BoundCores { main, all: threads(process).filter_map(core).chain(main).collect() }
}

/// The core, if there is exactly one.
fn single(mut cores: Cores) -> Option<usize> {
    cores.pop_first().filter(|_| cores.is_empty())
}

/// Binds every thread of this process to these cores; threads that they start
/// inherit that.
fn set_affinity(cores: &Cores) -> Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|&core| set.set(core));
    for _ in 0..ROUNDS {
        let differs = |thread: &Pid| cores_of(Some(*thread)).is_ok_and(|now| now != *cores);
        let threads: Vec<_> = threads(getpid()).filter(differs).collect();
        if threads.is_empty() {
            break;
        }
        for thread in threads {
            match sched_setaffinity(Some(thread), &set) {
                // The thread has ended meanwhile.
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The cores that a thread may run on; `None`: the calling thread.
fn cores_of(thread: Option<Pid>) -> Result<Cores> {
    let set = sched_getaffinity(thread)?;
    Ok((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect())
}

/// The threads of a process, if `/proc` shows them.
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
            // Ends when the sender is dropped.
            let _ = until.recv();
        });
        let thread = bound_now.recv().unwrap();
        assert!(threads(getpid()).any(|other| other == thread));
        assert!(bound_cores_of(getpid()).all.contains(&core));
        drop(end);
        binding.join().unwrap();
    }
}
