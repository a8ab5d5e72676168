//! `brigade check`: a copy made by others is proven good, what is planted in it is found, and nothing is changed.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{
    Action, Ended, Files, Occurrence, Running, Scene, on_both_servers, set_modified, wait_until_it_is_old,
};

impl Scene {
    fn check<'a>(&self, source: &'a str, dest: &'a str, args: impl IntoIterator<Item = &'a str>) -> Ended {
        self.brigade(["check", source, dest, "--output", "json"].into_iter().chain(args))
    }
}

/// What was found of each key.
fn results(ended: &Ended) -> BTreeMap<String, Value> {
    let checked = ended.events().into_iter().filter(|event| event["type"] == "checked");
    checked.map(|event| (event["key"].as_str().unwrap_or("no text").to_owned(), event)).collect()
}

#[track_caller]
fn counts<const N: usize>(ended: &Ended, expected: [(&str, u64); N]) {
    let summary = ended.summary().0;
    for (count, number) in expected {
        assert_eq!(summary[count], number, "{count} in {summary}");
    }
}

on_both_servers! {
    fn a_copy_made_by_others_is_proven_in_every_direction(scene) {
        let mut files = Files::troublesome();
        // Cut by aws in parts of 8 MiB.
        files.put("large", vec![7; 20 << 20]);
        scene.write("tree", &files);
        scene.rclone(["copy", &scene.arg("tree"), &scene.remote("one"), "--exclude", "/large"]);
        scene.aws(["s3", "cp", &scene.arg("tree/large"), &format!("s3://{}/one/large", scene.bucket)]);
        scene.rclone(["copy", &scene.arg("tree"), &scene.remote("two"), "--s3-chunk-size", "5M", "--s3-upload-cutoff", "6M"]);
        let (tree, one, two) = (scene.arg("tree"), scene.url("one"), scene.url("two"));
        scene.rclone(["copy", &scene.arg("tree"), &scene.arg("copy")]);
        let copy = scene.arg("copy");
        for (source, dest) in [(&tree, &one), (&one, &tree), (&one, &two), (&two, &one), (&tree, &copy)] {
            let ended = scene.check(source, dest, []).exits(0);
            counts(&ended, [("same", files.count()), ("comparable", files.count()), ("excluded", 0)]);
            assert_eq!(ended.summary().0["share"]["bad_at_most"], 0.0);
            let ended = scene.check(source, dest, ["--trust-checksums"]).exits(0);
            counts(&ended, [("same", files.count())]);
        }
        let down = results(&scene.check(&one, &tree, []));
        assert_eq!((&down["large"]["proof"], &down["large"]["digest"]), (&json!("read"), &json!("multipart_etag")));
    }

    fn what_is_planted_is_found_and_named(scene) {
        let mut files = Files::default();
        for number in 0..1200 {
            files.put(&format!("d{}/f{number:04}", number % 5), format!("content {number}"));
        }
        scene.write("tree", &files);
        scene.rclone(["copy", &scene.arg("tree"), &scene.remote("p"), "--transfers", "16"]);
        scene.write("copy", &files);
        // Of the same size: one byte is another.
        scene.put("p/d1/f0001", b"content I");
        fs::write(scene.path("copy/d1/f0001"), "content I").unwrap();
        scene.put("p/d2/f0002", b"longer");
        fs::write(scene.path("copy/d2/f0002"), "longer").unwrap();
        scene.put("p/extra", b"x");
        fs::write(scene.path("copy/extra"), "x").unwrap();
        scene.aws(["s3api", "delete-object", "--bucket", &scene.bucket, "--key", "p/d3/f0003"]);
        fs::remove_file(scene.path("copy/d3/f0003")).unwrap();
        let (tree, url, copy) = (scene.arg("tree"), scene.url("p"), scene.arg("copy"));
        for (source, dest) in [(&tree, &url), (&tree, &copy)] {
            let ended = scene.check(source, dest, ["--report", "report"]).exits(3);
            let found = results(&ended);
            assert_eq!(found["d1/f0001"]["result"], "content_differs");
            assert_eq!(found["d1/f0001"]["reason"], "the first byte that differs is number 9");
            assert_eq!(found["d2/f0002"]["result"], "size_differs");
            assert_eq!((&found["d2/f0002"]["source_size"], &found["d2/f0002"]["dest_size"]), (&json!(9), &json!(6)));
            assert_eq!((&found["d3/f0003"]["result"], &found["extra"]["result"]), (&json!("missing"), &json!("extra")));
            counts(&ended, [("same", 1197), ("missing", 1), ("extra", 1), ("size_differs", 1), ("content_differs", 1)]);
            // Every object, and the summary, is in the report too.
            assert_eq!(fs::read_to_string(scene.path("report")).unwrap(), ended.stdout);
            assert_eq!(found.len(), 1201);
        }
        let found = scene.brigade(["check", &url, &tree, "--exclude", "*f0001"]).exits(3).stdout;
        let mut named: Vec<&str> = found.lines().take_while(|line| !line.starts_with("compared")).collect();
        named.sort_unstable();
        assert_eq!(named, ["different: d2/f0002: 6 and 9 bytes", "extra: d3/f0003", "missing: extra"]);
    }
}

