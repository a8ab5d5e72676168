//! Replays a target's corpus in an ordinary test: part of each crate's `fuzzing.rs`.

use std::path::Path;

/// Checks every input of `fuzz/corpus/TARGET`, which must not be empty.
pub(super) fn replay(target: &str, check: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut inputs: Vec<_> = std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", corpus.display());
    for input in inputs {
        // Shown if the check fails.
        println!("{}", input.display());
        check(&std::fs::read(&input).unwrap());
    }
}
