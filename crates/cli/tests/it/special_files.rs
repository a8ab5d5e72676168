//! Symlinks, and files that are no files.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::thread;

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
fn links_that_lead_round_or_nowhere_are_named_and_all_others_are_followed() {
    let scene = Scene::embedded();
    scene.write("in/tree", &Files::new([("file", b"1"), ("dir/inner", b"2")]));
    scene.write("outside", &Files::new([("x", b"3")]));
    let links = [
        ("itself", "itself"),
        ("one-way", "other-way"),
        ("other-way", "one-way"),
        ("here", "."),
        ("dir/up", ".."),
        ("above", ".."),
        ("broken", "nowhere"),
        ("through-file", "file/x"),
        ("first", "second"),
        ("second", "third"),
        ("third", "file"),
        ("twin", "dir"),
        ("twin-too", "./dir"),
        ("out", "../../outside"),
    ];
    for (link, target) in links {
        symlink(target, scene.path("in/tree").join(link)).unwrap();
    }
    // Nobody can tell whether these are still there: none of them is deleted.
    let mut kept = Files::default();
    for key in ["itself", "one-way/x", "here/x", "dir/up/x", "broken", "through-file/x"] {
        kept.put(key, "kept");
    }
    scene.write("kept", &kept);
    scene.rclone(["copy", &scene.arg("kept"), &scene.remote("")]);
    let args = ["sync", &scene.arg("in/tree"), &scene.url(""), "--delete", "--output", "json"];
    let ended = scene.brigade(args).exits(3);

    let mut wanted = Files::new([("file", b"1"), ("dir/inner", b"2"), ("out/x", b"3")]);
    for key in ["first", "second", "third"] {
        wanted.put(key, "1");
    }
    for key in ["twin/inner", "twin-too/inner"] {
        wanted.put(key, "2");
    }
    // Down again from the directory above, where only links lead round.
    let again: Vec<_> = wanted.0.clone().into_iter().collect();
    for (key, content) in again {
        wanted.put(&format!("above/tree/{key}"), content);
    }
    let loops = ["itself", "one-way", "other-way", "here", "dir/up", "twin/up", "twin-too/up"];
    for key in loops.iter().chain(&["broken", "through-file", "above/tree/above"]) {
        ended.complains_of(key, "symlink");
    }
    wanted.0.extend(kept.0);
    scene.stored("").assert_are(&wanted);
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
fn special_files_are_counted_never_opened_and_no_error() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("file", b"1")]));
    let pipe = scene.path("tree/pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _socket = UnixListener::bind(scene.path("tree/socket")).unwrap();
    // It has no end.
    symlink("/dev/zero", scene.path("tree/device")).unwrap();
    symlink("pipe", scene.path("tree/to-pipe")).unwrap();
    let mut kept = Files::default();
    for key in ["pipe", "socket", "device", "to-pipe"] {
        kept.put(key, "kept");
    }
    scene.write("kept", &kept);
    scene.rclone(["copy", &scene.arg("kept"), &scene.remote("")]);
    // This waits until somebody opens the pipe to read.
    let writer = thread::spawn(move || File::options().write(true).open(pipe).unwrap());
    for (more, created, in_step) in [("--symlinks=follow", 1, 0), ("--symlinks=skip", 0, 1)] {
        let args = ["sync", &scene.arg("tree"), &scene.url(""), "--delete", "--output", "json", more];
        let summary = scene.brigade(args).exits(0).summary().0;
        let counts = ["created", "in_step", "skipped", "held", "failed"].map(|count| summary[count].as_u64().unwrap());
        assert_eq!(counts, [created, in_step, 4, 4, 0], "{summary}");
    }
    assert!(!writer.is_finished(), "the pipe was opened");
    drop(File::open(scene.path("tree/pipe")).unwrap());
    drop(writer.join().unwrap());
    kept.put("file", "1");
    scene.stored("").assert_are(&kept);
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
