//! The gRPC service: requests become messages to the actors, answers responses.

mod commands;
mod convert;
pub(super) mod health;
pub(super) mod interceptor;
mod lb;
mod names;
pub(super) mod service;
mod status;
mod table;
mod watch;