#[test]
fn it_only_reads_and_trusted_checksums_fetch_nothing() {
    let scene = Scene::embedded();
    let files = Files::troublesome();
    scene.write("tree", &files);
    for prefix in ["one", "two"] {
        scene.rclone(["copy", &scene.arg("tree"), &scene.remote(prefix)]);
    }
    let (tree, one, two) = (scene.arg("tree"), scene.url("one"), scene.url("two"));
    // What is longer than 16 MiB is read in ranges of 8 MiB, and what is empty not at all.
    let gets = |length: usize| if length > 16 << 20 { length.div_ceil(8 << 20) } else { length.min(1) };
    let all = files.0.values().map(|content| gets(content.len())).sum::<usize>() as u64;
    for (source, dest, options, fetched) in [
        (&tree, &one, &[][..], all),
        (&one, &two, &[], all),
        (&one, &tree, &[], 0),
        (&tree, &one, &["--trust-checksums"], 0),
        (&one, &two, &["--trust-checksums"], 0),
    ] {
        scene.log().forget_requests();
        scene.check(source, dest, options.iter().copied()).exits(0);
        assert_eq!(scene.log().received("GetObject"), fetched, "{source} {dest} {options:?}");
        scene.log().assert_only_read();
    }
    assert!(!scene.path(".local").exists(), "nothing is remembered that nobody asked for");
}

/// Bytes that are not what the service's own checksum says are a difference, not a failure to read.
#[test]
fn content_that_has_rotten_is_found_and_stored_checksums_hide_it() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("good", b"content"), ("rotten", b"CONTENT")]));
    scene.rclone(["copy", &scene.arg("tree"), &scene.remote("")]);
    let (tree, url) = (scene.arg("tree"), scene.url(""));
    let occurrence = || Occurrence::Every;
    scene.log().befall_key(Action::FlippedByte, "GetObject", "rotten", occurrence());
    let ended = scene.check(&tree, &url, ["--retries", "1"]).exits(3);
    let found = results(&ended);
    assert_eq!((&found["rotten"]["result"], &found["good"]["result"]), (&json!("content_differs"), &json!("same")));
    let reason = found["rotten"]["reason"].as_str().unwrap();
    assert!(reason.contains("sends is not what its own checksum says"), "{reason}");
    scene.check(&tree, &url, ["--trust-checksums"]).exits(0);
    // And where its checksums are wrong, which are no proof that the content is.
    scene.log().heal();
    for operation in ["HeadObject", "GetObject"] {
        scene.log().befall_key(Action::WrongDigests, operation, "rotten", occurrence());
    }
    let ended = scene.check(&tree, &url, ["--retries", "1"]);
    assert_ne!(results(&ended)["rotten"]["result"], "same");
    assert_ne!(ended.code, Some(0));
}

#[test]
fn what_cannot_be_read_is_named_and_exits_1_unless_something_differs() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("denied", b"1"), ("good", b"2")]));
    scene.rclone(["copy", &scene.arg("tree"), &scene.remote("p")]);
    let (tree, url) = (scene.arg("tree"), scene.url("p"));
    scene.log().refuse("GetObject", "p/denied");
    let ended = scene.check(&tree, &url, []).exits(1).complains("not checked: denied at the destination: ");
    counts(&ended, [("same", 1), ("unchecked", 1)]);
    assert_eq!(results(&ended)["denied"]["kind"], "denied");
    // It may be bad, as far as anybody knows.
    assert_eq!(ended.summary().0["share"]["bad_at_most"], 0.5);
    scene.write("tree", &Files::new([("new", b"3")]));
    scene.check(&tree, &url, []).exits(3);
    scene.log().refuse_all("ListObjectsV2");
    let ended = scene.check(&tree, &url, []).exits(1).complains("could not list");
    counts(&ended, [("missing", 0)]);
    scene.log().heal();
    scene.check(&scene.arg("nowhere"), &url, []).exits(1).complains("there is no such directory");
    scene.check(&url, &scene.arg("nowhere"), []).exits(1).complains("there is no such directory");
}

