//! `brigade explain`: the same answer as a sync's, with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::harness::{Ended, Files, Scene, bound_by_permissions, set_modified};
use crate::output::assert_documented;

/// A tree and a bucket with every kind of case between them.
fn everything() -> Scene {
    let scene = Scene::embedded();
    scene.write(
        "tree",
        &Files::new([
            ("same", b"as it was"),
            ("touched", b"as it was"),
            ("other", b"AS IT IS!"),
            ("size", b"longer"),
            ("only-here", b"1"),
            ("left.out", b"1"),
            ("kept.out", b"1"),
            ("a-file", b"1"),
            ("a-directory/inner", b"1"),
            ("private/inner", b"1"),
            ("with space\n/é%", b"1"),
            ("in-parts", &vec![7; 17 << 20]),
        ]),
    );
    scene.write(
        "objects",
        &Files::new([
            ("same", b"as it was"),
            ("touched", b"as it was"),
            ("other", b"as it was"),
            ("size", b"short"),
            ("only-there", b"1"),
            ("old.out", b"1"),
            ("a-file/inner", b"1"),
            ("a-directory", b"1"),
            ("private/inner", b"1"),
            ("private/more", b"1"),
            ("link", b"1"),
            ("pointer/inner", b"1"),
            ("pipe", b"1"),
            ("in-parts", &vec![7; 17 << 20]),
        ]),
    );
    scene.rclone(["copy", &scene.arg("objects"), &scene.remote(""), "--s3-upload-cutoff=5Mi"]);
    for key in ["only-there/inner", "a//b", "../x", "marker/", "a-directory/"] {
        scene.put(key, if key.ends_with('/') { b"" } else { b"1" });
    }
    set_modified(&scene.path("tree/touched"), SystemTime::now() + Duration::from_hours(1));
    symlink("same", scene.path("tree/link")).unwrap();
    symlink("nowhere", scene.path("tree/broken")).unwrap();
    symlink("a-directory", scene.path("tree/pointer")).unwrap();
    assert!(Command::new("mkfifo").arg(scene.path("tree/pipe")).status().unwrap().success());
    fs::write(scene.path("tree").join(OsStr::from_bytes(b"caf\xe9")), b"1").unwrap();
    fs::set_permissions(scene.path("tree/private"), Permissions::from_mode(0o000)).unwrap();
    scene
}

/// Enough for one key of a kind.
fn little() -> Scene {
    let scene = Scene::embedded();
    scene.write("objects", &Files::new([("same", b"as it was"), ("only-there", b"1"), ("private/more", b"1")]));
    scene.rclone(["copy", &scene.arg("objects"), &scene.remote("")]);
    scene.write("tree", &Files::new([("same", b"as it was"), ("left.out", b"1"), ("private/inner", b"1")]));
    fs::set_permissions(scene.path("tree/private"), Permissions::from_mode(0o000)).unwrap();
    scene
}

/// Every key that either side might have, and some that neither has.
fn keys() -> Vec<OsString> {
    let text = [
        "same",
        "touched",
        "other",
        "size",
        "only-here",
        "only-there",
        "only-there/inner",
        "left.out",
        "kept.out",
        "old.out",
        "a-file",
        "a-file/inner",
        "a-directory",
        "a-directory/",
        "a-directory/inner",
        "private/inner",
        "private/more",
        "with space\n/é%",
        "in-parts",
        "link",
        "broken",
        "broken/below",
        "pointer",
        "pointer/inner",
        "pipe",
        "a//b",
        "../x",
        "marker/",
        "no-such",
        "",
    ];
    text.iter().map(OsString::from).chain([OsStr::from_bytes(b"caf\xe9").to_owned()]).collect()
}

/// A run as an ordinary user.
fn run(scene: &Scene, args: &[&OsStr]) -> Ended {
    Ended::of(bound_by_permissions(&scene.brigade_command(args)))
}

/// The one event of `brigade explain`.
#[track_caller]
fn explain(scene: &Scene, args: &[&OsStr], key: &OsStr) -> Value {
    let line = [&[OsStr::new("explain"), OsStr::new("--output=json")], args, &[key]].concat();
    let mut events = run(scene, &line).exits(0).events();
    assert_eq!((events.len(), &events[0]["type"], &events[0]["version"]), (1, &"explanation".into(), &1.into()));
    events.remove(0)
}

/// The key of an event, however it is written.
fn key_of(event: &Value) -> String {
    event.get("key").or(event.get("key_base64")).unwrap().as_str().unwrap().to_owned()
}

