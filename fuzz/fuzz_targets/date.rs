//! Dates of headers, listings and stored metadata.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    brigade_s3::fuzzing::date(text);
    brigade_store::fuzzing::modified(text);
});
