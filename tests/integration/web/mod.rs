//! The built maglev-web with built daemons behind it, seen by a client of HTTP and in a
//! browser.

mod actions;
mod browser;
mod events;
mod http;
mod login;
mod nginx;
mod page;
mod passwd;
mod server;
mod tls;
mod views;
