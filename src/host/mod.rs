//! What belongs to the machine and not to load balancing: memory, cores and
//! threads, timers, the terminal, private directories, sockets' permissions and peers, the
//! log, the service manager, the panic hook. Nothing here knows actors or VPP.

pub mod accounts;
pub mod allocator;
pub mod claimed_dir;
pub mod cpu_affinity;
pub mod heartbeat;
pub mod logging;
pub mod panic_hook;
pub mod peer_groups;
pub mod placement;
pub mod sd_notify;
pub mod socket_access;
pub mod terminal;
pub mod thread_priority;
mod wake_timer;
