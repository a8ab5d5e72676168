//! `brigade cat`: an object's content, of one version and verified.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{Action, Asked, Ended, Occurrence, Reply, Scene, content, on_both_servers};

/// What was written, byte by byte: it needn't be text.
fn written(scene: &Scene, args: &[&str]) -> (Option<i32>, Vec<u8>, String) {
    let output = scene.brigade_command(["cat"].iter().chain(args)).output().unwrap();
    (output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap())
}

on_both_servers! {
    fn all_of_it_is_written_as_it_is(scene) {
        let large = content(40 << 20);
        for (key, body) in [("d/small", &b"\xff\x00\x1b[2J\n"[..]), ("large", &large), ("empty", b"")] {
            scene.put(key, body);
            let (code, out, err) = written(&scene, &[&scene.url(key)]);
            assert_eq!((code, out.len(), err.as_str()), (Some(0), body.len(), ""), "{key}");
            assert!(out == body, "{key}");
        }
        for (range, wanted) in [("0-99", 0..100), ("41943000-", 41_943_000..large.len()), ("-7", large.len() - 7..large.len())] {
            let (code, out, err) = written(&scene, &[&scene.url("large"), "--range", range]);
            assert_eq!((code, err.as_str()), (Some(0), ""), "{range}");
            assert!(out == large[wanted], "{range}");
        }
        scene.brigade(["cat", &scene.url("empty"), "--range", "0-"]).exits(1).complains("it has 0 bytes, and none of those");
        scene.brigade(["cat", &scene.url("none")]).exits(1).complains("there is no such object");
    }

    fn a_version_is_written_as_it_was(scene) {
        scene.set_versioning("Enabled");
        scene.put("k", b"first");
        let head = scene.aws(["s3api", "head-object", "--bucket", &scene.bucket, "--key", "k"]);
        let head: Value = serde_json::from_str(&head).unwrap();
        let id = head["VersionId"].as_str().unwrap();
        scene.put("k", b"second");
        assert_eq!(written(&scene, &[&scene.url("k"), "--version-id", id]).1, b"first");
        assert_eq!(written(&scene, &[&scene.url("k")]).1, b"second");
    }
}

#[test]
fn a_delete_marker_is_no_object() {
    let scene = Scene::embedded();
    scene.set_versioning("Enabled");
    scene.put("k", b"content");
    let deleted = scene.aws(["s3api", "delete-object", "--bucket", &scene.bucket, "--key", "k"]);
    let deleted: Value = serde_json::from_str(&deleted).unwrap();
    let marker = deleted["VersionId"].as_str().unwrap();
    let ended = scene.brigade(["cat", &scene.url("k"), "--version-id", marker]).exits(1);
    ended.complains("this version is a delete marker, and no object; `brigade versions` lists");
    let chosen = format!("k={marker}");
    let ended = scene.brigade(["restore", &scene.url(""), &scene.arg("back"), "--version-of", &chosen]).exits(1);
    ended.complains(&format!("version {marker} of k is a delete marker"));
    scene.brigade(["cat", &scene.url("k")]).exits(1).complains("there is no such object");
}

#[test]
fn what_is_replaced_meanwhile_is_not_mixed_in() {
    let scene = Scene::embedded();
    scene.put("k", &vec![1; 40 << 20]);
    scene.log().hold_the("GetObject", &[5]);
    let mut command = scene.brigade_command(["cat", &scene.url("k")]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = Vec::new();
    let mut stdout = child.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        stdout.read_to_end(&mut out).unwrap();
        out
    });
    scene.log().wait_for_number("GetObject", 5);
    scene.put("k", &vec![2; 40 << 20]);
    scene.log().release();
    let (out, mut stderr) = (reading.join().unwrap(), String::new());
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{stderr}");
    assert!(out.iter().all(|byte| *byte == 1) && out.len() < 40 << 20, "{} bytes", out.len());
    assert!(stderr.contains("somebody else wrote this key"), "{stderr}");
}

/// A server whose object is not what its own checksum says.
fn with_wrong_checksum(size: usize) -> Scene {
    Scene::scripted(move |asked: &Asked| {
        let headers = "ETag: \"an-etag\"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n\
                       x-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\nx-amz-checksum-type: FULL_OBJECT\r\n";
        if asked.method == "HEAD" {
            // The length that a body would have, and none.
            return Reply::Answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n{headers}\r\n").into_bytes());
        }
        let range = asked.header("range").map(|range| range.trim_start_matches("bytes=").to_owned());
        let Some((first, last)) = range.as_ref().and_then(|range| range.split_once('-')) else {
            return Reply::of("200 OK", headers, vec![7; size]);
        };
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        let part = format!("{headers}Content-Range: bytes {first}-{last}/{size}\r\n");
        Reply::of("206 Partial Content", &part, vec![7; last - first + 1])
    })
}

#[test]
fn what_is_not_what_it_should_be_is_no_success() {
    let large = with_wrong_checksum(20 << 20);
    let (code, out, err) = written(&large, &[&large.url("k")]);
    assert_eq!((code, out.len()), (Some(1), 20 << 20), "it is found out at the end: {err}");
    assert!(err.contains("its digest differs"), "{err}");
    let small = with_wrong_checksum(20);
    let (code, out, err) = written(&small, &[&small.url("k"), "--retries", "0"]);
    assert_eq!((code, out.len()), (Some(1), 0), "{err}");
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let scene = Scene::embedded();
    scene.put("k", &content(40 << 20));
    let mut command = scene.brigade_command(["cat", &scene.url("k")]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
    let full = Ended::of(scene.redirected(["cat", &scene.url("k")], ">/dev/full"));
    let full = full.exits(1).complains("results are missing there");
    assert!(!full.stderr.contains("warning:"), "it says nothing of the service: {}", full.stderr);
}

#[test]
fn it_can_be_stopped_while_nobody_reads() {
    let scene = Scene::embedded();
    scene.put("k", &content(40 << 20));
    let mut command = scene.brigade_command(["cat", &scene.url("k")]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    // More than a pipe holds has come, and nobody takes it.
    scene.log().wait_for_number("GetObject", 2);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn what_is_refused_is_told() {
    let scene = Scene::embedded();
    scene.put("k", b"content");
    scene.log().befall(Action::status(403, "AccessDenied"), "GetObject", Occurrence::Nth(1));
    scene.brigade(["cat", &scene.url("k")]).exits(1).complains("s3:GetObject");
}
