//! `brigade restore`: what a bucket holds, or held at a time, comes back.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::harness::{
    Action, Ended, Files, Occurrence, Scene, content, long_ago, on_both_servers, set_modified, wait_until,
};

const DAY: Duration = Duration::from_hours(24);

/// `brigade restore` of a part of the bucket to the directory `back`.
fn restore(scene: &Scene, prefix: &str, args: &[&str]) -> Ended {
    let line = ["restore", &scene.url(prefix), &scene.arg("back"), "--output", "json"];
    scene.brigade(line.iter().chain(args))
}

fn delete(scene: &Scene, key: &str) {
    scene.aws(["s3api", "delete-object", "--bucket", &scene.bucket, "--key", key]);
}

/// The versions of a key, the newest first: their ids, and when they were written.
fn versions(scene: &Scene, key: &str) -> Vec<(String, String)> {
    let listed = scene.aws(["s3api", "list-object-versions", "--bucket", &scene.bucket, "--prefix", key]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let text = |version: &Value, name: &str| version[name].as_str().unwrap().to_owned();
    let versions = listed["Versions"].as_array().unwrap().iter();
    versions.map(|version| (text(version, "VersionId"), text(version, "LastModified"))).collect()
}

/// What is written from now on is written so long ago.
fn so_long_ago(scene: &Scene, age: Duration) {
    scene.log().terms().write_at(Some(SystemTime::now() - age));
}

/// Waits until what is written has a later time than this, which S3 gives in whole seconds.
fn wait_for_a_second_after(written: &str) {
    let written: jiff::Timestamp = written.parse().unwrap();
    wait_until("time stands still", || (jiff::Timestamp::now() > written + Duration::from_millis(1100)).then_some(()));
}

on_both_servers! {
    fn a_bucket_comes_back_as_it_was(scene) {
        scene.set_versioning("Enabled");
        for (key, content) in [("p/changed", "old"), ("p/sub/gone", "gone"), ("p/same", "same"), ("q", "beside")] {
            scene.put(key, content.as_bytes());
        }
        let then = versions(&scene, "q").remove(0).1;
        wait_for_a_second_after(&then);
        scene.put("p/changed", b"newer");
        scene.put("p/new", b"new");
        delete(&scene, "p/sub/gone");

        let was = Files::new([("changed", b"old"), ("sub/gone", b"gone"), ("same", b"same")]);
        restore(&scene, "p", &["--at", &then, "--dry-run"]).exits(0).summary().counts([("created", 3)]);
        assert!(!scene.path("back").exists());
        restore(&scene, "p", &["--at", &then]).exits(0).summary().counts([("created", 3)]);
        scene.read("back").assert_are(&was);
        let again = restore(&scene, "p", &["--at", &then]).exits(0).summary();
        again.counts([("in_step", 3)]);
        assert_eq!((again.requests("GetObject"), again.bytes()), (0, 0));

        // As it is now, over what was; what only the directory has goes on request.
        restore(&scene, "p", &[]).exits(0).summary().counts([("in_step", 1), ("created", 1), ("replaced", 1), ("extra", 1)]);
        assert_eq!(scene.read("back").paths(), ["changed", "new", "same", "sub/gone"]);
        let ended = restore(&scene, "p", &["--at", &then, "--delete"]).exits(0);
        let ended = ended.complains("for good, by `brigade prune` or a lifecycle rule, leave no trace");
        ended.summary().counts([("in_step", 2), ("replaced", 1), ("deleted", 1)]);
        scene.read("back").assert_are(&was);
        let part = restore(&scene, "p", &["--include", "/same"]).exits(0).summary();
        part.counts([("in_step", 1), ("excluded", 3)]);
    }

    fn files_get_their_times_back(scene) {
        scene.write("tree", &Files::new([("own", b"own")]));
        set_modified(&scene.path("tree/own"), long_ago());
        scene.sync(&scene.arg("tree"), &scene.url(""), []);
        scene.put("others", b"others");
        restore(&scene, "", &[]).exits(0).summary().counts([("created", 2)]);
        let modified = |name: &str| fs::metadata(scene.path("back").join(name)).unwrap().modified().unwrap();
        assert_eq!(modified("own"), long_ago());
        let written: jiff::Timestamp = versions(&scene, "others").remove(0).1.parse().unwrap();
        assert_eq!(modified("others"), SystemTime::from(written));
    }
}

#[test]
fn a_time_ago_is_told_by_the_services_clock() {
    let scene = Scene::embedded();
    scene.set_versioning("Enabled");
    for (days, content) in [(9, "oldest"), (5, "old"), (1, "young")] {
        so_long_ago(&scene, days * DAY);
        scene.put("k", content.as_bytes());
    }
    let at = |time: &str| {
        restore(&scene, "", &["--at", time]).exits(0);
        scene.read("back")
    };
    at("6d").assert_are(&Files::new([("k", b"oldest")]));
    at("2d").assert_are(&Files::new([("k", b"old")]));
    at("36h ago").assert_are(&Files::new([("k", b"old")]));
    at("0s").assert_are(&Files::new([("k", b"young")]));
    // Its clock is three days ahead: two days ago is tomorrow here.
    scene.log().terms().set_clock_ahead(3 * 24 * 60 * 60);
    at("2d").assert_are(&Files::new([("k", b"young")]));
    scene.log().terms().set_clock_ahead(0);
    restore(&scene, "", &["--at", "2999-01-01"]).exits(1).complains("--at lies in the future");
}

#[test]
fn one_key_comes_back_in_a_chosen_version() {
    let scene = Scene::embedded();
    scene.set_versioning("Enabled");
    for (key, content) in [("d/k", "first"), ("d/k", "second"), ("d/k", "third"), ("d/other", "other")] {
        scene.put(key, content.as_bytes());
    }
    let second = versions(&scene, "d/k").remove(1).0;
    let chosen = format!("k={second}");
    restore(&scene, "d", &["--version-of", &chosen]).exits(0).summary().counts([("created", 2)]);
    scene.read("back").assert_are(&Files::new([("k", b"second"), ("other", b"other")]));
    // Also one that is deleted by now.
    delete(&scene, "d/k");
    fs::remove_dir_all(scene.path("back")).unwrap();
    let one = restore(&scene, "d", &["--include", "/k", "--version-of", &chosen]).exits(0);
    one.summary().counts([("created", 1), ("excluded", 1)]);
    scene.read("back").assert_are(&Files::new([("k", b"second")]));
    let none = restore(&scene, "d", &["--version-of", "other=none"]).exits(1);
    none.complains("other has no version none").complains("brigade versions");
}

#[test]
fn an_old_version_comes_in_parts_as_well() {
    let scene = Scene::embedded();
    scene.set_versioning("Enabled");
    let large = content(20 << 20);
    so_long_ago(&scene, 9 * DAY);
    scene.put("large", &large);
    so_long_ago(&scene, DAY);
    scene.put("large", &content(21 << 20));
    restore(&scene, "", &["--at", "5d"]).exits(0).summary().counts([("created", 1)]);
    assert!(scene.read("back").0["large"] == large, "it is not the version of that time");
}

/// What a file has is proven by its content, whatever a sync has remembered of it.
#[test]
fn nothing_that_was_remembered_is_believed() {
    let scene = Scene::embedded();
    scene.put("k", b"right");
    scene.sync(&scene.url(""), &scene.arg("back"), []);
    let file = scene.path("back/k");
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, b"wrong").unwrap();
    set_modified(&file, before);
    restore(&scene, "", &[]).exits(0).summary().counts([("replaced", 1)]);
    scene.read("back").assert_are(&Files::new([("k", b"right")]));
}

