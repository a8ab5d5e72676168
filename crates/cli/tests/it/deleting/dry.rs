//! What must change nothing: a dry run, a limit, a refusal.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use super::{Direction, both_ways};
use crate::harness::{Files, Scene, everything_below};

/// Everything in the scratch directory's `tree`, and when its directories last changed.
fn tree(scene: &Scene) -> (BTreeMap<PathBuf, String>, Vec<SystemTime>) {
    let everything = everything_below(&scene.path("tree"));
    let directories = everything.keys().filter(|path| path.is_dir());
    let changed = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
    let root = fs::metadata(scene.path("tree")).unwrap().modified().unwrap();
    let modified = directories.map(changed).chain([root]).collect();
    (everything, modified)
}

/// Something to create, to replace and to delete, each also in a directory of its own.
fn with_everything_to_do() -> [(Direction, Scene); 2] {
    let scenes = both_ways(&Files::new([("same", b"same"), ("changed", b"before"), ("d/changed", b"before")]));
    for (direction, scene) in &scenes {
        for key in ["changed", "d/changed"] {
            direction.add_to_source(scene, key, "after that");
        }
        for key in ["new", "made/new"] {
            direction.add_to_source(scene, key, "new");
        }
        for key in ["gone", "emptied/gone", "emptied/too"] {
            direction.add_to_dest(scene, key, "extra");
        }
        scene.log().forget_requests();
    }
    scenes
}

#[test]
fn a_dry_run_with_delete_sends_no_request_that_changes_anything() {
    for (direction, scene) in with_everything_to_do() {
        let before = tree(&scene);
        let ended = direction.sync(&scene, ["--dry-run"]).exits(0);
        ended.summary().counts([("in_step", 1), ("replaced", 2), ("created", 2), ("deleted", 3)]);
        scene.log().assert_only_read();
        assert_eq!(tree(&scene), before, "{direction:?}");
        // What it said would be done is what is done then.
        direction.sync(&scene, []).exits(0).summary().counts([
            ("in_step", 1),
            ("replaced", 2),
            ("created", 2),
            ("deleted", 3),
        ]);
    }
}

#[test]
fn a_refused_run_deletes_nothing_dry_or_not() {
    for (direction, scene) in with_everything_to_do() {
        let ended = direction.sync(&scene, ["--max-delete", "2", "--dry-run"]).exits(4).complains("--max-delete");
        assert_eq!(ended.summary().0["deleted"], 3, "a dry run shows them");
        scene.log().assert_only_read();
        let ended = direction.sync(&scene, ["--max-delete", "2"]).exits(4).complains("--max-delete");
        let counts = [("in_step", 1), ("replaced", 2), ("created", 2), ("deletions_held_back", 3)];
        ended.summary().counts(counts);
        assert_eq!(scene.log().deletions(), 0);
        assert_eq!(direction.dest(&scene).count(), 8, "{direction:?}");
    }
}

#[test]
fn a_limit_deletes_nothing() {
    for (direction, scene) in with_everything_to_do() {
        let ended = direction.sync(&scene, ["--limit", "1"]).exits(0);
        assert_eq!((&ended.summary().0["deleted"], &ended.summary().0["over_limit"]), (&0.into(), &6.into()));
        // Not even when there is nothing more to send.
        direction.sync(&scene, ["--limit", "100"]).exits(0);
        assert_eq!(scene.log().deletions(), 0);
        let dest = direction.dest(&scene);
        for key in ["gone", "emptied/gone", "emptied/too"] {
            assert_eq!(dest.0[key], b"extra", "{direction:?} {key}");
        }
    }
}
