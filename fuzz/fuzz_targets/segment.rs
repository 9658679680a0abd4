//! `cargo fuzz run segment`: what it checks stands in `src/segment/mod.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vpp_maglev_fuzz::segment::check(data));
