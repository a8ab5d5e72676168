//! A manifest of S3 Inventory, or the rows of one of its files.

#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| brigade_store::fuzzing::inventory(file));
