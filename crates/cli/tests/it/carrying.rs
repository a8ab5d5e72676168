//! What goes along with the content from bucket to bucket: headers, metadata, tags, storage class, encryption.

mod encrypted;
mod headers;
mod real_servers;

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Ended, Proxy, Scene, content};

/// Everything that may go along with an object and is said in the same way wherever one is put.
const EVERYTHING: [&str; 16] = [
    "--content-type",
    "text/x-own; charset=utf-8",
    "--cache-control",
    "max-age=60",
    "--content-disposition",
    "attachment; filename=\"a b.txt\"",
    "--content-encoding",
    "identity",
    "--content-language",
    "de-CH",
    "--expires",
    "2030-01-02T03:04:05Z",
    "--metadata",
    "owner=somebody,mtime=1700000000.5",
    "--storage-class",
    "STANDARD_IA",
];

/// Puts an object with all that, and with tags, as somebody else's tool does.
fn put_with_everything(scene: &Scene, key: &str, body: &[u8]) {
    scene.put_saying(key, body, &[&EVERYTHING[..], &["--tagging", "project=a%20b&keep=1"]].concat());
}

fn head(scene: &Scene, key: &str) -> Value {
    let said = scene.aws(["s3api", "head-object", "--bucket", &scene.bucket, "--key", key]);
    let mut head: Value = serde_json::from_str(&said).unwrap();
    for changing in ["LastModified", "ETag", "AcceptRanges", "ChecksumCRC64NVME", "ChecksumCRC32", "ChecksumType"] {
        head.as_object_mut().unwrap().remove(changing);
    }
    head
}

fn tags(scene: &Scene, key: &str) -> Value {
    let said = scene.aws(["s3api", "get-object-tagging", "--bucket", &scene.bucket, "--key", key]);
    let mut tags = serde_json::from_str::<Value>(&said).unwrap()["TagSet"].clone();
    tags.as_array_mut().unwrap().sort_by_key(Value::to_string);
    tags
}

#[test]
fn tags_are_left_out_on_request_only() {
    let scene = Scene::embedded();
    put_with_everything(&scene, "from/a", b"a");
    scene.put("from/untagged", b"b");
    // Whoever may not read tags is told of none.
    scene.log().refuse_all("GetObjectTagging");
    let through = ["--no-server-side-copy", "--jobs", "1"];
    let line = ["sync", &scene.url("from"), &scene.url("to")];
    let ended = scene.brigade(line.iter().chain(&through)).exits(3);
    for key in ["a", "untagged"] {
        ended.complains_of(key, "--ignore-tags copies without them");
    }
    assert_eq!(scene.stored("to").count(), 0);
    for (args, place) in [(&["--ignore-tags"][..], "inside"), (&["--ignore-tags", "--no-server-side-copy"], "through")]
    {
        let line = ["sync", &scene.url("from"), &scene.url(place), "--output", "json"];
        scene.brigade(line.iter().chain(args)).exits(0).summary().counts([("created", 2)]);
        scene.log().heal();
        assert_eq!(tags(&scene, &format!("{place}/a")), json!([]), "{place}");
        assert_eq!(head(&scene, &format!("{place}/a"))["Metadata"]["owner"], "somebody");
    }
}

#[test]
fn what_is_said_of_all_objects_is_written_with_each() {
    let scene = Scene::embedded();
    let said = ["--storage-class", "GLACIER_IR", "--acl", "public-read", "--sse", "aws:kms", "--sse-kms-key-id", "k1"];
    let (large, tagged) = (content(20 << 20), ["--tagging", "a=1"]);
    put_with_everything(&scene, "from/small", b"small");
    scene.put("from/large", &large);
    scene.write("tree", &crate::harness::Files::new([("file", b"file"), ("large", &large)]));
    // Where nothing else tells, it counts that the copies are younger, in whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let runs = [
        (scene.url("from"), "inside", &[][..]),
        (scene.url("from"), "through", &["--no-server-side-copy"]),
        (scene.arg("tree"), "up", &[]),
    ];
    for (source, place, args) in runs {
        let to = scene.url(place);
        let line = [&["sync", &source, &to, "--output", "json"], &said[..], &tagged, args].concat();
        let summary = scene.brigade(&line).exits(0).summary();
        summary.counts([("created", 2)]);
        let small = if place == "up" { "file" } else { "small" };
        for key in [small, "large"] {
            let key = format!("{place}/{key}");
            let head = head(&scene, &key);
            assert_eq!(head["StorageClass"], "GLACIER_IR", "{key}");
            assert_eq!(
                (&head["ServerSideEncryption"], &head["SSEKMSKeyId"]),
                (&json!("aws:kms"), &json!("k1")),
                "{key}"
            );
            assert_eq!(tags(&scene, &key), json!([{ "Key": "a", "Value": "1" }]), "{key}");
            let acl = scene.aws(["s3api", "get-object-acl", "--bucket", &scene.bucket, "--key", &key]);
            assert!(acl.contains("AllUsers"), "{key}: {acl}");
        }
        // Under SSE-KMS an ETag is no MD5, and what else there is decides.
        let again = scene.sync(&source, &to, ["--no-ledger"]);
        again.counts([("in_step", 2)]);
        again.changed_nothing();
    }
}

