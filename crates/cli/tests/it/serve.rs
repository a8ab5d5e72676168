//! `brigade serve`: any S3 client can use it, with what it prints.

use std::process::Command;

use crate::harness::{Credentials, Ended, Server, serve, tool};

fn aws<'a>(server: &Server, args: impl IntoIterator<Item = &'a str>) -> Ended {
    let mut command = Command::new(tool("aws"));
    server.configure(&mut command);
    command.args(args);
    Ended::of(command)
}

#[test]
fn what_it_prints_is_all_that_another_client_needs() {
    let scratch = tempfile::tempdir().unwrap();
    let (running, server) = serve(scratch.path(), &[]);
    aws(&server, ["s3", "mb", "s3://bucket"]).exits(0);
    let file = scratch.path().join("file");
    std::fs::write(&file, "content").unwrap();
    aws(&server, ["s3", "cp", "--quiet", file.to_str().unwrap(), "s3://bucket/a//b"]).exits(0);
    drop(running);

    let (_running, server) = serve(scratch.path(), &[]);
    let content = aws(&server, ["s3", "cp", "s3://bucket/a//b", "-"]).exits(0).stdout;
    assert_eq!(content, "content", "objects survive a restart");

    let wrong = Credentials { secret_access_key: "wrong".into(), ..server.credentials.clone() };
    let stranger = Server { credentials: wrong, ..server };
    let ended = aws(&stranger, ["s3", "ls", "s3://bucket"]);
    assert_ne!(ended.code, Some(0));
    ended.complains("SignatureDoesNotMatch");
}

#[test]
fn a_bucket_stays_in_the_region_that_it_was_made_in() {
    let scratch = tempfile::tempdir().unwrap();
    let (running, server) = serve(scratch.path(), &["here"]);
    let bucket = ["--bucket", "there"];
    let made = ["s3api", "create-bucket", "--create-bucket-configuration", "LocationConstraint=eu-west-1"];
    aws(&server, [&made[..], &bucket].concat()).exits(0);
    // What is said of it later leaves that as it is.
    let keeping = ["s3api", "put-bucket-versioning", "--versioning-configuration", "Status=Enabled"];
    aws(&server, [&keeping[..], &bucket].concat()).exits(0);
    drop(running);
    let (_running, server) = serve(scratch.path(), &[]);
    for (bucket, region) in [("there", "\"eu-west-1\""), ("here", "null")] {
        let said = aws(&server, ["s3api", "get-bucket-location", "--bucket", bucket]).exits(0).stdout;
        assert!(said.contains(region), "{bucket}: {said}");
    }
}

#[test]
fn buckets_are_there_from_the_start_if_asked_for() {
    let scratch = tempfile::tempdir().unwrap();
    for buckets in [&["one", "two"][..], &["two"]] {
        let (_running, server) = serve(scratch.path(), buckets);
        let listed = aws(&server, ["s3", "ls"]).exits(0).stdout;
        assert_eq!(listed.lines().map(|line| line.rsplit(' ').next().unwrap()).collect::<Vec<_>>(), ["one", "two"]);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_brigade"));
    command.env_clear().arg("serve").arg(scratch.path()).args(["--listen=127.0.0.1:0", "--bucket=Not/One"]);
    Ended::of(command).exits(1).complains("Not/One");
}

#[test]
fn a_directory_that_another_server_uses_is_left_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let (_running, server) = serve(scratch.path(), &["one"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_brigade"));
    command.env_clear().arg("serve").arg(scratch.path()).arg("--listen=127.0.0.1:0");
    Ended::of(command).exits(1).complains("another server uses");
    assert!(aws(&server, ["s3", "ls"]).exits(0).stdout.contains("one"));
}

#[test]
fn it_ends_when_it_is_asked_to() {
    let scratch = tempfile::tempdir().unwrap();
    let (running, _) = serve(scratch.path(), &[]);
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
    assert_eq!(running.wait(), Some(0));
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brigade"));
    command.env_clear().args(["serve", "/no/such/directory", "--listen", "127.0.0.1:0"]);
    Ended::of(command).exits(1).complains("/no/such/directory");
}
