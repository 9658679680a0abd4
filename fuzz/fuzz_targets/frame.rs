//! `cargo fuzz run frame`: what it checks stands in `src/frame.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vpp_maglev_fuzz::frame::check(data));
