//! The messages and services generated from `proto/gobgp_v3.proto` and
//! `proto/gobgp_v4.proto`.

/// `apipb.GobgpApi`, of GoBGP 3.
pub mod v3 {
    #![allow(unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
    tonic::include_proto!("apipb");
}

/// `api.GoBgpService`, of GoBGP 4.
pub mod v4 {
    #![allow(unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
    tonic::include_proto!("api");
}
