//! Markers: objects whose keys end in `/`, which stand for directories where
//! they are empty; and directories without files.

use std::fs;

use crate::harness::{Files, Scene};

/// A bucket with these keys, the content of each its key, but of markers nothing.
fn bucket(keys: &[&str]) -> Scene {
    let scene = Scene::public();
    for key in keys {
        let content = if key.ends_with('/') { "" } else { key };
        scene.put_exactly(key, content.as_bytes());
    }
    scene
}

fn keys(scene: &Scene) -> Vec<String> {
    scene.objects().into_keys().collect()
}

#[test]
fn down_markers_make_the_directories_that_are_missing_and_no_more() {
    let scene = bucket(&["full/", "full/x", "m/", "m/n/", "m/n/o/", "only/", "x"]);
    let (source, tree) = (scene.url(""), scene.arg("tree"));
    // Of `full/` and those above `m/n/o/`, whether they are there already depends on who comes first.
    let foreseen = scene.sync(&source, &tree, ["--delete", "--dry-run"]);
    assert_eq!(foreseen.0["failed"], 0, "{}", foreseen.0);
    assert!(!scene.path("tree").exists());
    scene.sync(&source, &tree, ["--delete"]);
    scene.read("tree").assert_are(&Files::new([("full/x", b"full/x"), ("x", b"x")]));
    for directory in ["m/n/o", "only"] {
        assert!(scene.path("tree").join(directory).is_dir(), "{directory}");
    }
    for _ in 0..2 {
        let again = scene.sync(&source, &tree, ["--delete"]);
        again.counts([("in_step", 7)]);
        assert_eq!(again.requests("GetObject"), 0);
    }
}

#[test]
fn down_a_marker_keeps_its_directory_when_all_in_it_is_deleted() {
    let scene = bucket(&["d/", "d/x", "y"]);
    scene.sync(&scene.url(""), &scene.arg("tree"), []);
    scene.remove_exactly("d/x");
    scene.sync(&scene.url(""), &scene.arg("tree"), ["--delete"]);
    assert!(scene.path("tree/d").is_dir() && !scene.path("tree/d/x").exists());
    scene.sync(&scene.url(""), &scene.arg("tree"), ["--delete"]).counts([("in_step", 2)]);
}

#[test]
fn down_a_marker_where_a_file_is() {
    let scene = bucket(&["d/", "y"]);
    scene.write("tree", &Files::new([("d", b"a file"), ("y", b"y")]));
    for more in [["--dry-run"].as_slice(), &[]] {
        let sync = ["sync", &scene.url(""), &scene.arg("tree"), "--output", "json"];
        let ended = scene.brigade(sync.iter().chain(more)).exits(3);
        ended.summary().counts([("in_step", 1), ("failed", 1), ("extra", 1)]);
        ended.complains("failed: d/: d is a file, and must be a directory for this key");
    }
    for more in [["--delete", "--dry-run"].as_slice(), &["--delete"]] {
        let sync = ["sync", &scene.url(""), &scene.arg("tree"), "--output", "json"];
        let ended = scene.brigade(sync.iter().chain(more)).exits(0);
        ended.summary().counts([("in_step", 1), ("created", 1), ("deleted", 1)]);
    }
    assert!(scene.path("tree/d").is_dir());
}

#[test]
fn up_markers_at_the_destination_are_never_deleted() {
    let scene = bucket(&["d/", "d/gone", "d/x", "gone/", "gone/y", "p/"]);
    scene.write("tree", &Files::new([("d/x", b"d/x")]));
    let summary = scene.sync(&scene.arg("tree"), &scene.url(""), ["--delete"]);
    // `d/` is in step with a directory; of the others the source has none.
    summary.counts([("in_step", 2), ("deleted", 2), ("extra", 2)]);
    assert_eq!(keys(&scene), ["d/", "d/x", "gone/", "p/"]);
    let again = scene.sync(&scene.arg("tree"), &scene.url(""), ["--delete"]);
    again.counts([("in_step", 2), ("extra", 2)]);
    again.changed_nothing();
    // And the place's own marker is not even an extra.
    scene.put_exactly("p/x", b"d/x");
    fs::rename(scene.path("tree/d"), scene.path("flat")).unwrap();
    scene.sync(&scene.arg("flat"), &scene.url("p"), ["--delete"]).counts([("in_step", 1)]);
}

#[test]
fn up_a_file_beside_a_marker_of_its_name_is_sent() {
    let scene = bucket(&["x/"]);
    scene.write("tree", &Files::new([("x", b"a file")]));
    scene.sync(&scene.arg("tree"), &scene.url(""), ["--delete"]).counts([("created", 1), ("extra", 1)]);
    assert_eq!(keys(&scene), ["x", "x/"]);
}

#[test]
fn down_a_file_beside_a_marker_of_its_name_arrives_and_the_marker_is_named() {
    let scene = bucket(&["x", "x/"]);
    for became in ["created", "in_step"] {
        let args = ["sync", &scene.url(""), &scene.arg("tree"), "--delete", "--output", "json"];
        let ended = scene.brigade(args).exits(3).complains("failed: x/: x is an object too");
        ended.summary().counts([(became, 1), ("failed", 1)]);
    }
    scene.read("tree").assert_are(&Files::new([("x", b"x")]));
}

#[test]
fn a_marker_with_content_is_named_in_both_directions_and_stays() {
    let scene = bucket(&["d/x", "y"]);
    scene.put_exactly("d/", b"12345");
    scene.put_exactly("no/", b"12345");
    let (bucket, tree) = (scene.url(""), scene.arg("tree"));
    let ended = scene.brigade(["sync", &bucket, &tree, "--output", "json"]).exits(3);
    ended.summary().counts([("created", 2), ("unrepresentable", 2)]);
    let ended = ended.complains("failed: d/: no file can have this key: it ends with a slash, and has content");
    ended.complains("failed: no/: ");
    // Whether the source has a directory of that name or not, it could not hold this.
    for more in [["--dry-run"].as_slice(), &[]] {
        let sync = ["sync", &tree, &bucket, "--delete", "--output", "json"];
        let ended = scene.brigade(sync.iter().chain(more)).exits(3);
        ended.summary().counts([("in_step", 2), ("unrepresentable", 2)]);
        ended.complains("failed: d/: ").complains("failed: no/: ");
    }
    assert_eq!(keys(&scene), ["d/", "d/x", "no/", "y"]);
    // Without --delete there is nothing to say.
    scene.sync(&tree, &bucket, []).counts([("in_step", 2), ("extra", 2)]);
}

#[test]
fn directories_without_files_are_neither_sent_nor_removed() {
    let scene = bucket(&["x"]);
    fs::create_dir_all(scene.path("tree/empty/nested")).unwrap();
    let (bucket, tree) = (scene.url(""), scene.arg("tree"));
    scene.sync(&bucket, &tree, ["--delete"]).counts([("created", 1)]);
    assert!(scene.path("tree/empty/nested").is_dir());
    scene.sync(&tree, &bucket, ["--delete"]).counts([("in_step", 1)]);
    assert_eq!(keys(&scene), ["x"]);
}
