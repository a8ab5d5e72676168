//! `brigade ledger`: what is remembered, listed, shown, exported and forgotten; and what `explain` says of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::harness::{Ended, Files, Scene, wait_until_it_is_old};

fn synced() -> Scene {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("a", b"1"), ("d/b", b"22")]));
    scene.sync(&scene.arg("tree"), &scene.url("site"), []);
    scene
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The name of the one ledger that there is.
fn only_one(scene: &Scene) -> String {
    let listed = scene.brigade(["ledger", "list"]).exits(0).stdout;
    listed.lines().next().unwrap().to_owned()
}

#[test]
fn what_is_remembered_is_listed_shown_exported_and_forgotten() {
    let scene = synced();
    let name = only_one(&scene);
    let path = scene.path(".local/state/brigade").join(format!("{name}.ledger"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for which in [name.as_str(), path.to_str().unwrap()] {
        let shown = scene.brigade(["ledger", "show", which]).exits(0).stdout;
        assert!(shown.contains(&scene.arg("tree")) && shown.contains("2 in step"), "{shown}");
    }
    let shown = &lines(&scene.brigade(["ledger", "show", &name, "--output", "json"]).exits(0).stdout)[0];
    assert_eq!((&shown["settled"], &shown["type"]), (&2.into(), &"ledger".into()));
    assert!(shown["dest"].as_str().unwrap().contains("/site/ at http"), "{shown}");
    let pairs = lines(&scene.brigade(["ledger", "export", &name]).exits(0).stdout);
    assert_eq!(pairs.iter().map(|pair| pair["key"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "d/b"]);
    assert_eq!(pairs[1]["source"]["size"], 2);
    assert_eq!(pairs[0]["dest"]["etag"], "c4ca4238a0b923820dcc509a6f75849b");
    scene.brigade(["ledger", "forget", &name]).exits(0);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
    scene.brigade(["ledger", "show", &name]).exits(1).complains("there is no ledger");
    assert_eq!(scene.brigade(["ledger", "list"]).exits(0).stdout, "");
}

#[test]
fn only_ledgers_are_forgotten_even_damaged_ones() {
    let scene = synced();
    let path = scene.path(".local/state/brigade").join(format!("{}.ledger", only_one(&scene)));
    fs::write(scene.path("precious"), "not a ledger at all, ".repeat(10)).unwrap();
    scene.brigade(["ledger", "forget", &scene.arg("precious")]).exits(1).complains("is no ledger, and was left alone");
    assert!(scene.path("precious").exists());
    let damaged = fs::read(&path).unwrap().iter().map(|byte| !byte).collect::<Vec<u8>>();
    fs::write(&path, damaged).unwrap();
    scene.brigade(["ledger", "list"]).exits(1).complains("is no ledger");
    scene.brigade(["ledger", "forget", path.to_str().unwrap()]).exits(0);
    scene.sync(&scene.arg("tree"), &scene.url("site"), []).counts([("in_step", 2)]);
}

#[test]
fn explain_shows_the_pair_and_why_nothing_is_read() {
    let scene = synced();
    wait_until_it_is_old(&scene.path("tree/a"));
    // What was written just now is compared once more, and then known.
    scene.sync(&scene.arg("tree"), &scene.url("site"), ["--compare", "checksum"]);
    let args = ["explain", &scene.arg("tree"), &scene.url("site"), "a"];
    let said = scene.brigade(args).exits(0).stdout;
    assert!(said.contains("remembered   in step, with a file of 1 B"), "{said}");
    assert!(said.contains("ETag c4ca4238a0b923820dcc509a6f75849b"), "{said}");
    let said = &lines(&scene.brigade(args.into_iter().chain(["--output", "json"])).exits(0).stdout)[0];
    assert_eq!((&said["row"], &said["pair"]["unsure"]), (&"unchanged".into(), &false.into()), "{said}");
    let forgetful = scene.brigade(args.into_iter().chain(["--no-ledger"])).exits(0).stdout;
    assert!(forgetful.contains("remembered   nothing"), "{forgetful}");
}

/// As a job on a machine of its own, with no home, that forgets everything.
fn job(scene: &Scene, args: &[&str]) -> Ended {
    let mut command = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url("site"), "--output", "json"]);
    command.args(["--ledger", &scene.url("state/site.ledger")]).args(args).env_remove("HOME");
    Ended::of(command)
}

#[test]
fn a_ledger_in_a_bucket_is_fetched_and_written_back_unless_somebody_else_did() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("a", b"1"), ("large", &vec![7; 17 << 20])]));
    wait_until_it_is_old(&scene.path("tree/large"));
    job(&scene, &["--provider", "brigade-dev"]).exits(0);
    let first = scene.aws(["s3api", "head-object", "--bucket", &scene.bucket, "--key", "state/site.ledger"]);
    let explained = scene.brigade([
        "explain",
        &scene.arg("tree"),
        &scene.url("site"),
        "large",
        "--ledger",
        &scene.url("state/site.ledger"),
    ]);
    assert!(explained.exits(0).stdout.contains("neither"), "it is remembered");
    assert_eq!(scene.aws(["s3api", "head-object", "--bucket", &scene.bucket, "--key", "state/site.ledger"]), first);
    // Somebody else's run ends while this one is on.
    scene.log().hold_the("ListObjectsV2", &[1]);
    scene.log().forget_requests();
    std::thread::scope(|scope| {
        let ours = scope.spawn(|| job(&scene, &["--provider", "brigade-dev"]));
        scene.log().wait_for_number("ListObjectsV2", 1);
        scene.put("state/site.ledger", b"theirs");
        scene.log().heal();
        ours.join().unwrap().exits(0).complains("this run won't be remembered").complains("somebody else");
    });
    assert_eq!(scene.stored("state").0.values().next().unwrap(), b"theirs");
    job(&scene, &[]).exits(1).complains("is no ledger");
    job(&scene, &["--no-sign-request"]).exits(1).complains("could not look at the ledger s3://");
}

