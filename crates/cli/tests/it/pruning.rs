//! `brigade prune` and `brigade versions`: what was superseded long ago goes, and nothing else.

mod after_a_sync;
mod half_done;
mod refused;

use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::harness::{Action, Ended, Occurrence, Scene, on_all_servers};

const DAY: Duration = Duration::from_hours(24);

/// The same with versions switched on.
fn versioned(scene: Scene) -> Scene {
    scene.set_versioning("Enabled");
    scene
}

fn delete(scene: &Scene, key: &str) {
    scene.aws(["s3api", "delete-object", "--bucket", &scene.bucket, "--key", key]);
}

/// What is written now, and its delete markers, is so old.
fn so_long_ago(scene: &Scene, age: Duration) {
    scene.log().terms().write_at(Some(SystemTime::now() - age));
}

/// What the bucket keeps, by a client that nobody here wrote: of each version key and size, `!` if it is the current
/// one; of each delete marker `-`.
fn kept(scene: &Scene) -> Vec<String> {
    let listed = scene.aws(["s3api", "list-object-versions", "--bucket", &scene.bucket]);
    let listed: Value = serde_json::from_str(if listed.trim().is_empty() { "{}" } else { &listed }).unwrap();
    let of = |list: &str| listed[list].as_array().cloned().unwrap_or_default();
    let shown = |entry: &Value| {
        let size = entry["Size"].as_u64().map_or("-".to_owned(), |size| size.to_string());
        let current = if entry["IsLatest"] == true { "!" } else { "" };
        format!("{} {size}{current}", entry["Key"].as_str().unwrap())
    };
    let mut kept: Vec<String> = of("Versions").iter().chain(&of("DeleteMarkers")).map(shown).collect();
    kept.sort();
    kept
}

/// Versions of some keys, with and without delete markers, in a part of the bucket and beside it.
fn with_versions(scene: Scene) -> Scene {
    let scene = versioned(scene);
    for (key, content) in
        [("p/a", "1"), ("p/a", "22"), ("p/a", "333"), ("p/gone", "1"), ("p/one", "1"), ("pq", "1"), ("pq", "22")]
    {
        scene.put(key, content.as_bytes());
    }
    delete(&scene, "p/gone");
    scene
}

const ALL: [&str; 8] = ["p/a 1", "p/a 2", "p/a 3!", "p/gone -!", "p/gone 1", "p/one 1!", "pq 1", "pq 2!"];

