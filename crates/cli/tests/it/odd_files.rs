//! Files with holes, and with times that few files have.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, SystemTime};

use crate::harness::{Files, Scene, set_modified};

#[test]
fn a_file_with_holes_is_copied_as_what_it_reads_as() {
    const SIZE: u64 = 64 << 20;
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("sparse", b"first")]));
    let file = File::options().write(true).open(scene.path("tree/sparse")).unwrap();
    file.set_len(SIZE).unwrap();
    file.write_all_at(b"middle", SIZE / 2 - 3).unwrap();
    file.write_all_at(b"last", SIZE - 4).unwrap();

    let bytes = scene.sync(&scene.arg("tree"), &scene.url(""), []).bytes();
    assert_eq!(bytes, SIZE);
    let tree = scene.read("tree");
    scene.stored("").assert_are(&tree);
    scene.sync(&scene.url(""), &scene.arg("copy"), []);
    scene.read("copy").assert_are(&tree);
    scene.sync(&scene.arg("tree"), &scene.url(""), ["--compare", "checksum"]).counts([("in_step", 1)]);
}

#[test]
fn any_time_that_a_file_can_have_is_carried_there_and_back() {
    let scene = Scene::embedded();
    let second = Duration::from_secs(1);
    let times = [
        ("1901", SystemTime::UNIX_EPOCH - second * (1 << 31)),
        ("just-before-1970", SystemTime::UNIX_EPOCH - Duration::from_nanos(1)),
        ("1970", SystemTime::UNIX_EPOCH),
        ("nanosecond", SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 1)),
        ("2106", SystemTime::UNIX_EPOCH + second * u32::MAX),
        ("9999", SystemTime::UNIX_EPOCH + Duration::new(253_402_300_799, 999_999_999)),
        ("most", SystemTime::UNIX_EPOCH + Duration::from_secs(i64::MAX as u64)),
    ];
    let mut files = Files::default();
    for (name, _) in times {
        files.put(name, name);
    }
    scene.write("tree", &files);
    // A file system may hold them only up to some year: what it made of them is what must come back.
    let modified = |name: &str| scene.path(name).metadata().unwrap().modified().unwrap();
    for (name, time) in times {
        set_modified(&scene.path("tree").join(name), time);
    }
    scene.sync(&scene.arg("tree"), &scene.url(""), []).counts([("created", 7)]);
    scene.sync(&scene.url(""), &scene.arg("copy"), []).counts([("created", 7)]);
    for (name, _) in times {
        assert_eq!(modified(&format!("copy/{name}")), modified(&format!("tree/{name}")), "{name}");
    }
    for compare in ["auto", "mtime", "size", "checksum"] {
        for (source, dest) in [(scene.arg("tree"), scene.url("")), (scene.url(""), scene.arg("copy"))] {
            scene.brigade(["sync", &source, &dest, "--compare", compare]).exits(0);
        }
    }
    scene.read("copy").assert_are(&files);
}

#[test]
fn a_stored_time_that_no_file_can_have_harms_nothing() {
    let scene = Scene::embedded();
    let mut files = Files::default();
    let times = ["9223372036854775807.9", "-9223372036854775807.5", "99999999999999999999", "-", "1e300"];
    for (number, time) in times.into_iter().enumerate() {
        let key = number.to_string();
        scene.put_saying(&key, b"content", &["--metadata", &format!("mtime={time}")]);
        files.put(&key, "content");
    }
    scene.sync(&scene.url(""), &scene.arg("tree"), []).counts([("created", 5)]);
    scene.read("tree").assert_are(&files);
    scene.brigade(["ls", &scene.url("")]).exits(0);
    // What the file system made of them is no reason to send them back.
    scene.sync(&scene.arg("tree"), &scene.url(""), []).counts([("in_step", 5)]);
}
