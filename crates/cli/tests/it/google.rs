//! Google Cloud Storage, as the embedded server is it: strict about its names, its guards and its signatures.

mod beside_sync;

use std::process::Command;

use crate::harness::{Action, Ended, Files, Occurrence, Scene, TlsFront, long_ago, set_modified};

/// More than is sent in one request.
const IN_PARTS: usize = (16 << 20) + 1;

/// The bucket, as Google's.
fn url(scene: &Scene, prefix: &str) -> String {
    scene.url(prefix).replacen("s3://", "gs://", 1)
}

/// `brigade ARGS` with the HMAC key, towards the server.
fn command(scene: &Scene, args: &[&str]) -> Command {
    let server = scene.log().google();
    let mut command = scene.brigade_command(args);
    command.args(["--endpoint-url", &server.endpoint]);
    command.env("AWS_ACCESS_KEY_ID", &server.credentials.access_key_id);
    command.env("AWS_SECRET_ACCESS_KEY", &server.credentials.secret_access_key);
    command
}

fn sync(scene: &Scene, source: &str, dest: &str, more: &[&str]) -> Command {
    let args: Vec<&str> = ["sync", source, dest, "--output", "json"].into_iter().chain(more.iter().copied()).collect();
    command(scene, &args)
}

#[test]
fn a_tree_goes_up_and_comes_down_and_no_second_run_has_anything_to_do() {
    let scene = Scene::google();
    let files = Files::troublesome();
    scene.write("tree", &files);
    let (tree, bucket, back) = (scene.arg("tree"), url(&scene, "p"), scene.arg("back"));
    set_modified(&scene.path("tree/a0"), long_ago());
    Ended::of(sync(&scene, &tree, &bucket, &[])).exits(0).summary().counts([("created", files.count())]);
    for change in scene.log().changes() {
        // Google takes no condition on what completes an upload: it is looked at just before.
        assert!(change.if_absent || change.key == "p/large.bin", "{change:?}");
    }
    let again = Ended::of(sync(&scene, &tree, &bucket, &[])).exits(0).summary();
    again.counts([("in_step", files.count())]);
    again.changed_nothing();
    // Without what the ledger knows, too.
    for compare in ["mtime", "checksum"] {
        let fresh = Ended::of(sync(&scene, &tree, &bucket, &["--no-ledger", "--compare", compare])).exits(0).summary();
        fresh.counts([("in_step", files.count())]);
    }

    Ended::of(sync(&scene, &bucket, &back, &[])).exits(0).summary().counts([("created", files.count())]);
    assert!(scene.read("back") == files);
    assert_eq!(std::fs::metadata(scene.path("back/a0")).unwrap().modified().unwrap(), long_ago());
    Ended::of(sync(&scene, &bucket, &back, &[])).exits(0).summary().counts([("in_step", files.count())]);
    assert_eq!(scene.uploads(), 0, "parts were left behind");
}

#[test]
fn what_is_replaced_and_deleted_is_guarded_by_its_generation() {
    let scene = Scene::google();
    let files = Files::new([("a", b"a"), ("b", b"b"), ("d/c", b"c")]);
    scene.write("tree", &files);
    let (tree, bucket) = (scene.arg("tree"), url(&scene, ""));
    Ended::of(sync(&scene, &tree, &bucket, &[])).exits(0);
    let mut fewer = files;
    fewer.take("d/c");
    fewer.put("a", "another");
    scene.write("tree", &fewer);
    scene.log().forget_requests();
    let summary = Ended::of(sync(&scene, &tree, &bucket, &["--delete"])).exits(0).summary();
    summary.counts([("in_step", 1), ("replaced", 1), ("deleted", 1)]);
    let changes = scene.log().changes();
    assert_eq!(changes.len(), 2);
    assert!(changes.iter().all(|change| change.if_generation.is_some()), "{changes:?}");
    assert_eq!(scene.log().received("DeleteObjects"), 0, "it takes no conditions at Google");
    assert_eq!(scene.objects()["a"], b"another");
}

