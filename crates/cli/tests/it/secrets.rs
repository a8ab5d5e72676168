//! Secrets are never printed, at any log level. The harness looks for them in
//! all that a test sees; here every kind of work and trouble is made to talk.

use std::net::TcpListener;
use std::process::Command;

use crate::harness::{Ended, Files, Scene};

const TOKEN: &str = "a-session-token-that-nobody-may-read";

/// What must not be there whatever was given: what a signed request carries.
const OF_REQUESTS: [&str; 4] = [TOKEN, "panicked at", "stack backtrace", "Credential="];

/// `brigade ARGS` with a session token, and everything said that can be.
fn talkative(scene: &Scene, args: &[&str]) -> Command {
    let mut command = scene.brigade_command(args);
    if args[0] == "sync" {
        command.arg("-vvv");
    }
    command.env("AWS_SESSION_TOKEN", TOKEN);
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1").env("RUST_LIB_BACKTRACE", "1");
    command
}

/// Runs it to its end: the harness looks for what the command was given.
#[track_caller]
fn say(command: Command, code: i32) -> Ended {
    let ended = Ended::of(command).exits(code);
    for part in OF_REQUESTS {
        assert!(!ended.stdout.contains(part) && !ended.stderr.contains(part), "{}{}", ended.stdout, ended.stderr);
    }
    ended
}

fn tree() -> Scene {
    let scene = Scene::embedded();
    let mut files = Files::new([("a", b"1"), ("dir/b", b"22")]);
    files.put("large", vec![7; 17 << 20]);
    scene.write("tree", &files);
    scene
}

#[test]
fn no_kind_of_work_tells_them() {
    let scene = tree();
    scene.put("extra", b"3");
    scene.log().be_busy_every_other_time("PutObject");
    let [tree, copy, url] = [scene.arg("tree"), scene.arg("copy"), scene.url("")];
    let runs: [&[&str]; 7] = [
        &["sync", &tree, &url, "--delete"],
        &["sync", &tree, &url, "--output", "json", "--compare", "always"],
        &["sync", &url, &copy, "--progress", "plain"],
        &["sync", &url, &copy, "--delete", "--dry-run", "--output", "json"],
        &["ls", &url],
        &["ls", "-r", &url, "--output", "json"],
        &["explain", &tree, &url, "a"],
    ];
    for args in runs {
        let ended = say(talkative(&scene, args), 0);
        if args[0] == "sync" && args[1] == tree {
            // It did talk of its requests.
            assert!(ended.stderr.contains("PutObject"), "{}", ended.stderr);
        }
    }
}

#[test]
fn no_refusal_tells_them() {
    let scene = tree();
    let [tree, url] = [scene.arg("tree"), scene.url("")];
    for args in [&["sync", &tree, &url][..], &["sync", &tree, &url, "--output", "json"], &["ls", &url]] {
        let mut wrong = talkative(&scene, args);
        wrong.env("AWS_SECRET_ACCESS_KEY", "a-secret-that-does-not-belong-here");
        say(wrong, 1).complains("SignatureDoesNotMatch");
    }
    scene.log().end_sessions();
    for args in [&["sync", &tree, &url][..], &["ls", &url]] {
        say(talkative(&scene, args), 1).complains("ExpiredToken");
    }
}

#[test]
fn no_service_that_is_out_of_reach_tells_them() {
    let scene = tree();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let without_tls = scene.server.endpoint.replace("http://", "https://");
    for endpoint in [format!("http://{closed}"), without_tls] {
        for args in [["sync", &scene.arg("tree"), &scene.url("")], ["sync", &scene.url(""), &scene.arg("copy")]] {
            let mut command = talkative(&scene, &args);
            command.env("AWS_ENDPOINT_URL", &endpoint);
            say(command, 1).complains("cannot connect to 127.0.0.1");
        }
    }
}

#[test]
fn credentials_in_a_url_are_refused_and_not_repeated() {
    let scene = tree();
    let tree = scene.arg("tree");
    let endpoint = "https://somebody:a-password-in-a-url@127.0.0.1:1";
    let location = "s3://AKIDEXAMPLE:a-password-in-a-url@bucket/prefix";
    let slashed = "s3://AKIDEXAMPLE:a-pass/word/in+a-url@bucket";
    let unknown_option = format!("--endpoint={endpoint}");
    let runs: [(&[&str], i32, &str); 7] = [
        (&["sync", &tree, "s3://bucket", "--endpoint-url", endpoint], 1, "without a user, a password"),
        (&["ls", "s3://", "--endpoint-url", endpoint], 1, "without a user, a password"),
        (&["sync", &tree, location], 2, "a location holds no credentials"),
        (&["sync", location, &tree, "--output", "json"], 2, "a location holds no credentials"),
        (&["ls", slashed], 2, "a location holds no credentials"),
        (&["sync", &tree, endpoint], 2, "https:// is not a scheme"),
        (&["sync", &tree, location, &unknown_option], 2, "--endpoint-url"),
    ];
    for (args, code, complaint) in runs {
        let ended = say(talkative(&scene, args), code).complains(complaint);
        assert!(!ended.stderr.contains("word/in"), "{}", ended.stderr);
    }
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
        let mut command = talkative(&scene, &["sync", &tree, "s3://bucket"]);
        command.env(variable, endpoint);
        say(command, 1).complains("without a user, a password");
    }
}
