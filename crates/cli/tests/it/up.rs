//! From a directory to a bucket.

use crate::harness::{Files, Scene, on_both_servers};

on_both_servers! {
    fn everything_arrives_and_a_second_run_sends_nothing(scene) {
        let files = Files::troublesome();
        scene.write("tree", &files);
        let (tree, site) = (scene.arg("tree"), scene.url("site"));

        let first = scene.sync(&tree, &site, []);
        first.counts([("created", files.count())]);
        assert_eq!(first.bytes(), files.bytes());
        assert!(first.requests("UploadPart") > 1, "the large file goes up in parts: {}", first.0);
        scene.stored("site").assert_are(&files);

        let second = scene.sync(&tree, &site, []);
        second.counts([("in_step", files.count())]);
        second.changed_nothing();
    }

    fn only_what_changed_is_sent(scene) {
        let mut files = Files::troublesome();
        scene.write("tree", &files);
        let (tree, bucket) = (scene.arg("tree"), scene.url(""));
        scene.sync(&tree, &bucket, []);

        files.put("a-b", "longer than it was, by some bytes");
        files.put("a+b", "AND THE PLUS");
        files.put("a/new", "new");
        files.take("a0");
        scene.write("tree", &files);
        let unchanged = files.count() - 3;

        let summary = scene.sync(&tree, &bucket, []);
        summary.counts([("in_step", unchanged), ("replaced", 2), ("created", 1), ("extra", 1)]);
        assert_eq!(summary.requests("PutObject"), 3);
        let mut stored = files.clone();
        stored.put("a0", "the digit sorts after it");
        scene.stored("").assert_are(&stored);
    }

    fn what_the_source_lacks_is_deleted_on_request(scene) {
        let mut files = Files::troublesome();
        scene.write("tree", &files);
        let (tree, site) = (scene.arg("tree"), scene.url("site"));
        scene.sync(&tree, &site, []);
        scene.put("sites", b"another name, which the prefix is a part of");

        for gone in ["a/x", "a-b", "a.b", "a+b", "a0", "100%/50%25.txt", "large.bin"] {
            files.take(gone);
        }
        scene.write("tree", &files);

        scene.sync(&tree, &site, ["--delete"]).counts([("in_step", files.count()), ("deleted", 7)]);
        scene.stored("site").assert_are(&files);
        assert!(scene.stored("").0.contains_key("sites"));
    }

    fn a_prefix_is_a_directory(scene) {
        scene.write("tree", &Files::new([("x", b"1")]));
        scene.sync(&scene.arg("tree"), &scene.url("p"), []).counts([("created", 1)]);
        scene.sync(&scene.arg("tree"), &scene.url("p/"), []).counts([("in_step", 1)]);
        scene.stored("").assert_are(&Files::new([("p/x", b"1")]));
    }

    fn a_dry_run_changes_nothing(scene) {
        let files = Files::new([("kept", b"kept"), ("changed", b"new content"), ("new", b"new")]);
        scene.put("changed", b"old");
        scene.put("kept", b"kept");
        scene.put("gone", b"gone");
        let before = scene.stored("");
        scene.write("tree", &files);

        let summary = scene.sync(&scene.arg("tree"), &scene.url(""), ["--delete", "--dry-run"]);
        summary.counts([("in_step", 1), ("replaced", 1), ("created", 1), ("deleted", 1)]);
        summary.changed_nothing();
        scene.stored("").assert_are(&before);
    }
}

#[test]
fn the_server_agrees_on_what_was_sent() {
    let scene = Scene::embedded();
    let files = Files::troublesome();
    scene.write("tree", &files);
    scene.log().forget_requests();
    let summary = scene.sync(&scene.arg("tree"), &scene.url(""), []);
    for operation in ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "ListObjectsV2"] {
        let received = scene.log().received(operation);
        assert!(received > 0, "no {operation}");
        assert_eq!(summary.requests(operation), received, "{operation}");
    }

    scene.log().forget_requests();
    scene.sync(&scene.arg("tree"), &scene.url(""), []);
    scene.log().assert_only_read();
    scene.sync(&scene.arg("tree"), &scene.url("elsewhere"), ["--dry-run", "--delete"]);
    scene.log().assert_only_read();
}

#[test]
fn a_limit_leaves_the_rest_for_another_run() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4"), ("e", b"5")]));
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    scene.sync(&tree, &bucket, ["--limit", "2"]).counts([("created", 2), ("over_limit", 3)]);
    assert_eq!(scene.stored("").count(), 2);
    scene.sync(&tree, &bucket, ["--limit", "3"]).counts([("created", 3), ("in_step", 2)]);
    scene.sync(&tree, &bucket, ["--limit", "1"]).counts([("in_step", 5)]);
}

#[test]
fn a_limit_deletes_nothing() {
    let scene = Scene::embedded();
    scene.put("gone", b"1");
    scene.write("tree", &Files::new([("a", b"1"), ("b", b"2")]));
    scene.sync(&scene.arg("tree"), &scene.url(""), ["--limit", "1", "--delete"]);
    assert_eq!(scene.stored("").count(), 2);
    assert!(scene.stored("").0.contains_key("gone"));
}

#[test]
fn little_memory_and_few_jobs_send_the_same() {
    let scene = Scene::embedded();
    let files = Files::troublesome();
    scene.write("tree", &files);
    scene.sync(&scene.arg("tree"), &scene.url(""), ["--jobs", "1", "--memory", "16MiB"]);
    scene.stored("").assert_are(&files);
}
