//! The body of a refusal, and of the answer to a bulk removal.

#![no_main]

libfuzzer_sys::fuzz_target!(|document: &[u8]| brigade_s3::fuzzing::error(document));
