//! Standard streams that are closed, full, or read by nobody any more: work
//! goes on to its end, and what could not be said decides nothing but the exit code.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::harness::{Ended, Files, Scene};

fn hundred_files() -> (Scene, Files) {
    let mut files = Files::default();
    for number in 0..100 {
        files.put(&format!("file-{number:03}"), [1]);
    }
    let scene = Scene::embedded();
    scene.write("tree", &files);
    (scene, files)
}

/// Asserts that it ended so, by itself, and without a panic.
#[track_caller]
fn assert_ended(ended: Ended, code: i32) -> Ended {
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    ended.exits(code)
}

#[test]
fn a_sync_goes_on_when_its_reader_goes_away() {
    for output in [&["-v"][..], &["--output", "json"]] {
        let (scene, files) = hundred_files();
        scene.log().hold("PutObject", "file-050");
        let mut command = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url("")]);
        command.args(output).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // `| head -1`
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(!first.is_empty());
        scene.log().heal();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{output:?}");
        scene.stored("").assert_are(&files);
    }
}

#[test]
fn a_sync_goes_on_when_its_results_cannot_be_written_and_says_so() {
    for output in [&["-v"][..], &["--output", "json"], &[]] {
        let (scene, files) = hundred_files();
        let [tree, url] = [scene.arg("tree"), scene.url("")];
        let args = ["sync", &tree, &url].into_iter().chain(output.iter().copied());
        let ended = Ended::of(scene.redirected(args, ">/dev/full"));
        assert_ended(ended, 1).complains("results are missing there");
        scene.stored("").assert_are(&files);
    }
}

#[test]
fn a_sync_needs_none_of_the_standard_streams() {
    for redirections in [">&-", "2>&-", "<&-", "2>/dev/full", "<&- >&- 2>&-"] {
        let (scene, files) = hundred_files();
        let args = ["sync", &scene.arg("tree"), &scene.url(""), "-v", "--progress", "plain"];
        assert_ended(Ended::of(scene.redirected(args, redirections)), 0);
        scene.stored("").assert_are(&files);
    }
}

#[test]
fn what_could_not_be_shown_is_no_success() {
    let (scene, _) = hundred_files();
    let man = scene.arg("man");
    let [tree, url] = [scene.arg("tree"), scene.url("")];
    let commands: [&[&str]; 9] = [
        &["ls", &tree],
        &["ls", "-r", &tree, "--output", "json"],
        &["explain", &tree, &url, "file-001"],
        &["completions", "bash"],
        &["man", &man],
        &["--help"],
        &["sync", "--help"],
        &["--version"],
        &["sync", &tree, &url, "--dry-run"],
    ];
    for args in commands {
        // Nobody reads it: no error, and no death by SIGPIPE.
        let mut command = scene.brigade_command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
        // It can't be written: the exit code says so, with and without a place to say it.
        assert_ended(Ended::of(scene.redirected(args, ">/dev/full")), 1)
            .complains("could not write to standard output");
        assert_ended(Ended::of(scene.redirected(args, ">/dev/full 2>&-")), 1);
        assert_ended(Ended::of(scene.redirected(args, "<&- >&- 2>&-")), 0);
    }
}

#[test]
fn a_wrong_command_line_is_one_whoever_reads() {
    let (scene, _) = hundred_files();
    for redirections in ["2>/dev/full", "2>&-", ">&-"] {
        assert_ended(Ended::of(scene.redirected(["sync", "--no-such-option"], redirections)), 2);
    }
}
