//! `cargo fuzz run messages`: what it checks stands in `src/messages.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vpp_maglev_fuzz::messages::check(data));
