//! `http::fuzz::inflated`, driven by libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| http::fuzz::inflated(data));
