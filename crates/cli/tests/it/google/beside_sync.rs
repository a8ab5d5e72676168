//! At Google, the commands beside `sync`: what is removed, counted and restored there, and what is refused.

use super::{command, sync, url};
use crate::harness::{Ended, Files, Scene, content, long_ago, set_modified};

fn brigade(scene: &Scene, args: &[&str]) -> Ended {
    Ended::of(command(scene, args))
}

fn some() -> Files {
    Files::new([("p/a", b"1"), ("p/sub/b c", b"22"), ("p/sub/\u{e9}", b"333"), ("pq/a", b"4444"), ("q", b"55555")])
}

/// A bucket with some objects, and nothing of them in the log.
fn filled() -> Scene {
    let scene = Scene::google();
    for (key, content) in &some().0 {
        scene.put_exactly(key, content);
    }
    scene.log().forget_requests();
    scene
}

#[test]
fn what_is_below_the_url_is_removed_and_nothing_else() {
    let scene = filled();
    let rm = |prefix: &str, more: &[&str]| {
        let line = ["rm", &url(&scene, prefix), "--output", "json"];
        brigade(&scene, &[&line[..], more].concat())
    };
    rm("p", &["--dry-run"]).exits(0).summary().counts([("deleted", 3)]);
    scene.log().assert_only_read();
    rm("p", &["--max-delete", "2"]).exits(4);
    assert_eq!(scene.objects().len(), 5);
    rm("p", &[]).exits(0).summary().counts([("deleted", 3)]);
    let changes = scene.log().changes();
    assert!(changes.len() == 3 && changes.iter().all(|change| change.if_generation.is_some()), "{changes:?}");
    assert_eq!(scene.log().received("DeleteObjects"), 0, "it takes no conditions at Google");
    assert_eq!(scene.objects().into_keys().collect::<Vec<_>>(), ["pq/a", "q"]);
    rm("", &[]).exits(2).complains("is a whole bucket");
    rm("", &["--whole-bucket"]).exits(0).summary().counts([("deleted", 2)]);
    assert!(scene.objects().is_empty());
}

/// It is as it was listed no more.
#[test]
fn what_was_replaced_meanwhile_is_not_removed() {
    let scene = filled();
    scene.log().hold_the("DeleteObject", &[1]);
    let line = ["rm", &url(&scene, "q"), "--output", "json"];
    let ended = Ended::of_while(command(&scene, &line), || {
        scene.log().wait_for_number("DeleteObject", 1);
        scene.put_exactly("q", b"somebody else's");
        scene.log().heal();
    });
    ended.exits(3).complains_of("q", "somebody else wrote this key");
    assert_eq!(scene.objects()["q"], b"somebody else's");
}

