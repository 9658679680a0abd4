//! The built maglevt against servers that do what their test says, the demo, a
//! daemon and nginx: each fault is found and named.

mod daemon;
mod flags;
pub(crate) mod line_server;
mod lines;
mod mtu;
mod nginx;
pub(crate) mod process;
mod screen;
