//! From a bucket to a directory.

use std::fs;

use crate::harness::{Files, Scene, long_ago, on_both_servers};

on_both_servers! {
    fn everything_arrives_and_a_second_run_sends_nothing(scene) {
        let files = Files::troublesome();
        scene.write("origin", &files);
        scene.rclone(["copy", &scene.arg("origin"), &scene.remote("site")]);

        let (site, tree) = (scene.url("site"), scene.arg("tree"));
        let first = scene.sync(&site, &tree, []);
        first.counts([("created", files.count())]);
        assert_eq!(first.bytes(), files.bytes());
        scene.read("tree").assert_are(&files);

        let second = scene.sync(&site, &tree, []);
        second.counts([("in_step", files.count())]);
        assert_eq!(second.requests("GetObject"), 0);
    }

    fn only_what_changed_is_fetched_and_what_is_gone_deleted_on_request(scene) {
        let mut files = Files::troublesome();
        scene.write("origin", &files);
        let (origin, bucket, tree) = (scene.arg("origin"), scene.remote(""), scene.arg("tree"));
        scene.rclone(["copy", &origin, &bucket]);
        scene.sync(&scene.url(""), &tree, []);

        files.put("a-b", "longer than it was, by some bytes");
        files.put("a/new", "new");
        for gone in ["a/x", "a.b", "a0"] {
            files.take(gone);
        }
        scene.write("origin", &files);
        scene.rclone(["sync", &origin, &bucket, "--checksum"]);
        let unchanged = files.count() - 2;

        let summary = scene.sync(&scene.url(""), &tree, []);
        summary.counts([("in_step", unchanged), ("replaced", 1), ("created", 1), ("extra", 3)]);
        assert_eq!(summary.requests("GetObject"), 2);

        let summary = scene.sync(&scene.url(""), &tree, ["--delete"]);
        summary.counts([("in_step", files.count()), ("deleted", 3)]);
        scene.read("tree").assert_are(&files);
    }

    fn modification_times_come_back(scene) {
        scene.write("tree", &Files::new([("small", b"1")]));
        scene.sync(&scene.arg("tree"), &scene.url("ours"), []);
        scene.rclone(["copy", &scene.arg("tree"), &scene.remote("theirs")]);

        scene.sync(&scene.url("ours"), &scene.arg("ours"), []);
        scene.sync(&scene.url("theirs"), &scene.arg("theirs"), []);
        scene.rclone(["copy", &scene.remote("ours"), &scene.arg("fetched")]);
        for copy in ["ours/small", "theirs/small", "fetched/small"] {
            assert_eq!(fs::metadata(scene.path(copy)).unwrap().modified().unwrap(), long_ago(), "{copy}");
        }
    }

    fn a_dry_run_changes_nothing(scene) {
        scene.put("new", b"new");
        scene.put("changed", b"new content");
        let files = Files::new([("changed", b"old"), ("gone", b"gone")]);
        scene.write("tree", &files);
        let summary = scene.sync(&scene.url(""), &scene.arg("tree"), ["--delete", "--dry-run"]);
        summary.counts([("replaced", 1), ("created", 1), ("deleted", 1)]);
        scene.read("tree").assert_are(&files);
    }
}

#[test]
fn a_key_that_no_file_can_have_is_named_and_nothing_leaves_the_tree() {
    let scene = Scene::embedded();
    for key in ["site/fine", "site/../outside", "site//double", "site/./dot"] {
        scene.put(key, key.as_bytes());
    }
    let ended = scene.brigade(["sync", &scene.url("site"), &scene.arg("tree"), "--output", "json"]).exits(3);
    ended.summary().counts([("created", 1), ("unrepresentable", 3)]);
    let events = ended.events();
    let named: Vec<&str> = events
        .iter()
        .filter(|event| event["outcome"] == "unrepresentable")
        .map(|event| event["key"].as_str().unwrap())
        .collect();
    for key in ["../outside", "/double", "./dot"] {
        assert!(named.contains(&key), "{key} is not among {named:?}");
    }
    scene.read("tree").assert_are(&Files::new([("fine", b"site/fine")]));
    assert!(!scene.path("outside").exists());
}

#[test]
fn nothing_is_left_of_a_temporary_file() {
    let scene = Scene::embedded();
    scene.put("x", b"1");
    scene.sync(&scene.url(""), &scene.arg("tree"), []);
    let names: Vec<_> = fs::read_dir(scene.path("tree")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["x"]);
}

#[test]
fn a_directory_marker_makes_a_directory() {
    let scene = Scene::embedded();
    scene.put("album/", b"");
    scene.put("album/photo", b"1");
    scene.put("empty/", b"");
    scene.sync(&scene.url(""), &scene.arg("tree"), ["--delete"]);
    scene.read("tree").assert_are(&Files::new([("album/photo", b"1")]));
    assert!(scene.path("tree/empty").is_dir());
    let again = scene.sync(&scene.url(""), &scene.arg("tree"), ["--delete"]);
    assert_eq!(&again.0["created"], 0, "{}", again.0);
    scene.sync(&scene.arg("tree"), &scene.url(""), ["--delete"]);
    scene.aws(["s3api", "head-object", "--bucket", &scene.bucket, "--key", "empty/"]);
}
