//! Why the stats segment cannot be opened or read, with the remedy.

use std::path::PathBuf;

use rustix::io::Errno;
use thiserror::Error;

/// A stats segment that cannot be opened, or a read that failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StatsError {
    #[error("{} does not exist: is `statseg {{ default }}` in VPP's startup.conf, and --vpp-stats-addr right?", path.display())]
    NotThere { path: PathBuf },
    #[error("no permission to open {}: run maglevd in the group that owns it", path.display())]
    PermissionDenied { path: PathBuf },
    #[error("nobody listens on {}: VPP has stopped, or is still starting", path.display())]
    Refused { path: PathBuf },
    #[error("{} is not VPP's stats socket: set --vpp-stats-addr", path.display())]
    NotStats { path: PathBuf },
    /// The connection was made and nothing came.
    #[error("{} accepts connections and sends nothing: VPP is busy, or it is not its stats socket", path.display())]
    Silent { path: PathBuf },
    #[error("cannot open {}: {error}", path.display())]
    Socket { path: PathBuf, error: Errno },
    /// API and stats sockets belong to two processes.
    #[error("{} is of process {stats}, and VPP's API socket of process {api}: set --vpp-stats-addr to the same VPP's", path.display())]
    OtherProcess {
        path: PathBuf,
        /// The process that listens on the API socket.
        api: i32,
        /// The process that listens on the stats socket.
        stats: i32,
    },
    /// The descriptor is a pipe, a device or the like.
    #[error("VPP sent something that is not memory")]
    NotMemory,
    /// The segment's layout is not known.
    #[error(
        "the stats segment has version {found}, and 2 is known: this VPP needs another maglevd"
    )]
    Version { found: u64 },
    /// The segment ends too early, or a pointer leads out of it.
    #[error(
        "the stats segment has no {length} bytes at {at:#x}: VPP is stopping, or its memory is damaged"
    )]
    OutOfBounds {
        /// The offset in the segment, or the pointer if it has none.
        at: u64,
        length: usize,
    },
    /// A name stands for something else.
    #[error(
        "\"{name}\" has the unexpected type {found} in the stats segment: this VPP needs another maglevd"
    )]
    WrongType { name: &'static str, found: u32 },
    /// Its lengths make no sense.
    #[error("the stats segment is larger than any VPP needs: its memory is damaged")]
    TooLarge,
    /// VPP was changing the segment all the time.
    #[error("VPP is changing its stats segment: try again")]
    Busy,
    /// The system refuses to read it.
    #[error("cannot read the stats segment: {0}")]
    Read(Errno),
}
