//! What a person and a program read of a run.

use serde_json::Value;

use crate::harness::{Files, Scene};

/// Asserts that `docs/formats/events.md` describes the event, under its type, with each of its fields.
#[track_caller]
pub(crate) fn assert_documented(event: &Value) {
    let document = include_str!("../../../../docs/formats/events.md");
    let heading = format!("### `{}`\n", event["type"].as_str().unwrap());
    let section = document.split_once(&heading).unwrap_or_else(|| panic!("{heading} is not there")).1;
    let section = section.split("\n### ").next().unwrap();
    for field in event.as_object().unwrap().keys().filter(|field| !["version", "type"].contains(&field.as_str())) {
        // An explanation has the fields of an outcome besides.
        let is_there = section.contains(&format!("`{field}`"))
            || (heading.contains("explanation") && document.contains(&format!("`{field}`")));
        assert!(is_there, "{heading} says nothing of {field}: {event}");
    }
}

fn two_files() -> Scene {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("one", b"1"), ("two", b"22")]));
    scene
}

#[test]
fn json_is_one_event_a_line_and_ends_in_the_summary() {
    let scene = two_files();
    scene.put("three", b"333");
    let ended = scene.brigade(["sync", &scene.arg("tree"), &scene.url(""), "--delete", "--output", "json"]).exits(0);
    let events = ended.events();
    assert!(events.iter().all(|event| event["version"] == 1 && event["type"].is_string()), "{}", ended.stdout);
    assert_eq!(events[0]["type"], "started");
    let outcome = |key: &str| events.iter().find(|event| event["key"] == key).expect(key)["outcome"].clone();
    assert_eq!((outcome("one"), outcome("two"), outcome("three")), ("sent".into(), "sent".into(), "deleted".into()));
    let summary = ended.summary();
    assert_eq!((&summary.0["exit_code"], &summary.0["bytes"]), (&0.into(), &3.into()));
    assert_eq!(ended.stderr, "");
}

#[test]
fn the_json_summary_has_the_exit_code_whatever_it_is() {
    let scene = two_files();
    std::fs::create_dir(scene.path("empty")).unwrap();
    scene.put("three", b"333");
    let [tree, empty, bucket] = [scene.arg("tree"), scene.arg("empty"), scene.url("")];
    let runs = [
        (1, [&tree, "s3://no-such-bucket", "--delete"]),
        (4, [&empty, &bucket, "--delete"]),
        (0, [&tree, &bucket, "--dry-run"]),
    ];
    for (code, args) in runs {
        let ended = scene.brigade(["sync", "--output", "json"].into_iter().chain(args)).exits(code);
        assert_eq!(ended.summary().0["exit_code"], code);
    }
}

#[test]
fn text_has_a_summary_and_names_objects_on_request() {
    let scene = two_files();
    let args = ["sync", &scene.arg("tree"), &scene.url("")];
    let planned = scene.brigade(args.iter().chain(&["--dry-run"])).exits(0).stdout;
    assert!(planned.contains("would upload one\n") && planned.contains("would upload two\n"), "{planned}");
    assert!(planned.contains("Dry run: nothing was changed."), "{planned}");

    let named = scene.brigade(args.iter().chain(&["-v"])).exits(0).stdout;
    assert!(named.contains("upload one\n") && named.contains("upload two\n"), "{named}");

    let summary = scene.brigade(args).exits(0).stdout;
    assert!(!summary.contains("one"), "{summary}");
    assert!(summary.ends_with("In step.\n"), "{summary}");

    let quiet = scene.brigade(args.iter().chain(&["-q"])).exits(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn nothing_is_coloured_where_nobody_looks() {
    let scene = two_files();
    let ended = scene.brigade(["sync", &scene.arg("tree"), &scene.url(""), "-v", "--progress", "plain"]).exits(0);
    assert!(!ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn each_request_is_told_to_who_asks_for_it() {
    let scene = two_files();
    let told = |verbose: &str| {
        let ended =
            scene.brigade(["sync", &scene.arg("tree"), &scene.url(""), "--compare", "always", verbose]).exits(0);
        let requests = ended.stderr.lines().filter(|line| line.contains("(bucket: "));
        requests.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(told("-vv").is_empty());
    let requests = told("-vvv");
    assert_eq!(requests.len(), 3, "{requests:?}");
    let listed = format!("note: ListObjectsV2: 200 (bucket: {}, attempt: 1, milliseconds: ", scene.bucket);
    assert!(requests[0].starts_with(&listed), "{requests:?}");
    let sent = format!("note: PutObject: 200 (bucket: {}, key: one, attempt: 1, milliseconds: ", scene.bucket);
    assert!(requests.iter().any(|request| request.starts_with(&sent)), "{requests:?}");

    scene.log().refuse("PutObject", "one");
    scene.log().be_busy_every_other_time("ListObjectsV2");
    scene.log().forget_requests();
    let args = ["sync", &scene.arg("tree"), &scene.url(""), "--compare", "always", "-vvv"];
    scene.brigade(args).exits(3).complains("PutObject: 403 (");
    let busy = scene.brigade(args).exits(3);
    assert!(busy.stderr.contains("ListObjectsV2: 503 (") && busy.stderr.contains("attempt: 2"), "{}", busy.stderr);
}
