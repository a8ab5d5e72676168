//! Where no ledger can be: nowhere at all, where nobody may write, on disks
//! that are full or read-only.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Ended, Files, Scene, bound_by_permissions, ledgers_in, wrapped};

/// How the one line begins that says so.
const NOT_REMEMBERED: &str = "this run won't be remembered";

fn scene() -> Scene {
    let scene = Scene::public();
    let mut files = Files::default();
    for number in 0..300 {
        files.put(&format!("d/{number:03}"), number.to_string());
    }
    scene.write("tree", &files);
    scene
}

/// A sync of the tree with the bucket, with these variables.
fn command(scene: &Scene, variables: &[(&str, &Path)]) -> Command {
    let mut command = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url(""), "--output", "json"]);
    command.envs(variables.iter().copied());
    command
}

/// A directory of the scratch directory in which nobody may write.
fn locked(scene: &Scene, name: &str) {
    fs::create_dir(scene.path(name)).unwrap();
    fs::set_permissions(scene.path(name), Permissions::from_mode(0o555)).unwrap();
}

#[track_caller]
fn only_ledger_in(directory: &Path) -> PathBuf {
    let ledgers = ledgers_in(directory);
    assert_eq!(ledgers.len(), 1, "{ledgers:?}");
    ledgers[0].clone()
}

#[track_caller]
fn says_once(ended: &Ended, what: &str) {
    assert_eq!(ended.stderr.matches(what).count(), 1, "{what:?} once in:\n{}", ended.stderr);
}

#[test]
fn without_a_home_a_run_says_that_it_is_not_remembered() {
    let scene = scene();
    for created in [300, 0] {
        let mut command = command(&scene, &[]);
        command.env_remove("HOME");
        let ended = Ended::of(command).exits(0);
        says_once(&ended, NOT_REMEMBERED);
        assert_eq!(ended.summary().0["created"], created);
        ended.complains("there is no home directory").complains("--no-ledger");
    }
}

#[test]
fn a_directory_that_can_not_be_written_is_passed_over() {
    let scene = scene();
    locked(&scene, "locked");
    fs::write(scene.path("file"), "no directory").unwrap();
    for unwritable in ["locked/own", "locked", "file"] {
        let (own, xdg) = (scene.path(unwritable), scene.path("xdg"));
        let command = command(&scene, &[("BRIGADE_STATE_DIR", &own), ("XDG_STATE_HOME", &xdg)]);
        let ended = Ended::of(bound_by_permissions(&command)).exits(0);
        assert!(!ended.stderr.contains(NOT_REMEMBERED), "{unwritable}:\n{}", ended.stderr);
        only_ledger_in(&scene.path("xdg/brigade"));
    }
}

#[test]
fn where_none_can_be_written_each_is_named() {
    let scene = scene();
    locked(&scene, "locked");
    let home = scene.path("locked");
    let own = scene.path("locked/own");
    let command = command(&scene, &[("BRIGADE_STATE_DIR", &own), ("HOME", &home)]);
    let ended = Ended::of(bound_by_permissions(&command)).exits(0);
    says_once(&ended, NOT_REMEMBERED);
    ended.complains(&scene.arg("locked/own")).complains(&scene.arg("locked/.local/state/brigade"));
}

#[test]
fn a_ledger_that_may_not_be_written_is_passed_over_too() {
    let scene = scene();
    let own = scene.path("own");
    Ended::of(command(&scene, &[("BRIGADE_STATE_DIR", &own)])).exits(0);
    fs::set_permissions(only_ledger_in(&own), Permissions::from_mode(0o444)).unwrap();
    let home = scene.path("home");
    let command = command(&scene, &[("BRIGADE_STATE_DIR", &own), ("HOME", &home)]);
    Ended::of(bound_by_permissions(&command)).exits(0);
    only_ledger_in(&home.join(".local/state/brigade"));
}

/// `script` in a mount namespace of its own, in which `$1` is a disk of so many KiB, before the program is run.
fn with_disk(at: &str, kibibytes: u32, script: &str, command: &Command) -> Ended {
    let mount = format!("mount -t tmpfs -o size={kibibytes}k none \"$1\"; {script}; shift; exec \"$@\"");
    let namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", &mount, "sh", at];
    Ended::of(wrapped(namespace, command))
}

#[test]
fn a_read_only_disk_is_passed_over() {
    let scene = scene();
    fs::create_dir(scene.path("disk")).unwrap();
    let disk = scene.arg("disk");
    let read_only = "mount -o remount,ro \"$1\"";
    let own = scene.path("disk");
    let ended = with_disk(&disk, 1024, read_only, &command(&scene, &[("BRIGADE_STATE_DIR", &own)])).exits(0);
    assert!(!ended.stderr.contains(NOT_REMEMBERED), "{}", ended.stderr);
    only_ledger_in(&scene.path(".local/state/brigade"));
}

/// Who names a place means it.
#[test]
fn a_ledger_asked_for_on_a_read_only_disk_ends_the_run_before_anything_is_sent() {
    let scene = scene();
    fs::create_dir(scene.path("disk")).unwrap();
    let mut command = command(&scene, &[]);
    command.args(["--ledger", "disk/ledger"]);
    scene.log().forget_requests();
    let ended = with_disk(&scene.arg("disk"), 1024, "mount -o remount,ro \"$1\"", &command).exits(1);
    ended.complains("disk/ledger").complains("Read-only file system");
    assert_eq!(scene.log().received("PutObject"), 0);
}

#[test]
fn a_full_disk_is_passed_over() {
    let scene = scene();
    fs::create_dir(scene.path("disk")).unwrap();
    let fill = "head -c 1000000 /dev/zero > \"$1/filler\" 2>/dev/null || true";
    let own = scene.path("disk");
    let command = command(&scene, &[("BRIGADE_STATE_DIR", &own)]);
    let ended = with_disk(&scene.arg("disk"), 64, fill, &command).exits(0);
    assert!(!ended.stderr.contains(NOT_REMEMBERED), "{}", ended.stderr);
    only_ledger_in(&scene.path(".local/state/brigade"));
}

/// It can't go on without breaking its promise; what it has sent is found by the next run.
#[test]
fn a_disk_that_fills_up_ends_the_run() {
    let scene = scene();
    let mut many = Files::default();
    for number in 0..2000 {
        many.put(&format!("d/{number:04}"), number.to_string());
    }
    scene.write("tree", &many);
    fs::create_dir(scene.path("disk")).unwrap();
    let own = scene.path("disk");
    // Room for an empty ledger, and not for what is to be written in it.
    let command = command(&scene, &[("BRIGADE_STATE_DIR", &own)]);
    let ended = with_disk(&scene.arg("disk"), 128, ":", &command).exits(1);
    ended.complains("could not").complains("ledger").complains("full").complains("--no-ledger");
    let summary = scene.sync(&scene.arg("tree"), &scene.url(""), []);
    assert_eq!(summary.0["failed"], 0, "{}", summary.0);
    scene.stored("").assert_are(&scene.read("tree"));
}
