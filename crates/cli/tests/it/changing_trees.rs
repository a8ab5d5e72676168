//! Directories that change while they are walked.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::harness::{Ended, Files, Scene, wait_until_it_has_open};

/// Names in a directory that is walked for so long that nothing after it was
/// looked at: more than all pages that a listing is read ahead.
const FILLER: usize = 12_000;

/// A scene whose bucket has these files, and whose tree has them after many others that take no part.
fn scene_of(files: &Files) -> Scene {
    let scene = Scene::embedded();
    scene.write("tree", files);
    scene.sync(&scene.arg("tree"), &scene.url(""), []);
    fs::create_dir(scene.path("tree/0")).unwrap();
    for number in 0..FILLER {
        File::create(scene.path(&format!("tree/0/{number}"))).unwrap();
    }
    scene
}

/// Runs a sync that deletes, `change` while it walks through the many others,
/// and `later` when it asks to put its first object.
fn sync_while(scene: &Scene, change: impl FnOnce(&Path), later: impl FnOnce(&Path)) -> Ended {
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    let args = ["sync", &tree, &bucket, "--delete", "--exclude", "/0/", "--output", "json"];
    let command = scene.brigade_command(args);
    scene.log().forget_requests();
    // The walk soon waits for what the bucket lists.
    scene.log().hold_the("ListObjectsV2", &[1]);
    scene.log().hold_the("PutObject", &[1]);
    Ended::of_watched(command, |process| {
        wait_until_it_has_open(process, &scene.path("tree/0"));
        change(&scene.path("tree"));
        // Only what has come can be let go.
        scene.log().wait_for_number("ListObjectsV2", 1);
        scene.log().release();
        scene.log().wait_for_number("PutObject", 1);
        later(&scene.path("tree"));
        scene.log().heal();
    })
}

#[test]
fn what_is_added_removed_and_put_back_is_never_deleted_while_it_is_there() {
    let mut files = Files::new([("gone/x", b"1"), ("kept", b"2"), ("moved/x", b"3"), ("put-back/x", b"4")]);
    files.put("put-back/y", "5");
    let scene = scene_of(&files);
    let change = |tree: &Path| {
        fs::remove_dir_all(tree.join("gone")).unwrap();
        // To a name that the walk has passed.
        fs::rename(tree.join("moved"), tree.join("a")).unwrap();
        fs::rename(tree.join("put-back"), tree.with_file_name("aside")).unwrap();
        fs::write(tree.join("kept"), "changed").unwrap();
    };
    let later = |tree: &Path| fs::rename(tree.with_file_name("aside"), tree.join("put-back")).unwrap();
    let ended = sync_while(&scene, change, later).exits(0);
    ended.summary().counts([("replaced", 1), ("deleted", 2), ("withdrawn", 2), ("excluded", FILLER as u64)]);
    files.take("gone/x");
    files.take("moved/x");
    files.put("kept", "changed");
    scene.stored("").assert_are(&files);

    scene.sync(&scene.arg("tree"), &scene.url(""), ["--exclude", "/0/"]);
    files.put("a/x", "3");
    scene.stored("").assert_are(&files);
}

#[test]
fn what_becomes_something_else_is_named_and_nothing_at_or_below_it_is_touched() {
    let mut files = Files::new([("changed", b"1"), ("to-directory", b"2"), ("to-file/x", b"3"), ("to-pipe", b"4")]);
    for key in ["to-link/x", "to-linked-file", "to-loop/x", "gone"] {
        files.put(key, "5");
    }
    let scene = scene_of(&files);
    fs::create_dir(scene.path("outside")).unwrap();
    fs::write(scene.path("outside/stolen"), "stolen").unwrap();
    let change = |tree: &Path| {
        fs::write(tree.join("changed"), "changed").unwrap();
        fs::remove_file(tree.join("gone")).unwrap();
        fs::remove_file(tree.join("to-directory")).unwrap();
        fs::create_dir(tree.join("to-directory")).unwrap();
        fs::write(tree.join("to-directory/x"), "too late").unwrap();
        fs::remove_dir_all(tree.join("to-file")).unwrap();
        fs::write(tree.join("to-file"), "a file now").unwrap();
        fs::remove_dir_all(tree.join("to-link")).unwrap();
        symlink("../outside", tree.join("to-link")).unwrap();
        fs::remove_dir_all(tree.join("to-loop")).unwrap();
        symlink(".", tree.join("to-loop")).unwrap();
        fs::remove_file(tree.join("to-pipe")).unwrap();
        assert!(Command::new("mkfifo").arg(tree.join("to-pipe")).status().unwrap().success());
        // What a link to a file leads to is what it stands for.
        fs::remove_file(tree.join("to-linked-file")).unwrap();
        symlink("../outside/stolen", tree.join("to-linked-file")).unwrap();
    };
    let ended = sync_while(&scene, change, |_| ()).exits(3);
    for key in ["to-directory", "to-file/", "to-link/", "to-loop/", "to-pipe"] {
        ended.complains_of(key, "it became something else");
    }
    ended.summary().counts([
        ("replaced", 2),
        ("failed", 5),
        ("held", 5),
        ("deletions_held_back", 1),
        ("excluded", FILLER as u64),
    ]);
    files.put("changed", "changed");
    files.put("to-linked-file", "stolen");
    scene.stored("").assert_are(&files);
}

#[test]
fn a_tree_that_is_removed_while_it_is_walked_proves_nothing() {
    let files = Files::new([("changed", b"1"), ("x", b"2"), ("y/z", b"3")]);
    let scene = scene_of(&files);
    let change = |tree: &Path| {
        for gone in ["x", "y/z"] {
            fs::remove_file(tree.join(gone)).unwrap();
        }
        fs::write(tree.join("changed"), "changed").unwrap();
    };
    let ended = sync_while(&scene, change, |tree| fs::remove_dir_all(tree).unwrap()).exits(3);
    ended.summary().counts([("replaced", 1), ("failed", 2), ("excluded", FILLER as u64)]);
    for key in ["x", "y/z"] {
        ended.complains_of(key, "the source itself was removed");
    }
    assert_eq!(scene.stored("").paths(), files.paths());
}
