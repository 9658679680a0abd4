//! The one way to wait: for an event or for a condition, and never longer than
//! a deadline that only something broken reaches.

use std::future::Future;
use std::time::Duration;

/// How long anything may take, however slow the machine is.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Between two checks of a condition that has no event.
const PAUSE: Duration = Duration::from_millis(5);

/// What `event` brings; `None` if it does not within [`DEADLINE`].
pub(crate) async fn soon<T>(event: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(DEADLINE, event).await.ok()
}

/// Waits until `condition` holds; `what` is for the message if it does not
/// within `deadline`. For conditions that have no event.
pub(crate) async fn eventually(
    what: &str,
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> bool,
) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    let held = tokio::time::timeout(deadline, holds).await;
    assert!(held.is_ok(), "not within {deadline:?}: {what}");
}
