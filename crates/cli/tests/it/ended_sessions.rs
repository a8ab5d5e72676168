//! Credentials that end while a run is on: they are fetched anew, or the run stops, to go on with good ones.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::harness::{Action, Ended, Files, Occurrence, Scene, ledgers_in};

/// Objects that a run has to send.
const OBJECTS: u64 = 200;

/// Requests at once.
const JOBS: u64 = 4;

fn scene() -> Scene {
    let scene = Scene::embedded();
    let mut files = Files::default();
    for number in 0..OBJECTS {
        files.put(&format!("{number:03}"), number.to_string());
    }
    scene.write("tree", &files);
    scene.log().forget_requests();
    scene
}

/// A sync of the tree with the bucket, `JOBS` requests at once.
fn sync(scene: &Scene, more: &[&str]) -> Command {
    let (tree, url, jobs) = (scene.arg("tree"), scene.url(""), JOBS.to_string());
    let line = ["sync", &tree, &url, "--jobs", &jobs, "--output", "json"];
    scene.brigade_command(line.into_iter().chain(more.iter().copied()))
}

/// With what a program gives: the session `old` the first time, and then what the script says.
fn with_process(scene: &Scene, mut command: Command, then: &str) -> Command {
    let account = &scene.server.credentials;
    let script = format!(
        "#!/bin/sh\ntoken=old\nif [ -e {counter} ]; then echo x >>{counter}; {then}; fi\necho x >>{counter}\n\
         echo '{{\"Version\": 1, \"AccessKeyId\": \"{id}\", \"SecretAccessKey\": \"{secret}\", \"SessionToken\": \"'$token'\", \
         \"Expiration\": \"2099-01-01T00:00:00Z\"}}'\n",
        counter = scene.arg("counter"),
        id = account.access_key_id,
        secret = account.secret_access_key
    );
    std::fs::write(scene.path("process"), script).unwrap();
    std::fs::set_permissions(scene.path("process"), PermissionsExt::from_mode(0o755)).unwrap();
    let profile = format!("[default]\ncredential_process = {}\n", scene.arg("process"));
    std::fs::write(scene.path("config"), profile).unwrap();
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env_remove(name);
    }
    command.env("AWS_CONFIG_FILE", scene.path("config"));
    command
}

/// How often each object was stored.
fn stored(scene: &Scene) -> BTreeMap<String, u64> {
    let mut stored = BTreeMap::new();
    for record in scene.log().records() {
        if record.operation.as_deref() == Some("PutObject") && record.status == Some(200) {
            *stored.entry(record.key.unwrap()).or_default() += 1;
        }
    }
    stored
}

/// Lets the session `old` end when so many objects were asked to be stored.
fn end_old_at(scene: &Scene, number: u64, command: Command) -> Ended {
    scene.log().hold_the("PutObject", &[number]);
    Ended::of_while(command, || {
        scene.log().wait_for_number("PutObject", usize::try_from(number).unwrap());
        scene.log().terms().expire("old");
        scene.log().release();
    })
}

/// From the so-manieth object on, the server takes these credentials for ended.
fn refuse_from(scene: &Scene, status: u16, code: &str, number: u64) {
    scene.log().befall(Action::status(status, code), "PutObject", Occurrence::Within(number..=u64::MAX));
}

/// What must hold of a run that was stopped, and of the same command with good credentials after it.
#[track_caller]
fn assert_goes_on(scene: &Scene, ended: &Ended, again: Command) {
    let counted = ended.summary();
    let done = stored(scene).len() as u64;
    assert!(done > 0 && done < OBJECTS, "{done}");
    counted.counts([("created", done)]);
    // Each request in flight is refused, and once more with what was fetched anew.
    assert!(counted.requests("PutObject") <= done + 2 * JOBS, "{}: {done} were stored", counted.0);
    let said = ended.stderr.lines().last().unwrap();
    assert!(
        said.starts_with(&format!("error: {} does not accept the credentials any more: ", scene.url(""))),
        "{said}"
    );
    assert!(said.ends_with("the same command goes on from here"), "{said}");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    scene.log().heal();
    Ended::of(again).exits(0);
    let stored = stored(scene);
    assert_eq!(stored.len() as u64, OBJECTS);
    assert!(stored.values().all(|times| *times == 1), "nothing that was answered is sent again: {stored:?}");
}

#[test]
fn a_session_that_ends_is_renewed_and_each_object_sent_once() {
    let scene = scene();
    let command = with_process(&scene, sync(&scene, &[]), "token=new");
    let ended = end_old_at(&scene, 50, command).exits(0);
    ended.summary().counts([("created", OBJECTS)]);
    assert!(stored(&scene).values().all(|times| *times == 1));
    assert_eq!(stored(&scene).len() as u64, OBJECTS);
    assert!(scene.log().refused() as u64 <= JOBS, "{}", scene.log().refused());
}

#[test]
fn where_none_is_given_the_run_stops_and_the_next_goes_on() {
    for refusal in ["echo no >&2; exit 1", "token=old"] {
        let scene = scene();
        let command = with_process(&scene, sync(&scene, &["--retries", "1"]), refusal);
        let ended = end_old_at(&scene, 50, command).exits(1);
        assert_eq!(ended.summary().0["failed"], 0);
        let ended = ended.complains("ExpiredToken").complains("log in again, or set new ones");
        if refusal.contains("exit") {
            ended.stderr.contains("new credentials could not be had").then_some(()).expect(&ended.stderr);
        }
        assert_eq!(ledgers_in(&scene.path(".local/state/brigade")).len(), 1);
        assert_goes_on(&scene, &ended, sync(&scene, &[]));
    }
}

