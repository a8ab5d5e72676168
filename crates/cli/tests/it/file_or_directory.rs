//! A file where the other side has a directory: in step after one run with
//! `--delete`, and nothing lost without it. A dry run foresees both.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::harness::{Files, Scene};

/// These paths, each with itself as content.
fn files(paths: &[&str]) -> Files {
    let mut files = Files::default();
    for path in paths {
        files.put(path, *path);
    }
    files
}

/// What the source has and what the destination.
type Case = (&'static [&'static str], &'static [&'static str]);

const CASES: [Case; 6] = [
    (&["a"], &["a/b/c", "a/d"]),
    (&["a/b"], &["a"]),
    (&["a/b/c/d"], &["a/b"]),
    (&["a", "a-b", "a.c"], &["a/b", "a-b/c", "a.c/d/e"]),
    (&["a/b", "b", "c/d/e", "f", "g/h"], &["a", "b/c", "b/d/e", "c", "f/g/h/i", "g/h/i"]),
    (&["a/b", "a/c/d", "same/x"], &["a/b/c", "a/b/d/e", "a/c", "same/x"]),
];

impl Scene {
    fn put_all(&self, prefix: &str, files: &Files) {
        for (path, content) in &files.0 {
            self.put_exactly(&format!("{prefix}{path}"), content);
        }
    }

    /// The objects below the prefix, by their keys there.
    fn below(&self, prefix: &str) -> Files {
        let below = self.objects().into_iter();
        Files(below.filter_map(|(key, content)| Some((key.strip_prefix(prefix)?.to_owned(), content))).collect())
    }
}

#[test]
fn down_one_run_with_delete_gets_it_right_and_a_dry_run_foresees_it() {
    let scene = Scene::public();
    for (number, (source, dest)) in CASES.into_iter().enumerate() {
        let (prefix, tree) = (format!("{number}/"), format!("tree-{number}"));
        scene.put_all(&prefix, &files(source));
        scene.write(&tree, &files(dest));
        let same = source.iter().filter(|path| dest.contains(path)).count() as u64;
        let (created, deleted) = (source.len() as u64 - same, dest.len() as u64 - same);
        for more in [["--delete", "--dry-run"].as_slice(), &["--delete"]] {
            let sync = ["sync", &scene.url(&prefix), &scene.arg(&tree), "--output", "json"];
            let ended = scene.brigade(sync.iter().chain(more)).exits(0);
            ended.summary().counts([("created", created), ("deleted", deleted), ("in_step", same)]);
            let wanted = if more.len() == 2 { dest } else { source };
            scene.read(&tree).assert_are(&files(wanted));
        }
        let again = scene.sync(&scene.url(&prefix), &scene.arg(&tree), ["--delete"]);
        again.counts([("in_step", source.len() as u64)]);
        assert_eq!(again.requests("GetObject"), 0);
    }
}

#[test]
fn up_both_can_be_and_delete_leaves_only_what_the_source_has() {
    let scene = Scene::public();
    for (number, (dest, source)) in CASES.into_iter().enumerate() {
        let (prefix, tree) = (format!("{number}/"), format!("tree-{number}"));
        scene.put_all(&prefix, &files(dest));
        scene.write(&tree, &files(source));
        let same = source.iter().filter(|path| dest.contains(path)).count() as u64;
        let (created, extra) = (source.len() as u64 - same, dest.len() as u64 - same);
        let (tree, bucket) = (scene.arg(&tree), scene.url(&prefix));
        for more in [["--delete"].as_slice(), &[]] {
            let sync = ["sync", &tree, &bucket, "--dry-run", "--output", "json"];
            let became = if more.is_empty() { "extra" } else { "deleted" };
            let ended = scene.brigade(sync.iter().chain(more)).exits(0);
            ended.summary().counts([("created", created), (became, extra), ("in_step", same)]);
        }
        scene.sync(&tree, &bucket, []).counts([("created", created), ("extra", extra), ("in_step", same)]);
        let all: Vec<&str> = source.iter().chain(dest).copied().collect();
        scene.below(&prefix).assert_are(&files(&all));
        scene.sync(&tree, &bucket, ["--delete"]).counts([("in_step", source.len() as u64), ("deleted", extra)]);
        scene.below(&prefix).assert_are(&files(source));
        let again = scene.sync(&tree, &bucket, ["--delete"]);
        again.counts([("in_step", source.len() as u64)]);
        again.changed_nothing();
    }
}

