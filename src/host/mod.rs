//! What belongs to the machine and not to load balancing: threads and cores, the
//! service manager, the log, the panic hook.

pub mod allocator;
pub mod bound_cores;
pub mod cpu_affinity;
pub mod heartbeat;
pub mod journal;
pub mod log_stream;
pub mod log_writer;
pub mod logging;
pub mod notification;
pub mod panic_hook;
pub mod placement;
pub mod sched_slice;
pub mod sd_notify;
pub mod thread_priority;
pub mod wake_timer;
