//! The messages and services generated from `proto/maglev.proto`.

#![allow(unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]

tonic::include_proto!("maglev");

/// The compiled descriptors of `proto/maglev.proto`, for the reflection service.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/maglev.bin"));
