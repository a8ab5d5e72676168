//! `brigade cleanup`: uploads that nobody finishes are aborted, and no others.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Action, Ended, Occurrence, Reply, Scene, on_both_servers};

/// Begins an upload, as a program does that is killed then; its id.
fn begin(scene: &Scene, key: &str) -> String {
    let begun = scene.aws(["s3api", "create-multipart-upload", "--bucket", &scene.bucket, "--key", key]);
    let begun: Value = serde_json::from_str(&begun).unwrap();
    begun["UploadId"].as_str().unwrap().to_owned()
}

/// Begins uploads of all keys that these tests are about.
fn with_uploads(scene: Scene) -> Scene {
    for key in KEYS {
        begin(&scene, key);
    }
    scene
}

/// In the order in which a bucket lists them.
const KEYS: [&str; 5] = ["p", "p/a", "p/sub/b c", "pq/a", "q"];

/// The keys of the uploads that are under way, sorted.
fn under_way(scene: &Scene) -> Vec<String> {
    let listed = scene.aws(["s3api", "list-multipart-uploads", "--bucket", &scene.bucket]);
    if listed.trim().is_empty() {
        return Vec::new();
    }
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let uploads = listed["Uploads"].as_array().cloned().unwrap_or_default();
    let mut keys: Vec<String> = uploads.iter().map(|upload| upload["Key"].as_str().unwrap().to_owned()).collect();
    keys.sort();
    keys
}

on_both_servers! {
    fn what_is_below_the_url_is_aborted_and_nothing_else(scene) {
        let scene = with_uploads(scene);
        let ended = scene.brigade(["cleanup", &scene.url("p"), "--older-than", "0s"]).exits(0);
        assert_eq!(under_way(&scene), ["p", "pq/a", "q"], "{}", ended.stdout);
        for key in ["a", "sub/b c"] {
            assert!(ended.stdout.contains(&format!("abort {key} (begun ")), "{}", ended.stdout);
        }
        assert!(ended.stdout.ends_with("2 uploads under way: 2 aborted\nCleaned up.\n"), "{}", ended.stdout);
        assert_eq!(ended.stderr, "");
        scene.brigade(["cleanup", &scene.url(""), "--older-than", "0s"]).exits(0);
        assert_eq!(under_way(&scene), [""; 0]);
        let again = scene.brigade(["cleanup", &scene.url(""), "--older-than", "0s"]).exits(0);
        assert_eq!(again.stdout, "0 uploads under way: 0 aborted\nCleaned up.\n");
    }

    fn young_uploads_are_left_alone(scene) {
        let scene = with_uploads(scene);
        let ended = scene.brigade(["cleanup", &scene.url("p"), "--older-than", "1h"]).exits(0);
        let totals = "2 uploads under way: 0 aborted, 2 left alone (begun less than 1 h 00 min ago)\nCleaned up.\n";
        assert_eq!(ended.stdout, totals);
        assert_eq!(under_way(&scene), KEYS);
        let id = begin(&scene, "p/again");
        let named = scene.brigade(["cleanup", &scene.url("p"), "--older-than", "1h", "-v"]).exits(0).stdout;
        assert!(named.lines().any(|line| line.starts_with("leave again (begun ") && line.contains(&id)), "{named}");
    }

    fn a_dry_run_aborts_nothing(scene) {
        let scene = with_uploads(scene);
        let ended = scene.brigade(["cleanup", &scene.url("p"), "--older-than", "0s", "--dry-run"]).exits(0);
        assert!(ended.stdout.contains("would abort a (begun "), "{}", ended.stdout);
        let end = "2 uploads under way: 2 to abort\nDry run: nothing was changed.\n";
        assert!(ended.stdout.ends_with(end), "{}", ended.stdout);
        assert_eq!(under_way(&scene), KEYS);
    }

    fn what_parts_there_are_goes_with_their_upload(scene) {
        std::fs::write(scene.path("part"), [7; 1000]).unwrap();
        let id = begin(&scene, "k");
        let part = scene.arg("part");
        let bucket = scene.bucket.as_str();
        let upload = ["s3api", "upload-part", "--bucket", bucket, "--key", "k", "--upload-id", &id, "--part-number", "1"];
        scene.aws([&upload[..], &["--body", &part]].concat());
        let events = scene.brigade(["cleanup", &scene.url(""), "--older-than", "0s", "--output", "json"]).exits(0).events();
        let [upload, summary] = &events[..] else { panic!("{events:?}") };
        assert_eq!((&upload["type"], &upload["key"], &upload["upload_id"]), (&"upload".into(), &"k".into(), &id.into()));
        assert_eq!(upload["outcome"], "aborted");
        assert!(upload["initiated"].is_string() && upload["age_seconds"].is_u64(), "{upload}");
        let counts = ["exit_code", "found", "aborted", "young", "failed"].map(|name| summary[name].as_u64().unwrap());
        assert_eq!((&summary["type"], counts), (&"summary".into(), [0, 1, 1, 0, 0]));
        assert_eq!(under_way(&scene), [""; 0]);
    }
}

/// A page of uploads, each with its key and when it was begun.
fn page(uploads: &[(&str, &str)]) -> String {
    let upload = |(key, initiated): &(&str, &str)| {
        format!("<Upload><Key>{key}</Key><UploadId>id-of-{key}</UploadId>{initiated}</Upload>")
    };
    let uploads: String = uploads.iter().map(upload).collect();
    format!("<ListMultipartUploadsResult>{uploads}</ListMultipartUploadsResult>")
}

