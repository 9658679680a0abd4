//! The priorities of the daemon's threads, for when several want the same core.

mod sched_slice;

use std::io;

use actix::prelude::*;
use rustix::process::{getpriority_process, setpriority_process};
use tokio::runtime::{Builder, Runtime};
use tracing::debug;

use sched_slice::set_slice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadPriority {
    /// For decisions and writes of weights: little work, and all of it urgent.
    High,
    /// For probes, which must not starve: a late probe makes a backend look slow.
    Normal,
    /// For event streams, requests, metrics and the log, which can wait.
    Low,
}

/// The nice values of the priorities, relative to that of the process, which the
/// operator chooses. They are not further apart: with 10 in place of 5, reading all
/// of VPP takes up to three times as long, as each row that arrives preempts the
/// VPP that sends it.
#[derive(Clone, Copy, Debug)]
pub struct ThreadPriorities {
    normal: i32,
}

impl ThreadPriorities {
    /// Relative to the nice value of the calling thread, which must not have been
    /// given a priority yet.
    pub fn relative_to_this_thread() -> Self {
        Self { normal: getpriority_process(None).unwrap_or(0) }
    }

    fn nice(self, priority: ThreadPriority) -> i32 {
        self.normal
            + match priority {
                ThreadPriority::High => -5,
                ThreadPriority::Normal => 0,
                ThreadPriority::Low => 5,
            }
    }

    /// Sets the priority of the calling thread; threads that it starts inherit it.
    /// [`ThreadPriority::High`] takes `RLIMIT_NICE`, which the systemd unit sets, or
    /// `CAP_SYS_NICE`. Without them the thread keeps the priority that it has.
    pub fn set(self, priority: ThreadPriority) {
        // No process means the calling thread.
        if let Err(error) = setpriority_process(None, self.nice(priority)) {
            debug!(rank = ?priority, %error, "thread-rank-refused");
        }
        let slice = match priority {
            ThreadPriority::High => sched_slice::SHORTEST,
            ThreadPriority::Normal | ThreadPriority::Low => sched_slice::DEFAULT,
        };
        if let Err(error) = set_slice(slice) {
            debug!(rank = ?priority, %error, "thread-slice-refused");
        }
    }

    /// A runtime on the calling thread. Its threads for blocking work have normal
    /// or low priority: none of that work is urgent on a runtime of high priority.
    ///
    /// # Errors
    /// The system refuses what a runtime needs.
    pub fn runtime(self, priority: ThreadPriority) -> io::Result<Runtime> {
        let blocking = match priority {
            ThreadPriority::High => ThreadPriority::Low,
            other => other,
        };
        Builder::new_current_thread()
            .enable_all()
            .on_thread_start(move || self.set(blocking))
            .build()
    }

    /// A thread for actors.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn arbiter(self, priority: ThreadPriority) -> io::Result<Arbiter> {
        Arbiter::try_with_tokio_rt(move || {
            self.set(priority);
            self.runtime(priority)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_of_the_thread_that_sets_it_and_of_those_it_starts() {
        let priorities = ThreadPriorities::relative_to_this_thread();
        let nice = || getpriority_process(None).unwrap();
        let thread = std::thread::spawn(move || {
            priorities.set(ThreadPriority::Low);
            let runtime = priorities.runtime(ThreadPriority::Low).unwrap();
            let blocking = runtime.block_on(async { tokio::task::spawn_blocking(nice).await });
            [nice(), blocking.unwrap()]
        });
        // 19 is the highest nice value.
        let low = (priorities.normal + 5).min(19);
        assert_eq!(thread.join().unwrap(), [low, low]);
        assert_eq!(nice(), priorities.normal);
    }
}
