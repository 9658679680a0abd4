//! What happens when an actor has ended that others rely on.

/// Ends the process: an actor has ended while others rely on it, which is a bug.
/// The daemon's panic hook logs the message.
///
/// # Panics
/// Always.
pub fn mailbox_closed(actor: &str) -> ! {
    panic!("mailbox-closed: {actor} has ended while others rely on it")
}
