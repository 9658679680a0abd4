//! One probe of each kind, as one asynchronous function that ends in a
//! [`ProbeResult`](crate::domain::health::probe_result::ProbeResult). Nothing
//! here decides whether a backend is up, nor when the next probe is due: that is
//! the caller's.
//!
//! A kind of check is one file with a `prepare` that does all the work that
//! can be done once, and an `attempt` that makes one probe. `attempt` moves
//! the [`Layer`](fault::Layer) along, so that a timeout or an IO error is
//! attributed to the layer in which it happened; [`fault`] makes the result of
//! it, for every kind.

mod common;
mod credentials;
mod datagrams;
mod dial;
mod dns;
mod error;
mod exchange;
mod fault;
mod file_fault;
mod from_files;
mod grpc;
mod http;
mod http2;
mod icmp;
mod lookup;
mod name;
mod namespace;
mod open;
mod prepared;
mod prepared_steps;
mod proxy;
mod resources;
mod slots;
mod steps;
mod tcp;
mod thread_resources;
mod tls;

pub use error::PrepareError;
pub(crate) use http::{Framing, Head};
pub use lookup::NameService;
pub use namespace::{Namespace, NamespaceError};
pub use prepared::Probe;
pub use resources::{IcmpSockets, ProbeEnvironment, ThreadResources};
pub use slots::{SlotStats, Slots};
pub use thread_resources::thread_resources;
