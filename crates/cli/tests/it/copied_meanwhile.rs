//! What happens on either side while a service copies, and when it doesn't answer.

mod cut_listings;
mod sources;

use crate::harness::{Action, Ended, Files, Occurrence, Scene, content};

/// What makes the embedded server be trusted with conditions.
const TRUSTED: [&str; 2] = ["--provider", "brigade-dev"];

/// A bucket with an object to copy, and whether the service does that or it passes through here.
fn scene() -> Scene {
    let scene = Scene::public();
    scene.put_exactly("from/k", b"first one");
    scene
}

/// One with an object that is copied in parts.
fn scene_of_a_large_one() -> (Scene, Vec<u8>) {
    let (scene, large) = (Scene::public(), content(65 << 20));
    scene.write("tree", &Files::new([("k", &large)]));
    scene.sync(&scene.arg("tree"), &scene.url("from"), []);
    (scene, large)
}

/// What reads and writes, although the service copies by itself.
const THROUGH: &[&str] = &["--no-server-side-copy"];

/// Runs the sync, with something to delete besides, and does this when that request has come for the key.
fn sync_while(scene: &Scene, (operation, key, more): (&str, &str, &[&str]), meanwhile: impl FnOnce()) -> Ended {
    let (from, to) = (scene.url("from"), scene.url("to"));
    let args = ["sync", &from, &to, "--delete", "--output", "json"];
    scene.log().forget_requests();
    scene.log().hold_the(operation, &[1]);
    Ended::of_while(scene.brigade_command(args.iter().chain(&TRUSTED).chain(more)), || {
        assert_eq!(scene.log().wait_for_number(operation, 1), key);
        meanwhile();
        scene.log().heal();
    })
}

#[test]
fn what_is_replaced_at_the_source_meanwhile_is_copied_as_it_is_then() {
    let other = Files::new([("k", b"other one")]);
    for way in [("CopyObject", "to/k", &[][..]), ("GetObject", "from/k", THROUGH)] {
        let scene = scene();
        let ended = sync_while(&scene, way, || scene.put_exactly("from/k", b"other one")).exits(0);
        ended.summary().counts([("created", 1)]);
        scene.stored("to").assert_are(&other);
        scene.sync(&scene.url("from"), &scene.url("to"), []).counts([("in_step", 1)]);
    }
    let (scene, _) = scene_of_a_large_one();
    let way = ("UploadPartCopy", "to/k", &[][..]);
    let ended = sync_while(&scene, way, || scene.put_exactly("from/k", b"other one")).exits(0);
    assert_eq!(ended.summary().requests("AbortMultipartUpload"), 1);
    scene.stored("to").assert_are(&other);
}

#[test]
fn what_is_deleted_at_the_source_meanwhile_is_counted_and_nothing_is_copied() {
    for way in [("CopyObject", "to/k", &[][..]), ("GetObject", "from/k", THROUGH)] {
        let scene = scene();
        let ended = sync_while(&scene, way, || scene.remove_exactly("from/k"));
        ended.exits(0).summary().counts([("withdrawn", 1)]);
        assert_eq!(scene.stored("to").count(), 0);
    }
}

#[test]
fn what_somebody_else_wrote_at_the_destination_meanwhile_stays() {
    for way in [("CopyObject", "to/k", &[][..]), ("PutObject", "to/k", THROUGH)] {
        for (theirs, outcome) in [(&b"somebody!"[..], 3), (b"first one", 0)] {
            let scene = scene();
            let ended = sync_while(&scene, way, || scene.put_exactly("to/k", theirs)).exits(outcome);
            if outcome == 3 {
                ended.complains_of("k", "somebody else wrote this key");
            } else {
                ended.summary().counts([("in_step", 1)]);
            }
            scene.stored("to").assert_are(&Files::new([("k", theirs)]));
        }
    }
}

/// Of what was cut as the source is, the `ETag` tells that it has the same content.
#[test]
fn what_somebody_else_copied_in_parts_meanwhile_is_theirs_or_in_step() {
    let way = ("CompleteMultipartUpload", "to/k", &[][..]);
    let (scene, large) = scene_of_a_large_one();
    let ended = sync_while(&scene, way, || scene.put_exactly("to/k", b"somebody!")).exits(3);
    ended.complains_of("k", "somebody else wrote this key");
    scene.stored("to").assert_are(&Files::new([("k", b"somebody!")]));

    scene.remove_exactly("to/k");
    let ended = sync_while(&scene, way, || {
        scene.sync(&scene.url("from"), &scene.url("to"), ["--no-ledger"]).counts([("created", 1)]);
    });
    ended.exits(0).summary().counts([("in_step", 1)]);
    scene.stored("to").assert_are(&Files::new([("k", &large)]));
}

#[test]
fn when_a_part_is_refused_the_others_are_not_asked_for() {
    let (scene, _) = scene_of_a_large_one();
    scene.log().refuse_all("UploadPartCopy");
    let args = ["sync", &scene.url("from"), &scene.url("to"), "--jobs=1", "--output=json"];
    let ended = scene.brigade(args).exits(3);
    ended.complains_of("k", "--no-server-side-copy reads and writes instead");
    assert!(ended.summary().requests("UploadPartCopy") <= 3);
}

