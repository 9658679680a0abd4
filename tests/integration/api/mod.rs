//! The gRPC interface as others hold it: its definition, and a client of another make.

mod documents;
mod proto_compat;
mod reflection_client;
mod unix_authority;