/// Asserts that each key is explained as a dry run of a sync with these
/// arguments tells it; the explanations.
#[track_caller]
fn assert_agrees(scene: &Scene, args: &[&str]) -> BTreeMap<String, Value> {
    let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    let line = [&[OsStr::new("sync"), OsStr::new("--dry-run"), OsStr::new("--output=json")], &args[..]].concat();
    let told = run(scene, &line);
    let summary = told.summary().0;
    let outcomes: BTreeMap<String, Value> = told
        .events()
        .into_iter()
        .filter(|event| event["type"] == "object")
        .map(|event| (key_of(&event), event))
        .collect();

    scene.log().forget_requests();
    let explained: BTreeMap<String, Value> =
        keys().iter().map(|key| explain(scene, &args, key)).map(|event| (key_of(&event), event)).collect();
    scene.log().assert_only_read();
    told.events().iter().chain(explained.values()).for_each(assert_documented);

    // What the sync has no event for: by what is explained to come of it.
    let mut silent: BTreeMap<&str, u64> = BTreeMap::new();
    for (key, explanation) in &explained {
        let decision = explanation["decision"].as_str().unwrap();
        let foreseen = explanation.get("outcome").and_then(Value::as_str);
        match (outcomes.get(key), foreseen) {
            // What a deletion would make room for fails with it.
            (Some(told), Some("sent")) if told["kind"] == "obstructed" && explanation["phase"] == "after_deletions" => {
                assert!(summary["deletions_held_back"].as_u64() > Some(0), "{key:?}: {told} {explanation} {summary}");
            }
            (Some(told), Some(foreseen)) => {
                assert_eq!(told["outcome"], foreseen, "{key:?}: {told} {explanation}");
                assert_eq!(told.get("reason"), explanation.get("reason"), "{key:?}");
                assert_eq!(told.get("bytes"), explanation.get("bytes"), "{key:?}");
            }
            (Some(told), None) => panic!("{key:?}: {told} and {explanation}"),
            // Failures of others hold all deletions back.
            (None, Some(foreseen)) => {
                *silent.entry(if decision == "delete" { decision } else { foreseen }).or_default() += 1;
            }
            (None, None) => *silent.entry(decision).or_default() += 1,
        }
    }
    let explained_keys: BTreeSet<&String> = explained.keys().collect();
    let unasked: Vec<_> = outcomes.keys().filter(|key| !explained_keys.contains(key)).collect();
    assert!(unasked.is_empty(), "the sync told of more: {unasked:?}");
    let count = |name: &str| silent.get(name).copied().unwrap_or(0);
    let in_step_by_content = outcomes.values().filter(|event| event["outcome"] == "in_step").count() as u64;
    assert_eq!(summary["in_step"], count("in_step") + in_step_by_content, "{silent:?} {summary}");
    for name in ["extra", "excluded"] {
        assert_eq!(summary[name], count(name), "{name}: {silent:?} {summary}");
    }
    assert_eq!(summary["deletions_held_back"], count("delete"), "{silent:?} {summary}");
    explained
}

const FILTERS: [&str; 4] = ["--exclude", "*.out", "--include", "/kept.out"];

#[test]
fn upwards_it_says_of_each_key_what_a_sync_does() {
    let scene = everything();
    let places = [&scene.arg("tree")[..], &scene.url("")];
    let explained = assert_agrees(&scene, &[&places[..], &FILTERS, &["--delete"]].concat());
    let says = |key: &str, field: &str| explained[key][field].as_str().unwrap_or_default().to_owned();
    let table = [
        ("same", "undecided", "same_md5", "send", "in_step"),
        ("other", "undecided", "other_crc64", "send", "sent"),
        ("size", "sizes_differ", "", "send", "sent"),
        ("in-parts", "undecided", "same_crc64", "send", "in_step"),
        ("only-here", "", "", "send", "sent"),
        ("only-there", "", "", "delete", "deleted"),
        ("left.out", "", "", "excluded", ""),
        ("private/more", "", "", "held", ""),
        ("pipe", "", "", "held", ""),
        ("marker/", "", "", "extra", ""),
        ("no-such", "", "", "gone", ""),
    ];
    for (key, row, content, decision, outcome) in table {
        let fields = ["row", "content", "decision", "outcome"].map(|field| says(key, field));
        assert_eq!(fields, [row, content, decision, outcome], "{key}: {}", explained[key]);
    }
    assert_eq!(explained["left.out"]["rule"]["pattern"], "*.out");
    assert_eq!(
        (&explained["kept.out"]["rule"]["option"], &explained["kept.out"]["takes_part"]),
        (&"include".into(), &true.into())
    );
    assert_eq!(
        (&explained["private/more"]["source"]["key"], &explained["private/more"]["source"]["below"]),
        (&"private/".into(), &true.into())
    );
}

