//! How a server is found and a request signed: options, variables and files.

use std::process::Command;

use crate::harness::{Ended, Files, Scene};

/// `brigade ls` of the scene's bucket, with nothing set that says how to reach it.
fn ls(scene: &Scene) -> Command {
    let mut command = scene.brigade_command(["ls", &scene.url("")]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"] {
        command.env_remove(name);
    }
    command
}

/// A scene with an object, and the credentials of its server in a file, as profile `work`.
fn with_credentials_file() -> Scene {
    let scene = Scene::embedded();
    scene.put("object", b"1");
    let account = &scene.server.credentials;
    let profile = format!(
        "[work]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        account.access_key_id, account.secret_access_key
    );
    std::fs::write(scene.path("credentials"), profile).unwrap();
    scene
}

#[test]
fn options_say_all_that_is_needed() {
    let scene = with_credentials_file();
    let mut command = ls(&scene);
    command.env("AWS_SHARED_CREDENTIALS_FILE", scene.path("credentials"));
    command.args(["--profile", "work", "--region", "us-east-1", "--endpoint-url", &scene.server.endpoint]);
    command.args(["--addressing", "path", "--provider", "brigade-dev", "--request-payer"]);
    assert!(Ended::of(command).exits(0).stdout.contains("object"));
}

#[test]
fn a_profile_in_the_configuration_file_says_it_as_well() {
    let scene = with_credentials_file();
    let profile = format!("[profile work]\nregion = us-east-1\nendpoint_url = {}\n", scene.server.endpoint);
    std::fs::write(scene.path("config"), profile).unwrap();
    let mut command = ls(&scene);
    command.env("AWS_SHARED_CREDENTIALS_FILE", scene.path("credentials"));
    command.env("AWS_CONFIG_FILE", scene.path("config")).env("AWS_PROFILE", "work");
    assert!(Ended::of(command).exits(0).stdout.contains("object"));
}

#[test]
fn a_profile_that_is_named_is_the_one_that_signs() {
    let scene = with_credentials_file();
    let wrong = "[wrong]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n";
    std::fs::write(scene.path("credentials"), wrong).unwrap();
    for (profile, complaint) in [("wrong", "InvalidAccessKeyId"), ("missing", "missing")] {
        // The scene's command has good credentials in its environment.
        let mut command = scene.brigade_command(["ls", &scene.url(""), "--profile", profile]);
        command.env("AWS_SHARED_CREDENTIALS_FILE", scene.path("credentials"));
        let ended = Ended::of(command).exits(1).complains(complaint);
        // Variables are of no use to one who names a profile.
        assert!(!ended.stderr.contains("AWS_ACCESS_KEY_ID"), "{}", ended.stderr);
    }
}

#[test]
fn the_variable_for_s3_goes_before_the_one_for_all_services() {
    let scene = Scene::embedded();
    scene.put("object", b"1");
    let mut command = scene.brigade_command(["ls", &scene.url("")]);
    command.env("AWS_ENDPOINT_URL", "http://nowhere.invalid").env("AWS_ENDPOINT_URL_S3", &scene.server.endpoint);
    assert!(Ended::of(command).exits(0).stdout.contains("object"));
}

#[test]
fn a_public_bucket_needs_no_credentials() {
    let scene = Scene::public();
    let files = Files::new([("file", b"1"), ("dir/inner", b"2")]);
    scene.write("tree", &files);
    for (source, dest) in [(scene.arg("tree"), scene.url("")), (scene.url(""), scene.arg("copy"))] {
        let mut command = scene.brigade_command(["sync", &source, &dest, "--no-sign-request", "--output", "json"]);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        Ended::of(command).exits(0).summary().counts([("created", 2)]);
    }
    scene.stored("").assert_are(&files);
    scene.read("copy").assert_are(&files);
}

#[test]
fn without_credentials_nothing_is_sent_and_the_reason_said() {
    let scene = with_credentials_file();
    scene.log().forget_requests();
    let mut command = ls(&scene);
    command.args(["--endpoint-url", &scene.server.endpoint, "--region", "us-east-1"]);
    Ended::of(command).exits(1).complains("credentials");
    assert_eq!(scene.log().requests(), 0);
}

#[test]
fn a_provider_that_nobody_knows_is_a_usage_error() {
    let scene = with_credentials_file();
    let mut command = ls(&scene);
    command.args(["--provider", "acme"]);
    Ended::of(command).exits(2).complains("seaweedfs");
}
