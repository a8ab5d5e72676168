//! One run at a time: who is told to wait, by whom, and who need not.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::harness::{Ended, Files, Running, Scene};

/// A scene with something to send, in which a first run of the tree into
/// `first` holds its locks, because its listing is held.
fn with_a_first_run(more: &[&str]) -> (Scene, Running) {
    let scene = Scene::public();
    scene.write("tree", &Files::new([("a", b"1"), ("b", b"2")]));
    let first = start_held(&scene, more);
    (scene, first)
}

fn start_held(scene: &Scene, more: &[&str]) -> Running {
    scene.log().forget_requests();
    scene.log().hold_the("ListObjectsV2", &[1]);
    let first = Running::start(command(scene, "first", more));
    scene.log().wait_until_received("ListObjectsV2", 1);
    first
}

/// A sync of the tree with this prefix.
fn command(scene: &Scene, prefix: &str, more: &[&str]) -> Command {
    let mut command = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url(prefix), "--output", "json"]);
    command.args(more);
    command
}

#[test]
fn a_second_run_is_refused_and_told_which_process_the_first_is() {
    let (scene, first) = with_a_first_run(&[]);
    let before = scene.log().requests();
    let second = Ended::of(command(&scene, "first", &[])).exits(5).complains("another run holds the lock");
    second.complains(&format!("process {} ", first.id())).complains("--wait-lock");
    assert_eq!(scene.log().requests(), before, "a run that is refused asks for nothing");
    scene.log().heal();
    assert_eq!(first.wait(), Some(0));
    Ended::of(command(&scene, "first", &[])).exits(0).summary().counts([("in_step", 2)]);
}

#[test]
fn a_run_that_was_killed_holds_no_lock() {
    let (scene, first) = with_a_first_run(&["--lock-file", "lock"]);
    Ended::of(command(&scene, "first", &[])).exits(5);
    drop(first);
    scene.log().heal();
    Ended::of(command(&scene, "first", &["--lock-file", "lock"])).exits(0).summary().counts([("created", 2)]);
}

#[test]
fn the_exit_code_stands_in_the_summary_too() {
    let (scene, _first) = with_a_first_run(&[]);
    let second = Ended::of(command(&scene, "first", &[])).exits(5);
    let last = second.events().pop().unwrap();
    assert_eq!(last["exit_code"], 5, "{last}");
}

#[test]
fn who_waits_runs_when_the_first_is_done() {
    let (scene, first) = with_a_first_run(&[]);
    let second = Ended::of_while(command(&scene, "first", &["--wait-lock", "30s"]), || {
        // Longer than it takes to start: by then it has found the lock held.
        thread::sleep(Duration::from_secs(1));
        scene.log().heal();
        assert_eq!(first.wait(), Some(0));
    });
    second.exits(0).summary().counts([("in_step", 2)]);
}

#[test]
fn who_waits_in_vain_is_refused_in_the_end() {
    let (scene, first) = with_a_first_run(&[]);
    let second = Ended::of(command(&scene, "first", &["--wait-lock", "1s"])).exits(5);
    second.complains(&format!("process {} ", first.id()));
}

#[test]
fn who_waits_can_be_interrupted() {
    let (scene, _first) = with_a_first_run(&[]);
    let second = Ended::of_watched(command(&scene, "first", &["--wait-lock", "1h"]), |process| {
        thread::sleep(Duration::from_secs(1));
        assert!(Command::new("kill").args(["-TERM", &process.to_string()]).status().unwrap().success());
    });
    second.exits(143).complains("interrupted");
}

#[test]
fn a_lock_file_keeps_runs_of_different_places_apart() {
    let (scene, first) = with_a_first_run(&["--lock-file", "lock"]);
    let second = Ended::of(command(&scene, "second", &["--lock-file", "lock"])).exits(5);
    second.complains(&format!("process {} ", first.id())).complains("lock");
    Ended::of(command(&scene, "second", &["--lock-file", "another"])).exits(0).summary().counts([("created", 2)]);
    Ended::of(command(&scene, "third", &[])).exits(0).summary().counts([("created", 2)]);
}

#[test]
fn a_lock_file_alone_keeps_runs_without_a_ledger_apart() {
    let more = ["--no-ledger", "--lock-file", "lock"];
    let (scene, _first) = with_a_first_run(&more);
    Ended::of(command(&scene, "first", &more)).exits(5);
}

#[test]
fn a_run_without_a_ledger_takes_no_lock() {
    let (scene, _first) = with_a_first_run(&[]);
    Ended::of(command(&scene, "first", &["--no-ledger"])).exits(0).summary().counts([("created", 2)]);
}

#[test]
fn two_runs_without_a_ledger_run_at_once() {
    let (scene, first) = with_a_first_run(&["--no-ledger"]);
    Ended::of(command(&scene, "first", &["--no-ledger"])).exits(0).summary().counts([("created", 2)]);
    Ended::of(command(&scene, "first", &[])).exits(0).summary().counts([("in_step", 2)]);
    scene.log().heal();
    assert_eq!(first.wait(), Some(0), "what the others sent meanwhile is what it would have sent");
}

/// They change nothing, and so need not wait for anybody.
#[test]
fn what_only_looks_takes_no_lock() {
    let (scene, first) = with_a_first_run(&["--lock-file", "lock"]);
    let dry = Ended::of(command(&scene, "first", &["--dry-run", "--lock-file", "lock"])).exits(0);
    dry.summary().counts([("created", 2)]);
    scene.brigade(["explain", &scene.arg("tree"), &scene.url("first"), "a"]).exits(0);
    drop(first);
    scene.log().heal();
    scene.log().hold_the("ListObjectsV2", &[1]);
    scene.log().forget_requests();
    let dry = Running::start(command(&scene, "first", &["--dry-run", "--lock-file", "lock"]));
    scene.log().wait_until_received("ListObjectsV2", 1);
    Ended::of(command(&scene, "first", &["--lock-file", "lock"])).exits(0).summary().counts([("created", 2)]);
    drop(dry);
}

#[test]
fn a_lock_that_can_not_be_made_is_named() {
    let scene = Scene::public();
    scene.write("tree", &Files::new([("a", b"1")]));
    let ended = Ended::of(command(&scene, "first", &["--lock-file", "tree/a/lock"])).exits(1);
    ended.complains("tree/a/lock").complains("choose a place that can be written");
    assert!(scene.stored("").paths().is_empty());
}
