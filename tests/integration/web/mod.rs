//! The built maglev-web with built daemons behind it, seen by a client of HTTP.

mod actions;
mod events;
mod http;
mod login;
mod nginx;
mod page;
mod passwd;
mod server;
mod tls;
mod views;
