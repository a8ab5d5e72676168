//! `brigade ls`.

use std::collections::BTreeSet;

use crate::harness::{Files, Scene, on_both_servers};

fn with_objects(scene: Scene) -> Scene {
    scene.write("tree", &Files::new([("top", b"12345"), ("sub/x", b"1"), ("sub/deep/y", b"12"), ("sub-x", b"")]));
    scene.rclone(["copy", &scene.arg("tree"), &scene.remote("p")]);
    scene
}

/// The last word of each line, and the one before it. A listing comes in the
/// server's order, which SeaweedFS has its own of; these are sorted.
fn last_words(listing: &str) -> Vec<(&str, &str)> {
    let words = listing.lines().map(|line| line.rsplit(' ').filter(|word| !word.is_empty()));
    let mut words: Vec<_> = words.map(|mut words| (words.next().unwrap(), words.next().unwrap())).collect();
    words.sort_unstable();
    words
}

on_both_servers! {
    fn one_level_or_all(scene) {
        let scene = with_objects(scene);
        let one = scene.brigade(["ls", &scene.url("p")]).exits(0).stdout;
        assert_eq!(last_words(&one), [("sub-x", "0"), ("sub/", "DIR"), ("top", "5")], "{one}");
        let below = scene.brigade(["ls", &scene.url("p/sub/")]).exits(0).stdout;
        assert_eq!(last_words(&below), [("deep/", "DIR"), ("x", "1")], "{below}");
        let all = scene.brigade(["ls", &scene.url("p"), "--recursive"]).exits(0).stdout;
        assert_eq!(last_words(&all), [("sub-x", "0"), ("sub/deep/y", "2"), ("sub/x", "1"), ("top", "5")], "{all}");
    }

    fn json_has_an_object_a_line(scene) {
        let scene = with_objects(scene);
        let listed = scene.brigade(["ls", &scene.url("p"), "--recursive", "--output", "json"]).exits(0).events();
        let objects: BTreeSet<_> =
            listed.iter().map(|object| (object["key"].as_str().unwrap(), object["size"].as_u64().unwrap())).collect();
        assert_eq!(objects, [("sub-x", 0), ("sub/deep/y", 2), ("sub/x", 1), ("top", 5)].into());
        assert_eq!(listed.len(), objects.len());
    }

    fn buckets_are_listed(scene) {
        let listed = scene.brigade(["ls", "s3://"]).exits(0).stdout;
        assert!(listed.lines().any(|line| line.ends_with(&scene.bucket)), "{listed}");
    }
}

#[test]
fn a_directory_is_listed_as_a_bucket_is() {
    let scene = with_objects(Scene::embedded());
    for args in [["--recursive"].as_slice(), &[]] {
        let names = |location: &str| {
            let ended = scene.brigade(["ls", location].iter().chain(args)).exits(0);
            last_words(&ended.stdout).iter().map(|words| format!("{words:?}")).collect::<Vec<_>>()
        };
        assert_eq!(names(&scene.arg("tree")), names(&scene.url("p")));
    }
}
