#![no_main]
//! See `targets.rs`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    cogdeck_fuzz::targets::manifests(data);
});
