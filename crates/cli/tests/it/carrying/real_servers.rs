//! What goes along on servers that nobody here wrote as well: SeaweedFS and moto.

use serde_json::json;

use super::{head, put_with_everything, tags};
use crate::harness::{Files, OwnSeaweed, Scene, content, on_all_servers};

/// The service copies by itself, or content goes through here.
const WAYS: [(&str, &[&str]); 2] = [("inside", &[]), ("through", &["--no-server-side-copy"])];

/// An object that is sent in one request, and one that is sent in parts where it goes through here.
fn small_and_large() -> Files {
    Files::new([("small", b"small"), ("large", &content(20 << 20))])
}

/// Has the bucket hold them, with everything that may go along.
fn put_below_from(scene: &Scene, files: &Files) {
    for (key, body) in &files.0 {
        put_with_everything(scene, &format!("from/{key}"), body);
    }
}

on_all_servers! {
    fn everything_goes_along_whoever_copies(scene) {
        let files = small_and_large();
        put_below_from(&scene, &files);
        let tag = |key: &str, value: &str| json!({ "Key": key, "Value": value });
        for (place, args) in WAYS {
            let (from, to) = (scene.url("from"), scene.url(place));
            let summary = scene.brigade(["sync", &from, &to, "--output", "json"].iter().chain(args)).exits(0).summary();
            summary.counts([("created", 2)]);
            let copied_by_the_service = summary.requests("CopyObject") == 2 && summary.requests("GetObject") == 0;
            assert_eq!(copied_by_the_service, place == "inside", "{place}: {}", summary.0);
            scene.stored(place).assert_are(&files);
            for key in ["small", "large"] {
                let (mut copy, original) = (head(&scene, &format!("{place}/{key}")), head(&scene, &format!("from/{key}")));
                // Only what is uploaded in parts has its MD5 noted: its ETag doesn't give it.
                let noted = copy["Metadata"].as_object_mut().unwrap().remove("md5chksum");
                assert_eq!(noted.is_some(), (place, key) == ("through", "large"));
                assert_eq!(copy, original, "{place}/{key}");
                assert_eq!(copy["Expires"], "Wed, 02 Jan 2030 03:04:05 GMT", "{place}/{key}");
                assert_eq!(copy["Metadata"], json!({ "owner": "somebody", "mtime": "1700000000.5" }));
                assert_eq!((&copy["StorageClass"], &copy["ContentLanguage"]), (&json!("STANDARD_IA"), &json!("de-CH")));
                let both = json!([tag("keep", "1"), tag("project", "a b")]);
                assert_eq!(tags(&scene, &format!("{place}/{key}")), both, "{place}/{key}");
            }
            let again = scene.sync(&from, &to, ["--no-ledger"]);
            again.counts([("in_step", 2)]);
            again.changed_nothing();
        }
    }

    fn what_is_said_of_all_objects_takes_the_place_of_what_they_had(scene) {
        let files = small_and_large();
        put_below_from(&scene, &files);
        let said = ["--sse", "AES256", "--tagging", "a=1&b=2%203", "--storage-class", "GLACIER_IR", "--no-ledger"];
        for (place, args) in WAYS {
            let line = ["sync", &scene.url("from"), &scene.url(place), "--output", "json"];
            let run = || scene.brigade(line.iter().chain(&said).chain(args)).exits(0).summary();
            run().counts([("created", 2)]);
            scene.stored(place).assert_are(&files);
            for key in ["small", "large"] {
                let (key, copied) = (format!("{place}/{key}"), head(&scene, &format!("{place}/{key}")));
                assert_eq!(copied["ServerSideEncryption"], "AES256", "{key}: {copied}");
                assert_eq!(copied["StorageClass"], "GLACIER_IR", "{key}: {copied}");
                // What nothing was said of goes along all the same.
                assert_eq!(copied["Metadata"]["owner"], "somebody", "{key}: {copied}");
                assert_eq!(copied["CacheControl"], "max-age=60", "{key}: {copied}");
                let both = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2 3" }]);
                assert_eq!(tags(&scene, &key), both, "{key}");
            }
            let again = run();
            again.counts([("in_step", 2)]);
            again.changed_nothing();
        }
    }
}

/// SeaweedFS encrypts nothing unless it was given a key, and this one was given none: it answers 500.
#[test]
fn what_a_server_cannot_encrypt_is_named_and_not_stored_as_it_is() {
    let seaweed = OwnSeaweed::start();
    let scene = Scene::own(seaweed.server());
    let files = small_and_large();
    put_below_from(&scene, &files);
    let line = ["sync", &scene.url("from"), &scene.url("to"), "--output", "json"];
    for (_, args) in WAYS {
        let encrypted = ["--sse", "AES256", "--retries", "0"];
        let ended = scene.brigade(line.iter().chain(&encrypted).chain(args)).exits(3);
        ended.summary().counts([("failed", 2)]);
        for key in ["small", "large"] {
            ended.complains_of(key, "was answered 500 InternalError");
        }
        assert_eq!(scene.stored("to").count(), 0, "{args:?}");
    }
    // It was for the encryption alone.
    scene.brigade(line).exits(0).summary().counts([("created", 2)]);
    scene.stored("to").assert_are(&files);
}
