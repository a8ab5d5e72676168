//! What happens on either side while a service copies, and when it doesn't answer.

use crate::harness::{Action, Ended, Files, Occurrence, Scene, content};

/// What makes the embedded server be trusted with conditions.
const TRUSTED: [&str; 2] = ["--provider", "brigade-dev"];

/// A bucket with an object to copy, and whether the service does that or it passes through here.
fn scene() -> Scene {
    let scene = Scene::public();
    scene.put_exactly("from/k", b"first one");
    scene
}

/// Runs the sync, with something to delete besides, and does this when the request that writes has come.
fn sync_while(scene: &Scene, operation: &str, meanwhile: impl FnOnce()) -> Ended {
    let (from, to) = (scene.url("from"), scene.url("to"));
    let args = ["sync", &from, &to, "--delete", "--output", "json"];
    scene.log().forget_requests();
    scene.log().hold_the(operation, &[1]);
    Ended::of_while(scene.brigade_command(args.iter().chain(&TRUSTED)), || {
        assert_eq!(scene.log().wait_for_number(operation, 1), "to/k");
        meanwhile();
        scene.log().heal();
    })
}

#[test]
fn what_is_replaced_at_the_source_meanwhile_is_copied_as_it_is_then() {
    let scene = scene();
    let ended = sync_while(&scene, "CopyObject", || scene.put_exactly("from/k", b"other one")).exits(0);
    ended.summary().counts([("created", 1)]);
    scene.stored("to").assert_are(&Files::new([("k", b"other one")]));
    scene.sync(&scene.url("from"), &scene.url("to"), []).counts([("in_step", 1)]);
}

#[test]
fn what_is_deleted_at_the_source_meanwhile_is_counted_and_nothing_is_copied() {
    let scene = scene();
    let ended = sync_while(&scene, "CopyObject", || {
        scene.aws(["s3api", "delete-object", "--no-sign-request", "--bucket", &scene.bucket, "--key", "from/k"]);
    });
    ended.exits(0).summary().counts([("withdrawn", 1)]);
    assert_eq!(scene.stored("to").count(), 0);
}

#[test]
fn what_somebody_else_wrote_at_the_destination_meanwhile_stays() {
    for (theirs, outcome) in [(&b"somebody!"[..], 3), (b"first one", 0)] {
        let scene = scene();
        let ended = sync_while(&scene, "CopyObject", || scene.put_exactly("to/k", theirs)).exits(outcome);
        if outcome == 3 {
            ended.complains_of("k", "somebody else wrote this key");
        } else {
            ended.summary().counts([("in_step", 1)]);
        }
        scene.stored("to").assert_are(&Files::new([("k", theirs)]));
    }
}

#[test]
fn a_copy_whose_answer_was_lost_is_found_and_not_taken_for_somebody_elses() {
    let scene = scene();
    scene.log().befall(Action::ApplyThenReset, "CopyObject", Occurrence::Nth(1));
    let args = ["sync", &scene.url("from"), &scene.url("to"), "--output", "json"];
    let ended = scene.brigade(args.iter().chain(&TRUSTED)).exits(0);
    ended.summary().counts([("created", 1)]);
    scene.stored("to").assert_are(&Files::new([("k", b"first one")]));
}

#[test]
fn a_service_that_copies_nothing_has_it_read_and_written() {
    let scene = scene();
    scene.log().befall(Action::status(501, "NotImplemented"), "CopyObject", Occurrence::Every);
    let summary = scene.sync(&scene.url("from"), &scene.url("to"), []);
    summary.counts([("created", 1)]);
    assert_eq!((summary.requests("GetObject"), summary.requests("PutObject")), (1, 1));
}

/// What was uploaded in parts, and is large, is copied part by part, and gets the same `ETag`; where the service
/// doesn't do that, nothing of the attempt stays.
#[test]
fn a_large_object_is_copied_in_parts_or_read_and_written() {
    let scene = Scene::public();
    let large = content(65 << 20);
    scene.write("tree", &Files::new([("k", &large)]));
    scene.sync(&scene.arg("tree"), &scene.url("from"), []);
    let parts = large.len().div_ceil(8 << 20) as u64;
    let summary = scene.sync(&scene.url("from"), &scene.url("inside"), []);
    summary.counts([("created", 1), ("unverified", 0)]);
    assert_eq!((summary.requests("UploadPartCopy"), summary.requests("GetObject")), (parts, 0));
    scene.sync(&scene.url("from"), &scene.url("inside"), ["--no-ledger"]).changed_nothing();

    scene.log().befall(Action::status(501, "NotImplemented"), "UploadPartCopy", Occurrence::Every);
    let summary = scene.sync(&scene.url("from"), &scene.url("through"), []);
    summary.counts([("created", 1)]);
    assert_eq!((summary.requests("UploadPart"), summary.requests("AbortMultipartUpload")), (parts, 1));
    scene.stored("").assert_are(&Files::new([("from/k", &large), ("inside/k", &large), ("through/k", &large)]));
}

/// heavy-sync took what it had listed until it was killed for all there was, and deleted the rest of the copy.
#[test]
fn killed_while_it_lists_the_source_it_deletes_nothing_and_neither_does_the_next_run() {
    let scene = Scene::public_with_pages_of(2);
    let keys: Vec<String> = (0..9).map(|number| format!("k{number}")).collect();
    for key in &keys {
        scene.put_exactly(&format!("from/{key}"), key.as_bytes());
    }
    let (from, to) = (scene.url("from"), scene.url("to"));
    scene.sync(&from, &to, ["--delete"]);
    let copies = scene.stored("to");
    scene.log().forget_requests();
    scene.log().refuse_page(3);
    let line = ["sync", &from, &to, "--delete"];
    scene.brigade(line).exits(1).complains("could not list");
    scene.stored("to").assert_are(&copies);
    scene.log().heal();
    scene.log().forget_requests();
    scene.kill_at("ListObjectsV2", scene.brigade_command(line));
    scene.stored("to").assert_are(&copies);
    let next = scene.sync(&from, &to, ["--delete"]);
    next.counts([("in_step", 9)]);
    next.changed_nothing();
    assert_eq!(scene.log().deletions(), 0);
}
