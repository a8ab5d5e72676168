//! Set-ups that are wrong: each is told with what to do, and what can be put right is.

mod endpoints;
mod regions;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Ended, Files, Reply, Scene, Scripted};

/// A scene whose tree and bucket hold the same files, and nothing of them in the log.
fn in_step() -> Scene {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("one", b"1"), ("two", b"22"), ("sub/three", b"333")]));
    scene.sync(&scene.arg("tree"), &scene.url(""), []);
    scene.log().forget_requests();
    scene
}

#[test]
fn a_bucket_that_is_not_there_is_told_with_what_to_do() {
    let scene = in_step();
    let tree = scene.arg("tree");
    for args in [["sync", &tree, "s3://no-such-bucket"], ["sync", "s3://no-such-bucket", &tree]] {
        let ended = scene.brigade(args.iter().chain(&["--delete"])).exits(1).complains("s3://no-such-bucket");
        ended.complains("NoSuchBucket").complains("create the bucket first");
    }
    scene.log().assert_only_read();
    assert_eq!(scene.read("tree").count(), 3);
    scene.brigade(["ls", "s3://Not_a_Name"]).exits(1).complains("InvalidBucketName; check the bucket's name");
}

/// A sync that sends, replaces and deletes, while one operation is denied.
struct Denied {
    operation: &'static str,
    upwards: bool,
    permission: &'static str,
    /// The key that the refusal is about; `None` for the whole bucket.
    key: Option<&'static str>,
    code: i32,
}

#[test]
fn a_refusal_says_which_permission_is_missing_for_what() {
    let denied = |operation, upwards, permission, key, code| Denied { operation, upwards, permission, key, code };
    let table = [
        denied("ListObjectsV2", true, "s3:ListBucket", None, 1),
        denied("ListObjectsV2", false, "s3:ListBucket", None, 1),
        denied("PutObject", true, "s3:PutObject", Some("new/file"), 3),
        denied("CreateMultipartUpload", true, "s3:PutObject", Some("large"), 3),
        denied("UploadPart", true, "s3:PutObject", Some("large"), 3),
        denied("CompleteMultipartUpload", true, "s3:PutObject", Some("large"), 3),
        denied("GetObject", false, "s3:GetObject", Some("sub/three"), 3),
        denied("DeleteObject", true, "s3:DeleteObject", Some("sub/three"), 3),
        denied("DeleteObjects", true, "s3:DeleteObject", Some("sub/three"), 3),
        // It looks whether what is to be deleted is gone at the source. A HEAD has no body to say why it is refused.
        denied("HeadObject", false, "s3:GetObject", Some("new/file"), 3),
    ];
    let scene = in_step();
    let mut new = Files::new([("new/file", b"new"), ("one", b"1")]);
    new.put("large", vec![7; 17 << 20]);
    for Denied { operation, upwards, permission, key, code } in &table {
        let url = scene.url(&format!("{operation}-{upwards}"));
        scene.sync(&scene.arg("tree"), &url, []);
        scene.write("new", &new);
        scene.log().refuse_all(operation);
        let (source, dest) = if *upwards { (scene.arg("new"), url) } else { (url, scene.arg("new")) };
        // Objects are deleted together where the provider is known to have that.
        let provider: &[&str] = if *operation == "DeleteObjects" { &["--provider", "brigade-dev"] } else { &[] };
        let args = ["sync", &source, &dest, "--delete"];
        let ended = scene.brigade(args.iter().chain(provider)).exits(*code);
        scene.log().heal();
        let place = if key.is_some() { "for this key of the bucket" } else { "for the bucket" };
        let wanted = [
            &format!("{operation} was answered 403"),
            key.unwrap_or("could not list"),
            &format!("the credentials need {permission} {place} {}", scene.bucket),
            "allow it in their policy or the bucket's",
        ];
        let is_told = |line: &str| wanted.iter().all(|part| line.contains(part));
        assert!(ended.stderr.lines().any(is_told), "{wanted:?} are not in a line of\n{}", ended.stderr);
        if !upwards {
            assert!(new.0.keys().all(|key| scene.path("new").join(key).exists()), "{operation}: something was deleted");
        }
    }
    let stored = scene.stored("");
    for Denied { operation, upwards, .. } in &table {
        for key in ["one", "two", "sub/three"] {
            assert!(stored.0.contains_key(&format!("{operation}-{upwards}/{key}")), "{operation}: {key} was deleted");
        }
    }
}

#[test]
fn an_upload_whose_parts_may_not_be_removed_says_which_permission_is_missing() {
    let scene = in_step();
    scene.write("new", &Files::new([("large", &vec![7; 17 << 20])]));
    scene.log().refuse_all("UploadPart");
    scene.log().refuse_all("AbortMultipartUpload");
    let ended = scene.brigade(["sync", &scene.arg("new"), &scene.url(""), "--no-ledger"]).exits(3);
    ended.complains("the credentials need s3:AbortMultipartUpload for this key of the bucket");
}

