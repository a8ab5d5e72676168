//! Reports of S3 Inventory in place of a listing of the source: made of what `aws` lists, compressed
//! by `gzip`, and older than what the bucket holds.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Action, Files, Occurrence, Scene, on_both_servers};

const SCHEMA: &str = "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass";

/// What makes the embedded server be trusted with conditions and the order of listings.
const TRUSTED: [&str; 2] = ["--provider", "brigade-dev"];

/// Writes a report of the bucket as it is now below `reports` in it, its rows in no order; the URL of its manifest.
fn report(scene: &Scene) -> String {
    report_as(scene, |_| ())
}

/// The same, with another manifest.
fn report_as(scene: &Scene, change: impl FnOnce(&mut Value)) -> String {
    let listed = scene.aws(["s3api", "list-objects-v2", "--bucket", &scene.bucket, "--output", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let row = |object: &Value| {
        let text = |field: &str| object[field].as_str().unwrap().to_owned();
        let (key, etag) = (encoded(&text("Key")), text("ETag").replace('"', ""));
        let (size, modified) = (&object["Size"], text("LastModified").replace("+00:00", ".000Z"));
        format!("\"{}\",\"{key}\",\"{size}\",\"{modified}\",\"{etag}\",\"STANDARD\"\n", scene.bucket)
    };
    let mut rows: Vec<String> = listed["Contents"].as_array().unwrap().iter().map(row).collect();
    rows.sort_by_key(|row| row.bytes().rev().collect::<Vec<u8>>());
    let halves = rows.split_at(rows.len() / 2);
    let files = [halves.0, halves.1].into_iter().enumerate().map(|(number, rows)| {
        let key = format!("reports/all/data/{number}.csv.gz");
        let (size, md5) = put_compressed(scene, &key, &rows.concat());
        json!({"key": key, "size": size, "MD5checksum": md5})
    });
    let mut manifest = json!({
        "sourceBucket": scene.bucket,
        "destinationBucket": format!("arn:aws:s3:::{}", scene.bucket),
        "version": "2016-11-30",
        "creationTimestamp": "1514944800000",
        "fileFormat": "CSV",
        "fileSchema": SCHEMA,
        "files": files.collect::<Vec<_>>(),
    });
    change(&mut manifest);
    scene.put("reports/all/2018-01-03T02-00Z/manifest.json", manifest.to_string().as_bytes());
    scene.url("reports/all/2018-01-03T02-00Z/manifest.json")
}

/// Puts the text, compressed; how long it is then, and its MD5.
fn put_compressed(scene: &Scene, key: &str, text: &str) -> (u64, String) {
    let path = scene.path("rows");
    fs::write(&path, text).unwrap();
    let script = "gzip --force --keep rows && md5sum rows.gz";
    let said = Command::new("/bin/sh").args(["-c", script]).current_dir(scene.path("")).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let compressed = fs::read(scene.path("rows.gz")).unwrap();
    scene.put(key, &compressed);
    (compressed.len() as u64, String::from_utf8(said.stdout).unwrap()[..32].to_owned())
}

/// As S3 writes a key in CSV.
fn encoded(key: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        byte => format!("%{byte:02X}"),
    };
    key.bytes().map(byte).collect()
}

on_both_servers! {
    fn a_bucket_is_synced_without_being_listed(scene) {
        let files = Files::troublesome();
        scene.write("origin", &files);
        scene.rclone(["copy", &scene.arg("origin"), &scene.remote("site")]);
        scene.put("site2/elsewhere", b"not below the prefix");
        let manifest = report(&scene);
        let (site, tree) = (scene.url("site"), scene.arg("tree"));
        let first = scene.sync(&site, &tree, ["--source-inventory", &manifest]);
        first.counts([("created", files.count())]);
        assert_eq!(first.requests("ListObjectsV2"), 0);
        scene.read("tree").assert_are(&files);

        let second = scene.sync(&site, &tree, ["--source-inventory", &manifest]);
        second.counts([("in_step", files.count())]);
        // The manifest, its digest, which isn't there, and two files.
        assert_eq!(second.requests("GetObject"), 4);
        // What is remembered is the same, however it was listed.
        scene.sync(&site, &tree, []).counts([("in_step", files.count())]);
    }

    fn what_has_changed_since_comes_as_it_is_and_what_is_gone_is_counted(scene) {
        for key in ["site/gone", "site/changed", "site/grown", "site/same"] {
            scene.put(key, b"listed");
        }
        let manifest = report(&scene);
        scene.aws(["s3", "rm", "--quiet", &scene.url("site/gone")]);
        scene.put("site/changed", b"edited");
        scene.put("site/grown", b"and longer than it was");
        scene.put("site/new", b"no report lists it");
        let (site, tree) = (scene.url("site"), scene.arg("tree"));
        let current: Files =
            Files::new([("changed", b"edited"), ("grown", b"and longer than it was"), ("same", b"listed")]);
        let arguments = ["--source-inventory", &manifest];
        scene.sync(&site, &tree, arguments).counts([("created", 3), ("withdrawn", 1)]);
        scene.read("tree").assert_are(&current);
        // The same old report takes nothing back.
        scene.sync(&site, &tree, arguments).counts([("in_step", 3), ("withdrawn", 1)]);
        scene.read("tree").assert_are(&current);
        scene.sync(&site, &tree, []).counts([("in_step", 3), ("created", 1)]);
    }

    fn nothing_is_deleted_that_the_bucket_has_although_no_report_lists_it(scene) {
        scene.put("site/old", b"old");
        let narrow = report(&scene);
        scene.put("site/also", b"also");
        let held = [("also", &b"also"[..]), ("old", b"old"), ("new", b"newer than the report"), ("gone", b"gone")];
        scene.write("tree", &Files::new(held));
        let (site, tree) = (scene.url("site"), scene.arg("tree"));
        // All that this one lists begins with `old`, and so may all that its inventory takes in.
        let line = ["sync", &site, &tree, "--delete", "--source-inventory", &narrow];
        scene.brigade(line).exits(1).complains("lists nothing where also is");
        assert_eq!(scene.read("tree").paths(), ["also", "gone", "new", "old"]);
        let manifest = report(&scene);
        scene.put("site/new", b"newer than the report");
        let ended = scene.sync(&site, &tree, ["--source-inventory", &manifest, "--delete"]);
        ended.counts([("in_step", 2), ("withdrawn", 1), ("deleted", 1)]);
        assert_eq!(scene.read("tree").paths(), ["also", "new", "old"]);
    }
}

#[test]
fn ranges_of_a_report_are_merged_with_those_of_the_destination() {
    let scene = Scene::public_with_pages_of(20);
    let mut files = Files::default();
    for number in 0..400 {
        files.put(&format!("{:02}/{number:03}", number % 20), format!("{number}"));
    }
    scene.write("origin", &files);
    let (from, to) = (scene.url("from"), scene.url("to"));
    scene.sync(&scene.arg("origin"), &from, []);
    let manifest = report(&scene);
    let arguments = ["--source-inventory", &manifest, TRUSTED[0], TRUSTED[1], "--listers", "4"];
    scene.sync(&from, &to, arguments).counts([("created", 400)]);
    scene.log().forget_requests();
    // Whoever lists must wait a little, or nobody would cut a range.
    scene.log().befall(Action::Delay(Duration::from_millis(30)), "ListObjectsV2", Occurrence::Every);
    let second = scene.sync(&from, &to, arguments);
    second.counts([("in_step", 400)]);
    let cuts = scene.log().records().into_iter().filter(|record| record.query.contains("max-keys=1"));
    assert!(cuts.count() > 0, "the destination was not listed in ranges");
    assert_eq!(scene.stored("to").count(), 400);
}

#[test]
fn a_report_that_cannot_be_used_ends_the_run_before_anything_is_done() {
    let scene = Scene::embedded();
    scene.put("site/a", b"a");
    scene.write("tree", &Files::new([("b", b"b")]));
    let none = "0".repeat(32);
    let table = [
        ("/sourceBucket", "other-bucket", "is of the bucket other-bucket"),
        ("/fileFormat", "ORC", "let the inventory be written as CSV or Parquet"),
        ("/fileSchema", "Bucket, Key", "add Size, LastModifiedDate, ETag, StorageClass to the fields"),
        ("/files/1/key", "reports/lost.csv.gz", "lost.csv.gz, which"),
        ("/files/1/MD5checksum", &none, "its MD5 is another one"),
    ];
    for (place, value, reason) in table {
        let manifest = report_as(&scene, |manifest| *manifest.pointer_mut(place).unwrap() = value.into());
        let (site, tree) = (scene.url("site"), scene.arg("tree"));
        let line = ["sync", &site, &tree, "--delete", "--source-inventory", &manifest];
        scene.brigade(line).exits(1).complains(reason);
        assert_eq!(scene.read("tree").paths(), ["b"], "{reason}");
    }
}

/// What is in step by the report is not looked at: that spares a request for each of a billion objects.
#[test]
fn what_was_replaced_after_it_came_and_was_reported_waits_for_a_newer_report() {
    let scene = Scene::embedded();
    scene.put("site/k", b"older");
    let (site, tree) = (scene.url("site"), scene.arg("tree"));
    let older = report(&scene);
    scene.sync(&site, &tree, ["--source-inventory", &older]).counts([("created", 1)]);
    scene.put("site/k", b"newer");
    scene.sync(&site, &tree, ["--source-inventory", &older, "--delete"]).counts([("in_step", 1)]);
    scene.read("tree").assert_are(&Files::new([("k", b"older")]));
    let newer = report(&scene);
    scene.sync(&site, &tree, ["--source-inventory", &newer]).counts([("replaced", 1)]);
    scene.read("tree").assert_are(&Files::new([("k", b"newer")]));
}

/// A manifest doesn't say which prefix its inventory has: what lies beside it would be passed over.
#[test]
fn a_report_of_a_part_of_the_source_does_not_stand_for_all_of_it() {
    let scene = Scene::embedded();
    for key in ["site/2025/a", "site/2025/b"] {
        scene.put(key, b"listed");
    }
    let manifest = report(&scene);
    let tree = scene.arg("tree");
    scene.log().forget_requests();
    for (source, created) in [("site", 2), ("site/2025", 2), ("site/2025/deep", 0)] {
        let ended = scene.brigade([
            "sync",
            &scene.url(source),
            &tree,
            "-n",
            "--source-inventory",
            &manifest,
            "--output",
            "json",
        ]);
        assert!(!ended.stderr.contains("lists nothing where"), "{source}: {}", ended.stderr);
        ended.exits(0).summary().counts([("created", created)]);
    }
    for (beside, source) in [("site/2024/z", "site"), ("site/2026/a", "site"), ("other/k", "other")] {
        scene.put(beside, b"beside");
        let key = beside.split_once('/').unwrap().1;
        let line = ["sync", &scene.url(source), &tree, "-n", "--source-inventory", &manifest];
        let warned = scene.brigade(line).exits(0);
        warned
            .complains("warning:")
            .complains(&format!("lists nothing where {key} is: the inventory may have a narrower prefix"));
        let refused = scene.brigade(line.iter().chain(&["--delete"])).exits(1);
        refused.complains(&format!("lists nothing where {key} is"));
        scene.aws(["s3", "rm", "--quiet", &scene.url(beside)]);
    }
}

/// Whoever may read the manifest need not be allowed to read what lies beside it.
#[test]
fn a_digest_of_the_manifest_that_cannot_be_read_is_told() {
    let scene = Scene::embedded();
    scene.put("site/a", b"a");
    let manifest = report(&scene);
    let line = ["sync", &scene.url("site"), &scene.arg("tree"), "--source-inventory", &manifest];
    let quiet = scene.brigade(line).exits(0);
    assert!(!quiet.stderr.contains("manifest.checksum"), "there is none: {}", quiet.stderr);
    scene.log().refuse("GetObject", "reports/all/2018-01-03T02-00Z/manifest.checksum");
    let told = scene.brigade(line).exits(0);
    told.complains("is not compared with the manifest.checksum beside it, which could not be read");
}

#[test]
fn a_local_manifest_of_parquet_is_read_and_explained() {
    let scene = Scene::embedded();
    scene.aws(["s3api", "create-bucket", "--bucket", "photos"]);
    for key in ["p/z", "p/b"] {
        fs::write(scene.path("body"), key).unwrap();
        scene.aws(["s3api", "put-object", "--bucket", "photos", "--key", key, "--body", &scene.arg("body")]);
    }
    let parquet = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/tests/data/inventory.parquet");
    let directory = scene.path("report/data");
    fs::create_dir_all(&directory).unwrap();
    fs::copy(parquet, directory.join("1.parquet")).unwrap();
    let said = Command::new("md5sum").arg(parquet).output().unwrap();
    let manifest = json!({
        "sourceBucket": "photos",
        "destinationBucket": "arn:aws:s3:::nowhere",
        "fileFormat": "Parquet",
        "fileSchema": "message s3.inventory { required binary key (UTF8); optional int64 size; \
            optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary e_tag (UTF8); \
            optional binary storage_class (UTF8); }",
        "files": [{
            "key": "daily/data/1.parquet",
            "size": fs::metadata(parquet).unwrap().len(),
            "MD5checksum": String::from_utf8(said.stdout).unwrap()[..32],
        }],
    });
    fs::write(scene.path("report/manifest.json"), manifest.to_string()).unwrap();
    let (tree, report) = (scene.arg("tree"), scene.arg("report/manifest.json"));
    fs::create_dir(&tree).unwrap();
    let explained = scene.brigade(["explain", "s3://photos/p", &tree, "a\nb", "--source-inventory", &report]).exits(0);
    assert!(explained.stdout.contains("5 bytes"), "what the report lists is shown: {}", explained.stdout);
    // The report lists three objects more, which are not there.
    let ended = scene.sync("s3://photos/p", &tree, ["--source-inventory", &report]);
    ended.counts([("created", 2), ("withdrawn", 3)]);
    assert_eq!(scene.read("tree").paths(), ["b", "z"]);
}
