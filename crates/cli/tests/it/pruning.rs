//! `brigade prune` and `brigade versions`: what was superseded long ago goes, and nothing else.

use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::harness::{Action, Ended, Files, Occurrence, Reply, Scene, on_all_servers};

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

/// What the bucket keeps, by a client that nobody here wrote: of each version key and size, `!` if it is the current one;
/// of each delete marker `-`.
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
fn what_is_locked_is_named_and_stays_with_its_delete_marker() {
    locked("brigade-dev", "DeleteObjects was answered 200 AccessDenied");
    locked("unknown", "DeleteObject was answered 403 AccessDenied");
}

fn locked(provider: &str, refusal: &str) {
    let scene = versioned(Scene::embedded());
    let bucket = scene.bucket.as_str();
    let enabled = "ObjectLockEnabled=Enabled";
    scene.aws(["s3api", "put-object-lock-configuration", "--bucket", bucket, "--object-lock-configuration", enabled]);
    scene.put("k", b"1");
    scene.aws(["s3api", "put-object-legal-hold", "--bucket", bucket, "--key", "k", "--legal-hold", "Status=ON"]);
    scene.put("k", b"22");
    delete(&scene, "k");
    let ended = scene.brigade(["prune", &scene.url(""), "--older-than", "0s", "--provider", provider]).exits(3);
    ended.complains_of("k", &format!("{refusal}: Access Denied because object protected by object lock"));
    ended.complains_of("k", "s3:DeleteObjectVersion");
    assert!(
        ended.stdout.contains("3 versions: 1 removed (2 B), 1 left alone (delete markers over what stays), 1 failed\n"),
        "{}",
        ended.stdout
    );
    assert_eq!(kept(&scene), ["k -!", "k 1"]);
}

#[test]
fn who_may_not_list_versions_is_told_which_permission_is_missing() {
    let scene = with_versions(Scene::embedded());
    scene.log().refuse_all("ListObjectVersions");
    for command in [&["prune", "--older-than", "0s"][..], &["versions"]] {
        let ended = scene.brigade([command, &[&scene.url("p")]].concat()).exits(1);
        assert_eq!(ended.stdout, "");
        ended
            .complains(&format!("could not list {}: ListObjectVersions", scene.url("p")))
            .complains("s3:ListBucketVersions");
    }
    let json = ["prune", &scene.url("p"), "--older-than", "0s", "--output", "json"];
    assert!(scene.brigade(json).exits(1).summary().0["error"].as_str().unwrap().contains("AccessDenied"));
    scene.log().heal();
    assert_eq!(kept(&scene), ALL);
}

/// Whoever may not ask whether versions are on can still prune all but what another write would replace.
#[test]
fn the_null_version_stays_where_it_may_be_given_again() {
    let scene = Scene::embedded();
    scene.put("k", b"1");
    scene.set_versioning("Enabled");
    scene.put("k", b"22");
    scene.put("k", b"333");
    scene.set_versioning("Suspended");
    let prune = ["prune", &scene.url(""), "--older-than", "0s"];
    scene.brigade(prune).exits(3).complains_of("k", "would be deleted in its place");
    assert_eq!(kept(&scene), ["k 1", "k 3!"]);
    scene.set_versioning("Enabled");
    scene.log().refuse_all("GetBucketVersioning");
    scene.brigade(prune).exits(3).complains_of("k", "allow s3:GetBucketVersioning");
    assert_eq!(kept(&scene), ["k 1", "k 3!"]);
    scene.log().heal();
    scene.brigade(prune).exits(0);
    assert_eq!(kept(&scene), ["k 3!"]);
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

/// A version in a listing that a server makes up.
fn listed(key: &str, id: &str, current: bool, time: &str) -> String {
    format!(
        "<Version><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{current}</IsLatest>\
         <LastModified>{time}</LastModified><ETag>e</ETag><Size>1</Size></Version>"
    )
}

/// From a listing out of order nothing can be told: a key may come again. Nor from one that comes without the time.
#[test]
fn a_listing_out_of_order_or_without_the_time_ends_it_before_anything_is_removed() {
    let reasons = [
        (
            "Date: Fri, 24 May 2013 00:00:00 GMT\r\n",
            "the service lists the versions of a after those of b, out of byte order",
        ),
        ("", "its answers don't tell the time"),
    ];
    for (date, reason) in reasons {
        let scene = Scene::scripted(move |asked| out_of_order(&asked.target, date));
        scene.brigade(["prune", &scene.url(""), "--older-than", "0s"]).exits(1).complains(reason);
        assert!(scene.asked().iter().all(|asked| asked.method == "GET"));
    }
}

fn out_of_order(target: &str, date: &str) -> Reply {
    if target.contains("versioning") {
        return Reply::of("200 OK", "", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
    }
    let old = "2013-05-24T00:00:00.000Z";
    let page = |versions: &str, next: &str| {
        let truncated = if next.is_empty() { "false" } else { "true" };
        format!(
            "<ListVersionsResult><IsTruncated>{truncated}</IsTruncated><NextKeyMarker>{next}</NextKeyMarker>{versions}\
                 </ListVersionsResult>"
        )
    };
    let first = listed("b", "2", true, old) + &listed("b", "1", false, old);
    if target.contains("key-marker=b") {
        Reply::of("200 OK", date, page(&listed("a", "1", true, old), ""))
    } else {
        Reply::of("200 OK", date, page(&first, "b"))
    }
}

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
