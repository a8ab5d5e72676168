//! A page of a bucket's listing, as a service may answer it.

#![no_main]

libfuzzer_sys::fuzz_target!(|document: &[u8]| brigade_s3::fuzzing::listing(document));
