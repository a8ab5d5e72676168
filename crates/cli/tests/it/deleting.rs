//! When deletions are refused, and what stays out of their reach.

use crate::harness::{Files, Scene, on_both_servers};

const TEN: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

fn files(names: &[&str]) -> Files {
    let mut files = Files::default();
    for name in names {
        files.put(name, *name);
    }
    files
}

/// A scene whose bucket has ten objects and whose tree has the first seven of them.
fn three_too_many(scene: Scene) -> Scene {
    scene.write("tree", &files(&TEN));
    scene.sync(&scene.arg("tree"), &scene.url("site"), []);
    scene.write("tree", &files(&TEN[..7]));
    scene
}

on_both_servers! {
    fn more_than_max_delete_is_refused_and_nothing_deleted(scene) {
        let scene = three_too_many(scene);
        let (tree, site) = (scene.arg("tree"), scene.url("site"));
        for limit in ["0", "2", "29%"] {
            let ended = scene.brigade(["sync", &tree, &site, "--delete", "--max-delete", limit]);
            ended.exits(4).complains("--max-delete");
            scene.stored("site").assert_are(&files(&TEN));
        }
        scene.sync(&tree, &site, ["--delete", "--max-delete", "30%"]).counts([("in_step", 7), ("deleted", 3)]);
        scene.stored("site").assert_are(&files(&TEN[..7]));
    }

    fn more_than_max_delete_is_refused_in_a_directory_too(scene) {
        let scene = three_too_many(scene);
        scene.aws(["s3", "rm", "--quiet", "--recursive", &scene.url("site")]);
        scene.aws(["s3", "sync", "--quiet", &scene.arg("tree"), &scene.url("site")]);
        scene.write("copy", &files(&TEN));
        let (site, copy) = (scene.url("site"), scene.arg("copy"));
        scene.brigade(["sync", &site, &copy, "--delete", "--max-delete", "2"]).exits(4);
        scene.read("copy").assert_are(&files(&TEN));
        scene.sync(&site, &copy, ["--delete", "--max-delete", "3"]).counts([("in_step", 7), ("deleted", 3)]);
        scene.read("copy").assert_are(&files(&TEN[..7]));
    }

    fn an_empty_source_is_refused(scene) {
        let scene = three_too_many(scene);
        std::fs::create_dir(scene.path("unmounted")).unwrap();
        scene.brigade(["sync", &scene.arg("unmounted"), &scene.url("site"), "--delete"]).exits(4);
        scene.brigade(["sync", &scene.arg("unmounted"), &scene.url("site")]).exits(4);
        scene.stored("site").assert_are(&files(&TEN));
        scene.brigade(["sync", &scene.url("no/such/prefix"), &scene.arg("tree"), "--delete"]).exits(4);
        scene.read("tree").assert_are(&files(&TEN[..7]));
    }

    fn a_missing_source_ends_the_run_before_anything_is_done(scene) {
        let scene = three_too_many(scene);
        let ended = scene.brigade(["sync", &scene.arg("not-mounted"), &scene.url("site"), "--delete"]).exits(1);
        ended.complains("not-mounted");
        scene.stored("site").assert_are(&files(&TEN));
        let ended = scene.brigade(["sync", "s3://no-such-bucket/x", &scene.arg("tree"), "--delete"]).exits(1);
        ended.complains("no-such-bucket");
        scene.read("tree").assert_are(&files(&TEN[..7]));
    }
}

#[test]
fn a_refused_run_sends_no_delete_at_all() {
    let scene = three_too_many(Scene::embedded());
    scene.log().forget_requests();
    scene.brigade(["sync", &scene.arg("tree"), &scene.url("site"), "--delete", "--max-delete", "2"]).exits(4);
    scene.log().assert_only_read();
}

#[test]
fn a_failed_transfer_holds_the_deletions_back() {
    let scene = three_too_many(Scene::embedded());
    let mut changed = files(&TEN[..7]);
    changed.put("refused", "new");
    scene.write("tree", &changed);
    scene.log().refuse("PutObject", "site/refused");

    let args = ["sync", &scene.arg("tree"), &scene.url("site"), "--delete", "--output", "json"];
    let ended = scene.brigade(args).exits(3).complains("refused");
    ended.summary().counts([("in_step", 7), ("failed", 1), ("deletions_held_back", 3)]);
    scene.stored("site").assert_are(&files(&TEN));
}

#[test]
fn a_listing_that_breaks_off_deletes_nothing() {
    let scene = Scene::embedded();
    let mut many = Files::default();
    for number in 0..1500 {
        many.put(&format!("{number:04}"), "");
    }
    scene.write("tree", &many);
    scene.sync(&scene.arg("tree"), &scene.url("site"), []);
    scene.log().refuse_second_page();
    scene.brigade(["sync", &scene.url("site"), &scene.arg("tree"), "--delete"]).exits(1).complains("AccessDenied");
    scene.read("tree").assert_are(&many);
}
