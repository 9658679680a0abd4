//! Which thread goes first when several want the same core.

use std::io;

use actix::prelude::*;
use rustix::process::{getpriority_process, setpriority_process};
use tokio::runtime::{Builder, Runtime};
use tracing::debug;

use super::sched_slice as slice;

/// A thread's place among those of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadPriority {
    /// Decides and writes weights: little work, and all of it urgent.
    First,
    /// Probes. They are not to starve: a probe that is late makes a backend
    /// look slow.
    Usual,
    /// Tells: watchers, requests, metrics and the log can wait for a moment.
    Last,
}

/// The nice values of the ranks: they are beside that of the process, which is
/// the operator's to choose. Not further apart: with 10 instead of 5 a look
/// at all of VPP takes up to three times as long, as each row of it that arrives
/// breaks in on the VPP that sends it.
#[derive(Clone, Copy, Debug)]
pub struct ThreadPriorities {
    usual: i32,
}

impl ThreadPriorities {
    /// Around the nice value of the present thread, which must not have taken a
    /// rank yet.
    pub fn around_this_thread() -> Self {
        Self { usual: getpriority_process(None).unwrap_or(0) }
    }

    fn nice(self, rank: ThreadPriority) -> i32 {
        self.usual
            + match rank {
                ThreadPriority::First => -5,
                ThreadPriority::Usual => 0,
                ThreadPriority::Last => 5,
            }
    }

    /// Gives it to the present thread, and to those that it starts. To go first
    /// takes `RLIMIT_NICE`, which the unit gives, or `CAP_SYS_NICE`; without
    /// them a thread stays where it is.
    pub fn take(self, rank: ThreadPriority) {
        // No process means the thread that asks.
        if let Err(error) = setpriority_process(None, self.nice(rank)) {
            debug!(?rank, %error, "thread-rank-refused");
        }
        let slice = if rank == ThreadPriority::First { slice::SHORTEST } else { slice::USUAL };
        if let Err(error) = slice::ask_for(slice) {
            debug!(?rank, %error, "thread-slice-refused");
        }
    }

    /// A runtime on the present thread. What blocks does so on threads of the
    /// usual rank, or of the last: none of it is urgent where all else is.
    ///
    /// # Errors
    /// The system refuses what a runtime needs.
    pub fn runtime(self, rank: ThreadPriority) -> io::Result<Runtime> {
        let beside = if rank == ThreadPriority::First { ThreadPriority::Last } else { rank };
        Builder::new_current_thread()
            .enable_all()
            .on_thread_start(move || self.take(beside))
            .build()
    }

    /// A thread for actors.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn arbiter(self, rank: ThreadPriority) -> io::Result<Arbiter> {
        Arbiter::try_with_tokio_rt(move || {
            self.take(rank);
            self.runtime(rank)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_is_of_the_thread_that_takes_it_and_of_those_it_starts() {
        let ranks = ThreadPriorities::around_this_thread();
        let here = || getpriority_process(None).unwrap();
        let taken = std::thread::spawn(move || {
            ranks.take(ThreadPriority::Last);
            let runtime = ranks.runtime(ThreadPriority::Last).unwrap();
            let beside = runtime.block_on(async { tokio::task::spawn_blocking(here).await });
            [here(), beside.unwrap()]
        });
        // 19 is the last there is.
        let last = (ranks.usual + 5).min(19);
        assert_eq!(taken.join().unwrap(), [last, last]);
        assert_eq!(here(), ranks.usual);
    }
}
