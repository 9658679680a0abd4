//! `cargo fuzz run cli_text`: what it checks stands in `src/cli_text/mod.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vpp_maglev_fuzz::cli_text::check(data));
