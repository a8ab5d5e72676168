//! What goes wrong, what is said of it, and with which exit code.

use std::process::Command;

use crate::harness::{Ended, Files, Running, Scene, on_both_servers};

fn small_tree(scene: &Scene) -> String {
    scene.write("tree", &Files::new([("fine", b"1"), ("refused", b"2"), ("sub/fine", b"3")]));
    scene.arg("tree")
}

on_both_servers! {
    fn a_bucket_that_is_not_there_is_an_error(scene) {
        let tree = small_tree(&scene);
        for (source, dest) in [(tree.as_str(), "s3://no-such-bucket/x"), ("s3://no-such-bucket/x", &tree)] {
            scene.brigade(["sync", source, dest]).exits(1).complains("no-such-bucket");
        }
        scene.brigade(["ls", "s3://no-such-bucket"]).exits(1).complains("no-such-bucket");
    }

    fn an_unsigned_request_is_refused_and_said_so(scene) {
        let tree = small_tree(&scene);
        let ended = scene.brigade(["sync", &tree, &scene.url(""), "--no-sign-request"]).exits(1);
        ended.complains("AccessDenied").complains("--no-sign-request");
    }

    fn wrong_credentials_are_an_error_and_never_shown(scene) {
        let tree = small_tree(&scene);
        let mut command = scene.brigade_command(["sync", &tree, &scene.url(""), "-vv"]);
        command.env("AWS_SECRET_ACCESS_KEY", "wrong-and-secret");
        let ended = Ended::of(command).exits(1).complains("SignatureDoesNotMatch");
        for said in [&ended.stdout, &ended.stderr] {
            assert!(!said.contains("wrong-and-secret"), "{said}");
        }
    }
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let scene = Scene::embedded();
    let tree = small_tree(&scene);
    let bucket = scene.url("");
    let wrong: [&[&str]; 8] = [
        &[],
        &["sink"],
        &["sync", &tree],
        &["sync", &tree, &bucket, "--no-such-option"],
        &["sync", &tree, &bucket, "--max-delete", "many", "--delete"],
        &["sync", &tree, &bucket, "--exclude", "[z-a"],
        &["sync", &tree, &bucket, "--memory", "lots"],
        &["sync", &tree, "s3://"],
    ];
    scene.log().forget_requests();
    for args in wrong {
        let ended = scene.brigade(args).exits(2);
        assert!(!ended.stderr.is_empty() && ended.stdout.is_empty(), "{args:?}");
    }
    assert_eq!(scene.log().requests(), 0);
}

#[test]
fn an_object_that_fails_is_named_and_the_others_are_sent() {
    let scene = Scene::embedded();
    let tree = small_tree(&scene);
    scene.log().refuse("PutObject", "refused");
    let ended = scene.brigade(["sync", &tree, &scene.url("")]).exits(3).complains("refused: ");
    assert!(ended.stderr.contains("AccessDenied"), "{}", ended.stderr);
    assert_eq!(scene.stored("").paths(), ["fine", "sub/fine"]);

    scene.log().heal();
    scene.sync(&tree, &scene.url(""), []).counts([("created", 1), ("in_step", 2)]);
}

#[test]
fn a_busy_server_is_asked_again() {
    let scene = Scene::embedded();
    let tree = small_tree(&scene);
    scene.log().be_busy_every_other_time("PutObject");
    let summary = scene.sync(&tree, &scene.url(""), []);
    summary.counts([("created", 3)]);
    assert!(summary.requests("PutObject") > 3, "{}", summary.0);
    assert_eq!(scene.stored("").count(), 3);
}

#[test]
fn each_retry_is_told_to_who_asks_for_it() {
    let scene = Scene::embedded();
    let tree = small_tree(&scene);
    scene.log().be_busy_every_other_time("PutObject");
    for (verbose, told) in [("-v", false), ("-vv", true)] {
        let ended = scene.brigade(["sync", &tree, &scene.url(""), "--compare", "always", verbose]).exits(0);
        assert_eq!(ended.stderr.contains("note: retrying: "), told, "{}", ended.stderr);
    }
}

#[test]
fn parts_that_could_not_be_removed_are_warned_about() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("large", &vec![0; 17 << 20])]));
    scene.log().refuse("UploadPart", "large");
    scene.log().refuse("AbortMultipartUpload", "large");
    // With a ledger they stay, for the next run.
    let args = ["sync", &scene.arg("tree"), &scene.url(""), "--no-ledger"];
    let warning = "warning: the parts of an upload that was given up may remain in the bucket; ";
    scene.brigade(args).exits(3).complains(warning);

    let ended = scene.brigade(args.iter().chain(&["-q", "--output", "json"])).exits(3);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
    assert_eq!(ended.events().iter().filter(|event| event["type"] == "warning").count(), 1, "{}", ended.stdout);
    ended.summary();
}

#[test]
fn an_interrupted_run_ends_with_130_and_the_next_one_completes_it() {
    let scene = Scene::embedded();
    let tree = small_tree(&scene);
    scene.log().stall("PutObject", "refused");
    let running = Running::start(scene.brigade_command(["sync", &tree, &scene.url("")]));
    scene.log().wait_for("PutObject", "refused");
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
    assert_eq!(running.wait(), Some(130));

    scene.log().heal();
    scene.sync(&tree, &scene.url(""), []);
    assert_eq!(scene.stored("").count(), 3);
}
