//! Many deletions, in several batches, and of keys that no batch can carry.

use std::fs;

use super::{Direction, TRUSTED, both_ways};
use crate::harness::{Files, Scene};

/// More than one request deletes.
const MANY: u64 = 1100;

fn with_many() -> Files {
    let mut files = Files::new([("kept", b"same")]);
    for number in 0..MANY {
        files.put(&format!("many/{}/{number:04}", number % 10), "");
    }
    files
}

#[test]
fn more_than_one_request_can_take_are_deleted_in_several() {
    let [(direction, scene), _] = both_ways(&with_many());
    fs::remove_dir_all(scene.path("tree/many")).unwrap();
    scene.log().forget_requests();
    let meant_so = ["--provider", "brigade-dev", "--allow-empty-source"];
    direction.sync(&scene, meant_so).exits(0).summary().counts([("in_step", 1), ("deleted", MANY)]);
    let requests = scene.log().received("DeleteObjects");
    assert!((2..=10).contains(&requests), "{requests} requests");
    assert_eq!(scene.log().received("DeleteObject"), 0);
    assert_eq!(scene.stored("site").paths(), ["kept"]);
}

#[test]
fn many_files_are_deleted_with_the_directories_that_this_empties() {
    let [_, (direction, scene)] = both_ways(&with_many());
    scene.aws(["s3", "rm", "--quiet", "--recursive", &scene.url("site/many")]);
    direction.sync(&scene, []).exits(0).summary().counts([("in_step", 1), ("deleted", MANY)]);
    assert_eq!(scene.read("tree").paths(), ["kept"]);
    assert!(!fs::exists(scene.path("tree/many")).unwrap());
}

#[test]
fn keys_that_xml_cannot_carry_are_deleted_one_by_one() {
    let scene = Scene::embedded();
    let odd = ["a\rb", "c\u{1}d", "e\u{1b}[31m", "f\u{7f}", "g\u{fffe}", "h\u{b}"];
    let mut files = Files::new([("kept", b"same"), ("line\nfeed", b"plain"), ("tab\t", b"plain")]);
    for key in odd {
        files.put(key, "odd");
    }
    scene.write("tree", &files);
    scene.sync(&scene.arg("tree"), &scene.url("site"), []).counts([("created", 9)]);
    scene.write("tree", &Files::new([("kept", b"same")]));
    scene.log().forget_requests();
    Direction::Up.sync(&scene, TRUSTED).exits(0).summary().counts([("in_step", 1), ("deleted", 8)]);
    let one_by_one = scene.log().received("DeleteObject");
    assert!((4..=odd.len() as u64).contains(&one_by_one), "{one_by_one} were deleted by themselves");
    let listed = scene.aws(["s3api", "list-objects-v2", "--bucket", &scene.bucket, "--query", "Contents[].Key"]);
    assert_eq!(listed.split_whitespace().collect::<String>(), "[\"site/kept\"]");
}