/// Syncs, and does this when the first request of the operation has come.
fn sync_while(scene: &Scene, places: [&str; 2], operation: &str, meanwhile: impl FnOnce()) -> Ended {
    scene.log().forget_requests();
    scene.log().hold_the(operation, &[1]);
    Ended::of_while(sync(scene, places[0], places[1], &["--delete", "--compare", "size"]), || {
        scene.log().wait_for_number(operation, 1);
        meanwhile();
        scene.log().heal();
    })
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_overwritten() {
    let table = [
        ("created", 9, None, "PutObject"),
        ("replaced", 9, Some("older"), "PutObject"),
        ("created in parts", IN_PARTS, None, "UploadPart"),
        ("replaced in parts", IN_PARTS, Some("older"), "UploadPart"),
    ];
    for (what, size, before, operation) in table {
        let scene = Scene::google();
        let theirs = vec![2; size];
        let mut tree = Files::default();
        tree.put("k", vec![1; size]);
        scene.write("tree", &tree);
        if let Some(before) = before {
            scene.put_exactly("k", before.as_bytes());
        }
        let (tree, bucket) = (scene.arg("tree"), url(&scene, ""));
        let ended = sync_while(&scene, [&tree, &bucket], operation, || scene.put_exactly("k", &theirs)).exits(3);
        ended.complains_of("k", "somebody else wrote this key since it was listed");
        assert!(scene.objects()["k"] == theirs, "{what}: somebody else's version was overwritten");
        assert_eq!(scene.uploads(), 0, "{what}: parts were left behind");
        let again = ["--compare", "checksum"];
        Ended::of(sync(&scene, &tree, &bucket, &again)).exits(0).summary().counts([("replaced", 1)]);
    }
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_deleted() {
    let scene = Scene::google();
    scene.write("tree", &Files::new([("a", b"a")]));
    for key in ["a", "extra"] {
        scene.put_exactly(key, key.as_bytes());
    }
    let (tree, bucket) = (scene.arg("tree"), url(&scene, ""));
    Ended::of(sync(&scene, &tree, &bucket, &["--compare", "size"])).exits(0);
    sync_while(&scene, [&tree, &bucket], "DeleteObject", || scene.put_exactly("extra", b"newer")).exits(3);
    assert_eq!(scene.objects()["extra"], b"newer");
}

#[test]
fn an_object_that_is_replaced_while_it_is_brought_is_brought_as_it_is_now() {
    for size in [9, IN_PARTS] {
        let scene = Scene::google();
        scene.put_exactly("k", &vec![1; size]);
        let (bucket, tree) = (url(&scene, ""), scene.arg("tree"));
        let ended = sync_while(&scene, [&bucket, &tree], "GetObject", || scene.put_exactly("k", &vec![2; size]));
        ended.exits(0).summary().counts([("created", 1)]);
        assert!(scene.read("tree").0["k"] == vec![2; size]);
    }
}

#[test]
fn a_copy_is_made_by_the_service_of_the_generation_that_was_listed() {
    let scene = Scene::google();
    scene.write("tree", &Files::new([("a", b"a"), ("b", b"bb")]));
    let (tree, here, there) = (scene.arg("tree"), url(&scene, "here"), url(&scene, "there"));
    Ended::of(sync(&scene, &tree, &here, &[])).exits(0);
    for (there, more) in [(&there, &[][..]), (&url(&scene, "untagged"), &["--ignore-tags"])] {
        let summary = Ended::of(sync(&scene, &here, there, more)).exits(0).summary();
        summary.counts([("created", 2)]);
        assert_eq!((summary.requests("CopyObject"), summary.requests("GetObject")), (2, 0), "{more:?}");
    }
    Ended::of(sync(&scene, &here, &there, &[])).exits(0).summary().counts([("in_step", 2)]);

    scene.put_exactly("here/a", b"newer");
    let meanwhile = || scene.put_exactly("here/a", b"newest");
    sync_while(&scene, [&here, &there], "CopyObject", meanwhile).exits(0);
    assert_eq!(scene.objects()["there/a"], b"newest");
}

#[test]
fn what_was_uploaded_in_parts_is_compared_by_its_crc32c() {
    let scene = Scene::google();
    scene.write("tree", &Files::new([("large", &vec![3; IN_PARTS])]));
    let (tree, bucket, copy) = (scene.arg("tree"), url(&scene, "one"), url(&scene, "two"));
    let by_content = |source: &str, dest: &str| {
        Ended::of(sync(&scene, source, dest, &["--no-ledger", "--compare", "checksum"])).exits(0).summary()
    };
    by_content(&tree, &bucket).counts([("created", 1)]);
    by_content(&tree, &bucket).counts([("in_step", 1)]);
    by_content(&bucket, &copy).counts([("created", 1)]);
    by_content(&bucket, &copy).counts([("in_step", 1)]);
    let checked =
        Ended::of(command(&scene, &["check", &tree, &bucket, "--trust-checksums", "--output", "json"])).exits(0);
    assert!(checked.stdout.contains(r#""digest":"crc32c""#), "{}", checked.stdout);

    scene.write("tree", &Files::new([("large", &vec![4; IN_PARTS])]));
    set_modified(&scene.path("tree/large"), long_ago());
    by_content(&tree, &bucket).counts([("replaced", 1)]);
    by_content(&bucket, &copy).counts([("replaced", 1)]);
}

/// Nothing of its parts' MD5s is told there, and the upload is gone.
#[test]
fn an_upload_whose_last_answer_was_lost_is_known_again_by_its_crc32c() {
    let scene = Scene::google();
    let files = Files::new([("large", &vec![3; IN_PARTS])]);
    scene.write("tree", &files);
    scene.log().befall(Action::ApplyThenReset, "CompleteMultipartUpload", Occurrence::Nth(1));
    let (tree, bucket) = (scene.arg("tree"), url(&scene, ""));
    let summary = Ended::of(sync(&scene, &tree, &bucket, &[])).exits(0).summary();
    summary.counts([("created", 1)]);
    assert_eq!(summary.requests("CompleteMultipartUpload"), 1, "a look found it before it was sent again");
    assert!(scene.objects()["large"] == files.0["large"]);
}

/// Its ETag is no MD5, and each range comes without a digest.
#[test]
fn what_was_uploaded_in_parts_is_verified_by_its_crc32c_as_it_comes_down() {
    let scene = Scene::google();
    let files = Files::new([("large", &vec![3; IN_PARTS])]);
    scene.write("tree", &files);
    let (tree, bucket, back) = (scene.arg("tree"), url(&scene, ""), scene.arg("back"));
    Ended::of(sync(&scene, &tree, &bucket, &[])).exits(0);
    scene.log().befall(Action::FlippedByte, "GetObject", Occurrence::Every);
    let failed = Ended::of(sync(&scene, &bucket, &back, &["--retries", "1"])).exits(3);
    assert!(failed.stdout.contains("the digest of what was written is not the one expected"), "{}", failed.stdout);
    assert_eq!(scene.read("back").count(), 0);
    let shown = command(&scene, &["cat", &url(&scene, "large")]).output().unwrap();
    let complaint = String::from_utf8(shown.stderr).unwrap();
    assert!(shown.status.code() == Some(1) && complaint.contains("its digest differs"), "{complaint}");
    scene.log().heal();
    let summary = Ended::of(sync(&scene, &bucket, &back, &[])).exits(0).summary();
    summary.counts([("created", 1)]);
    assert_eq!(summary.unverified(), 0);
    scene.read("back").assert_are(&files);
}

#[test]
fn from_google_to_s3_and_back_it_goes_through() {
    let scene = Scene::google();
    let mut others = Files::new([("a", b"a"), ("d/b", b"bb")]);
    others.put("large", vec![3; IN_PARTS]);
    scene.write("tree", &others);
    let (tree, at_google, at_s3) = (scene.arg("tree"), url(&scene, "one"), scene.url("two"));
    Ended::of(sync(&scene, &tree, &at_google, &[])).exits(0);
    // As large, and written with one request: it has an MD5, too.
    others.put("whole", vec![4; IN_PARTS]);
    scene.put_exactly_with_crc32c("one/whole", &others.0["whole"], "uygp8w==");
    let google = scene.log().google();
    let profile = format!(
        "[profile google]\nendpoint_url = {}\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        google.endpoint, google.credentials.access_key_id, google.credentials.secret_access_key
    );
    std::fs::write(scene.path("config"), profile).unwrap();
    let run = |args: &[&str]| {
        let mut command = scene.brigade_command(["sync", "--output", "json"].iter().chain(args));
        command.env("AWS_CONFIG_FILE", scene.path("config"));
        Ended::of(command)
    };
    let down = [&at_google, &at_s3, "--source-profile", "google"];
    // No range of what was uploaded in parts has a digest: all of it has.
    for key in ["one/large", "one/whole"] {
        scene.log().befall_key(Action::FlippedByte, "GetObject", key, Occurrence::Every);
    }
    let ended = run(&down).exits(3);
    for key in ["large", "whole"] {
        ended.complains_of(key, "the content's CRC32C is");
    }
    ended.summary().counts([("created", 2), ("failed", 2)]);
    scene.log().heal();
    let healed = run(&down).exits(0).summary();
    healed.counts([("created", 2), ("in_step", 2)]);
    assert_eq!(healed.unverified(), 0);
    run(&down).exits(0).summary().counts([("in_step", 4)]);
    let back = url(&scene, "three");
    let up = [&at_s3, &back, "--dest-profile", "google"];
    run(&up).exits(0).summary().counts([("created", 4)]);
    run(&up).exits(0).summary().counts([("in_step", 4)]);
    let objects = scene.objects();
    for (key, content) in &others.0 {
        assert!(objects[&format!("two/{key}")] == *content && objects[&format!("three/{key}")] == *content, "{key}");
    }

    // What Google has nothing like is not left out unasked.
    scene.put_saying("two/expiring", b"x", &["--expires", "2013-05-24T00:00:00Z"]);
    run(&up).exits(3).complains_of("expiring", "Google Cloud Storage has nothing like expires");
    scene.remove_exactly("two/expiring");
    scene.put_exactly("two/tagged", b"x");
    let tags = ["--key", "two/tagged", "--tagging", "TagSet=[{Key=a,Value=b}]"];
    scene.aws(["s3api", "put-object-tagging", "--bucket", &scene.bucket, tags[0], tags[1], tags[2], tags[3]]);
    run(&up).exits(3).complains_of("tagged", "Google Cloud Storage has nothing like x-amz-tagging");
    run(&[&up[..], &["--ignore-tags"]].concat()).exits(0).summary().counts([("created", 1), ("in_step", 4)]);
}

#[test]
fn a_bucket_is_shown_and_explained() {
    let scene = Scene::google();
    for key in ["a", "d/b"] {
        scene.put_exactly(key, b"x");
    }
    let shown = Ended::of(command(&scene, &["ls", &url(&scene, "")])).exits(0).stdout;
    assert!(shown.contains("a\n") && shown.contains("d/\n"), "{shown}");
    scene.write("tree", &Files::new([("a", b"x")]));
    let explained = ["explain", &scene.arg("tree"), &url(&scene, ""), &url(&scene, "a")];
    Ended::of(command(&scene, &explained)).exits(0);
}

#[test]
fn a_generation_is_shown_and_what_is_none_is_refused() {
    let scene = Scene::google();
    scene.put_exactly("k", b"content");
    let key = url(&scene, "k");
    let cat = |version: &str| Ended::of(command(&scene, &["cat", &key, "--version-id", version]));
    cat("null").exits(1).complains("\"null\" is no version here");
    cat("1").exits(1).complains("there is no such object");
}

#[test]
fn a_copy_at_google_can_be_checked() {
    let scene = Scene::google();
    let files = Files::troublesome();
    scene.write("tree", &files);
    let (tree, bucket) = (scene.arg("tree"), url(&scene, ""));
    Ended::of(sync(&scene, &tree, &bucket, &[])).exits(0);
    let check = || Ended::of(command(&scene, &["check", &tree, &bucket]));
    check().exits(0);
    scene.put_exactly("a0", b"the digit sorts after i!");
    let checked = check().exits(3);
    assert!(checked.stdout.contains("a0"), "{}", checked.stdout);
}

#[test]
fn who_pays_is_said_on_request() {
    let scene = Scene::google();
    scene.put_exactly("a", b"a");
    scene.log().google_terms().be_paid_by("payer");
    let (bucket, tree) = (url(&scene, ""), scene.arg("tree"));
    Ended::of(sync(&scene, &bucket, &tree, &[])).exits(1).complains("UserProjectMissing");
    let paid = |project: Option<&str>| {
        let mut command = sync(&scene, &bucket, &tree, &["--request-payer"]);
        project.map(|project| command.env("GOOGLE_CLOUD_PROJECT", project));
        Ended::of(command)
    };
    paid(None).exits(1).complains("GOOGLE_CLOUD_PROJECT");
    paid(Some("payer")).exits(0).summary().counts([("created", 1)]);
}

/// It speaks of AWS, and nobody named it.
#[test]
fn what_the_default_profile_says_of_certificates_is_left_alone() {
    let scene = Scene::google();
    scene.write("tree", &Files::new([("a", b"a")]));
    let front = TlsFront::before(&scene.log().google().endpoint);
    std::fs::write(scene.path("config"), "[default]\nca_bundle = /nowhere/aws.pem\n").unwrap();
    let (tree, bucket) = (scene.arg("tree"), url(&scene, ""));
    let mut command = sync(&scene, &tree, &bucket, &["--dest-endpoint-url", &front.url]);
    command.env("AWS_CONFIG_FILE", scene.path("config")).env("AWS_CA_BUNDLE", front.ca_bundle());
    Ended::of(command).exits(0).summary().counts([("created", 1)]);
}

#[test]
fn a_bucket_is_made_in_the_project() {
    let scene = Scene::google();
    scene.write("tree", &Files::new([("a", b"a")]));
    let mut command =
        sync(&scene, &scene.arg("tree"), "gs://new-bucket/p", &["--create-bucket", "--enable-versioning"]);
    command.env("GOOGLE_CLOUD_PROJECT", "project");
    Ended::of(command).exits(0).summary().counts([("created", 1)]);
    assert_eq!((scene.log().received("CreateBucket"), scene.log().received("PutBucketVersioning")), (2, 1));
}

#[test]
fn versions_that_google_keeps_are_neither_listed_nor_pruned() {
    let scene = Scene::google();
    let versioning = ["--versioning-configuration", "Status=Enabled"];
    scene.aws(["s3api", "put-bucket-versioning", "--bucket", &scene.bucket, versioning[0], versioning[1]]);
    scene.put_exactly("a", b"a");
    scene.put_exactly("a", b"newer");
    scene.log().forget_requests();
    // Whoever says `gs://` is told at once, and so is whoever names the provider.
    for url in [url(&scene, ""), scene.url("")] {
        let prune = ["prune", &url, "--older-than", "0s", "--provider", "gcs"];
        for args in [&prune[..], &["versions", &url, "--provider", "gcs"]] {
            Ended::of(command(&scene, args)).exits(2).complains("is at Google");
        }
    }
    assert_eq!(scene.log().requests(), 0);
    assert!(scene.objects().contains_key("a"));
}

#[test]
fn a_wrong_key_is_refused_and_nothing_is_done() {
    let scene = Scene::google();
    scene.write("tree", &Files::new([("a", b"a")]));
    let mut command = sync(&scene, &scene.arg("tree"), &url(&scene, ""), &[]);
    command.env("AWS_SECRET_ACCESS_KEY", "another secret");
    Ended::of(command).exits(1).complains("SignatureDoesNotMatch");
    assert!(scene.objects().is_empty());
}
