//! The phases of the daemon that clients notice.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::api) enum DaemonPhase {
    Serving,
    /// Requests are served; health says `NOT_SERVING`.
    Leaving,
    /// No connection is accepted, no request is taken.
    Stopped,
}