#[test]
fn a_wrong_region_is_followed_once_and_remembered() {
    let scene = in_step();
    scene.log().terms().be_in("eu-west-1");
    let mut new = Files::default();
    for number in 0..20 {
        new.put(&format!("new-{number}"), "x");
    }
    scene.write("new", &new);
    scene.sync(&scene.arg("new"), &scene.url(""), []).counts([("created", 20), ("extra", 3)]);
    assert_eq!(scene.log().refused(), 1, "one request finds out");
    scene.log().heal();
    assert_eq!(scene.stored("").count(), 23);
}

#[test]
fn a_clock_that_is_an_hour_off_is_corrected() {
    for seconds in [3600, -3600] {
        let scene = in_step();
        scene.log().terms().set_clock_ahead(seconds);
        scene.write("new", &Files::new([("a", b"1"), ("b", b"2"), ("c", b"3"), ("one", b"1")]));
        let summary = scene.sync(&scene.arg("new"), &scene.url(""), ["--delete"]);
        summary.counts([("created", 3), ("deleted", 2), ("in_step", 1)]);
        assert_eq!(scene.log().refused(), 1, "one request finds out");
        scene.sync(&scene.url(""), &scene.arg("copy"), []).counts([("created", 4)]);
        assert_eq!(scene.log().refused(), 2);
        scene.read("copy").assert_are(&scene.read("new"));
    }
}

#[test]
fn expired_credentials_are_told_with_what_to_do() {
    let scene = in_step();
    scene.log().terms().expire("old");
    let mut command = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url(""), "-vvv"]);
    command.env("AWS_SESSION_TOKEN", "old");
    let ended = Ended::of(command).exits(1).complains("ExpiredToken");
    ended.complains("the credentials have expired: log in again, or set new ones");
    assert_eq!(scene.log().requests(), scene.log().refused());
    assert!(scene.log().requests() <= 2);
}

#[test]
fn wrong_credentials_are_told_with_which_one_to_check() {
    let scene = in_step();
    scene.put("extra", b"only in the bucket");
    let table = [
        ("AWS_SECRET_ACCESS_KEY", "SignatureDoesNotMatch", "check the secret access key"),
        ("AWS_ACCESS_KEY_ID", "InvalidAccessKeyId", "check the access key id, and that it belongs to this endpoint"),
    ];
    let (tree, url) = (scene.arg("tree"), scene.url(""));
    scene.log().forget_requests();
    for (variable, code, advice) in table {
        for (source, dest) in [(&tree, &url), (&url, &tree)] {
            let mut command = scene.brigade_command(["sync", source, dest, "--delete"]);
            command.env(variable, "not-the-right-one");
            Ended::of(command).exits(1).complains(code).complains(advice).complains(&url);
        }
    }
    assert_eq!((scene.log().requests(), scene.log().refused()), (4, 4), "no other one is tried");
    assert_eq!((scene.stored("").count(), scene.read("tree").count()), (4, 3));
}

/// A program that gives the session `old` the first time, and then `new`.
fn credential_process(scene: &Scene) {
    let account = &scene.server.credentials;
    let script = format!(
        "#!/bin/sh\ntoken=new; [ -e {counter} ] || token=old\necho x >>{counter}\n\
         echo '{{\"Version\": 1, \"AccessKeyId\": \"{id}\", \"SecretAccessKey\": \"{secret}\", \"SessionToken\": \"'$token'\", \
         \"Expiration\": \"2099-01-01T00:00:00Z\"}}'\n",
        counter = scene.arg("counter"),
        id = account.access_key_id,
        secret = account.secret_access_key
    );
    std::fs::write(scene.path("process"), script).unwrap();
    std::fs::set_permissions(scene.path("process"), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(scene.path("config"), format!("[default]\ncredential_process = {}\n", scene.arg("process")))
        .unwrap();
}

#[test]
fn expired_credentials_are_replaced_once_where_they_can_be() {
    let scene = in_step();
    scene.log().terms().expire("old");
    credential_process(&scene);
    scene.write("new", &Files::new([("a", b"1"), ("b", b"2"), ("c", b"3")]));
    let mut command = without_credentials(scene.brigade_command(["sync", &scene.arg("new"), &scene.url("")]));
    command.env("AWS_CONFIG_FILE", scene.path("config"));
    Ended::of(command).exits(0);
    assert_eq!(scene.log().refused(), 1);
    assert_eq!(std::fs::read_to_string(scene.path("counter")).unwrap().lines().count(), 2);
    assert_eq!(scene.stored("").count(), 6);
}

/// The command, with nothing set that credentials could come from, but a metadata service.
fn without_credentials(mut command: Command) -> Command {
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"] {
        command.env_remove(name);
    }
    command
}