#[test]
fn what_may_not_be_given_an_access_control_list_is_named_and_not_written_without() {
    let scene = Scene::embedded();
    let large = content(20 << 20);
    scene.put("from/k", b"k");
    scene.put("from/large", &large);
    scene.write("tree", &crate::harness::Files::new([("k", b"k"), ("large", &large)]));
    scene.log().refuse_header("x-amz-acl");
    for (source, args) in [("from", &[][..]), ("from", &["--no-server-side-copy"]), ("tree", &[])] {
        let source = if source == "tree" { scene.arg(source) } else { scene.url(source) };
        let line = ["sync", &source, &scene.url("to"), "--acl", "public-read"];
        let ended = scene.brigade(line.iter().chain(args)).exits(3);
        for key in ["k", "large"] {
            ended.complains_of(key, "AccessDenied");
            ended.complains_of(key, "s3:PutObjectAcl");
        }
    }
    assert_eq!(scene.stored("to").count(), 0);
    // It was for the lists alone.
    scene.sync(&scene.url("from"), &scene.url("to"), []).counts([("created", 2)]);
}

/// Their ETag is the same.
#[test]
fn an_upload_in_parts_of_an_object_of_which_only_headers_changed_begins_anew() {
    let body = content(20 << 20);
    let [text, page, tagged] = [
        &[("content-type", "text/plain")][..],
        &[("content-type", "text/html")],
        &[("content-type", "text/plain"), ("x-amz-tagging", "a=1")],
    ];
    for (headers, taken_up) in [(text, 2), (page, 0), (tagged, 0)] {
        let scene = Scene::public();
        scene.put_with("from/large", &body, text);
        let (from, to) = (scene.url("from"), scene.url("to"));
        let line = ["sync", &from, &to, "--no-server-side-copy", "--output", "json"];
        scene.kill_at_the_third_part(scene.brigade_command(line));
        scene.put_with("from/large", &body, headers);
        let summary = scene.brigade(line).exits(0).summary();
        assert_eq!(summary.0["parts_taken_up"], taken_up, "{headers:?}: {}", summary.0);
        assert_eq!(scene.uploads(), 0, "{headers:?}");
        let content_type = |key| head(&scene, key)["ContentType"].clone();
        assert_eq!(content_type("to/large"), content_type("from/large"), "{headers:?}");
        assert_eq!(tags(&scene, "to/large"), tags(&scene, "from/large"), "{headers:?}");
    }
}

#[test]
fn an_upload_in_parts_is_taken_up_only_with_the_same_customers_key() {
    for (second, taken_up) in [("one.key", 2), ("other.key", 0)] {
        let scene = Scene::public();
        fs::write(scene.path("one.key"), [b'1'; 32]).unwrap();
        fs::write(scene.path("other.key"), [b'2'; 32]).unwrap();
        let body = content(20 << 20);
        scene.put_with("from/large", &body, &[]);
        let (from, to) = (scene.url("from"), scene.url("to"));
        let line = |key: &str| {
            let words = ["sync", &from, &to, "--no-server-side-copy", "--output", "json", "--dest-sse-c-key"];
            words.map(str::to_owned).into_iter().chain([scene.arg(key)])
        };
        scene.kill_at_the_third_part(scene.brigade_command(line("one.key")));
        let summary = scene.brigade(line(second)).exits(0).summary();
        assert_eq!(summary.0["parts_taken_up"], taken_up, "{second}: {}", summary.0);
        assert_eq!(scene.uploads(), 0, "{second}");
        scene.brigade(["restore", &to, &scene.arg("back"), "--sse-c-key", &scene.arg(second)]).exits(0);
        assert!(scene.read("back").0["large"] == body, "{second}");
    }
}

