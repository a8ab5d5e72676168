//! A destination without room or without permission, and a TMPDIR without room.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Ended, Files, Scene, bound_by_permissions, limited, wrapped};

/// Objects of which the large one needs more room than there is, and one that has gone.
fn downloads() -> Scene {
    let scene = Scene::embedded();
    scene.write(
        "origin",
        &Files::new([("large", &vec![7; 17 << 20][..]), ("medium", &vec![7; 3 << 20]), ("small", b"new")]),
    );
    scene.sync(&scene.arg("origin"), &scene.url(""), []);
    scene.write("tree", &Files::new([("medium", b"before"), ("gone", b"kept")]));
    scene
}

/// What fails for want of room is named, the rest goes on, and nothing is lost.
#[track_caller]
fn assert_room_was_missed(scene: &Scene, ended: Ended, tree: &str, why: &str) {
    let ended = ended.exits(3).complains("large").complains(why);
    let mut wanted = Files::new([("gone", b"kept"), ("medium", b"before")]);
    // On a disk that another file has filled for a moment there may be no room for a small one either.
    let arrived = scene.read(tree).paths().contains(&"small");
    if arrived {
        wanted.put("small", "new");
        ended.summary().counts([("created", 1), ("failed", 2), ("deletions_held_back", 1)]);
    } else {
        ended.complains_of("small", why);
        ended.summary().counts([("failed", 3), ("deletions_held_back", 1)]);
    }
    scene.read(tree).assert_are(&wanted);
}

#[test]
fn a_limit_on_file_sizes_fails_the_files_that_it_concerns() {
    let scene = downloads();
    let command = scene.brigade_command(["sync", &scene.url(""), &scene.arg("tree"), "--delete", "--output", "json"]);
    assert_room_was_missed(&scene, Ended::of(limited("--fsize=1048576", &command)), "tree", "ulimit -f");
}

/// `script` in a mount namespace of its own, where a file system of 1 MiB is mounted at `$1`.
fn with_small_disk(scene: &Scene, at: &str, script: &str, args: &[&str]) -> Ended {
    let mount = format!("mount -t tmpfs -o size=1m none \"$1\" && shift && {script}");
    let namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", &mount, "sh", at];
    Ended::of(wrapped(namespace, &scene.brigade_command(args)))
}

#[test]
fn a_full_disk_fails_the_files_that_find_no_room() {
    let scene = downloads();
    fs::create_dir(scene.path("disk")).unwrap();
    // What is on the disk in the end is copied out of its namespace.
    let script = format!(
        "cp -a '{tree}/.' '{disk}'; code=0; \"$@\" || code=$?; rm -r '{tree}'; cp -a '{disk}/.' '{tree}'; exit $code",
        tree = scene.arg("tree"),
        disk = scene.arg("disk")
    );
    let disk = scene.arg("disk");
    let ended =
        with_small_disk(&scene, &disk, &script, &["sync", &scene.url(""), &disk, "--delete", "--output", "json"]);
    assert_room_was_missed(&scene, ended, "tree", "make room");
}

#[test]
fn a_full_tmpdir_ends_the_run_and_is_said_so() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("kept", b"1")]));
    scene.sync(&scene.arg("tree"), &scene.url(""), []);
    scene.put("gone", b"stays");
    let script = "head -c 2000000 /dev/zero > \"$TMPDIR/filler\" 2>/dev/null || true; exec \"$@\"";
    let args = ["sync", &scene.arg("tree"), &scene.url(""), "--delete", "--no-ledger"];
    with_small_disk(&scene, &scene.arg("tmp"), script, &args).exits(1).complains("TMPDIR");
    assert_eq!(scene.stored("").paths(), ["gone", "kept"]);
}

#[test]
fn a_directory_that_may_not_be_written_to_fails_what_belongs_there() {
    let scene = Scene::embedded();
    scene.write("origin", &Files::new([("locked/a", b"1"), ("open", b"2")]));
    scene.sync(&scene.arg("origin"), &scene.url(""), []);
    fs::create_dir_all(scene.path("tree/locked")).unwrap();
    fs::set_permissions(scene.path("tree/locked"), Permissions::from_mode(0o555)).unwrap();
    let command = scene.brigade_command(["sync", &scene.url(""), &scene.arg("tree")]);
    let ended = Ended::of(bound_by_permissions(&command)).exits(3).complains("locked/a").complains("Permission denied");
    ended.complains("check who may read and write there");
    assert_eq!(scene.read("tree").paths(), ["open"]);
}

#[test]
fn a_destination_that_can_not_be_made_is_told_at_once() {
    let scene = Scene::embedded();
    fs::create_dir(scene.path("locked")).unwrap();
    fs::set_permissions(scene.path("locked"), Permissions::from_mode(0o555)).unwrap();
    scene.log().forget_requests();
    let command = scene.brigade_command(["sync", &scene.url(""), &scene.arg("locked/new/tree")]);
    let ended = Ended::of(bound_by_permissions(&command)).exits(1);
    ended.complains("locked/new/tree").complains("make it, or choose another place");
    assert_eq!(scene.log().requests(), 0);
}

#[test]
fn a_file_system_mounted_read_only_is_named() {
    let scene = downloads();
    let tree = scene.arg("tree");
    let script = "mount -o remount,ro \"$TREE\" 2>/dev/null || true; exec \"$@\"".replace("$TREE", &tree);
    let args = ["sync", &scene.url(""), &tree, "--delete"];
    with_small_disk(&scene, &tree, &script, &args).exits(3).complains("small").complains("mount it for writing");
}