on_all_servers! {
    fn what_is_below_the_url_and_superseded_goes_and_nothing_else(scene) {
        let scene = with_versions(scene);
        assert_eq!(kept(&scene), ALL);
        let ended = scene.brigade(["prune", &scene.url("p"), "--older-than", "0s"]).exits(0);
        assert_eq!(ended.stdout, "6 versions: 4 removed (4 B), 2 current\nPruned.\n");
        assert_eq!(ended.stderr, "");
        assert_eq!(kept(&scene), ["p/a 3!", "p/one 1!", "pq 1", "pq 2!"]);
        assert_eq!(scene.stored("p").paths(), ["a", "one"]);
        let again = scene.brigade(["prune", &scene.url(""), "--older-than", "0s", "--output", "json"]).exits(0).events();
        let [version, summary] = &again[..] else { panic!("{again:?}") };
        let fields = ["type", "key", "outcome", "current", "delete_marker", "size"].map(|name| version[name].to_string());
        assert_eq!(fields, ["\"version\"", "\"pq\"", "\"removed\"", "false", "false", "1"]);
        let counts = ["exit_code", "found", "removed", "removed_bytes", "current", "failed"];
        assert_eq!(counts.map(|name| summary[name].as_u64().unwrap()), [0, 4, 1, 1, 3, 0]);
    }

    fn what_is_young_or_among_the_newest_stays(scene) {
        let scene = with_versions(scene);
        let young = scene.brigade(["prune", &scene.url("p"), "--older-than", "1h"]).exits(0);
        let totals = "6 versions: 0 removed (0 B), 2 current, 4 left alone (superseded less than 1 h 00 min ago)\nPruned.\n";
        assert_eq!(young.stdout, totals);
        let kept_ones = scene.brigade(["prune", &scene.url("p"), "--older-than", "0s", "--keep", "1", "-v"]).exits(0);
        assert!(kept_ones.stdout.contains("leave gone (delete marker "), "{}", kept_ones.stdout);
        assert_eq!(kept(&scene), ["p/a 2", "p/a 3!", "p/gone -!", "p/gone 1", "p/one 1!", "pq 1", "pq 2!"]);
        let end = "6 versions: 1 removed (1 B), 2 current, 2 left alone (of the newest 1 of their keys), 1 left alone \
                   (delete markers over what stays)\nPruned.\n";
        assert!(kept_ones.stdout.ends_with(end), "{}", kept_ones.stdout);
    }

    fn a_dry_run_removes_nothing(scene) {
        let scene = with_versions(scene);
        let ended = scene.brigade(["prune", &scene.url("p"), "--older-than", "0s", "--dry-run"]).exits(0);
        assert_eq!(ended.stdout.lines().filter(|line| line.starts_with("would remove ")).count(), 4, "{}", ended.stdout);
        let end = "6 versions: 4 to remove (4 B), 2 current\nDry run: nothing was changed.\n";
        assert!(ended.stdout.ends_with(end), "{}", ended.stdout);
        assert_eq!(kept(&scene), ALL);
    }

    fn versions_are_listed_with_all_that_tells_them_apart(scene) {
        let scene = with_versions(scene);
        let of_key = scene.brigade(["versions", &scene.url("p/gone"), "--output", "json"]).exits(0).events();
        let [marker, object] = &of_key[..] else { panic!("{of_key:?}") };
        assert_eq!((&marker["key"], &marker["current"], &marker["delete_marker"]), (&"gone".into(), &true.into(), &true.into()));
        assert_eq!((&object["current"], &object["size"]), (&false.into(), &1.into()));
        assert_eq!(object["superseded"], marker["modified"]);
        let below = scene.brigade(["versions", &scene.url("p")]).exits(0).stdout;
        let keys: Vec<&str> = below.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
        assert_eq!(keys, ["a", "a", "a", "gone", "gone", "one"], "{below}");
        assert!(below.contains(" DELETED  current "), "{below}");
        assert_eq!(scene.brigade(["versions", &scene.url("")]).exits(0).stdout.lines().count(), 8);
        scene.brigade(["versions", &scene.url("nothing")]).exits(1).complains("no version of anything is at s3://");
    }

    fn a_bucket_without_versions_says_so(scene) {
        scene.put("k", b"1");
        for command in [&["prune", "--older-than", "0s"][..], &["versions"]] {
            let ended = scene.brigade([command, &[&scene.url("")]].concat()).exits(1);
            assert_eq!(ended.stdout, "");
            ended.complains(&format!("{} keeps no versions", scene.url(""))).complains("put-bucket-versioning");
        }
    }
}

/// heavy-sync reckoned from when a version was written, and by the local clock: it deleted what was
/// overwritten a minute ago, or nothing at all.
#[test]
fn a_version_is_as_old_as_its_successor_by_the_clock_of_the_service() {
    let scene = versioned(Scene::embedded());
    so_long_ago(&scene, 90 * DAY);
    for key in ["overwritten-yesterday", "overwritten-long-ago", "deleted-yesterday", "deleted-long-ago"] {
        scene.put(key, b"1");
    }
    so_long_ago(&scene, 40 * DAY);
    scene.put("overwritten-long-ago", b"22");
    delete(&scene, "deleted-long-ago");
    so_long_ago(&scene, DAY);
    scene.put("overwritten-yesterday", b"22");
    delete(&scene, "deleted-yesterday");
    let prune = ["prune", &scene.url(""), "--older-than", "30d"];
    let ended = scene.brigade(prune).exits(0);
    let totals = "8 versions: 3 removed (2 B), 2 current, 3 left alone (superseded less than 30 d 00 h ago)\nPruned.\n";
    assert_eq!(ended.stdout, totals);
    let left = [
        "deleted-yesterday -!",
        "deleted-yesterday 1",
        "overwritten-long-ago 2!",
        "overwritten-yesterday 1",
        "overwritten-yesterday 2!",
    ];
    assert_eq!(kept(&scene), left);
    // At the service it is forty days later than here.
    scene.log().terms().write_at(None);
    scene.log().terms().set_clock_ahead(40 * 24 * 60 * 60);
    scene.brigade(prune).exits(0);
    scene.log().terms().clear();
    assert_eq!(kept(&scene), ["overwritten-long-ago 2!", "overwritten-yesterday 2!"]);
}