#[test]
fn a_report_has_every_event_whatever_standard_output_has() {
    let scene = synced();
    scene.write("tree", &Files::new([("a", b"other"), ("new", b"3")]));
    let args =
        ["sync", &scene.arg("tree"), &scene.url("site"), "--delete", "--quiet", "--report", &scene.arg("report")];
    assert_eq!(scene.brigade(args).exits(0).stdout, "");
    let events = lines(&fs::read_to_string(scene.path("report")).unwrap());
    let outcome = |key: &str| events.iter().find(|event| event["key"] == key).unwrap()["outcome"].clone();
    assert_eq!([outcome("a"), outcome("new"), outcome("d/b")], ["sent", "sent", "deleted"]);
    assert_eq!((&events[0]["type"], &events[events.len() - 1]["type"]), (&"started".into(), &"summary".into()));
    assert_eq!(events[events.len() - 1]["exit_code"], 0);
    let nowhere = ["sync", &scene.arg("tree"), &scene.url("site"), "--report", &scene.arg("no/such/place")];
    scene.brigade(nowhere).exits(1).complains("could not write the report");
    let full = ["sync", &scene.arg("tree"), &scene.url("site"), "--report", "/dev/full"];
    scene.brigade(full).exits(1).complains("could not write the report /dev/full");
}

/// A home that is backed up, and brought back with everything else deleted, keeps the ledgers that are in it.
#[test]
fn ledgers_in_a_tree_that_is_synced_are_left_alone() {
    let scene = Scene::embedded();
    let (home, url) = (scene.arg("home"), scene.url("home"));
    scene.write("home", &Files::new([("a", b"1"), ("notes.ledger", b"a person's own")]));
    let brigade = |args: &[&str]| {
        let mut command = scene.brigade_command(["sync"]);
        command.args(args).env("HOME", &home);
        Ended::of(command)
    };
    for _ in 0..2 {
        brigade(&[&home, &url, "--delete"]).exits(0);
    }
    assert_eq!(scene.stored("home").paths(), ["a", "notes.ledger"]);
    scene.put("home/.local/state/brigade/0123456789abcdef.ledger", b"an old one");
    for _ in 0..2 {
        brigade(&[&url, &home, "--delete"]).exits(0);
    }
    let kept = scene.read("home");
    let ledgers = kept.paths().into_iter().filter(|path| path.ends_with(".ledger") && path.contains("state/")).count();
    assert_eq!(ledgers, 2, "of both directions, and none from the bucket: {:?}", kept.paths());
}