/// `copy/d` leads to `tree/d`: what is there would be compared with itself, and no copy is there.
#[test]
fn a_symlink_in_the_copy_is_no_copy() {
    let scene = Scene::embedded();
    let files = Files::new([("a", b"1"), ("d/x", b"2")]);
    scene.write("tree", &files);
    scene.write("copy", &Files::new([("a", b"1")]));
    let (tree, copy) = (scene.arg("tree"), scene.arg("copy"));
    std::os::unix::fs::symlink(scene.path("tree/d"), scene.path("copy/d")).unwrap();
    let ended = scene.check(&tree, &copy, []).exits(1);
    counts(&ended, [("same", 1), ("held", 1), ("skipped", 1), ("extra", 0)]);
    // Those of the source are followed, as in a sync.
    fs::remove_file(scene.path("copy/d")).unwrap();
    scene.write("copy", &files);
    std::os::unix::fs::symlink(scene.path("tree/d"), scene.path("tree/e")).unwrap();
    let ended = scene.check(&tree, &copy, []).exits(3);
    counts(&ended, [("same", 2), ("missing", 1)]);
}

#[test]
fn extra_objects_are_a_difference_unless_it_is_said_that_they_are_none() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("a", b"1")]));
    scene.rclone(["copy", &scene.arg("tree"), &scene.remote("p")]);
    scene.put("p/extra", b"2");
    let (tree, url) = (scene.arg("tree"), scene.url("p"));
    scene.check(&tree, &url, []).exits(3);
    counts(&scene.check(&tree, &url, ["--ignore-extra"]).exits(0), [("extra", 1), ("same", 1)]);
}

#[test]
fn metadata_is_compared_on_request() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("a.html", b"1"), ("b.html", b"2")]));
    for prefix in ["one", "two"] {
        scene.rclone(["copy", &scene.arg("tree"), &scene.remote(prefix)]);
    }
    let object = format!("s3://{}/two/b.html", scene.bucket);
    scene.aws(["s3", "cp", &scene.arg("tree/b.html"), &object, "--content-type", "text/plain"]);
    let (tree, one, two) = (scene.arg("tree"), scene.url("one"), scene.url("two"));
    scene.check(&one, &two, []).exits(0);
    let ended = scene.check(&one, &two, ["--metadata"]).exits(3);
    counts(&ended, [("same", 1), ("metadata_differs", 1)]);
    let headers = results(&ended)["b.html"]["headers"].clone();
    let types = headers.as_array().unwrap().iter().find(|header| header["header"] == "content-type").unwrap();
    assert!(types["source_value"].as_str().unwrap().starts_with("text/html"), "{headers}");
    assert_eq!(types["dest_value"], "text/plain");
    // rclone stores the time of a file, and aws doesn't.
    scene.check(&tree, &two, ["--metadata"]).exits(0);
    set_modified(&scene.path("tree/a.html"), std::time::UNIX_EPOCH);
    let ended = scene.check(&tree, &two, ["--metadata"]).exits(3);
    assert_eq!(results(&ended)["a.html"]["headers"][0]["header"], "x-amz-meta-mtime");
}

#[test]
fn a_sample_is_told_with_its_seed_and_what_it_says_of_the_rest() {
    let scene = Scene::embedded();
    let mut files = Files::default();
    (0..500).for_each(|number| files.put(&format!("{number:03}"), format!("{number:03}")));
    scene.write("tree", &files);
    scene.rclone(["copy", &scene.arg("tree"), &scene.remote(""), "--transfers", "16"]);
    let (tree, url) = (scene.arg("tree"), scene.url(""));
    let ended = scene.check(&tree, &url, ["--sample", "100"]).exits(0);
    counts(&ended, [("same", 100), ("sampled", 100), ("comparable", 500)]);
    let summary = ended.summary().0;
    let share = summary["share"]["bad_at_most"].as_f64().unwrap();
    assert!((share - 0.029_513_05).abs() < 1e-7, "{share}");
    let seed = summary["seed"].to_string();
    let again = scene.check(&tree, &url, ["--sample", "100", "--seed", &seed]);
    assert_eq!(results(&again).into_keys().collect::<Vec<_>>(), results(&ended).into_keys().collect::<Vec<_>>());
    let text = scene.brigade(["check", &tree, &url, "--sample", "100", "--confidence", "99"]).exits(0).stdout;
    let said = "With 99 % confidence at most 4.6 % of 500 objects at the source differ.\nNo difference was found.\n";
    assert!(text.ends_with(said), "{text}");
    let some = scene.check(&tree, &url, ["--percent", "20%"]).exits(0).summary().0["sampled"].as_u64().unwrap();
    assert!((40..=170).contains(&some), "{some}");
}

