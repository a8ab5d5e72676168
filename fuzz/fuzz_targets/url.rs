//! What a user writes to name a place, or a service's address.

#![no_main]

libfuzzer_sys::fuzz_target!(|written: &[u8]| {
    brigade_store::fuzzing::location(written);
    brigade_s3::fuzzing::endpoint(written);
});