/// It is 24 May 2013 there, and no machine that runs this is so old.
#[test]
fn ages_are_reckoned_by_the_clock_of_the_service() {
    let scene = Scene::scripted(|asked| {
        let date = "Date: Fri, 24 May 2013 12:00:00 GMT\r\n";
        if asked.method != "GET" {
            return Reply::of("204 No Content", date, "");
        }
        let uploads = [
            ("older", "<Initiated>2013-05-24T09:59:50.000Z</Initiated>"),
            ("younger", "<Initiated>2013-05-24T10:00:10.000Z</Initiated>"),
            ("future", "<Initiated>2013-05-25T00:00:00.000Z</Initiated>"),
            ("ageless", ""),
        ];
        Reply::of("200 OK", date, page(&uploads))
    });
    let ended = scene.brigade(["cleanup", &scene.url(""), "--older-than", "2h", "-v"]).exits(3);
    let expected = [
        "abort older (begun 2 h 00 min ago, upload id-of-older)",
        "leave younger (begun 1 h 59 min ago, upload id-of-younger)",
        "leave future (begun 0.0 s ago, upload id-of-future)",
        "4 uploads under way: 1 aborted, 2 left alone (begun less than 2 h 00 min ago), 1 failed",
        "Not cleaned up (exit code 3): incomplete.",
    ];
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), expected);
    ended.complains_of("ageless", "the service does not say when it was begun, so that it is left alone");
    let aborted: Vec<String> =
        scene.asked().into_iter().filter(|asked| asked.method != "GET").map(|asked| asked.target).collect();
    assert_eq!(aborted, [format!("/{}/older?uploadId=id-of-older", scene.bucket)]);
}

#[test]
fn what_may_not_be_aborted_is_named_and_the_rest_is_done() {
    let scene = with_uploads(Scene::embedded());
    scene.log().refuse("AbortMultipartUpload", "p/a");
    let ended = scene.brigade(["cleanup", &scene.url("p"), "--older-than", "0s"]).exits(3);
    ended.complains_of("a", "AbortMultipartUpload was answered 403 AccessDenied");
    ended.complains_of("a", "s3:AbortMultipartUpload");
    let end = "2 uploads under way: 1 aborted, 1 failed\nNot cleaned up (exit code 3): incomplete.\n";
    assert!(ended.stdout.ends_with(end), "{}", ended.stdout);
    assert_eq!(under_way(&scene), ["p", "p/a", "pq/a", "q"]);
}

#[test]
fn who_may_not_list_uploads_is_told_which_permission_is_missing() {
    let scene = with_uploads(Scene::embedded());
    scene.log().refuse_all("ListMultipartUploads");
    let ended = scene.brigade(["cleanup", &scene.url("p"), "--older-than", "0s"]).exits(1);
    assert_eq!(ended.stdout, "");
    let ended = ended.complains(&format!("error: could not list {}: ListMultipartUploads", scene.url("p")));
    ended.complains("s3:ListBucketMultipartUploads");
    let json = ["cleanup", &scene.url("p"), "--older-than", "0s", "--output", "json"];
    let summary = scene.brigade(json).exits(1).summary().0;
    assert!(summary["error"].as_str().unwrap().contains("AccessDenied"), "{summary}");
    scene.log().heal();
    assert_eq!(under_way(&scene), KEYS);
}

#[test]
fn a_lost_answer_is_no_failure() {
    let scene = with_uploads(Scene::embedded());
    scene.log().befall(Action::ApplyThenReset, "AbortMultipartUpload", Occurrence::EveryNth(2));
    scene.brigade(["cleanup", &scene.url(""), "--older-than", "0s"]).exits(0);
    assert_eq!(under_way(&scene), [""; 0]);
}

#[test]
fn a_dry_run_sends_only_requests_that_read() {
    let scene = with_uploads(Scene::embedded());
    scene.log().forget_requests();
    scene.brigade(["cleanup", &scene.url(""), "--older-than", "0s", "-n"]).exits(0);
    scene.log().assert_only_read();
}

#[test]
fn a_directory_has_no_uploads() {
    let scene = Scene::embedded();
    scene.log().forget_requests();
    let ended = scene.brigade(["cleanup", &scene.arg("tree"), "--older-than", "7d"]).exits(2);
    ended.complains("tree is a directory, which has no uploads");
    scene.brigade(["cleanup", &scene.url("")]).exits(2).complains("--older-than <DURATION>");
    assert_eq!(scene.log().requests(), 0);
}

#[test]
fn an_interruption_ends_it_whatever_the_server_does() {
    for operation in ["AbortMultipartUpload", "ListMultipartUploads"] {
        let scene = with_uploads(Scene::embedded());
        scene.log().forget_requests();
        scene.log().stall_all(operation);
        let command = scene.brigade_command(["cleanup", &scene.url("p"), "--older-than", "0s"]);
        let ended = Ended::of_watched(command, |process| {
            scene.log().wait_until_received(operation, 1);
            assert!(Command::new("kill").args(["-INT", &process.to_string()]).status().unwrap().success());
        });
        ended.exits(130);
        scene.log().heal();
        assert_eq!(under_way(&scene), KEYS, "{operation}");
    }
}
