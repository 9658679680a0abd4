//! The phases of the daemon that clients notice.

use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DaemonPhase {
    Serving,
    /// Requests are served; health says `NOT_SERVING`.
    Leaving,
    /// No connection is accepted, no request is taken.
    Stopped,
}

/// Ends at [`DaemonPhase::Stopped`]. A sender that is gone counts as that.
pub(crate) async fn stopped(phase: &mut watch::Receiver<DaemonPhase>) {
    let _ = phase.wait_for(|phase| *phase >= DaemonPhase::Stopped).await;
}
