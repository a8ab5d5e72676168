//! `--index`: a bucket that is not listed, as its server sees it.

use crate::harness::{Ended, Files, Scene, on_both_servers, wait_until_it_is_old};

/// Sixteen files and more, old enough to be sure of.
fn files() -> Files {
    numbered(30, |number| format!("d{}/{number:02}", number % 3))
}

fn numbered(count: u64, path: impl Fn(u64) -> String) -> Files {
    let mut files = Files::default();
    for number in 0..count {
        files.put(&path(number), format!("content {number}"));
    }
    files
}

/// More than is written whole.
fn large(byte: u8) -> Vec<u8> {
    vec![byte; (16 << 20) + 1]
}

/// A tree of these files and a bucket in step, with an index.
fn indexed(scene: &Scene, files: &Files, options: &[&str]) {
    write_old(scene, files);
    sync(scene, options).exits(0);
}

/// Long enough before a run for it to be sure of them.
fn write_old(scene: &Scene, files: &Files) {
    scene.write("tree", files);
    wait_until_it_is_old(&scene.path("tree/d2/29"));
}

fn sync(scene: &Scene, options: &[&str]) -> Ended {
    let (tree, site) = (scene.arg("tree"), scene.url("site"));
    let args = ["sync", &tree, &site, "--delete", "--index", "--output", "json"];
    scene.brigade(args.iter().chain(options))
}

/// Changes a file, adds one, and removes one.
fn change(scene: &Scene) {
    let mut files = scene.read("tree");
    files.put("d0/00", "changed");
    files.put("new", "new");
    files.take("d1/01");
    scene.write("tree", &files);
}

on_both_servers! {
    fn what_changed_is_brought_over_without_a_listing(scene) {
        write_old(&scene, &files());
        scene.put("site/extra", b"it is deleted");
        let first = sync(&scene, &[]).exits(0);
        assert!(first.stdout.contains("there is no index of it yet"), "{}", first.stdout);
        assert!(first.summary().requests("ListObjectsV2") > 0);
        change(&scene);
        let second = sync(&scene, &[]).exits(0);
        second.summary().counts([("created", 1), ("replaced", 1), ("deleted", 1), ("in_step", 28)]);
        assert_eq!(second.summary().requests("ListObjectsV2"), 0);
        assert!(!second.stdout.contains("listed this time"), "{}", second.stdout);
        scene.stored("site").assert_are(&scene.read("tree"));
        let third = sync(&scene, &[]).exits(0);
        assert_eq!((third.summary().requests("HeadObject"), third.summary().requests("PutObject")), (16, 0));
    }

    fn a_bucket_that_was_emptied_behind_it_is_not_taken_for_one_in_step(scene) {
        indexed(&scene, &files(), &[]);
        scene.aws(["s3", "rm", "--recursive", &scene.url("site")]);
        change(&scene);
        for more in [&["--dry-run"][..], &[]] {
            let ended = sync(&scene, more).exits(4).complains("--rebuild-index");
            assert!(ended.summary().requests("PutObject") + ended.summary().requests("DeleteObject") + ended.summary().requests("DeleteObjects") == 0);
        }
        assert_eq!(scene.stored("site").count(), 0);
        sync(&scene, &["--rebuild-index"]).exits(0).summary().counts([("created", 30)]);
        scene.stored("site").assert_are(&scene.read("tree"));
        assert_eq!(sync(&scene, &[]).exits(0).summary().requests("ListObjectsV2"), 0);
    }
}

#[test]
fn where_there_are_no_conditions_each_write_and_deletion_is_looked_at_before() {
    for (provider, looks) in [("brigade-dev", 16), ("unknown", 16 + 4)] {
        let scene = Scene::embedded();
        let options = ["--provider", provider];
        let mut files = files();
        files.put("large", large(7));
        indexed(&scene, &files, &options);
        change(&scene);
        let mut files = scene.read("tree");
        files.put("large", large(8));
        scene.write("tree", &files);
        let ended = sync(&scene, &options).exits(0);
        ended.summary().counts([("created", 1), ("replaced", 2), ("deleted", 1), ("in_step", 28)]);
        assert_eq!(ended.summary().requests("HeadObject"), looks, "{provider}");
        scene.stored("site").assert_are(&scene.read("tree"));
    }
}

/// Of so many objects, the sample rarely has one of those.
#[test]
fn what_somebody_else_wrote_there_is_neither_overwritten_nor_deleted() {
    for provider in ["brigade-dev", "unknown"] {
        let scene = Scene::embedded();
        let options = ["--provider", provider];
        let files = numbered(600, |number| format!("d{}/{number:02}", number % 3));
        indexed(&scene, &files, &options);
        change(&scene);
        for key in ["d0/00", "new", "d1/01"] {
            scene.put(&format!("site/{key}"), b"theirs");
        }
        let ended = sync(&scene, &options);
        for key in ["d0/00", "new", "d1/01"] {
            assert_eq!(scene.stored("site").0[key], b"theirs", "{provider} {key}\n{}", ended.stdout);
        }
        let is_found_out = |ended: &Ended| ended.code == Some(4) && ended.stderr.contains("--rebuild-index");
        if is_found_out(&ended) {
            continue;
        }
        let ended = ended.exits(3).complains("run again");
        ended.summary().counts([("failed", 2), ("deletions_held_back", 1), ("in_step", 598)]);
        // It is known from then on, and what is deleted comes after all else.
        let ended = sync(&scene, &options);
        if is_found_out(&ended) {
            continue;
        }
        ended.exits(3).complains("d1/01");
        sync(&scene, &options).exits(0);
        scene.stored("site").assert_are(&scene.read("tree"));
    }
}

#[test]
fn a_run_that_was_killed_makes_the_next_one_list() {
    let scene = Scene::embedded();
    indexed(&scene, &files(), &[]);
    change(&scene);
    scene.log().hold("PutObject", "site/new");
    let (tree, site) = (scene.arg("tree"), scene.url("site"));
    scene.kill_at("PutObject", scene.brigade_command(["sync", &tree, &site, "--delete", "--index"]));
    scene.log().heal();
    let next = sync(&scene, &[]).exits(0);
    assert!(next.stdout.contains("the last run with the index was killed"), "{}", next.stdout);
    scene.stored("site").assert_are(&scene.read("tree"));
    assert_eq!(sync(&scene, &[]).exits(0).summary().requests("ListObjectsV2"), 0);
}

#[test]
fn what_cannot_have_an_index_is_told() {
    let scene = Scene::embedded();
    scene.write("tree", &files());
    let (tree, site) = (scene.arg("tree"), scene.url("site"));
    for flag in ["--index", "--rebuild-index"] {
        scene.brigade(["sync", &site, &tree, flag]).exits(2).complains("a directory is always walked");
        scene.brigade(["sync", &tree, &site, flag, "--no-ledger"]).exits(2).complains("--no-ledger");
        let ledger = scene.url("ledger");
        scene.brigade(["sync", &tree, &site, flag, "--ledger", &ledger]).exits(2).complains("give --ledger a file");
        let mut command = scene.brigade_command(["sync", &tree, &site, flag]);
        command.env("HOME", "/proc/nowhere").env_remove("XDG_STATE_HOME").env_remove("BRIGADE_STATE_DIR");
        Ended::of(command).exits(1).complains("can't be written anywhere; give --ledger a file");
    }
    assert_eq!(scene.stored("").count(), 0);
}
