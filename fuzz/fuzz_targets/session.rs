//! `cargo fuzz run session`: what it checks stands in `src/session/mod.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vpp_maglev_fuzz::session::check(data));
