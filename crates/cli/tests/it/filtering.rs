//! `--exclude`, `--include`, `--exclude-from`.

use crate::harness::{Files, Scene, on_both_servers};

fn photos() -> Files {
    Files::new([
        ("one.jpg", b"1"),
        ("two.txt", b"2"),
        ("album/three.jpg", b"3"),
        ("album/raw/four.cr2", b"4"),
        ("cache/five.jpg", b"5"),
    ])
}

/// The keys that a sync with these options sends into an empty bucket.
fn sent<const N: usize>(scene: &Scene, prefix: &str, options: [&str; N]) -> Vec<String> {
    scene.sync(&scene.arg("photos"), &scene.url(prefix), options);
    scene.stored(prefix).0.into_keys().collect()
}

on_both_servers! {
    fn what_is_excluded_is_neither_sent_nor_deleted(scene) {
        scene.write("photos", &photos());
        for (key, content) in [("cache/old", "kept"), ("album/gone.jpg", "deleted"), ("note.txt", "kept")] {
            scene.put(key, content.as_bytes());
        }
        let options = ["--delete", "--exclude", "*.txt", "--exclude", "/cache/"];
        let summary = scene.sync(&scene.arg("photos"), &scene.url(""), options);
        summary.counts([("created", 3), ("deleted", 1), ("excluded", 4)]);
        let stored = scene.stored("");
        assert_eq!(stored.paths(), ["album/raw/four.cr2", "album/three.jpg", "cache/old", "note.txt", "one.jpg"]);

        scene.write("copy", &Files::new([("cache/mine", b"kept"), ("old.jpg", b"deleted")]));
        let summary = scene.sync(&scene.url(""), &scene.arg("copy"), options);
        summary.counts([("created", 3), ("deleted", 1), ("excluded", 3)]);
        assert_eq!(scene.read("copy").paths(), ["album/raw/four.cr2", "album/three.jpg", "cache/mine", "one.jpg"]);
    }
}

#[test]
fn the_last_match_wins() {
    let scene = Scene::embedded();
    scene.write("photos", &photos());
    let only_photos = ["album/three.jpg", "cache/five.jpg", "one.jpg"];
    assert_eq!(sent(&scene, "1", ["--exclude", "*", "--include", "*.jpg"]), only_photos);
    assert_eq!(sent(&scene, "2", ["--include", "*.jpg"]), only_photos);
    let but_cache = ["--include", "*.jpg", "--exclude", "cache/"];
    assert_eq!(sent(&scene, "3", but_cache), ["album/three.jpg", "one.jpg"]);
    let but_one = ["--exclude", "album/**", "--include", "album/raw/*"];
    assert_eq!(sent(&scene, "4", but_one), ["album/raw/four.cr2", "cache/five.jpg", "one.jpg", "two.txt"]);
}

#[test]
fn patterns_come_from_a_file() {
    let scene = Scene::embedded();
    scene.write("photos", &photos());
    std::fs::write(scene.path("patterns"), "# nothing but\n*\n\n!*.jpg\n").unwrap();
    let options = ["--exclude-from", &scene.arg("patterns"), "--exclude", "cache/"];
    assert_eq!(sent(&scene, "", options), ["album/three.jpg", "one.jpg"]);
}

#[test]
fn a_pattern_that_matches_nothing_is_warned_about() {
    let scene = Scene::embedded();
    scene.write("photos", &photos());
    let ended = scene.brigade(["sync", &scene.arg("photos"), &scene.url(""), "--exclude", "*.jgp"]).exits(0);
    ended.complains("warning:").complains("*.jgp");
}
