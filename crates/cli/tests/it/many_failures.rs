//! Ten thousand failures: each is counted and can be had by name, and the log stays readable.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use serde_json::Value;

use crate::harness::{Ended, Scene};

const MANY: usize = 10_000;

/// A scene with a tree of so many empty files.
fn many_files(count: usize, name: impl Fn(usize) -> Vec<u8>) -> Scene {
    let scene = Scene::embedded();
    fs::create_dir(scene.path("tree")).unwrap();
    for number in 0..count {
        fs::File::create(scene.path("tree").join(OsStr::from_bytes(&name(number)))).unwrap();
    }
    scene
}

fn sync<const N: usize>(scene: &Scene, options: [&str; N]) -> Ended {
    scene.brigade(["sync", &scene.arg("tree"), &scene.url("")].into_iter().chain(options))
}

/// The keys of the `object` events with this outcome.
fn told(ended: &Ended, outcome: &str) -> BTreeSet<String> {
    let objects = ended.events().into_iter().filter(|event| event["outcome"] == outcome);
    let key = |event: &Value| event.get("key").or(event.get("key_base64")).unwrap().as_str().unwrap().to_owned();
    objects.map(|event| key(&event)).collect()
}

#[test]
fn ten_thousand_refused_uploads_leave_the_log_readable() {
    let scene = many_files(MANY, |number| format!("file-{number}").into_bytes());
    scene.log().refuse_all("PutObject");
    let ended = sync(&scene, ["--output", "json"]).exits(3);
    ended.summary().counts([("failed", MANY as u64)]);
    assert_eq!(told(&ended, "failed").len(), MANY);

    let log: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(log.len(), 22, "{}", ended.stderr);
    assert!(log[..20].iter().all(|line| line.starts_with("failed: file-") && line.contains("AccessDenied")));
    assert!(log[20].starts_with("failed: and more for the same reason") && log[20].contains("standard output"));
    assert!(log[21].starts_with("in all: 10,000 failed: ") && log[21].contains("AccessDenied"), "{}", log[21]);
}

#[test]
fn ten_thousand_names_that_are_no_keys_leave_the_log_readable() {
    let scene = many_files(MANY, |number| [b"caf\xe9", number.to_string().as_bytes()].concat());
    let ended = sync(&scene, []).exits(3);
    assert!(ended.stdout.contains("\nimpossible       10,000  "), "{}", ended.stdout);
    let log: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(log.len(), 22, "{}", ended.stderr);
    assert!(log[20].contains("-v or --output json names them all"), "{}", log[20]);
    assert!(log[21].starts_with("in all: 10,000 failed: S3's keys are UTF-8 text"), "{}", log[21]);
}

#[test]
fn on_request_all_are_named_and_another_reason_is_never_lost_among_them() {
    let scene = many_files(50, |number| format!("file-{number}").into_bytes());
    fs::write(scene.path("tree").join(OsStr::from_bytes(b"caf\xe9")), "1").unwrap();
    scene.log().refuse_all("PutObject");
    let named = |ended: &Ended| ended.stderr.lines().filter(|line| line.starts_with("failed: ")).count();
    let all = sync(&scene, ["-v"]).exits(3).complains("in all: 50 failed: ").complains("in all: 1 failed: ");
    assert_eq!(named(&all), 51, "{}", all.stderr);
    for loudness in ["--progress=none", "-q"] {
        let folded = sync(&scene, [loudness]).exits(3).complains("failed: caf\\xe9: ").complains("in all: 50 failed: ");
        assert_eq!(named(&folded), 22, "{}", folded.stderr);
    }
}
