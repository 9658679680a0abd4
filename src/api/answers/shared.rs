//! One answer for all who ask for the same at the same time.
//!
//! A costly answer is built once for everybody who asked before the build began,
//! and one at a time. After a build there is a pause of three times as long as it
//! took, so that askers in a loop have a quarter of the time at most.

use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// Askers that may wait for the next build.
const WAITING: usize = 1024;
/// The pause after a build, in builds.
const PAUSE: u32 = 3;
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Builds answers for all who ask. Clones share the builds.
#[derive(Clone)]
pub(crate) struct SharedAnswer<T>(mpsc::Sender<oneshot::Sender<T>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum AskError {
    #[error("{WAITING} others wait for the same answer: ask again in a moment")]
    TooMany,
    #[error("maglevd is stopping")]
    Stopping,
}

impl<T: Clone + Send + 'static> SharedAnswer<T> {
    /// Builds with `build`, on the runtime that this is called on.
    pub(crate) fn new<F>(build: impl Fn() -> F + Send + 'static) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (askers, mut asked) = mpsc::channel::<oneshot::Sender<T>>(WAITING);
        tokio::spawn(async move {
            let mut next = Instant::now();
            let mut waiting = Vec::new();
            while let Some(first) = asked.recv().await {
                sleep_until(next).await;
                waiting.push(first);
                while let Ok(asker) = asked.try_recv() {
                    waiting.push(asker);
                }
                waiting.retain(|asker| !asker.is_closed());
                if waiting.is_empty() {
                    continue;
                }
                let begun = Instant::now();
                let answer = build().await;
                next = Instant::now() + (begun.elapsed() * PAUSE).min(LONGEST_PAUSE);
                for asker in waiting.drain(..) {
                    // An asker may have gone meanwhile.
                    let _ = asker.send(answer.clone());
                }
            }
        });
        Self(askers)
    }

    /// An answer that was begun after this call.
    ///
    /// # Errors
    /// Too many wait already, or the daemon is stopping.
    pub(crate) async fn ask(&self) -> Result<T, AskError> {
        let (asker, answer) = oneshot::channel();
        self.0.try_send(asker).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AskError::TooMany,
            mpsc::error::TrySendError::Closed(_) => AskError::Stopping,
        })?;
        answer.await.map_err(|_| AskError::Stopping)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::task::{JoinSet, yield_now};
    use tokio::time::sleep;

    use super::*;

    /// Answers with the number of the build, each of which takes a second.
    fn numbered() -> (SharedAnswer<u64>, Arc<AtomicU64>) {
        let builds = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&builds);
        let build = move || {
            let number = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                sleep(Duration::from_millis(400)).await;
                number
            }
        };
        (SharedAnswer::new(build), builds)
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_ask_at_once_share_a_build_that_began_after_they_asked() {
        let (shared, builds) = numbered();
        let ask = || {
            let shared = shared.clone();
            async move { shared.ask().await.unwrap() }
        };
        let begun = Instant::now();
        let mut first: JoinSet<_> = (0..50).map(|_| ask()).collect();
        sleep(Duration::from_millis(200)).await;
        // In the middle of the first build, which may lack what they are after.
        let mut later: JoinSet<_> = (0..50).map(|_| ask()).collect();
        while let Some(number) = first.join_next().await {
            assert_eq!(number.unwrap(), 0);
        }
        while let Some(number) = later.join_next().await {
            assert_eq!(number.unwrap(), 1);
        }
        assert_eq!(builds.load(Ordering::Relaxed), 2);
        // Two builds, and three times one between them.
        assert_eq!(begun.elapsed(), Duration::from_millis(400 + 1200 + 400));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_left_are_not_built_for_and_too_many_are_turned_away() {
        let (shared, builds) = numbered();
        let ask = || {
            let shared = shared.clone();
            async move { shared.ask().await }
        };
        let mut first: JoinSet<_> = [ask()].into_iter().collect();
        yield_now().await;
        let mut waiting: JoinSet<_> = (0..=WAITING).map(|_| ask()).collect();
        let refused = waiting.join_next().await.unwrap().unwrap();
        assert_eq!(refused, Err(AskError::TooMany));
        first.join_next().await;
        waiting.shutdown().await;
        sleep(Duration::from_secs(60)).await;
        assert_eq!(builds.load(Ordering::Relaxed), 1);
        assert_eq!(shared.ask().await, Ok(1));
    }
}