#[test]
fn generated_pages_are_left_out_on_request() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("d/index.html", b"generated"), ("index.html", b"own"), ("page.html", b"page")]));
    scene.sync(&scene.arg("tree"), &scene.url(""), []);
    scene.put_saying("d/index.html", b"generated", &["--metadata", "generated=true"]);

    scene.write("back", &Files::new([("d/index.html", b"mine"), ("extra", b"extra")]));
    scene.log().forget_requests();
    let ended = restore(&scene, "", &["--skip-generated", "--delete"]).exits(0);
    ended.summary().counts([("created", 2), ("deleted", 1), ("skipped", 1), ("held", 1)]);
    let asked = scene.log().records().into_iter().filter(|request| request.operation.as_deref() == Some("HeadObject"));
    let mut asked: Vec<String> = asked.filter_map(|request| request.key).collect();
    asked.sort();
    // What is to be deleted is looked up as well.
    assert_eq!(asked, ["d/index.html", "extra", "index.html"], "only pages of that name are asked");
    let unknown: Vec<Value> = ended.events().into_iter().filter(|event| event["type"] == "unknown").collect();
    assert_eq!((unknown.len(), &unknown[0]["key"], &unknown[0]["failure"]), (1, &"d/index.html".into(), &false.into()));
    let own = Files::new([("d/index.html", b"mine"), ("index.html", b"own"), ("page.html", b"page")]);
    scene.read("back").assert_are(&own);
    restore(&scene, "", &[]).exits(0).summary().counts([("replaced", 1), ("in_step", 2)]);
}

#[test]
fn a_page_that_cannot_be_asked_is_a_failure() {
    let scene = Scene::embedded();
    scene.put("index.html", b"page");
    scene.put("other", b"other");
    scene.log().refuse("HeadObject", "index.html");
    let ended = restore(&scene, "", &["--skip-generated"]).exits(3);
    ended.summary().counts([("created", 1), ("failed", 1)]);
    assert_eq!(scene.read("back").paths(), ["other"]);
}

#[test]
fn a_bucket_that_never_kept_versions_has_no_past() {
    let scene = Scene::embedded();
    scene.put("k", b"content");
    restore(&scene, "", &["--at", "1s"]).exits(1).complains("keeps no versions, and never did");
    assert!(!scene.path("back").exists());
}