#[test]
fn down_without_delete_what_is_in_the_way_stays_and_is_named() {
    let scene = Scene::public();
    scene.put_all("", &files(&["a", "b/c", "b/d/e", "fine"]));
    let dest = files(&["a/x", "b"]);
    scene.write("tree", &dest);
    for more in [["--dry-run"].as_slice(), &[], &["--delete", "--max-delete", "1"]] {
        let sync = ["sync", &scene.url(""), &scene.arg("tree"), "--output", "json"];
        let (code, kept, became) = match more {
            [] | ["--dry-run"] => (3, ("extra", 2), "created"),
            _ => (4, ("deletions_held_back", 2), "in_step"),
        };
        let ended = scene.brigade(sync.iter().chain(more)).exits(code);
        ended.summary().counts([(became, 1), ("failed", 3), kept]);
        let ended = ended
            .complains(
                "failed: a: a directory stands where this file must go; look into it, and remove it or use --delete",
            )
            .complains("failed: b/c: b is a file, and must be a directory for this key; look into it");
        ended.complains("failed: b/d/e: b is a file");
    }
    let mut wanted = dest;
    wanted.put("fine", "fine");
    scene.read("tree").assert_are(&wanted);
}

#[test]
fn what_takes_no_part_is_not_deleted_to_make_room() {
    let scene = Scene::public();
    scene.put_all("", &files(&["a", "b/c", "l", "p/x"]));
    let kept = files(&["a/deep/keep.tmp", "a/gone", "b"]);
    scene.write("tree", &kept);
    std::fs::create_dir(scene.path("tree/l")).unwrap();
    symlink("nowhere", scene.path("tree/l/link")).unwrap();
    assert!(Command::new("mkfifo").arg(scene.path("tree/p")).status().unwrap().success());
    // `b` is left out, and what is below it is not.
    let filters = ["--exclude", "*.tmp", "--exclude", "b", "--include", "b/*"];
    for more in [["--dry-run"].as_slice(), &[]] {
        let sync = ["sync", &scene.url(""), &scene.arg("tree"), "--delete", "--output", "json"];
        let ended = scene.brigade(sync.iter().chain(&filters).chain(more)).exits(3);
        ended.summary().counts([("failed", 4), ("deleted", 1), ("excluded", 2), ("skipped", 2)]);
        for key in ["a", "b/c", "l", "p/x"] {
            assert!(ended.stderr.contains(&format!("failed: {key}: ")), "{}", ended.stderr);
        }
    }
    assert!(scene.path("tree/l/link").is_symlink() && scene.path("tree/p").exists());
    for (path, stays) in [("a/deep/keep.tmp", true), ("a/gone", false), ("b", true)] {
        assert_eq!(scene.path("tree").join(path).is_file(), stays, "{path}");
    }
}

#[test]
fn directories_without_any_file_give_way() {
    let scene = Scene::public();
    scene.put_all("", &files(&["a", "b"]));
    for directory in ["tree/a/x/y", "tree/a/z", "tree/b"] {
        std::fs::create_dir_all(scene.path(directory)).unwrap();
    }
    // What a killed run left behind is no file of anybody's.
    std::fs::write(scene.path("tree/a/z/.brigade-0123456789abcdef"), "half").unwrap();
    scene.sync(&scene.url(""), &scene.arg("tree"), ["--dry-run"]).counts([("created", 2)]);
    assert!(scene.path("tree/a/x/y").is_dir());
    scene.sync(&scene.url(""), &scene.arg("tree"), []).counts([("created", 2)]);
    scene.read("tree").assert_are(&files(&["a", "b"]));
}