#[test]
fn a_copy_that_fails_is_tried_once_more_in_the_end_whatever_its_size() {
    let scene = Scene::public();
    scene.put_exactly("from/k", &content(20 << 20));
    scene.log().befall(Action::status(400, "InvalidRequest"), "CopyObject", Occurrence::Nth(1));
    let summary = scene.sync(&scene.url("from"), &scene.url("to"), []);
    summary.counts([("created", 1)]);
    assert_eq!(summary.requests("CopyObject"), 2);
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

/// The copy, which the service makes at once, has another ETag.
#[test]
fn a_copy_of_what_was_uploaded_in_parts_is_found_though_its_answer_was_lost() {
    let scene = Scene::public();
    let files = Files::new([("k", &content(17 << 20))]);
    scene.write("tree", &files);
    scene.sync(&scene.arg("tree"), &scene.url("from"), TRUSTED);
    scene.log().befall(Action::ApplyThenReset, "CopyObject", Occurrence::Nth(1));
    let args = ["sync", &scene.url("from"), &scene.url("to"), "--output", "json"];
    let summary = scene.brigade(args.iter().chain(&TRUSTED)).exits(0).summary();
    summary.counts([("created", 1)]);
    scene.stored("to").assert_are(&files);
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
    let (scene, large) = scene_of_a_large_one();
    let parts = large.len().div_ceil(8 << 20) as u64;
    let summary = scene.sync(&scene.url("from"), &scene.url("inside"), []);
    summary.counts([("created", 1)]);
    assert_eq!(
        (summary.requests("UploadPartCopy"), summary.requests("GetObject"), summary.unverified()),
        (parts, 0, 0)
    );
    scene.sync(&scene.url("from"), &scene.url("inside"), ["--no-ledger"]).changed_nothing();

    // A service that copies no parts copies it as a whole, and one that copies nothing has it read and written.
    scene.log().befall(Action::status(501, "NotImplemented"), "UploadPartCopy", Occurrence::Every);
    let summary = scene.sync(&scene.url("from"), &scene.url("whole"), []);
    summary.counts([("created", 1)]);
    assert_eq!((summary.requests("CopyObject"), summary.requests("AbortMultipartUpload")), (1, 1));
    scene.log().befall(Action::status(501, "NotImplemented"), "CopyObject", Occurrence::Every);
    let args = ["sync", &scene.url("from"), &scene.url("through"), "--output=json"];
    let ended = scene.brigade(args).exits(0).complains("the service does not copy by itself");
    let summary = ended.summary();
    summary.counts([("created", 1)]);
    assert_eq!((summary.requests("UploadPart"), summary.requests("AbortMultipartUpload")), (parts, 1));
    let all = ["from/k", "inside/k", "whole/k", "through/k"];
    scene.stored("").assert_are(&Files::new(all.map(|key| (key, &large[..]))));
}

/// One that is cut in parts of 72 MiB: too much of one object to be in memory, so that only the service copies them so.
fn scene_of_one_in_large_parts() -> (Scene, Vec<u8>) {
    let (scene, large) = (Scene::public(), content(97 << 20));
    scene.write("tree", &Files::new([("k", &large)]));
    scene.rclone([
        "copy",
        &scene.arg("tree"),
        &scene.remote("from"),
        "--s3-chunk-size",
        "72M",
        "--s3-upload-cutoff",
        "6M",
    ]);
    (scene, large)
}

/// Lets the service copy nothing, and kills a run when it has read and written two parts.
fn kill_while_parts_are_written(scene: &Scene, args: [&str; 4]) {
    copies_nothing(scene);
    scene.kill_at_the_third_part(scene.brigade_command(args));
}

fn copies_nothing(scene: &Scene) {
    for operation in ["UploadPartCopy", "CopyObject"] {
        scene.log().befall(Action::status(501, "NotImplemented"), operation, Occurrence::Every);
    }
}

/// What was read and written of it is not thrown away for parts that the service doesn't copy, as it turns out each
/// time.
#[test]
fn parts_that_were_read_and_written_are_taken_up_where_the_service_copies_none() {
    for (scene, large) in [scene_of_a_large_one(), scene_of_one_in_large_parts()] {
        let (from, to) = (scene.url("from"), scene.url("to"));
        let args = ["sync", &from, &to, "--output=json"];
        kill_while_parts_are_written(&scene, args);
        copies_nothing(&scene);
        let summary = scene.brigade(args).exits(0).summary();
        let parts = large.len().div_ceil(8 << 20) as u64;
        assert_eq!((summary.requests("UploadPart"), summary.0["parts_taken_up"].as_u64()), (parts - 2, Some(2)));
        scene.stored("to").assert_are(&Files::new([("k", &large)]));
        assert_eq!(scene.uploads(), 0);
    }
}

/// Nor do they stay where the service copies it after all, not even where a run doesn't come to the end of all keys.
#[test]
fn parts_that_were_read_and_written_go_where_the_service_copies_the_object() {
    for (scene, large) in [scene_of_a_large_one(), scene_of_one_in_large_parts()] {
        let (from, to) = (scene.url("from"), scene.url("to"));
        kill_while_parts_are_written(&scene, ["sync", &from, &to, "--output=json"]);
        let summary = scene.sync(&from, &to, ["--limit=10"]);
        summary.counts([("created", 1)]);
        assert_eq!(summary.requests("UploadPart"), 0);
        scene.stored("to").assert_are(&Files::new([("k", &large)]));
        assert_eq!(scene.uploads(), 0);
    }
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
