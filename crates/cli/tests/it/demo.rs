//! `brigade demo`: runs anywhere, and shows real commands and what they say.

use std::process::Command;

use crate::harness::{Ended, files_below};

#[test]
fn it_needs_nothing_and_shows_each_step() {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_brigade"));
    command.env_clear().env("TMPDIR", scratch.path()).env("HOME", scratch.path()).arg("demo");
    // Whatever the environment says of the way to S3 is no concern of it.
    command.env("http_proxy", "http://127.0.0.1:1").env("AWS_ENDPOINT_URL", "http://nowhere.invalid");
    let ended = Ended::of(command).exits(0);

    let shown = |text: &str| ended.stdout.matches(text).count();
    assert!(shown("brigade sync ") >= 3, "up, up again and back:\n{}", ended.stdout);
    assert!(shown("In step.") >= 3, "{}", ended.stdout);
    assert!(shown("--delete") >= 1, "{}", ended.stdout);
    let left = files_below(scratch.path());
    assert!(left.0.is_empty(), "left behind: {:?}", left.paths());
}
