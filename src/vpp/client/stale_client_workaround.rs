//! Making VPP notice clients that are gone.
//!
//! After a send that met a full buffer, VPP takes the end of any client for
//! "try again", because it looks at an old `errno`. A system call of its main
//! thread that fails otherwise sets a new one: opening a file that cannot
//! exist does, and changes nothing.

/// A line of VPP's CLI that fails and does nothing else. The path leads
/// through a device, so no file can ever be there.
pub(super) const CURE: &str = "exec /dev/null/vpp-maglev";
