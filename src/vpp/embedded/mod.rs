//! A VPP inside the process: binary API and stats sockets with the behaviour of
//! the `lb` plugin, its quirks included, and no packets.
//!
//! It serves `--vpp-api-addr embedded`, `--dataplane-only`, and tests, which
//! inject faults through [`Control`]. `tests/embedded` runs one list of
//! scenarios on it and on a real VPP.
//!
//! What would crash a real VPP ends all connections, and it starts again,
//! empty. It models what a client can see of one VPP without workers' timing. Of the
//! FIB it has the entries of `lb` and of loopback interfaces, which the CLI makes;
//! every message outside the load balancer's use is left out.

mod cli;
mod cli_output;
mod clients;
mod control;
mod error;
mod fault_injection;
mod fib;
mod handlers;
mod instance;
mod interface_cli;
mod interfaces;
mod lb_cli;
pub mod legacy;
mod options;
pub mod plugin;
mod pool;
mod process;
mod reader;
mod requests;
mod segment;
mod server;
mod sockets;
mod write_handlers;

pub use self::control::Control;
pub use self::error::EmbeddedError;
pub use self::fault_injection::{
    EmbeddedSnapshot, FaultCondition, InjectedFault, WriteRecord, WriteRequest,
};
pub use self::instance::Embedded;
pub use self::options::{Clock, EmbeddedOptions, Paths};
