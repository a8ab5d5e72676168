//! Filter patterns, and keys that they judge.

#![no_main]

libfuzzer_sys::fuzz_target!(|rules_and_keys: &[u8]| brigade_engine::fuzzing::filters(rules_and_keys));
