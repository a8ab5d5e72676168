//! From bucket to bucket.

use std::fs;

use crate::harness::{Ended, Files, Scene, content, on_both_servers};

/// Another bucket of the scene's server.
fn bucket_beside(scene: &Scene) -> Scene {
    Scene::own(scene.server.clone())
}

on_both_servers! {
    fn everything_arrives_and_a_second_run_plans_nothing(scene) {
        let files = Files::troublesome();
        scene.write("origin", &files);
        scene.rclone(["copy", &scene.arg("origin"), &scene.remote("from")]);
        let (from, to) = (scene.url("from"), scene.url("to"));

        let first = scene.sync(&from, &to, []);
        assert_eq!(first.requests("CopyObject"), files.count());
        assert_eq!((first.requests("GetObject"), first.requests("PutObject")), (0, 0));
        first.counts([("created", files.count())]);
        assert_eq!(first.bytes(), files.bytes());
        scene.stored("to").assert_are(&files);

        let second = scene.sync(&from, &to, []);
        second.counts([("in_step", files.count())]);
        second.changed_nothing();
        let forgetful = scene.sync(&from, &to, ["--no-ledger"]);
        forgetful.counts([("in_step", files.count())]);
        forgetful.changed_nothing();
    }

    fn what_is_cut_as_its_source_is_verified_by_having_its_etag(scene) {
        let files = Files::new([("large", &vec![7; 20 << 20])]);
        scene.write("origin", &files);
        // In parts of 8 MiB, of which some services keep no checksum.
        scene.rclone(["copy", &scene.arg("origin"), &scene.remote("from"), "--s3-chunk-size=8M", "--s3-upload-cutoff=6M"]);
        let summary = scene.sync(&scene.url("from"), &scene.url("to"), ["--no-server-side-copy"]);
        summary.counts([("created", 1)]);
        assert_eq!((summary.requests("UploadPart"), summary.unverified()), (3, 0));
        scene.stored("to").assert_are(&files);
    }

    fn only_what_changed_is_copied_and_what_is_gone_deleted_on_request(scene) {
        let mut files = Files::new([("a/same", b"same"), ("changed", b"old"), ("gone", b"gone"), ("a/gone", b"too")]);
        let scene_files = |scene: &Scene, files: &Files| {
            scene.write("origin", files);
            scene.rclone(["sync", &scene.arg("origin"), &scene.remote("from"), "--checksum"]);
        };
        scene_files(&scene, &files);
        let (from, to) = (scene.url("from"), scene.url("to"));
        scene.sync(&from, &to, []);

        files.put("changed", "new");
        files.put("new", "new");
        files.take("gone");
        files.take("a/gone");
        fs::remove_dir_all(scene.path("origin")).unwrap();
        scene_files(&scene, &files);
        let dry = scene.sync(&from, &to, ["--delete", "--dry-run"]);
        dry.counts([("in_step", 1), ("replaced", 1), ("created", 1), ("deleted", 2)]);
        let summary = scene.sync(&from, &to, ["--delete"]);
        summary.counts([("in_step", 1), ("replaced", 1), ("created", 1), ("deleted", 2)]);
        scene.stored("to").assert_are(&files);
    }

    fn whole_objects_arrive_from_the_other_bucket(scene) {
        let there = bucket_beside(&scene);
        let files = Files::troublesome();
        scene.write("origin", &files);
        scene.rclone(["copy", &scene.arg("origin"), &scene.remote("")]);
        // Of the bucket that is written to, nothing is to be copied: it has this key too.
        there.put("a-b", b"older");
        let (from, to) = (scene.url(""), there.url(""));

        let first = scene.sync(&from, &to, []);
        first.counts([("created", files.count() - 1), ("replaced", 1)]);
        assert_eq!((first.requests("CopyObject"), first.requests("GetObject")), (files.count(), 0));
        there.stored("").assert_are(&files);
        scene.stored("").assert_are(&files);
        let second = scene.sync(&from, &to, ["--no-ledger"]);
        second.counts([("in_step", files.count())]);
        second.changed_nothing();
    }

    fn objects_in_parts_arrive_from_the_other_bucket(scene) {
        let there = bucket_beside(&scene);
        let large = content(65 << 20);
        let files = Files::new([("new", &large), ("old", &large[1..])]);
        scene.write("origin", &files);
        scene.rclone(["copy", &scene.arg("origin"), &scene.remote(""), "--s3-chunk-size=8M", "--s3-upload-cutoff=6M"]);
        there.put("old", b"older");
        let (from, to) = (scene.url(""), there.url(""));

        let first = scene.sync(&from, &to, []);
        first.counts([("created", 1), ("replaced", 1)]);
        assert_eq!((first.requests("UploadPartCopy"), first.requests("GetObject")), (18, 0));
        there.stored("").assert_are(&files);
        scene.stored("").assert_are(&files);
        let second = scene.sync(&from, &to, ["--no-ledger"]);
        second.counts([("in_step", 2)]);
        second.changed_nothing();
    }
}

/// Where the two sides are at different services, each with its own profile.
#[test]
fn each_side_has_its_own_service_and_credentials() {
    let (here, there) = (Scene::embedded(), Scene::seaweed());
    let files = Files::troublesome();
    here.write("origin", &files);
    here.rclone(["copy", &here.arg("origin"), &here.remote("from")]);
    let (config, credentials) = (here.path("config"), here.path("credentials"));
    let [own, other] = [&here, &there].map(|scene| scene.server.clone());
    fs::write(
        &config,
        format!(
            "[profile own]\nendpoint_url = {}\nregion = us-east-1\n[profile other]\nendpoint_url = {}\nregion = us-east-1\n",
            own.endpoint, other.endpoint
        ),
    )
    .unwrap();
    fs::write(
        &credentials,
        format!(
            "[own]\naws_access_key_id = {}\naws_secret_access_key = {}\n[other]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            own.credentials.access_key_id,
            own.credentials.secret_access_key,
            other.credentials.access_key_id,
            other.credentials.secret_access_key
        ),
    )
    .unwrap();
    let run = |args: &[&str]| {
        let line = ["sync", &here.url("from"), &there.url("to"), "--output", "json"];
        let mut command = here.brigade_command(line.iter().chain(args));
        // The environment speaks of no side: what a side's own profile says comes before it.
        command.env("AWS_CONFIG_FILE", &config).env("AWS_SHARED_CREDENTIALS_FILE", &credentials);
        Ended::of(command)
    };
    let first = run(&["--source-profile", "own", "--dest-profile", "other"]).exits(0).summary();
    first.counts([("created", files.count())]);
    there.stored("to").assert_are(&files);
    let second = run(&["--source-profile", "own", "--dest-profile", "other"]).exits(0).summary();
    second.counts([("in_step", files.count())]);
    second.changed_nothing();
    // Only what is said of one side differs: the other one is as the environment has it.
    let third = run(&["--dest-profile", "other", "--no-ledger"]).exits(0).summary();
    third.counts([("in_step", files.count())]);
    third.changed_nothing();
    run(&["--dest-profile", "nobody"]).exits(1).complains("nobody");
}