/// With `--since-last`, three checks of a third each have read everything, and a sync in between minds nothing.
#[test]
fn certainty_grows_every_day() {
    let scene = Scene::embedded();
    let mut files = Files::default();
    (0..90).for_each(|number| files.put(&format!("{number:02}"), format!("content {number}")));
    scene.write("tree", &files);
    let (tree, url) = (scene.arg("tree"), scene.url(""));
    wait_until_it_is_old(&scene.path("tree/89"));
    scene.sync(&tree, &url, []);
    let mut seen: Vec<String> = Vec::new();
    for earlier in [0, 30, 60] {
        let ended = scene.check(&tree, &url, ["--sample", "30", "--since-last"]).exits(0);
        counts(&ended, [("same", 30), ("checked_earlier", earlier)]);
        seen.extend(results(&ended).into_keys());
        let summary = scene.sync(&tree, &url, []);
        summary.counts([("in_step", 90)]);
        summary.changed_nothing();
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 90);
    let text = scene.brigade(["check", &tree, &url, "--sample", "1", "--since-last"]).exits(0).stdout;
    assert!(text.contains("found good by earlier checks, since 20"), "{text}");
    assert!(text.contains("Of 90 objects at the source none differs: all were verified; 89 of them were found good before, the oldest on 20"), "{text}");
    // Another one holds the ledger.
    let lock = ["--since-last", "--lock-file", "held"];
    scene.log().forget_requests();
    scene.log().hold("GetObject", "00");
    let running = Running::start(scene.brigade_command(["check", &tree, &url].iter().chain(&lock)));
    scene.log().wait_for("GetObject", "00");
    scene.check(&tree, &url, ["--since-last"]).exits(5).complains("holds the lock");
    scene.check(&tree, &url, ["--exclude", "00"]).exits(0);
    drop(running);
}

#[test]
fn an_interrupted_check_ends_within_two_seconds_and_claims_nothing() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("a", b"1"), ("b", b"2")]));
    scene.rclone(["copy", &scene.arg("tree"), &scene.remote("")]);
    scene.log().stall("GetObject", "b");
    let command = scene.brigade_command(["check", &scene.arg("tree"), &scene.url(""), "--output", "json"]);
    let ended = Ended::of_watched(command, |id| {
        scene.log().wait_for("GetObject", "b");
        assert!(Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap().success());
    });
    let ended = ended.exits(130);
    assert!(!results(&ended).contains_key("b"));
    assert!(ended.summary().0.get("share").is_none());
}

/// Under SSE-KMS and SSE-C an `ETag` is no MD5 of the content: equal contents have other ones, and are equal all the
/// same.
#[test]
fn what_is_encrypted_is_read_and_its_etag_not_believed() {
    let scene = Scene::embedded();
    let key = "k".repeat(32);
    fs::write(scene.path("key"), &key).unwrap();
    let kms = ["--server-side-encryption", "aws:kms"];
    let own = ["--sse-customer-algorithm", "AES256", "--sse-customer-key", &key];
    for (number, good) in [("1", b"good 1"), ("2", b"good 2"), ("3", b"good 3")] {
        scene.put_saying(&format!("kms/{number}"), good, &kms);
        scene.put_saying(&format!("own/{number}"), good, &own);
        scene.put(&format!("plain/{number}"), good);
    }
    let (kms_url, own_url, plain) = (scene.url("kms"), scene.url("own"), scene.url("plain"));
    let with_keys = |side: &'static str| [side, "key"];
    for (source, dest, options) in [
        (&kms_url, &plain, &[][..]),
        (&plain, &kms_url, &[]),
        (&kms_url, &own_url, &with_keys("--dest-sse-c-key")),
        (&own_url, &kms_url, &with_keys("--source-sse-c-key")),
    ] {
        for trust in [&[][..], &["--trust-checksums"]] {
            let ended = scene.check(source, dest, options.iter().chain(trust).copied()).exits(0);
            counts(&ended, [("same", 3)]);
        }
    }
    scene.put_saying("own/2", b"gooD 2", &own);
    let ended = scene.check(&kms_url, &own_url, with_keys("--dest-sse-c-key")).exits(3);
    assert_eq!(results(&ended)["2"]["reason"], "the first byte that differs is number 4");
    // Without the key, nothing can be said of it.
    let ended = scene.check(&kms_url, &own_url, []).exits(1);
    counts(&ended, [("unchecked", 3), ("content_differs", 0)]);
}
