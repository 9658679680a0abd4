//! Probes against peers of every kind.

mod dns;
mod haproxy;
mod http;
mod icmp;
mod netns;
pub(crate) mod peers;
mod requests;
mod tcp;
mod tls;
