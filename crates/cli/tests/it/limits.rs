//! What the system lets a process have.

use crate::harness::{Ended, Files, Scene, limited};

#[test]
fn with_64_open_files_everything_arrives() {
    let mut files = Files::default();
    for number in 0..300 {
        files.put(&format!("many/{}/{number}", number % 7), number.to_string());
    }
    files.put(&format!("{}leaf", "deep/".repeat(100)), "leaf");
    files.put("large", vec![1; 40 << 20]);
    let scene = Scene::embedded();
    scene.write("tree", &files);
    for (source, dest) in [(scene.arg("tree"), scene.url("")), (scene.url(""), scene.arg("copy"))] {
        let command = scene.brigade_command(["sync", &source, &dest, "--jobs", "64"]);
        let ended = Ended::of(limited("--nofile=64:64", &command)).exits(0);
        ended.complains("warning: only 4 requests at once").complains("ulimit -n");
    }
    scene.read("copy").assert_are(&files);
    let command = scene.brigade_command(["check", &scene.arg("tree"), &scene.url(""), "--jobs", "64"]);
    let ended = Ended::of(limited("--nofile=64:64", &command)).exits(0);
    ended.complains("warning: only 4 requests at once").complains("ulimit -n");
}

#[test]
fn the_soft_limit_is_raised() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("file", b"1")]));
    let command = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url("")]);
    let ended = Ended::of(limited("--nofile=64:4096", &command)).exits(0);
    assert!(!ended.stderr.contains("ulimit"), "{}", ended.stderr);
}

#[test]
fn too_few_open_files_are_said_so() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("file", b"1")]));
    let command = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url("")]);
    let ended = Ended::of(limited("--nofile=30:30", &command)).exits(1);
    ended.complains("only 30 files may be open at once");
}