#[test]
fn a_key_goes_over_any_number_of_pages() {
    let scene = versioned(Scene::public_with_pages_of(2));
    for number in 1..=7 {
        scene.put("a", &vec![b'x'; number]);
    }
    delete(&scene, "a");
    scene.put("b", b"1");
    scene.put("b", b"22");
    let ended =
        scene.brigade(["prune", &scene.url(""), "--older-than", "0s", "--keep", "2", "--no-sign-request"]).exits(0);
    assert!(ended.stdout.starts_with("10 versions: 5 removed (15 B), 1 current, "), "{}", ended.stdout);
    assert_eq!(kept(&scene), ["a -!", "a 6", "a 7", "b 1", "b 2!"]);
    scene.brigade(["prune", &scene.url(""), "--older-than", "0s", "--no-sign-request"]).exits(0);
    assert_eq!(kept(&scene), ["b 2!"]);
}

#[test]
fn faults_that_pass_and_lost_answers_are_no_failures() {
    let scene = with_versions(Scene::embedded());
    scene.log().befall(Action::ApplyThenReset, "DeleteObjects", Occurrence::Nth(1));
    scene.log().befall(Action::status(503, "SlowDown"), "ListObjectVersions", Occurrence::Nth(1));
    scene.log().befall(Action::status(500, "InternalError"), "DeleteObjects", Occurrence::Nth(2));
    scene.brigade(["prune", &scene.url(""), "--older-than", "0s", "--provider", "brigade-dev"]).exits(0);
    assert_eq!(kept(&scene), ["p/a 3!", "p/one 1!", "pq 2!"]);
    assert_eq!(
        scene.log().deletions() - scene.log().received("DeleteObjects"),
        2,
        "one to set it up, and one for the one marker"
    );
}

#[test]
fn a_dry_run_sends_only_requests_that_read() {
    let scene = with_versions(Scene::embedded());
    scene.log().forget_requests();
    scene.brigade(["prune", &scene.url(""), "--older-than", "0s", "-n"]).exits(0);
    scene.log().assert_only_read();
}

#[test]
fn an_interruption_ends_it_and_the_same_command_goes_on() {
    for operation in ["DeleteObjects", "ListObjectVersions"] {
        let scene = with_versions(Scene::embedded());
        scene.log().forget_requests();
        scene.log().stall_all(operation);
        let prune = ["prune", &scene.url(""), "--older-than", "0s", "--provider", "brigade-dev"];
        let ended = Ended::of_watched(scene.brigade_command(prune), |process| {
            scene.log().wait_until_received(operation, 1);
            assert!(Command::new("kill").args(["-INT", &process.to_string()]).status().unwrap().success());
        });
        ended.exits(130);
        scene.log().heal();
        assert_eq!(kept(&scene), ALL, "{operation}");
        scene.brigade(prune).exits(0);
        assert_eq!(kept(&scene), ["p/a 3!", "p/one 1!", "pq 2!"], "{operation}");
    }
}

#[test]
fn a_directory_keeps_no_versions() {
    let scene = Scene::embedded();
    scene.log().forget_requests();
    for command in [&["prune", "--older-than", "0s"][..], &["versions"]] {
        let ended = scene.brigade([command, &[&scene.arg("tree")]].concat()).exits(2);
        ended.complains("tree is a directory, which keeps no versions");
    }
    scene.brigade(["prune", &scene.url("")]).exits(2).complains("--older-than <DURATION>");
    assert_eq!(scene.log().requests(), 0);
}
