//! What a connection is being used for: whether it ever completed a request, how
//! many are under way, and since when there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How long a connection may take from its start to the end of its first request:
/// TLS, preface, head and body.
pub(crate) const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// Shared by the connection, its requests and the list of connections.
pub(crate) struct ConnectionActivity {
    begun: Instant,
    has_asked: AtomicBool,
    under_way: AtomicUsize,
    /// Milliseconds since `begun` at the end of the last request.
    last_used: AtomicU64,
    must_close: Notify,
}

/// What a connection is worth when others need its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No request of it was received to its end.
    Stranger,
    Busy,
    /// Since then.
    Idle(Instant),
}

impl ConnectionActivity {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            has_asked: AtomicBool::new(false),
            under_way: AtomicUsize::new(0),
            last_used: AtomicU64::new(0),
            must_close: Notify::new(),
        }
    }

    /// A request has begun; it ends when the value is dropped, which is after its
    /// answer.
    pub(crate) fn begin(self: &Arc<Self>) -> RequestUnderWay {
        self.under_way.fetch_add(1, Relaxed);
        RequestUnderWay(Arc::clone(self))
    }

    /// A request was received to its end.
    pub(crate) fn received(&self) {
        self.has_asked.store(true, Relaxed);
    }

    pub(crate) fn standing(&self) -> Standing {
        if !self.has_asked.load(Relaxed) {
            Standing::Stranger
        } else if self.under_way.load(Relaxed) > 0 {
            Standing::Busy
        } else {
            let since = Duration::from_millis(self.last_used.load(Relaxed));
            Standing::Idle(self.begun + since)
        }
    }

    /// Has the connection closed, with what is under way on it.
    pub(crate) fn close(&self) {
        self.must_close.notify_one();
    }

    /// Ends when the connection has to be closed.
    pub(crate) async fn closed(&self) {
        self.must_close.notified().await;
    }

    /// Ends if no request was received to its end in time, and never otherwise.
    pub(crate) async fn first_request_is_late(&self) {
        sleep_until(self.begun + FIRST_REQUEST).await;
        if self.has_asked.load(Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// Ends once a connection that has asked for something was idle for so long.
    pub(crate) async fn idle_for(&self, limit: Duration) {
        loop {
            let until = match self.standing() {
                Standing::Idle(since) if since.elapsed() >= limit => return,
                Standing::Idle(since) => since + limit,
                Standing::Stranger | Standing::Busy => Instant::now() + limit,
            };
            sleep_until(until).await;
        }
    }
}

/// Until its answer was sent.
pub(crate) struct RequestUnderWay(Arc<ConnectionActivity>);

impl RequestUnderWay {
    pub(crate) fn connection(&self) -> &Arc<ConnectionActivity> {
        &self.0
    }
}

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        let since = u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last_used.store(since, Relaxed);
        self.0.under_way.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn a_first_request_must_end_in_time_and_need_not_be_answered() {
        let silent = ConnectionActivity::new();
        silent.first_request_is_late().await;
        assert_eq!(silent.begun.elapsed(), FIRST_REQUEST);

        // A request that has only begun changes nothing.
        let half = Arc::new(ConnectionActivity::new());
        let _begun = half.begin();
        half.first_request_is_late().await;
        half.received();
        assert_eq!(half.standing(), Standing::Busy);
        timeout(10 * FIRST_REQUEST, half.first_request_is_late()).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_client_without_a_request_is_idle() {
        let limit = Duration::from_secs(90);
        let activity = Arc::new(ConnectionActivity::new());
        timeout(2 * limit, activity.idle_for(limit)).await.unwrap_err();
        let request = activity.begin();
        activity.received();
        timeout(2 * limit, activity.idle_for(limit)).await.unwrap_err();
        drop(request);
        let since = Instant::now();
        activity.idle_for(limit).await;
        assert!(since.elapsed() >= limit && since.elapsed() < 2 * limit);
    }
}
