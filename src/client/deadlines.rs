//! How long a client waits for a daemon.

use std::time::Duration;

/// How long establishing a connection may take.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// How long the response to a request may take; a full sync of a large VPP is
/// the slowest.
pub const RESPONSE_DEADLINE: Duration = Duration::from_secs(60);

/// How long an open connection may stay silent. It detects a daemon that is
/// stopped, and one whose machine is gone.
pub const SILENCE_DEADLINE: Duration = Duration::from_secs(10);

/// A silent connection is pinged after this, and closed after as long again.
pub(super) const KEEPALIVE: Duration = Duration::from_secs(SILENCE_DEADLINE.as_secs() / 2);

/// How long after a loss a daemon is dialled again.
pub const RETRY_INTERVAL: Duration = Duration::from_millis(500);