#[test]
fn objects_and_bytes_are_counted() {
    let scene = filled();
    let du = |prefix: &str, more: &[&str]| {
        let counted = brigade(&scene, &[&["du", &url(&scene, prefix)], more].concat()).exits(0).stdout;
        counted.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(du("p", &[]), [format!("6 B 3 {}", url(&scene, "p"))]);
    assert_eq!(du("", &["--depth", "1"]), ["6 B 3 p/", "4 B 1 pq/", &format!("15 B 5 {}", url(&scene, ""))]);
    scene.log().assert_only_read();
}

#[test]
fn what_a_bucket_holds_comes_back_with_its_times() {
    let scene = Scene::google();
    let mut files = some();
    files.put("p/large", content(20 << 20));
    scene.write("tree", &files);
    set_modified(&scene.path("tree/q"), long_ago());
    let (bucket, back) = (url(&scene, ""), scene.arg("back"));
    Ended::of(sync(&scene, &scene.arg("tree"), &bucket, &[])).exits(0);
    scene.log().forget_requests();
    let restore = || brigade(&scene, &["restore", &bucket, &back, "--output", "json"]).exits(0).summary();
    let first = restore();
    first.counts([("created", files.count())]);
    assert_eq!(first.unverified(), 0);
    scene.read("back").assert_are(&files);
    assert_eq!(std::fs::metadata(scene.path("back/q")).unwrap().modified().unwrap(), long_ago());
    let again = restore();
    again.counts([("in_step", files.count())]);
    assert_eq!((again.bytes(), again.requests("GetObject")), (0, 0));
    scene.log().assert_only_read();
}

#[test]
fn a_past_that_is_not_looked_at_is_refused_before_anything_is_sent() {
    let scene = filled();
    let (bucket, back) = (url(&scene, "p"), scene.arg("back"));
    let reason = format!("{bucket} is at Google, whose generations are not looked at yet");
    for past in [["--at", "2d"], ["--at", "2026-01-01"], ["--version-of", "a=1"]] {
        let ended = brigade(&scene, &[&["restore", &bucket, &back][..], &past].concat()).exits(2);
        ended.complains(&reason).complains("a lifecycle rule with daysSinceNoncurrentTime");
    }
    let named_otherwise = scene.url("p");
    let past = brigade(&scene, &["restore", &named_otherwise, &back, "--at", "2d", "--provider", "gcs"]).exits(2);
    past.complains("is at Google");
    let tree = scene.arg("tree");
    scene.write("tree", &Files::new([("a", b"1")]));
    let pruning = ["sync", &tree, &named_otherwise, "--provider", "gcs", "--prune-older-than", "30d"];
    brigade(&scene, &pruning).exits(2).complains("is at Google");
    for (place, to) in [(&tree, &bucket), (&bucket, &url(&scene, "to"))] {
        Ended::of(sync(&scene, place, to, &["--prune-older-than", "30d"])).exits(2).complains("is at Google");
    }
    let lists = Ended::of(sync(&scene, &bucket, &url(&scene, "to"), &["--acl", "source"])).exits(2);
    lists.complains("--acl source is for buckets of S3").complains("is at Google");
    assert_eq!(scene.log().requests(), 0);
    assert!(!scene.path("back").exists());
}

/// Left out, an object would silently be stored as nobody asked for it.
#[test]
fn what_google_has_nothing_like_fails_by_name_and_nothing_is_stored() {
    let large = content(20 << 20);
    let files = Files::new([("small", b"small"), ("large", &large)]);
    let scene = Scene::google();
    let key = scene.arg("own.key");
    std::fs::write(&key, [b'1'; 32]).unwrap();
    let table = [
        (["--sse", "AES256"], "x-amz-server-side-encryption"),
        (["--sse", "aws:kms"], "x-amz-server-side-encryption"),
        (["--tagging", "a=1"], "x-amz-tagging"),
        (["--dest-sse-c-key", &key], "x-amz-server-side-encryption-customer-"),
    ];
    scene.write("tree", &files);
    let (tree, from, to) = (scene.arg("tree"), url(&scene, "from"), url(&scene, "to"));
    Ended::of(sync(&scene, &tree, &from, &[])).exits(0);
    let before = scene.objects();
    for (said, header) in table {
        for (place, how) in [(&tree, &[][..]), (&from, &[]), (&from, &["--no-server-side-copy"])] {
            let ended = Ended::of(sync(&scene, place, &to, &[&said[..], how].concat())).exits(3);
            ended.summary().counts([("failed", 2)]);
            for key in ["small", "large"] {
                ended.complains_of(key, &format!("Google Cloud Storage has nothing like {header}"));
            }
        }
    }
    assert!(scene.objects() == before && scene.uploads() == 0, "something was stored all the same");
    let read = brigade(&scene, &["restore", &from, &scene.arg("back"), "--sse-c-key", &key]).exits(3);
    read.complains_of("small", "Google Cloud Storage has nothing like x-amz-server-side-encryption-customer-");
    assert_eq!(scene.read("back").count(), 0);
    // What it has something like is no trouble.
    let said = ["--storage-class", "NEARLINE", "--acl", "private"];
    Ended::of(sync(&scene, &tree, &to, &said)).exits(0).summary().counts([("created", 2)]);
}
