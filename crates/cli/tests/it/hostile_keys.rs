//! Buckets whose keys attack: nothing is made, changed or removed outside of
//! the destination, what can't be a file is named, and the others arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Ended, Files, Scene, everything_below, files_below};

/// Keys below the root that no file can have, and a part of the reason.
const IMPOSSIBLE: [(&str, &str); 21] = [
    ("../../etc/x", "`.` and `..`"),
    ("../outside/x", "`.` and `..`"),
    ("/x", "begins or ends with a slash"),
    ("//x", "begins or ends with a slash"),
    ("/", "slash"),
    ("//", "slash"),
    ("a//b", "two in a row"),
    (".", "`.` and `..`"),
    ("..", "`.` and `..`"),
    ("./", "ends with a slash"),
    ("../", "ends with a slash"),
    ("./x", "`.` and `..`"),
    ("a/./b", "`.` and `..`"),
    ("a/../b", "`.` and `..`"),
    ("a/..", "`.` and `..`"),
    ("a/../../outside/x", "`.` and `..`"),
    ("nul\0inside", "NUL byte"),
    ("content/", "ends with a slash, and has content"),
    (".brigade-notes", "reserved"),
    ("a/.brigade-trash/x", "reserved"),
    ("", "empty"),
];

/// Keys that look bad and are not.
const FINE: [&str; 17] = [
    "a/b",
    "back\\slash",
    "..\\..\\x",
    "C:\\x",
    "...",
    "a/...",
    ".hidden",
    "a ",
    "a.",
    " ",
    "~",
    "-rf",
    "$(x)",
    "%2e%2e%2fx",
    "case",
    "CASE",
    "Case",
];

/// A bucket that holds all of those below `p/`, each with its key as content.
fn hostile() -> (Scene, Vec<(String, String)>) {
    let scene = Scene::public();
    let mut impossible: Vec<(String, String)> =
        IMPOSSIBLE.iter().map(|(key, reason)| ((*key).to_owned(), (*reason).to_owned())).collect();
    impossible.push(("n".repeat(256), "longer than 255 bytes".to_owned()));
    impossible.push((format!("{}/x", "d".repeat(256)), "longer than 255 bytes".to_owned()));
    for (key, _) in &impossible {
        // Those that end in a slash, too: without content they would stand for directories.
        scene.put_exactly(&format!("p/{key}"), b"hostile");
    }
    for key in FINE {
        scene.put_exactly(&format!("p/{key}"), key.as_bytes());
    }
    for key in deep_and_long() {
        scene.put_exactly(&format!("p/{key}"), key.as_bytes());
    }
    (scene, impossible)
}

/// Keys as long and as deep as they come: 1024 bytes and 512 levels with the prefix `p/`, names of 255 bytes.
fn deep_and_long() -> [String; 2] {
    let long = "n".repeat(255);
    [format!("{}aa", "a/".repeat(510)), format!("{long}/{long}/{long}/{}", "n".repeat(254))]
}

fn arrived() -> Files {
    let mut files = Files::default();
    for key in FINE {
        files.put(key, key);
    }
    for key in deep_and_long() {
        files.put(&key, key.clone());
    }
    files
}

/// What surrounds the destination `around/tree`, without it.
fn surroundings(scene: &Scene) -> BTreeMap<PathBuf, String> {
    let tree = scene.path("around/tree");
    let mut everything = everything_below(&scene.path("around"));
    everything.retain(|path, _| !path.starts_with(&tree));
    everything
}

/// Makes what attacks would aim at.
fn lay_out(scene: &Scene) {
    for file in ["around/x", "around/b", "around/etc/x", "around/outside/x"] {
        let path = scene.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "untouched").unwrap();
    }
}

