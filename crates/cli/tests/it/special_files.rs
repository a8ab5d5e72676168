//! Symlinks, and files that are no files.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::harness::{Files, Scene};

/// A tree with a link to a file and one to a directory, and an object whose
/// key is that of the first link.
fn linked() -> Scene {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("file", b"1"), ("dir/inner", b"2")]));
    symlink("file", scene.path("tree/link")).unwrap();
    symlink("dir", scene.path("tree/shortcut")).unwrap();
    scene.put("link", b"before");
    scene
}

#[test]
fn links_are_followed() {
    let scene = linked();
    scene.sync(&scene.arg("tree"), &scene.url(""), ["--delete"]).counts([("created", 3), ("replaced", 1)]);
    let wanted = Files::new([("file", b"1"), ("link", b"1"), ("dir/inner", b"2"), ("shortcut/inner", b"2")]);
    scene.stored("").assert_are(&wanted);
}

#[test]
fn links_that_are_skipped_delete_nothing() {
    let scene = linked();
    let args = ["sync", &scene.arg("tree"), &scene.url(""), "--delete", "--symlinks", "skip", "--output", "json"];
    let ended = scene.brigade(args).exits(0);
    let skipped = ended.events().into_iter().filter(|event| event["type"] == "unknown");
    let skipped: BTreeSet<String> =
        skipped.map(|event| event["key"].as_str().unwrap().trim_end_matches('/').to_owned()).collect();
    assert!(skipped.iter().eq(["link", "shortcut"]), "{skipped:?}");
    assert_eq!((&ended.summary().0["created"], &ended.summary().0["held"]), (&2.into(), &1.into()));
    scene.stored("").assert_are(&Files::new([("file", b"1"), ("link", b"before"), ("dir/inner", b"2")]));
}

#[test]
fn a_broken_link_is_named_and_makes_the_run_incomplete() {
    let scene = linked();
    symlink("nowhere", scene.path("tree/broken")).unwrap();
    scene.put("broken", b"kept");
    scene.brigade(["sync", &scene.arg("tree"), &scene.url(""), "--delete"]).exits(3).complains("broken");
    assert_eq!(scene.stored("").0["broken"], b"kept");
}

#[test]
fn a_link_to_a_directory_above_ends() {
    let scene = linked();
    symlink("..", scene.path("tree/dir/up")).unwrap();
    scene.brigade(["sync", &scene.arg("tree"), &scene.url("")]).exits(3).complains("up");
}

#[test]
fn a_link_in_the_destination_is_not_followed() {
    let scene = Scene::embedded();
    scene.put("link/stolen", b"1");
    std::fs::create_dir_all(scene.path("tree")).unwrap();
    std::fs::create_dir(scene.path("outside")).unwrap();
    symlink("../outside", scene.path("tree/link")).unwrap();
    scene.put("file", b"2");
    let ended = scene.brigade(["sync", &scene.url(""), &scene.arg("tree"), "--delete", "--output", "json"]).exits(3);
    ended.summary().counts([("created", 1), ("failed", 1), ("skipped", 1)]);
    ended.complains("link/stolen");
    assert!(scene.read("outside").0.is_empty());
    assert!(scene.path("tree/link").is_symlink());
}

#[test]
fn special_files_are_counted_and_no_error() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("file", b"1")]));
    assert!(Command::new("mkfifo").arg(scene.path("tree/pipe")).status().unwrap().success());
    scene.sync(&scene.arg("tree"), &scene.url(""), []).counts([("created", 1), ("skipped", 1)]);
}

#[test]
fn a_name_that_is_not_text_is_named_and_makes_the_run_incomplete() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("file", b"1")]));
    std::fs::write(scene.path("tree").join(OsStr::from_bytes(b"caf\xe9")), b"2").unwrap();
    let ended = scene.brigade(["sync", &scene.arg("tree"), &scene.url(""), "--output", "json"]).exits(3);
    ended.summary().counts([("created", 1), ("unrepresentable", 1)]);
    assert!(ended.events().iter().any(|event| event["key_base64"] == "Y2Fm6Q=="), "{}", ended.stdout);
    ended.complains("caf\\xe9");
    assert_eq!(scene.stored("").paths(), ["file"]);
}
