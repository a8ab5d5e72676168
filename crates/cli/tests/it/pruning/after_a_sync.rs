//! `brigade sync --prune-older-than`: old versions go once all is in step, and only then.

use serde_json::Value;

use super::{DAY, delete, kept, so_long_ago, versioned};
use crate::harness::{Files, Scene};

/// Versions of two files that were replaced and deleted long ago and today.
fn site_with_history(scene: &Scene) {
    scene.write("site", &Files::new([("kept", b"1"), ("new", b"1")]));
    so_long_ago(scene, 90 * DAY);
    scene.put("site/kept", b"old");
    scene.put("site/gone", b"old");
    so_long_ago(scene, 60 * DAY);
    scene.put("site/kept", b"older than a month");
    scene.log().terms().write_at(None);
}

#[test]
fn a_sync_prunes_when_all_is_in_step() {
    let scene = versioned(Scene::embedded());
    site_with_history(&scene);
    let (site, url) = (scene.arg("site"), scene.url("site"));
    let sync = ["sync", &site, &url, "--delete", "--prune-older-than", "30d"];
    let dry = scene.brigade([&sync[..], &["--dry-run"]].concat()).exits(0);
    assert!(dry.stdout.contains("would remove kept (version "), "{}", dry.stdout);
    assert!(dry.stdout.contains("\nto prune              1  old versions (3 B)\n"), "{}", dry.stdout);
    let report = scene.arg("report");
    let json = scene.brigade([&sync[..], &["--output", "json", "--report", &report]].concat()).exits(0);
    let removed: Vec<Value> = json.events().into_iter().filter(|event| event["type"] == "version").collect();
    assert_eq!((removed.len(), &removed[0]["key"], &removed[0]["outcome"]), (1, &"kept".into(), &"removed".into()));
    let summary = json.summary().0;
    assert_eq!((&summary["pruned"]["removed"], &summary["deleted"]), (&1.into(), &1.into()));
    let asked = summary["requests"].as_array().unwrap().iter().any(|it| it["operation"] == "ListObjectVersions");
    assert!(asked, "{summary}");
    assert!(std::fs::read_to_string(report).unwrap().contains("\"type\":\"version\""));
    let left = ["site/gone -!", "site/gone 3", "site/kept 1!", "site/kept 18", "site/new 1!"];
    assert_eq!(kept(&scene), left, "what is replaced and deleted now is kept for a month");
    let again = scene.brigade(sync).exits(0);
    assert!(again.stdout.contains("\npruned                0  old versions (0 B)\n"), "{}", again.stdout);
}

#[test]
fn a_sync_prunes_what_takes_part() {
    let scene = versioned(Scene::embedded());
    site_with_history(&scene);
    so_long_ago(&scene, 60 * DAY);
    for key in ["site/out", "site/out", "site/.brigade-x", "site/.brigade-x", "site/kept"] {
        scene.put(key, b"v");
    }
    scene.log().terms().write_at(None);
    let before = kept(&scene);
    let sync = ["sync", &scene.arg("site"), &scene.url("site"), "--exclude", "out", "--prune-older-than", "30d"];
    scene.brigade(sync).exits(0);
    let of = |all: &[String], key: &str| all.iter().filter(|it| it.starts_with(key)).count();
    let after = kept(&scene);
    for key in ["site/out ", "site/.brigade-x "] {
        assert_eq!((of(&before, key), of(&after, key)), (2, 2), "{key}");
    }
    assert!(of(&after, "site/kept ") < of(&before, "site/kept "), "{after:?}");
}

/// The source keeps versions too, and they are none of the destination's.
#[test]
fn a_sync_from_a_bucket_prunes_the_destination_alone() {
    for args in [&[][..], &["--no-server-side-copy"]] {
        let scene = versioned(Scene::embedded());
        site_with_history(&scene);
        so_long_ago(&scene, 60 * DAY);
        for (key, content) in [("from/kept", "1"), ("from/kept", "22"), ("from/new", "333"), ("from/gone", "4444")] {
            scene.put(key, content.as_bytes());
        }
        delete(&scene, "from/gone");
        scene.log().terms().write_at(None);
        let of_source = ["from/gone -!", "from/gone 4", "from/kept 1", "from/kept 2!", "from/new 3!"];
        let of_dest = ["site/gone -!", "site/gone 3", "site/kept 18", "site/kept 2!", "site/new 3!"];
        let sync = ["sync", &scene.url("from"), &scene.url("site"), "--delete", "--prune-older-than", "30d"];
        let ended = scene.brigade([&sync[..], args].concat()).exits(0);
        assert!(ended.stdout.contains("\npruned                1  old versions (3 B)\n"), "{}", ended.stdout);
        assert_eq!(kept(&scene), [of_source, of_dest].concat(), "{args:?}");
        let again = scene.brigade([&sync[..], args, &["--output", "json"]].concat()).exits(0).summary();
        again.counts([("in_step", 2)]);
        assert_eq!(again.0["pruned"]["removed"], 0, "{}", again.0);
        assert_eq!(kept(&scene), [of_source, of_dest].concat(), "{args:?}");
    }
}

#[test]
fn a_sync_that_is_not_complete_prunes_nothing() {
    let scene = versioned(Scene::embedded());
    site_with_history(&scene);
    let before = kept(&scene);
    let (site, url) = (scene.arg("site"), scene.url("site"));
    let sync = ["sync", &site, &url, "--prune-older-than", "30d"];
    scene.log().refuse("PutObject", "site/kept");
    let ended = scene.brigade(sync).exits(3).complains("no versions were removed, because the sync is not complete");
    assert!(!ended.stdout.contains("pruned"), "{}", ended.stdout);
    scene.log().heal();
    let limited = scene.brigade([&sync[..], &["--limit", "0"]].concat()).exits(0);
    limited.complains("no versions were removed");
    let after: Vec<String> = kept(&scene).into_iter().filter(|it| it != "site/new 1!").collect();
    assert_eq!(after, before);
    // What may not be removed makes the whole incomplete.
    scene.log().refuse("DeleteObject", "site/kept");
    let refused = scene.brigade(sync).exits(3);
    refused.complains_of("kept", "s3:DeleteObjectVersion");
    assert!(
        refused.stdout.ends_with("In step, but some versions could not be removed (exit code 3).\n"),
        "{}",
        refused.stdout
    );
}

#[test]
fn a_sync_says_before_it_begins_that_there_is_nothing_to_prune() {
    let scene = Scene::embedded();
    scene.write("site", &Files::new([("a", b"1")]));
    let sync = ["sync", &scene.arg("site"), &scene.url(""), "--prune-older-than", "30d"];
    scene.brigade(sync).exits(1).complains("keeps no versions");
    assert_eq!(kept(&scene), [""; 0], "nothing was sent");
    let to_directory = ["sync", &scene.url(""), &scene.arg("copy"), "--prune-older-than", "30d"];
    scene.brigade(to_directory).exits(2).complains("copy is a directory, which keeps no versions");
}
