//! Probes against peers of every kind.

mod conversations;
mod dns;
mod grpc;
mod haproxy;
mod http;
mod http2;
mod icmp;
mod netns;
pub(crate) mod peers;
mod requests;
mod tcp;
mod tls;
pub(crate) mod tls_client;