/// The reasons of the objects that were refused, by key.
fn refused(ended: &Ended) -> BTreeMap<String, String> {
    let refused = ended.events().into_iter().filter(|event| event["outcome"] == "unrepresentable");
    refused.map(|event| (text(&event["key"]), text(&event["reason"]))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn nothing_leaves_the_destination_and_the_others_arrive() {
    let (scene, impossible) = hostile();
    lay_out(&scene);
    let before = surroundings(&scene);
    scene.log().forget_requests();
    let sync = ["sync", &scene.url("p"), &scene.arg("around/tree"), "--output", "json"];
    let count = FINE.len() as u64 + 2;
    // A second run, deletions and a forecast come to the same end.
    let runs: [(&[&str], &str); 4] =
        [(&["--dry-run"], "created"), (&[], "created"), (&[], "in_step"), (&["--delete"], "in_step")];
    for (more, became) in runs {
        let ended = scene.brigade(sync.iter().chain(more)).exits(3);
        ended.summary().counts([(became, count), ("unrepresentable", impossible.len() as u64)]);
        let refused = refused(&ended);
        assert_eq!(refused.len(), impossible.len());
        for (key, reason) in &impossible {
            assert!(refused[key].contains(reason), "{key:?}: {}", refused[key]);
        }
        assert_eq!(surroundings(&scene), before, "{more:?}");
    }
    scene.read("around/tree").assert_are(&arrived());
    let fetched = scene.log().received("GetObject");
    assert_eq!(fetched, count, "what can't be a file must not be fetched");
}

#[test]
fn each_is_named_for_a_person() {
    let (scene, impossible) = hostile();
    let ended = scene.brigade(["sync", &scene.url("p"), &scene.arg("tree")]).exits(3);
    for (key, reason) in impossible {
        let shown = match key.as_str() {
            "" => "(the prefix itself)".to_owned(),
            key => key.replace('\0', "\\u{0}"),
        };
        let line = ended.stderr.lines().find(|line| line.starts_with(&format!("failed: {shown}: ")));
        let line = line.unwrap_or_else(|| panic!("{key:?} is not named in {}", ended.stderr));
        assert!(line.contains(&reason) && line.contains("rename or exclude it"), "{line}");
    }
}

#[test]
fn deleting_removes_nothing_wrong_on_either_side() {
    let (scene, _) = hostile();
    lay_out(&scene);
    scene.brigade(["sync", &scene.url("p"), &scene.arg("around/tree")]).exits(3);
    let before = surroundings(&scene);
    let objects = scene.objects();

    // Down: what is extra stays, because the tree can't hold everything.
    std::fs::write(scene.path("around/tree/extra"), "extra").unwrap();
    let sync = ["sync", &scene.url("p"), &scene.arg("around/tree"), "--delete", "--output", "json"];
    let ended = scene.brigade(sync).exits(3).complains("held back");
    assert_eq!(ended.summary().0["deletions_held_back"], 1);
    assert!(scene.path("around/tree/extra").exists());
    assert_eq!((surroundings(&scene), scene.objects()), (before.clone(), objects.clone()));
    std::fs::remove_file(scene.path("around/tree/extra")).unwrap();

    // Up: what the tree could not hold is not absent from it.
    std::fs::remove_file(scene.path("around/tree/-rf")).unwrap();
    let sync = ["sync", &scene.arg("around/tree"), &scene.url("p"), "--delete", "--output", "json"];
    let ended = scene.brigade(sync).exits(3);
    ended.summary().counts([("in_step", 18), ("deleted", 1), ("unrepresentable", 21)]);
    let mut left = objects;
    assert!(left.remove("p/-rf").is_some());
    assert_eq!(scene.objects(), left);
    assert_eq!(surroundings(&scene), before);
}

#[test]
fn a_file_and_a_directory_of_one_name_give_the_same_result_each_run() {
    let scene = Scene::public();
    for key in ["a", "a-b", "a/b", "a/c/d", "a/", "b/c", "b/c/d"] {
        scene.put_exactly(key, key.as_bytes().split_last().map_or(b"", |(_, rest)| rest));
    }
    scene.remove_exactly("a/");
    scene.put_exactly("a/", b"");
    let shadowed: BTreeSet<&str> = ["a/", "a/b", "a/c/d", "b/c/d"].into();
    for round in 0..6 {
        let tree = format!("tree-{}", round / 2);
        let args = ["sync", &scene.url(""), &scene.arg(&tree), "--delete", "--output", "json"];
        let ended = scene.brigade(args).exits(3).complains("failed: a/b: a is an object too");
        let events = ended.events();
        let failed = events.iter().filter(|event| event["outcome"] == "failed");
        let failed: BTreeSet<&str> = failed.map(|event| event["key"].as_str().unwrap()).collect();
        assert_eq!(failed, shadowed);
        ended.summary().counts([(if round % 2 == 0 { "created" } else { "in_step" }, 3), ("failed", 4)]);
        assert_eq!(scene.read(&tree).paths(), ["a", "a-b", "b/c"]);
    }
}

#[test]
fn a_file_and_a_directory_of_one_name_delete_nothing_that_is_there() {
    let scene = Scene::public();
    scene.put_exactly("a/b", b"1");
    scene.sync(&scene.url(""), &scene.arg("tree"), []);
    scene.put_exactly("a", b"2");
    scene.put_exactly("a/b", b"3!");
    for became in ["replaced", "in_step"] {
        let args = ["sync", &scene.url(""), &scene.arg("tree"), "--delete", "--output", "json"];
        let ended = scene.brigade(args).exits(3).complains("failed: a: a directory stands where this file must go");
        ended.summary().counts([(became, 1), ("failed", 1)]);
        files_below(Path::new(&scene.arg("tree"))).assert_are(&Files::new([("a/b", b"3!")]));
    }
    // From bucket to bucket both are held, and a tree that has one of them sends it.
    scene.sync(&scene.arg("tree"), &scene.url("copy"), []).counts([("created", 1)]);
}