/// Nobody deletes what is wanted back without it being told: a sync passes over what was withdrawn.
#[test]
fn a_version_that_is_removed_meanwhile_is_a_failure() {
    let scene = Scene::embedded();
    scene.set_versioning("Enabled");
    so_long_ago(&scene, DAY);
    scene.put("k", b"content");
    scene.put("large", &content(20 << 20));
    let gone = || Action::status(404, "NoSuchVersion");
    for key in ["k", "large"] {
        scene.log().befall_key(gone(), "GetObject", key, Occurrence::Every);
    }
    let ended = restore(&scene, "", &["--at", "0s"]).exits(3);
    ended.summary().counts([("failed", 2)]);
    for key in ["k", "large"] {
        ended.complains_of(key, "was removed after it was listed");
    }
}

/// Without a word about versions, what was deleted while there were none can't be told from what never was.
#[test]
fn nothing_is_deleted_where_nobody_says_whether_versions_are_kept() {
    let scene = Scene::embedded();
    scene.set_versioning("Enabled");
    scene.put("k", b"content");
    scene.write("back", &Files::new([("mine", b"mine")]));
    scene.log().refuse_all("GetBucketVersioning");
    let refused = restore(&scene, "", &["--at", "0s", "--delete"]).exits(1);
    refused.complains("does not say whether it keeps versions (s3:GetBucketVersioning)");
    scene.read("back").assert_are(&Files::new([("mine", b"mine")]));
    restore(&scene, "", &["--at", "0s"]).exits(0).summary().counts([("created", 1), ("extra", 1)]);
}

/// Who may read objects need not be allowed to list their versions.
#[test]
fn versions_that_may_not_be_listed_end_it() {
    let scene = Scene::embedded();
    scene.set_versioning("Enabled");
    scene.put("k", b"content");
    scene.write("back", &Files::new([("mine", b"mine")]));
    scene.log().refuse_all("ListObjectVersions");
    restore(&scene, "", &["--at", "0s", "--delete"]).exits(1).complains("s3:ListBucketVersions");
    scene.read("back").assert_are(&Files::new([("mine", b"mine")]));
    scene.log().heal();
    let id = versions(&scene, "k").remove(0).0;
    scene.log().refuse_all("ListObjectVersions");
    let chosen = format!("k={id}");
    restore(&scene, "", &["--version-of", &chosen]).exits(0).summary().counts([("created", 1), ("extra", 1)]);
    scene.log().refuse("HeadObject", "k");
    let refused = restore(&scene, "", &["--version-of", &chosen]).exits(1);
    refused.complains("could not look at version").complains("s3:GetObjectVersion");
}

/// What was replaced while the bucket kept no versions may have been anything: no file is touched for it.
#[test]
fn what_was_not_kept_is_named_and_left_alone() {
    let scene = Scene::embedded();
    so_long_ago(&scene, 9 * DAY);
    scene.put("early", b"early");
    so_long_ago(&scene, 3 * DAY);
    scene.put("late", b"late");
    scene.set_versioning("Enabled");
    so_long_ago(&scene, DAY);
    scene.put("early", b"newer");
    scene.write("back", &Files::new([("late", b"mine"), ("extra", b"extra")]));
    let ended = restore(&scene, "", &["--at", "5d", "--delete"]).exits(3);
    ended.summary().counts([("created", 1), ("failed", 1), ("held", 1), ("deletions_held_back", 1)]);
    ended.complains_of("late at the source", "while the bucket kept no versions");
    scene.read("back").assert_are(&Files::new([("early", b"early"), ("late", b"mine"), ("extra", b"extra")]));
}

/// s3staticrestore wrote wherever a key led.
#[test]
fn no_key_leads_out_of_the_directory() {
    let scene = Scene::public();
    for key in ["../escaped", "d/../../escaped", "/etc/escaped", "a//b", "good"] {
        scene.put_exactly(key, b"content");
    }
    fs::create_dir(scene.path("above")).unwrap();
    let line = ["restore", &scene.url(""), &scene.arg("above/back"), "--output", "json"];
    let ended = scene.brigade(line).exits(3);
    ended.summary().counts([("created", 1), ("unrepresentable", 4)]);
    scene.read("above").assert_are(&Files::new([("back/good", b"content")]));
    assert!(!scene.path("escaped").exists());
}

#[test]
fn an_empty_past_deletes_nothing_by_itself() {
    let scene = Scene::embedded();
    scene.set_versioning("Enabled");
    scene.put("k", b"content");
    scene.write("back", &Files::new([("mine", b"mine")]));
    let before = (SystemTime::now() - DAY).duration_since(UNIX_EPOCH).unwrap();
    let before = jiff::Timestamp::from_second(i64::try_from(before.as_secs()).unwrap()).unwrap().to_string();
    restore(&scene, "", &["--at", &before, "--delete"]).exits(4).complains("holds nothing that takes part");
    scene.read("back").assert_are(&Files::new([("mine", b"mine")]));
    restore(&scene, "", &["--at", &before, "--delete", "--allow-empty-source"])
        .exits(0)
        .summary()
        .counts([("deleted", 1)]);
}
