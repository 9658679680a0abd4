//! The gRPC service: requests become messages to the actors, answers responses. Every
//! request passes the `gate`.

mod announcement_info;
mod announcements;
mod audit;
mod audit_info;
mod caller;
mod change_request;
mod check_info;
mod commands;
pub(super) mod connection;
mod convert;
mod costly;
mod drain;
mod drain_info;
mod explain;
mod fingerprints;
pub(super) mod gate;
pub(super) mod health;
mod identity;
pub(super) mod interceptor;
mod lb;
mod names;
mod nanos;
mod override_info;
mod overrides;
mod reload;
pub(super) mod requests;
mod revocable;
pub(super) mod service;
mod shared_calls;
mod status;
mod streaming;
mod sync;
mod table;
mod timeline;
mod timeout;
mod watch;