/// The limit is two seconds; the rest is for a machine that is busy with other tests. Without a limit it would be ten
/// seconds and more.
#[test]
fn without_credentials_no_metadata_service_is_waited_for() {
    let scene = in_step();
    let silent = Scripted::start(|_| Reply::Silence);
    // An address of no host (https://www.rfc-editor.org/rfc/rfc5737), and whatever is at the usual one.
    let nowhere = Some("http://192.0.2.1");
    let endpoint = silent.server().endpoint;
    let silence = Some(endpoint.as_str());
    for (machine, container) in [(silence, None), (silence, silence), (nowhere, None), (None, None)] {
        let mut command = without_credentials(scene.brigade_command(["ls", &scene.url("")]));
        machine.map(|endpoint| command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint));
        container.map(|url| command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url));
        let start = Instant::now();
        let ended = Ended::of(command).exits(1).complains("no credentials were found");
        assert!(start.elapsed() < Duration::from_secs(5), "{machine:?}, {container:?}: {:?}", start.elapsed());
        let ended = ended.complains("AWS_ACCESS_KEY_ID").complains("--profile").complains("--no-sign-request");
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
    assert!(silent.asked().len() >= 2, "it was asked: {:?}", silent.asked());
    assert_eq!(scene.log().requests(), 0);
}

#[test]
fn places_that_lie_in_each_other_are_refused() {
    let scene = in_step();
    symlink(scene.path("tree"), scene.path("link")).unwrap();
    let [tree, link] = [scene.arg("tree"), scene.arg("link")];
    let below = |place: &str, rest: &str| format!("{place}/{rest}");
    let bucket = scene.url("");
    let table = [
        (tree.clone(), tree.clone()),
        (tree.clone(), below(&tree, "")),
        (tree.clone(), below(&tree, ".")),
        (tree.clone(), below(&tree, "sub")),
        (tree.clone(), below(&tree, "not/there/yet")),
        (below(&tree, "sub"), tree.clone()),
        (tree.clone(), below(&tree, "../tree")),
        (tree.clone(), below(&tree, "sub/../new")),
        (tree.clone(), link.clone()),
        (below(&link, "sub"), tree.clone()),
        (tree.clone(), below(&link, "new")),
        ("tree".to_owned(), tree.clone()),
        (bucket.clone(), bucket.clone()),
        (bucket.clone(), below(&bucket, "")),
        (bucket.clone(), scene.url("p")),
        (scene.url("p/"), bucket.clone()),
        (scene.url("p"), scene.url("p/q/")),
        (scene.url("p"), scene.url("p//")),
    ];
    for (source, dest) in table {
        let ended = scene.brigade(["sync", &source, &dest, "--delete"]).exits(2);
        ended.complains(&format!("{source} and {dest} ")).complains("would read what it writes");
        scene.brigade(["check", &source, &dest]).exits(2).complains(&format!("{source} and {dest} overlap"));
    }
    assert_eq!(scene.log().requests(), 0);
    for (source, dest) in [(tree.clone(), below(&tree, "../other")), (scene.url("sub"), scene.url("subs"))] {
        let ended = scene.brigade(["sync", &source, &dest, "--dry-run"]).exits(0);
        assert!(!ended.stderr.contains("would read what it writes"), "{}", ended.stderr);
    }
    assert_eq!(scene.read("tree").count(), 3);
}

#[test]
fn a_typo_is_answered_with_what_was_likely_meant() {
    let scene = in_step();
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    let table: [(&[&str], &str); 13] = [
        (&["sycn", &tree, &bucket], "sync"),
        (&["list", &bucket], "ls"),
        (&["sync", &tree, &bucket, "--delet"], "--delete"),
        (&["sync", &tree, &bucket, "--dryrun"], "--dry-run"),
        (&["sync", &tree, &bucket, "--endpoint", "http://host"], "--endpoint-url"),
        (&["sync", &tree, &bucket, "--exlude", "x"], "--exclude"),
        (&["ls", &bucket, "--recursiv"], "--recursive"),
        (&["sync", &tree, &bucket, "--compare", "checksums"], "checksum"),
        (&["sync", &tree, &bucket, "--provider", "mino"], "minio"),
        (&["sync", &tree, &bucket, "--output", "jsn"], "json"),
        (&["sync", &tree, &bucket, "--memory", "1GX"], "with K, M, G or T"),
        (&["sync", &tree, &bucket, "--delete", "--max-delete", "10pc"], "from 0% to 100%"),
        (&["sync", &tree, "s3:/bucket"], "s3://bucket"),
    ];
    for (args, meant) in table {
        let ended = scene.brigade(args).exits(2).complains(meant);
        assert!(ended.stdout.is_empty(), "{args:?}");
    }
    assert_eq!(scene.log().requests(), 0);
}