#[test]
fn a_key_that_is_taken_back_stops_the_run() {
    for (status, code) in [(400, "ExpiredToken"), (400, "TokenRefreshRequired"), (403, "InvalidAccessKeyId")] {
        let scene = scene();
        refuse_from(&scene, status, code, 70);
        let ended = Ended::of(sync(&scene, &[])).exits(1).complains(code);
        assert_goes_on(&scene, &ended, sync(&scene, &[]));
    }
}

#[test]
fn what_is_denied_for_some_objects_stays_their_failure() {
    for code in ["AccessDenied", "SignatureDoesNotMatch"] {
        let scene = scene();
        scene.log().befall(Action::status(403, code), "PutObject", Occurrence::Within(5..=7));
        let ended = Ended::of(sync(&scene, &[])).exits(3).complains(code);
        ended.summary().counts([("created", OBJECTS - 3), ("failed", 3)]);
    }
}

#[test]
fn a_large_upload_is_left_for_the_next_run() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("large", &vec![7; 40 << 20][..])]));
    // A file that has just been written could be edited without a trace, and its parts would be sent anew.
    crate::harness::wait_until_it_is_old(&scene.path("tree/large"));
    scene.log().befall(Action::status(400, "ExpiredToken"), "UploadPart", Occurrence::Within(4..=u64::MAX));
    let ended = Ended::of(sync(&scene, &[])).exits(1);
    ended.summary().counts([]);
    scene.log().heal();
    scene.log().forget_requests();
    Ended::of(sync(&scene, &[])).exits(0).summary().counts([("created", 1)]);
    assert_eq!(scene.log().received("CreateMultipartUpload"), 0);
    assert_eq!(scene.log().received("UploadPart"), 2);
}

#[test]
fn nothing_is_deleted_in_a_run_that_was_stopped() {
    let scene = scene();
    scene.put("extra", b"only in the bucket");
    scene.log().forget_requests();
    refuse_from(&scene, 400, "ExpiredToken", 70);
    let ended = Ended::of(sync(&scene, &["--delete"])).exits(1);
    assert_eq!(ended.summary().0["deleted"], 0);
    assert_eq!(scene.log().deletions(), 0);
    scene.log().heal();
    let summary = Ended::of(sync(&scene, &["--delete"])).exits(0).summary();
    assert_eq!(summary.0["deleted"], 1);
}

#[test]
fn a_session_that_ends_before_the_second_round_stops_the_run() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("a", b"1"), ("b", b"2"), ("c", b"3")]));
    scene.log().befall(Action::status(400, "Strange"), "PutObject", Occurrence::Within(1..=2));
    for operation in ["HeadObject", "GetObject"] {
        scene.log().befall(Action::status(400, "ExpiredToken"), operation, Occurrence::Every);
    }
    Ended::of(sync(&scene, &[])).exits(1).complains("ExpiredToken");
    scene.log().heal();
    Ended::of(sync(&scene, &[])).exits(0).summary().counts([("created", 2), ("in_step", 1)]);
}

#[test]
fn a_deletion_that_can_not_be_looked_up_stops_the_run() {
    let scene = scene();
    Ended::of(sync(&scene, &[])).exits(0);
    scene.write("copy", &scene.read("tree"));
    for number in 0..50 {
        std::fs::write(scene.path(&format!("copy/extra-{number}")), "x").unwrap();
    }
    let (url, copy) = (scene.url(""), scene.arg("copy"));
    // A refusal of a HEAD has no code: another request asks for it, of a key that was taken back the first one that is
    // denied.
    for operation in ["HeadObject", "GetObject"] {
        scene.log().befall(Action::status(403, "InvalidAccessKeyId"), operation, Occurrence::Every);
    }
    let args = ["sync", &url, &copy, "--delete", "--jobs", "4", "--compare", "size", "--output", "json"];
    let ended = scene.brigade(args).exits(1).complains("InvalidAccessKeyId");
    assert!(ended.summary().0["failed"].as_u64() < Some(JOBS), "{}", ended.summary().0);
    scene.log().heal();

    let args = ["sync", &url, &copy, "--delete", "--jobs", "4", "--compare", "size", "--output", "json"];
    scene.log().befall(Action::status(400, "ExpiredToken"), "HeadObject", Occurrence::Every);
    scene.log().befall(Action::status(400, "ExpiredToken"), "GetObject", Occurrence::Every);
    scene.log().forget_requests();
    let ended = scene.brigade(args).exits(1).complains("ExpiredToken").complains("the same command goes on from here");
    ended.summary().counts([("in_step", OBJECTS)]);
    assert!(scene.log().received("HeadObject") <= 2 * JOBS, "{}", scene.log().received("HeadObject"));
    assert_eq!(scene.read("copy").count(), OBJECTS + 50);
    scene.log().heal();
    scene.brigade(args).exits(0).summary().counts([("in_step", OBJECTS), ("deleted", 50)]);
}
