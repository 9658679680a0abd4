//! How many bytes of replies VPP's send buffer holds.
//!
//! Once a send of VPP has met a full buffer, VPP no longer notices clients
//! that close, and its main thread spins. So replies in flight stay under what
//! the kernel books for them: about 768 bytes for a small message, about its
//! own size for a long one.

use crate::host::socket_access::default_send_buffer;
use crate::vpp::session::SMALL_REPLY;

/// Linux's default, measured safe up to 260 small replies.
const LINUX_DEFAULT: usize = 212_992;

/// Three quarters of the send buffer that a socket of this system starts with.
/// VPP's sockets got theirs when VPP accepted us, which is just now.
pub(super) fn from_system() -> usize {
    safe(default_send_buffer().ok())
}

fn safe(wmem_default: Option<usize>) -> usize {
    let bytes = wmem_default.unwrap_or(LINUX_DEFAULT);
    bytes / 4 * 3
}

/// What one of our bulk calls may take: the session keeps an eighth of the
/// budget for urgent ones.
pub(super) fn of_bulk(budget: usize) -> usize {
    budget - budget / 8
}

/// Bytes that `count` rows and their fence take.
pub(super) fn rows(count: usize) -> usize {
    count.saturating_add(1).saturating_mul(SMALL_REPLY)
}

/// Bytes that a text takes.
pub(super) fn text(length: usize) -> usize {
    length.saturating_add(SMALL_REPLY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_budget_is_well_under_the_measured_limit() {
        let bulk = of_bulk(safe(None));
        assert!(rows(180) <= bulk && rows(260) > bulk, "{bulk}");
        assert_eq!(safe(Some(8 << 20)), 6 << 20);
    }
}
