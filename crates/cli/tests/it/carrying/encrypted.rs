//! Copies that the service is to encrypt, and copies of what it has encrypted.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::head;
use crate::harness::{Files, Scene, content};

/// A small object, and one in parts that is copied in parts, put an hour ago with this of their encryption: where nothing
/// else tells, it counts that the copies are younger.
fn scene_of_both(encryption: &[&str]) -> (Scene, Files) {
    let scene = Scene::embedded();
    let files = Files::new([("small", b"small"), ("large", &content(65 << 20))]);
    scene.write("tree", &files);
    scene.log().terms().write_at(Some(SystemTime::now() - Duration::from_hours(1)));
    for key in files.paths() {
        let (file, url) = (scene.arg(&format!("tree/{key}")), scene.url(&format!("from/{key}")));
        scene.aws(["s3", "cp", &file, &url, "--no-progress"].iter().chain(encryption));
    }
    scene.log().terms().write_at(None);
    (scene, files)
}

/// What copies, and how the large object is written then.
const WAYS: [(&str, &str, &[&str]); 2] =
    [("inside", "UploadPartCopy", &[]), ("through", "UploadPart", &["--no-server-side-copy"])];

/// Runs the sync once, which must create both, and again with and without a ledger, which must change nothing; how both
/// are encrypted.
#[track_caller]
fn bring_both(scene: &Scene, source: &str, place: &str, (operation, args): (&str, &[&str])) -> [(Value, Value); 2] {
    let to = scene.url(place);
    let line = ["sync", source, &to, "--output", "json"];
    let run = |more: &[&str]| scene.brigade(line.iter().chain(args).chain(more)).exits(0).summary();
    let first = run(&[]);
    first.counts([("created", 2)]);
    assert_eq!(first.requests(operation), 9, "{place}");
    for more in [&[][..], &["--no-ledger"]] {
        let again = run(more);
        again.counts([("in_step", 2)]);
        again.changed_nothing();
    }
    ["small", "large"].map(|key| {
        let head = head(scene, &format!("{place}/{key}"));
        (head["ServerSideEncryption"].clone(), head["SSEKMSKeyId"].clone())
    })
}

#[test]
fn each_copy_is_encrypted_as_it_is_said() {
    for encryption in ["AES256", "aws:kms"] {
        let (scene, _) = scene_of_both(&[]);
        assert_eq!(head(&scene, "from/small")["ServerSideEncryption"], Value::Null);
        let (from, tree) = (scene.url("from"), scene.arg("tree"));
        let up = ("up", "UploadPart", &[][..]);
        for (source, (place, operation, args)) in [(&from, WAYS[0]), (&from, WAYS[1]), (&tree, up)] {
            let args = [&["--sse", encryption], args].concat();
            for (said, key_id) in bring_both(&scene, source, place, (operation, &args)) {
                assert_eq!(said, encryption, "{place}");
                assert_eq!(key_id.is_string(), encryption == "aws:kms", "{place}: {key_id}");
            }
        }
    }
}

/// An `ETag` is no digest of their content.
#[test]
fn what_the_service_has_encrypted_with_a_key_arrives_and_is_not_copied_again() {
    let (scene, files) = scene_of_both(&["--sse", "aws:kms"]);
    for key in ["from/small", "from/large"] {
        assert_eq!(head(&scene, key)["ServerSideEncryption"], "aws:kms");
    }
    for (place, operation, args) in WAYS {
        bring_both(&scene, &scene.url("from"), place, (operation, args));
        scene.aws(["s3", "cp", "--recursive", "--no-progress", &scene.url(place), &scene.arg(place)]);
        scene.read(place).assert_are(&files);
    }
}