/// Also by a run that remembers nothing itself, and one that keeps its ledger elsewhere.
#[test]
fn the_ledgers_of_other_runs_are_left_alone_by_one_without_any() {
    let scene = Scene::embedded();
    let (home, url) = (scene.arg("home"), scene.url("home"));
    scene.write("home", &Files::new([("a", b"1")]));
    let brigade = |args: &[&str]| {
        let mut command = scene.brigade_command(["sync"]);
        command.args(args).args(["--delete", "--lock-file", &scene.arg("home/lock")]).env("HOME", &home);
        Ended::of(command).exits(0);
    };
    brigade(&[&home, &url]);
    fs::create_dir(scene.path("elsewhere")).unwrap();
    for more in [&["--no-ledger"][..], &["--ledger", &scene.arg("elsewhere")]] {
        brigade(&[&[url.as_str(), &home], more].concat());
        let kept = scene.read("home").paths().join(" ");
        assert!(kept.contains(".ledger") && kept.ends_with(" lock"), "{more:?}: {kept}");
        brigade(&[&[home.as_str(), &url], more].concat());
        assert_eq!(scene.stored("home").paths(), ["a"], "{more:?}");
    }
}

/// A ledger in the very bucket that is synced is no object of it.
#[test]
fn a_ledger_in_the_bucket_that_is_synced_is_left_alone() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("a", b"1")]));
    let (ledger, other) = (scene.url("site/state/up.ledger"), scene.url("site/state/down.ledger"));
    let up = || {
        let args = ["sync", &scene.arg("tree"), &scene.url("site"), "--delete", "--ledger", &ledger];
        scene.brigade(args).exits(0)
    };
    for _ in 0..3 {
        let ended = up();
        assert!(!ended.stdout.contains("deleted"), "{}", ended.stdout);
        assert_eq!(scene.stored("site").paths(), ["a", "state/up.ledger"]);
    }
    let down = ["sync", &scene.url("site"), &scene.arg("back"), "--ledger", &other, "--exclude", "up.ledger"];
    for _ in 0..2 {
        scene.brigade(down).exits(0);
        assert_eq!(scene.read("back").paths(), ["a"]);
    }
}

#[test]
fn files_that_a_person_has_are_not_taken_for_ours() {
    let scene = synced();
    for (name, option) in [("backup.sh", "--lock-file"), ("list.lock", "--ledger")] {
        fs::write(scene.path(name), "#!/bin/sh\n").unwrap();
        let given = scene.arg(name.trim_end_matches(".lock"));
        scene.brigade(["sync", &scene.arg("tree"), &scene.url("site"), option, &given]).exits(0);
        assert_eq!(fs::read_to_string(scene.path(name)).unwrap(), "#!/bin/sh\n", "{option} {given}");
    }
    fs::write(scene.path("accounts.ledger"), "2026-11-26 * Lunch\n".repeat(20)).unwrap();
    scene.brigade(["ledger", "forget", &scene.arg("accounts.ledger")]).exits(1).complains("was left alone");
    assert!(scene.path("accounts.ledger").exists());
}

#[test]
fn a_run_that_is_not_let_in_leaves_the_other_ones_report_alone() {
    let scene = synced();
    fs::write(scene.path("report"), "the other run's").unwrap();
    fs::write(scene.path("tree/new"), "new").unwrap();
    scene.log().hold_the("PutObject", &[1]);
    scene.log().forget_requests();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| scene.brigade(["sync", &scene.arg("tree"), &scene.url("site")]));
        scene.log().wait_for_number("PutObject", 1);
        let second = ["sync", &scene.arg("tree"), &scene.url("site"), "--report", &scene.arg("report")];
        scene.brigade(second).exits(5).complains("another run holds the lock");
        scene.log().heal();
        first.join().unwrap().exits(0);
    });
    assert_eq!(fs::read_to_string(scene.path("report")).unwrap(), "the other run's");
}
