//! What somebody else writes at the destination between the listing and the
//! writing: it stays, and is named, unless it is what was to be brought.

use crate::harness::{Ended, Files, Scene};

/// What makes the embedded server be trusted with conditions.
const TRUSTED: [&str; 2] = ["--provider", "brigade-dev"];

/// Written whole, and in parts.
const SIZES: [usize; 2] = [9, (16 << 20) + 1];

/// A key that the source has, and what happens to it at the destination meanwhile.
struct Race {
    size: usize,
    /// Whether the destination has another version to begin with.
    replaced: bool,
}

fn races() -> impl Iterator<Item = Race> {
    SIZES.into_iter().flat_map(|size| [false, true].map(|replaced| Race { size, replaced }))
}

impl Race {
    fn ours(&self) -> Vec<u8> {
        vec![1; self.size]
    }

    /// Of the same size, so that only its content tells.
    fn theirs(&self) -> Vec<u8> {
        vec![2; self.size]
    }

    /// The request that is the first one to write.
    fn writes(&self) -> &'static str {
        if self.size == SIZES[0] { "PutObject" } else { "UploadPart" }
    }

    /// A directory `tree` that holds `k`, and a bucket with nothing or an older version.
    fn up(&self) -> Scene {
        let scene = Scene::public();
        scene.write("tree", &Files::new([("k", &self.ours())]));
        if self.replaced {
            scene.put_exactly("k", b"older");
        }
        scene
    }

    /// A bucket that holds `k`, and a directory `tree` with nothing or an older version.
    fn down(&self) -> Scene {
        let scene = Scene::public();
        scene.put_exactly("k", &self.ours());
        scene.write("tree", &if self.replaced { Files::new([("k", b"older")]) } else { Files::default() });
        scene
    }
}

/// Runs the sync, with something to delete besides, and does this when its first request of this operation has come.
fn sync_while(scene: &Scene, places: [&str; 2], operation: &str, meanwhile: impl FnOnce()) -> Ended {
    let args = ["sync", places[0], places[1], "--delete", "--compare", "size", "--output", "json"];
    scene.log().forget_requests();
    scene.log().hold_the(operation, &[1]);
    Ended::of_while(scene.brigade_command(args.iter().chain(&TRUSTED)), || {
        assert_eq!(scene.log().wait_for_number(operation, 1), "k");
        meanwhile();
        scene.log().heal();
    })
}

#[test]
fn an_object_that_somebody_else_put_meanwhile_stays_and_is_named() {
    for race in races() {
        let scene = race.up();
        scene.put_exactly("extra", b"only at the destination");
        let (tree, bucket) = (scene.arg("tree"), scene.url(""));
        let ended =
            sync_while(&scene, [&tree, &bucket], race.writes(), || scene.put_exactly("k", &race.theirs())).exits(3);
        ended.complains_of("k", "somebody else wrote this key since it was listed; run again");
        ended.summary().counts([("failed", 1), ("deletions_held_back", 1)]);
        assert!(scene.objects()["k"] == race.theirs(), "somebody else's version was overwritten");
        assert!(scene.objects().contains_key("extra"));
        assert_eq!(scene.uploads(), 0, "parts were left behind");

        // The next run knows of it.
        scene.sync(&tree, &bucket, ["--delete", "--compare", "checksum"]).counts([("replaced", 1), ("deleted", 1)]);
        assert!(scene.objects()["k"] == race.ours());
    }
}

#[test]
fn what_somebody_else_removed_meanwhile_is_named_and_brought_by_the_next_run() {
    for size in SIZES {
        let race = Race { size, replaced: true };
        let scene = race.up();
        let (tree, bucket) = (scene.arg("tree"), scene.url(""));
        let ended = sync_while(&scene, [&tree, &bucket], race.writes(), || scene.remove_exactly("k")).exits(3);
        ended.complains_of("k", "the object to replace is gone; run again");
        assert!(scene.objects().is_empty());
        assert_eq!(scene.uploads(), 0, "parts were left behind");
        scene.sync(&tree, &bucket, []).counts([("created", 1)]);

        let scene = race.down();
        let (tree, bucket) = (scene.arg("tree"), scene.url(""));
        let remove = || std::fs::remove_file(scene.path("tree/k")).unwrap();
        let ended = sync_while(&scene, [&bucket, &tree], "GetObject", remove).exits(3);
        ended.complains_of("k", "the file to replace is gone; run again");
        scene.read("tree").assert_are(&Files::default());
        scene.sync(&bucket, &tree, []).counts([("created", 1)]);
    }
}

#[test]
fn an_object_that_somebody_else_put_meanwhile_is_in_step_if_it_is_the_same() {
    for race in races() {
        let scene = race.up();
        let (tree, bucket) = (scene.arg("tree"), scene.url(""));
        let ended = sync_while(&scene, [&tree, &bucket], race.writes(), || scene.put_exactly("k", &race.ours()));
        ended.exits(0).summary().counts([("in_step", 1)]);
        assert_eq!(scene.uploads(), 0, "parts were left behind");
    }
}

#[test]
fn a_file_that_somebody_else_wrote_meanwhile_stays_and_is_named() {
    for race in races() {
        let scene = race.down();
        let (tree, bucket) = (scene.arg("tree"), scene.url(""));
        std::fs::write(scene.path("tree/extra"), "only at the destination").unwrap();
        let ended = sync_while(&scene, [&bucket, &tree], "GetObject", || {
            std::fs::write(scene.path("tree/k"), race.theirs()).unwrap();
        });
        let ended = ended.exits(3);
        ended.complains_of("k", "run again");
        ended.summary().counts([("failed", 1), ("deletions_held_back", 1)]);
        let mut wanted = Files::new([("extra", b"only at the destination")]);
        wanted.put("k", race.theirs());
        scene.read("tree").assert_are(&wanted);

        scene.sync(&bucket, &tree, ["--delete", "--compare", "checksum"]).counts([("replaced", 1), ("deleted", 1)]);
        assert!(scene.read("tree").0["k"] == race.ours());
    }
}

#[test]
fn a_file_that_somebody_else_wrote_meanwhile_is_in_step_if_it_is_the_same() {
    for race in races() {
        let scene = race.down();
        let (tree, bucket) = (scene.arg("tree"), scene.url(""));
        let ended = sync_while(&scene, [&bucket, &tree], "GetObject", || {
            std::fs::write(scene.path("tree/k"), race.ours()).unwrap();
        });
        ended.exits(0).summary().counts([("in_step", 1)]);
        scene.read("tree").assert_are(&Files::new([("k", &race.ours())]));
    }
}
