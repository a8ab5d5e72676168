//! Servers that list out of byte order: the sync is exact there too.

use crate::harness::{Ended, Files, Scene};

/// More keys than a page of a listing has, each directory beside names that
/// sort between it and what is below it.
fn directories_among_names() -> Files {
    let mut files = Files::default();
    for number in 0..250 {
        for name in ["/x", "-b", ".b", "+b", "0"] {
            let key = format!("d{number:03}{name}");
            files.put(&key, key.clone());
        }
    }
    files
}

fn said_so(ended: &Ended) -> bool {
    ended.events().iter().any(|event| event["type"] == "reordered")
}

#[test]
fn seaweed_lists_out_of_order_and_is_in_step_all_the_same() {
    let scene = Scene::seaweed();
    let mut files = directories_among_names();
    scene.write("tree", &files);
    let (tree, site) = (scene.arg("tree"), scene.url("site"));
    scene.sync(&tree, &site, []).counts([("created", 1250)]);

    let again = scene.brigade(["sync", &tree, &site, "--delete", "--output", "json"]).exits(0);
    again.summary().counts([("in_step", 1250)]);
    again.summary().changed_nothing();
    let reordered: Vec<_> = again.events().into_iter().filter(|event| event["type"] == "reordered").collect();
    assert_eq!(reordered.len(), 1, "{}", again.stdout);
    assert!(reordered[0].get("key").is_none(), "its answers say what it is, before any key is acted upon");

    for number in (0..250).step_by(7) {
        for name in ["/x", "+b"] {
            files.take(&format!("d{number:03}{name}"));
        }
    }
    scene.write("tree", &files);
    scene.sync(&tree, &site, ["--delete"]).counts([("in_step", 1178), ("deleted", 72)]);
    scene.stored("site").assert_are(&files);

    scene.sync(&site, &scene.arg("copy"), ["--delete"]).counts([("created", 1178)]);
    scene.read("copy").assert_are(&files);
    scene.write("copy", &directories_among_names());
    scene.sync(&site, &scene.arg("copy"), ["--delete"]).counts([("in_step", 1178), ("deleted", 72)]);
    scene.read("copy").assert_are(&files);
}

#[test]
fn a_provider_that_is_known_for_it_is_sorted_at_once() {
    let scene = Scene::seaweed();
    let files = directories_among_names();
    scene.write("tree", &files);
    scene.rclone(["copy", &scene.arg("tree"), &scene.remote("site")]);
    let args = ["sync", &scene.url("site"), &scene.arg("tree"), "--provider", "seaweedfs", "--output", "json"];
    let ended = scene.brigade(args).exits(0);
    ended.summary().counts([("in_step", 1250)]);
    assert!(!said_so(&ended), "{}", ended.stdout);
}

#[test]
fn a_server_in_order_is_not_sorted() {
    let scene = Scene::embedded();
    scene.write("tree", &directories_among_names());
    scene.sync(&scene.arg("tree"), &scene.url(""), []);
    let again = scene.brigade(["sync", &scene.arg("tree"), &scene.url(""), "--output", "json"]).exits(0);
    again.summary().counts([("in_step", 1250)]);
    assert!(!said_so(&again), "{}", again.stdout);
}
