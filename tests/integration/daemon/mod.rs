//! The built maglevd as a child process, with an embedded dataplane and backends.

mod adopts;
mod bounds;
mod config;
mod confirmation;
mod cores;
mod dialects;
mod doctor;
mod evidence;
mod fail_open;
mod families;
mod grpc;
mod guard;
mod life;
mod listeners;
mod metrics;
pub(crate) mod modes;
mod names;
mod notify;
mod probes;
mod reload;
mod serves;
mod signals;
mod streams;
mod tls;