#[test]
fn a_customers_key_goes_with_each_request_and_is_never_shown() {
    let scene = Scene::embedded();
    let (one, other) = (scene.path("one.key"), scene.path("other.key"));
    fs::write(&one, [b'1'; 32]).unwrap();
    fs::write(&other, "b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28=").unwrap();
    let (one, other) = (one.to_str().unwrap().to_owned(), other.to_str().unwrap().to_owned());
    let files = crate::harness::Files::new([("small", b"small"), ("large", &content(20 << 20))]);
    scene.write("tree", &files);
    let (tree, a, b, down) = (scene.arg("tree"), scene.url("a"), scene.url("b"), scene.arg("down"));
    let run = |args: &[&str]| {
        let line = [&["sync", "--output", "json", "-vvv"], args].concat();
        let ended = scene.brigade(&line).exits(0);
        for secret in ["MTExMTEx", "b29vb29v", "1111111", "ooooooo"] {
            assert!(!ended.stderr.contains(secret) && !ended.stdout.contains(secret), "{secret} was shown");
        }
        ended.summary()
    };
    run(&[&tree, &a, "--dest-sse-c-key", &one]).counts([("created", 2)]);
    run(&[&tree, &a, "--dest-sse-c-key", &one, "--no-ledger"]).counts([("in_step", 2)]);
    run(&[&a, &b, "--source-sse-c-key", &one, "--dest-sse-c-key", &other]).counts([("created", 2)]);
    let through = ["--source-sse-c-key", &other, "--dest-sse-c-key", &one, "--no-server-side-copy"];
    run(&[&[b.as_str(), &scene.url("c")], &through[..]].concat()).counts([("created", 2)]);
    run(&[&b, &down, "--source-sse-c-key", &other]).counts([("created", 2)]);
    scene.read("down").assert_are(&files);

    scene.brigade(["restore", &b, &scene.arg("back"), "--sse-c-key", &other]).exits(0);
    scene.read("back").assert_are(&files);
    scene.brigade(["restore", &b, &scene.arg("back2")]).exits(3).complains_of("small", "Server Side Encryption");
    let shown = scene.brigade(["cat", &format!("{b}/small"), "--sse-c-key", &other]).exits(0);
    assert_eq!(shown.stdout.as_bytes(), files.0["small"]);
    scene.brigade(["cat", &format!("{b}/small"), "--sse-c-key", &one]).exits(1);

    // Without the key nothing is read, and with another one neither.
    let none = scene.brigade(["sync", &b, &scene.arg("none")]).exits(3);
    none.complains_of("small", "Server Side Encryption");
    scene.brigade(["sync", &b, &scene.arg("none"), "--source-sse-c-key", &one]).exits(3);
    assert!(!scene.path("none/small").exists());
    fs::write(scene.path("no.key"), "short").unwrap();
    let wrong = scene.brigade(["sync", &b, &scene.arg("none"), "--source-sse-c-key", &scene.arg("no.key")]).exits(2);
    wrong.complains("holds no key for SSE-C");

    // A proxy could read it.
    let proxy = Proxy::open();
    let mut proxied = scene.brigade_command(["sync", &b, &scene.arg("none"), "--source-sse-c-key", &other]);
    proxied.env("http_proxy", format!("http://{}", proxy.address));
    Ended::of(proxied).exits(1).complains("(which http_proxy names), is not encrypted, and a key for SSE-C");
    assert_eq!(proxy.heads().len(), 0);
}

#[test]
fn a_missing_bucket_is_made_and_keeps_versions_on_request() {
    let scene = Scene::embedded();
    scene.put("from/a", b"a");
    let missing = ["sync", &scene.url("from"), "s3://new-bucket/to"];
    scene.brigade(missing).exits(1).complains("new-bucket");
    let dry = scene.brigade(missing.iter().chain(&["--create-bucket", "--dry-run"])).exits(1);
    dry.complains("new-bucket");
    let made =
        scene.brigade(missing.iter().chain(&["--create-bucket", "--location", "eu-west-1", "--enable-versioning"]));
    made.exits(0).complains("made the bucket new-bucket").complains("new-bucket keeps versions from now on");
    let said = scene.aws(["s3api", "get-bucket-versioning", "--bucket", "new-bucket"]);
    assert!(said.contains("Enabled"), "{said}");
    let said = scene.aws(["s3api", "get-bucket-location", "--bucket", "new-bucket"]);
    assert!(said.contains("\"eu-west-1\""), "{said}");
    // It is there now, and has what it is to have.
    let again = scene.brigade(missing.iter().chain(&["--create-bucket", "--enable-versioning"])).exits(0);
    assert!(!again.stderr.contains("new-bucket keeps"), "{}", again.stderr);
    scene.brigade(["sync", &scene.url("from"), &scene.arg("tree"), "--create-bucket"]).exits(2);
    scene.brigade(["sync", &scene.url("from"), &scene.arg("tree"), "--acl", "private"]).exits(2);
}