#[test]
fn downwards_it_says_of_each_key_what_a_sync_does() {
    let scene = everything();
    let places = [&scene.url("")[..], &scene.arg("tree")];
    let explained = assert_agrees(&scene, &[&places[..], &FILTERS, &["--delete"]].concat());
    for (key, decision) in
        [("link", "blocked"), ("pointer/inner", "blocked"), ("private/more", "blocked"), ("a//b", "send")]
    {
        assert_eq!(explained[key]["decision"], decision, "{}", explained[key]);
    }
}

#[test]
fn every_way_of_comparing_is_explained_as_it_is_done() {
    let scene = everything();
    fs::set_permissions(scene.path("tree/private"), Permissions::from_mode(0o700)).unwrap();
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    assert_agrees(&scene, &[&tree, &bucket, "--compare=mtime", "--clock-fudge-factor=60"]);
    assert_agrees(&scene, &[&tree, &bucket, "--compare=checksum", "--symlinks=skip"]);
    assert_agrees(&scene, &[&bucket, &tree, "--compare=size"]);
}

#[test]
fn people_read_what_why_and_what_else_could_happen() {
    let scene = little();
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    let says = |args: &[&str]| {
        let line: Vec<&OsStr> = [&["explain", &tree, &bucket], args].concat().into_iter().map(OsStr::new).collect();
        run(&scene, &line).exits(0).stdout
    };
    fs::write(scene.path("patterns"), "# scraps\n*.out\n").unwrap();
    let table: [(&[&str], &str); 8] = [
        (&["left.out", "--exclude-from", "patterns"], "left out, by '*.out' in line 2 of --exclude-from patterns: "),
        (&["same"], "content was asked: the MD5 of both sides is the same\na sync       does nothing: it is in step\n"),
        (
            &["left.out", "--exclude", "*.out"],
            "left out, by --exclude '*.out': the last pattern that matches decides\n",
        ),
        (&["only-there"], "it is only at the destination, and --delete was not given\n"),
        (&["only-there", "--delete"], "held back    if there are more deletions than --max-delete allows"),
        (
            &["private/more", "--delete"],
            "source       can't tell, like everything below private/: could not be read: Permission denied",
        ),
        (&["tree/same"], "neither side has it. Keys count from the roots: did you mean same?\n"),
        (&["with space\n/é%"], "key          with space\\n/é%\n"),
    ];
    for (args, part) in table {
        let said = says(args);
        assert!(said.contains(part), "{args:?}: {part:?} is not in\n{said}");
    }
}

#[test]
fn a_key_may_be_written_as_a_url_or_a_path() {
    let scene = little();
    for written in ["same", &format!("{}/same", scene.url("")), &scene.arg("tree/same")] {
        let args = [scene.arg("tree"), scene.url("")];
        let explained = explain(&scene, &args.each_ref().map(OsStr::new), OsStr::new(written));
        assert_eq!((&explained["key"], &explained["decision"]), (&"same".into(), &"send".into()), "{written}");
    }
}

#[test]
fn what_can_not_be_looked_at_or_meant_has_its_exit_code() {
    let scene = little();
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    scene.brigade(["explain", &tree, "s3://no-such-bucket", "same"]).exits(1).complains("no-such-bucket");
    scene.brigade(["explain", "no-such-directory", &bucket, "same"]).exits(1).complains("no-such-directory");
    scene.brigade(["explain", &tree, &bucket, "s3://elsewhere/same"]).exits(2).complains("does not lie below");
    scene.brigade(["explain", &tree, &tree, "same"]).exits(2).complains("overlap");
    scene.brigade(["explain", &bucket, &scene.url("p"), "same"]).exits(2).complains("overlap");
    scene.brigade(["explain", &tree, &bucket]).exits(2).complains("KEY");
}

/// Once both were in step, times tell nothing any more, here as in a sync.
#[test]
fn between_buckets_it_knows_what_was_settled() {
    // It keeps no checksum of its own.
    let scene = Scene::seaweed();
    let in_parts = |content: u8, prefix| {
        scene.write(prefix, &Files::new([("k", &vec![content; 6 << 20])]));
        let without_digests = ["--s3-upload-cutoff=5Mi", "--s3-disable-checksum", "--ignore-times"];
        let [cutoff, disabled, whatever_is_there] = without_digests;
        scene.rclone(["copy", &scene.arg(prefix), &scene.remote(prefix), cutoff, disabled, whatever_is_there]);
    };
    let (from, to) = (scene.url("from"), scene.url("to"));
    in_parts(1, "from");
    scene.sync(&from, &to, []).counts([("created", 1)]);
    // An object's time is of whole seconds.
    thread::sleep(Duration::from_millis(1100));
    in_parts(2, "to");
    let explained = explain(&scene, &[&from, &to].map(OsStr::new), OsStr::new("k"));
    assert_eq!((&explained["content"], &explained["outcome"]), (&"unproven".into(), &"sent".into()), "{explained}");
    scene.sync(&from, &to, []).counts([("replaced", 1)]);
}
