//! What goes along with an object that is copied in parts, and with redirects.

use std::fs;

use serde_json::{Value, json};

use super::{EVERYTHING, head, tags};
use crate::harness::{Scene, content};

/// Puts an object in parts of 8 MiB with everything that may go along with one, as somebody else's tool does.
fn put_in_parts_with_everything(scene: &Scene, key: &str, body: &[u8]) {
    fs::write(scene.path("body"), body).unwrap();
    let (body, url) = (scene.arg("body"), scene.url(key));
    let copy = ["s3", "cp", &body, &url, "--no-progress", "--website-redirect", "/elsewhere"];
    scene.aws(copy.iter().chain(&EVERYTHING));
    let tags = "TagSet=[{Key=project,Value=a b},{Key=keep,Value=1}]";
    scene.aws(["s3api", "put-object-tagging", "--bucket", &scene.bucket, "--key", key, "--tagging", tags]);
}

#[test]
fn everything_goes_along_with_what_is_copied_in_parts() {
    let scene = Scene::embedded();
    put_in_parts_with_everything(&scene, "from/k", &content(65 << 20));
    let original = head(&scene, "from/k");
    let wanted = [
        ("ContentType", "text/x-own; charset=utf-8"),
        ("CacheControl", "max-age=60"),
        ("ContentDisposition", "attachment; filename=\"a b.txt\""),
        ("ContentEncoding", "identity"),
        ("ContentLanguage", "de-CH"),
        ("Expires", "Wed, 02 Jan 2030 03:04:05 GMT"),
        ("StorageClass", "STANDARD_IA"),
        ("WebsiteRedirectLocation", "/elsewhere"),
    ];
    for (place, operation, args) in
        [("inside", "UploadPartCopy", &[][..]), ("through", "UploadPart", &["--no-server-side-copy"])]
    {
        let (from, to) = (scene.url("from"), scene.url(place));
        let summary = scene.brigade(["sync", &from, &to, "--output", "json"].iter().chain(args)).exits(0).summary();
        summary.counts([("created", 1)]);
        assert_eq!(summary.requests(operation), 9, "{place}");
        let key = format!("{place}/k");
        let copy = head(&scene, &key);
        for (name, value) in wanted {
            assert_eq!(copy[name], value, "{place}");
        }
        assert_eq!(copy["Metadata"], json!({ "owner": "somebody", "mtime": "1700000000.5" }), "{place}");
        assert_eq!(copy, original, "{place}");
        let [keep, project] =
            [("keep", "1"), ("project", "a b")].map(|(key, value)| json!({ "Key": key, "Value": value }));
        assert_eq!(tags(&scene, &key), json!([keep, project]), "{place}");
        let again = scene.sync(&from, &to, ["--no-ledger"]);
        again.counts([("in_step", 1)]);
        again.changed_nothing();
    }
}

/// `CopyObject` leaves it out, and nothing that is listed tells of it.
#[test]
fn a_redirect_goes_along_with_what_is_read_and_written() {
    let scene = Scene::embedded();
    for (key, body) in [("from/small", &b"small"[..]), ("from/large", &content(20 << 20))] {
        scene.put_saying(key, body, &["--website-redirect-location", "/elsewhere"]);
    }
    for (place, args, redirect) in
        [("inside", &[][..], Value::Null), ("through", &["--no-server-side-copy"], json!("/elsewhere"))]
    {
        let line = ["sync", &scene.url("from"), &scene.url(place), "--output", "json"];
        scene.brigade(line.iter().chain(args)).exits(0).summary().counts([("created", 2)]);
        for key in ["small", "large"] {
            assert_eq!(head(&scene, &format!("{place}/{key}"))["WebsiteRedirectLocation"], redirect, "{place}/{key}");
        }
    }
}
