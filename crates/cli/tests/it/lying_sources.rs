//! Sources that can't be believed: missing, unreadable, empty, or broken off.

use std::fs::{Permissions, create_dir, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::harness::{Ended, Files, Scene, bound_by_permissions};

fn three() -> Files {
    Files::new([("a", b"1"), ("b/c", b"2"), ("d", b"3")])
}

/// A scene whose bucket and tree both hold three objects.
fn with_three_objects() -> Scene {
    let scene = Scene::embedded();
    scene.write("tree", &three());
    scene.sync(&scene.arg("tree"), &scene.url("site"), []);
    scene.log().forget_requests();
    scene
}

fn permit(scene: &Scene, name: &str, mode: u32) {
    set_permissions(scene.path(name), Permissions::from_mode(mode)).unwrap();
}

/// A sync that deletes, by somebody who must obey permissions.
fn sync_bound(scene: &Scene, source: &str) -> Ended {
    let command = scene.brigade_command(["sync", source, &scene.url("site"), "--delete", "--output", "json"]);
    Ended::of(bound_by_permissions(&command))
}

#[test]
fn what_is_no_directory_is_no_source() {
    let scene = with_three_objects();
    std::fs::write(scene.path("file"), "").unwrap();
    assert!(Command::new("mkfifo").arg(scene.path("pipe")).status().unwrap().success());
    let _socket = UnixListener::bind(scene.path("socket")).unwrap();
    symlink("nowhere", scene.path("broken")).unwrap();
    symlink("itself", scene.path("itself")).unwrap();
    let table = [
        ("missing", "there is no such directory"),
        ("missing/below", "there is no such directory"),
        ("broken", "there is no such directory"),
        ("itself", "symbolic links"),
        ("file", "is not a directory"),
        ("file/below", "Not a directory"),
        ("pipe", "is not a directory"),
        ("socket", "is not a directory"),
    ];
    let dev_null = ("/dev/null".to_owned(), "is not a directory");
    for (source, reason) in table.map(|(name, reason)| (scene.arg(name), reason)).into_iter().chain([dev_null]) {
        for more in ["--delete", "--allow-empty-source"] {
            let ended = scene.brigade(["sync", &source, &scene.url("site"), more]).exits(1);
            ended.complains(&source).complains(reason);
        }
    }
    assert_eq!(scene.log().requests(), 0);
    scene.stored("site").assert_are(&three());
}

#[test]
fn a_source_that_may_not_be_read_ends_the_run() {
    let scene = with_three_objects();
    // Neither, names without what they stand for, and what they stand for without the names.
    for mode in [0o000, 0o644, 0o311] {
        permit(&scene, "tree", mode);
        let ended = sync_bound(&scene, &scene.arg("tree")).exits(1).complains(&scene.arg("tree"));
        assert!(["check who may read", "permit it to be read"].iter().any(|advice| ended.stderr.contains(advice)));
        ended.complains("ermission denied");
    }
    permit(&scene, "tree", 0o755);
    create_dir(scene.path("closed")).unwrap();
    std::fs::rename(scene.path("tree"), scene.path("closed/tree")).unwrap();
    permit(&scene, "closed", 0o000);
    sync_bound(&scene, &scene.arg("closed/tree")).exits(1).complains("ermission denied").complains("directories above");
    permit(&scene, "closed", 0o755);
    sync_bound(&scene, &scene.arg("closed/tree")).exits(0).summary().counts([("in_step", 3)]);
    scene.stored("site").assert_are(&three());
}

#[test]
fn a_source_may_be_a_symlink_and_end_in_a_slash() {
    let scene = with_three_objects();
    symlink("tree", scene.path("link")).unwrap();
    for source in ["link", "link/", "tree/", "tree/.", "link//"] {
        scene.sync(&scene.arg(source), &scene.url("site"), ["--delete"]).counts([("in_step", 3)]);
    }
    scene.sync(&scene.arg("link"), &scene.url("site"), ["--symlinks", "skip"]).counts([("in_step", 3)]);
}

#[test]
fn an_empty_source_is_refused_even_for_three_objects() {
    let scene = with_three_objects();
    create_dir(scene.path("unmounted")).unwrap();
    for (source, dest) in
        [(scene.arg("unmounted"), scene.url("site")), (scene.url("no/such/prefix"), scene.arg("tree"))]
    {
        for more in [&[][..], &["--delete"], &["--delete", "--max-delete", "100%"], &["--dry-run"], &["--limit", "1"]] {
            let ended = scene.brigade(["sync", &source, &dest].iter().chain(more)).exits(4);
            ended.complains(&source).complains("3 objects").complains("--allow-empty-source");
        }
    }
    scene.log().assert_only_read();
    scene.stored("site").assert_are(&three());
    scene.read("tree").assert_are(&three());
}

#[test]
fn a_source_that_is_empty_but_for_what_takes_no_part_is_refused_as_well() {
    let scene = with_three_objects();
    scene.write("other", &Files::new([("only.tmp", b"1")]));
    symlink("only.tmp", scene.path("other/link")).unwrap();
    assert!(Command::new("mkfifo").arg(scene.path("other/pipe")).status().unwrap().success());
    let more = ["--exclude", "*.tmp", "--symlinks", "skip", "--delete"];
    scene.brigade(["sync", &scene.arg("other"), &scene.url("site")].iter().chain(&more)).exits(4);
    scene.stored("site").assert_are(&three());
}

#[test]
fn an_empty_source_that_is_allowed_deletes_on_request_and_within_the_limit() {
    let scene = with_three_objects();
    create_dir(scene.path("empty")).unwrap();
    for (source, dest) in [(scene.arg("empty"), scene.url("site")), (scene.url("no/such/prefix"), scene.arg("tree"))] {
        let allowed = |more: &[&str]| {
            let args = ["sync", &source, &dest, "--allow-empty-source", "--output", "json"];
            scene.brigade(args.iter().chain(more))
        };
        allowed(&[]).exits(0).summary().counts([("extra", 3)]);
        allowed(&["--delete", "--max-delete", "2"]).exits(4).complains("--max-delete");
        allowed(&["--delete", "--dry-run"]).exits(0).summary().counts([("deleted", 3)]);
        scene.stored("site").assert_are(&if dest.starts_with("s3:") { three() } else { Files::default() });
        scene.read("tree").assert_are(&three());
        allowed(&["--delete", "--max-delete", "3"]).exits(0).summary().counts([("deleted", 3)]);
    }
    scene.stored("site").assert_are(&Files::default());
    scene.read("tree").assert_are(&Files::default());
}

#[test]
fn what_may_not_be_read_is_named_and_nothing_at_or_below_it_deleted() {
    let scene = Scene::embedded();
    let mut all = Files::new([("open", b"0"), ("gone", b"1"), ("secret", b"2")]);
    for directory in ["closed", "unlistable", "unsearchable"] {
        all.put(&format!("{directory}/x"), "3");
        all.put(&format!("{directory}/deeper/gone"), "4");
    }
    scene.write("tree", &all);
    scene.sync(&scene.arg("tree"), &scene.url("site"), []);

    for gone in ["gone", "closed/deeper/gone", "unlistable/deeper/gone", "unsearchable/deeper/gone"] {
        std::fs::remove_file(scene.path("tree").join(gone)).unwrap();
    }
    std::fs::write(scene.path("tree/secret"), "changed").unwrap();
    // A link whose target can't be looked at fails alone: nothing of its own is wrong.
    symlink("n".repeat(300), scene.path("tree/too-long")).unwrap();
    scene.put("site/too-long", b"kept");
    all.put("too-long", "kept");
    let modes = [("secret", 0o000), ("closed", 0o000), ("unlistable", 0o311), ("unsearchable", 0o644)];
    for (name, mode) in modes {
        permit(&scene, &format!("tree/{name}"), mode);
    }
    let ended = sync_bound(&scene, &scene.arg("tree")).exits(3);
    for key in ["secret", "closed/", "unlistable/", "unsearchable/"] {
        ended.complains_of(key, "ermission denied");
    }
    ended.complains_of("too-long", "too long");
    // What is below a place that could not be read is held; the one deletion that is certain waits until all is read.
    let counts = [("in_step", 1), ("failed", 5), ("held", 7), ("deletions_held_back", 1)];
    ended.summary().counts(counts);
    scene.stored("site").assert_are(&all);

    for (name, _) in modes {
        permit(&scene, &format!("tree/{name}"), 0o755);
    }
    std::fs::remove_file(scene.path("tree/too-long")).unwrap();
    sync_bound(&scene, &scene.arg("tree")).exits(0).summary().counts([("in_step", 4), ("replaced", 1), ("deleted", 5)]);
    scene.stored("site").assert_are(&scene.read("tree"));
}

#[test]
fn a_destination_whose_listing_breaks_off_loses_nothing() {
    let scene = Scene::embedded();
    let mut many = Files::default();
    for number in 0..1500 {
        many.put(&format!("{number:04}"), "");
    }
    scene.write("tree", &many);
    scene.sync(&scene.arg("tree"), &scene.url("site"), []);
    scene.write(
        "half",
        &Files(many.0.iter().step_by(2).map(|(path, content)| (path.clone(), content.clone())).collect()),
    );
    scene.log().forget_requests();
    scene.log().refuse_page(2);
    let args = ["sync", &scene.arg("half"), &scene.url("site"), "--delete"];
    scene.brigade(args).exits(1).complains(&scene.url("site")).complains("AccessDenied");
    scene.log().assert_only_read();
}
