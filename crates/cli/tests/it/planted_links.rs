//! Symlinks, and other things, where a download writes or deletes: planted
//! before it begins or while it runs. Nothing outside of the destination changes.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use crate::harness::{Ended, Files, Scene, everything_below};

/// The scratch directory's `outside`, which is what attacks aim at.
fn outside(scene: &Scene) -> BTreeMap<PathBuf, String> {
    everything_below(&scene.path("outside"))
}

/// A bucket with `d/file`, `d/large` (fetched in parts), `file` and `other`, a
/// destination that isn't there yet, and a directory outside that has files of the same names.
fn scene() -> Scene {
    let scene = Scene::public();
    for key in ["d/file", "file", "other"] {
        scene.put_exactly(key, b"from the bucket");
    }
    scene.put_exactly("d/large", &vec![7; 17 << 20]);
    let mut precious = Files::default();
    for path in ["file", "large", "other", "sub/file"] {
        precious.put(path, "precious");
    }
    scene.write("outside", &precious);
    fs::create_dir(scene.path("tree")).unwrap();
    scene
}

fn down(scene: &Scene, more: &[&str]) -> Ended {
    let args = ["sync", &scene.url(""), &scene.arg("tree"), "--output", "json"];
    scene.brigade(args.iter().chain(more))
}

#[test]
fn links_that_are_there_before_are_neither_followed_nor_replaced() {
    let scene = scene();
    symlink("../outside/file", scene.path("tree/file")).unwrap();
    symlink("../outside", scene.path("tree/d")).unwrap();
    symlink("../outside/new", scene.path("tree/other")).unwrap();
    let (tree, around) = (everything_below(&scene.path("tree")), outside(&scene));
    for more in [["--compare", "always"].as_slice(), &["--delete"], &["--dry-run"]] {
        let ended = down(&scene, more).exits(3);
        ended.summary().counts([("failed", 4), ("skipped", 3)]);
        for key in ["d/file", "d/large", "file", "other"] {
            assert!(ended.stderr.contains(&format!("failed: {key}: ")), "{}", ended.stderr);
        }
        assert_eq!((everything_below(&scene.path("tree")), outside(&scene)), (tree.clone(), around.clone()));
    }
}

#[test]
fn a_link_to_its_own_directory_is_no_way_round() {
    let scene = scene();
    symlink(".", scene.path("tree/d")).unwrap();
    down(&scene, &["--delete"]).exits(3).summary().counts([("created", 2), ("failed", 2), ("skipped", 1)]);
    assert_eq!(fs::read_link(scene.path("tree/d")).unwrap(), PathBuf::from("."));
    assert!(!scene.path("tree/large").exists());
}

#[test]
fn deletions_leave_links_and_what_they_lead_to_alone() {
    let scene = scene();
    for gone in ["d/file", "d/large", "file"] {
        scene.remove_exactly(gone);
    }
    scene.write("tree", &Files::new([("extra", b"1"), ("other", b"from the bucket")]));
    symlink("../outside", scene.path("tree/d")).unwrap();
    symlink("../outside/file", scene.path("tree/file")).unwrap();
    symlink("nowhere", scene.path("tree/dangling")).unwrap();
    let around = outside(&scene);
    down(&scene, &["--delete"]).exits(0).summary().counts([("in_step", 1), ("deleted", 1), ("skipped", 3)]);
    for link in ["d", "file", "dangling"] {
        assert!(scene.path("tree").join(link).is_symlink(), "{link}");
    }
    assert_eq!(outside(&scene), around);
}

#[test]
fn the_root_may_be_a_link_to_a_directory() {
    let scene = scene();
    symlink("tree", scene.path("link")).unwrap();
    scene.sync(&scene.url(""), &scene.arg("link"), []).counts([("created", 4)]);
    scene.sync(&scene.url(""), &scene.arg("link/below/it"), []).counts([("created", 4)]);
    assert!(scene.path("link").is_symlink());
    assert_eq!(scene.read("tree").count(), 8);
}

#[test]
fn a_root_whose_link_leads_nowhere_is_one_error_before_anything_is_sent() {
    let scene = scene();
    symlink("nowhere", scene.path("link")).unwrap();
    scene.log().forget_requests();
    for dest in ["link", "link/below"] {
        let ended = scene.brigade(["sync", &scene.url(""), &scene.arg(dest)]).exits(1);
        let says = "link is a symlink whose target does not exist; make the target, or remove the symlink";
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        ended.complains(says);
    }
    assert_eq!(scene.log().requests(), 0);
    assert!(!scene.path("nowhere").exists());
}

/// Starts a download, waits until the request comes, does what happens then, and lets it go on.
fn down_while_held(scene: &Scene, held: (&str, &str), more: &[&str], meanwhile: impl FnOnce()) -> Ended {
    scene.log().hold(held.0, held.1);
    let args = ["sync", &scene.url(""), &scene.arg("tree"), "--output", "json"];
    Ended::of_while(scene.brigade_command(args.iter().chain(more)), || {
        scene.log().wait_for(held.0, held.1);
        meanwhile();
        scene.log().heal();
    })
}

/// The outcome that the run told of the key.
fn outcome_of(ended: &Ended, key: &str) -> (String, String) {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let event = ended.events().into_iter().find(|event| event["key"] == key && event["type"] == "object");
    let event = event.unwrap_or_else(|| panic!("nothing was told of {key}: {}", ended.stdout));
    (text(&event["outcome"]), text(&event["reason"]))
}

#[test]
fn a_directory_that_becomes_a_link_while_it_is_written_to_is_not_followed() {
    // Of the one that is fetched in parts the temporary file is there already, of the other not.
    for key in ["d/large", "d/file"] {
        let scene = scene();
        fs::create_dir(scene.path("tree/d")).unwrap();
        let around = outside(&scene);
        let ended = down_while_held(&scene, ("GetObject", key), &["--delete"], || {
            fs::rename(scene.path("tree/d"), scene.path("tree/moved")).unwrap();
            symlink("../outside", scene.path("tree/d")).unwrap();
        });
        let (outcome, reason) = outcome_of(&ended.exits(3), key);
        assert_eq!(outcome, "failed", "{key}");
        assert!(reason.contains("d is a symlink, which is not followed here"), "{key}: {reason}");
        assert_eq!(outside(&scene), around, "{key}");
        let name = key.rsplit('/').next().unwrap();
        assert!(!scene.path("tree/moved").join(name).exists(), "{key} was reported as failed and written");
        let left = scene.read("tree/moved");
        assert!(left.paths().iter().all(|path| !path.starts_with(".brigade-")), "{:?}", left.paths());
    }
}

#[test]
fn a_directory_that_is_moved_away_while_it_is_written_to_gets_nothing_and_the_object_fails() {
    let scene = scene();
    fs::create_dir(scene.path("tree/d")).unwrap();
    scene.remove_exactly("d/file");
    let ended = down_while_held(&scene, ("GetObject", "d/large"), &[], || {
        fs::rename(scene.path("tree/d"), scene.path("outside/moved")).unwrap();
    });
    let (outcome, reason) = outcome_of(&ended.exits(3), "d/large");
    assert_eq!(outcome, "failed");
    assert!(reason.contains("its directory was moved away or replaced while it was written; run again"), "{reason}");
    assert!(everything_below(&scene.path("outside/moved")).is_empty());
    scene.sync(&scene.url(""), &scene.arg("tree"), []).counts([("created", 1), ("in_step", 2)]);
}

#[test]
fn a_root_that_is_moved_away_while_it_is_written_to_is_told() {
    let scene = scene();
    scene.remove_exactly("d/file");
    let ended = down_while_held(&scene, ("GetObject", "d/large"), &[], || {
        fs::rename(scene.path("tree"), scene.path("outside/moved")).unwrap();
        fs::create_dir(scene.path("tree")).unwrap();
    });
    let (outcome, reason) = outcome_of(&ended.exits(3), "d/large");
    assert_eq!(outcome, "failed");
    assert!(reason.contains("moved away or replaced"), "{reason}");
    assert!(!scene.path("outside/moved/d/large").exists());
}

#[test]
fn a_file_that_becomes_a_link_while_it_is_written_to_is_not_written_through() {
    let scene = scene();
    scene.write("tree", &Files::new([("d/large", b"old")]));
    let around = outside(&scene);
    let ended = down_while_held(&scene, ("GetObject", "d/large"), &[], || {
        fs::remove_file(scene.path("tree/d/large")).unwrap();
        symlink("../../outside/large", scene.path("tree/d/large")).unwrap();
    });
    let (outcome, reason) = outcome_of(&ended.exits(3), "d/large");
    assert_eq!(outcome, "failed");
    assert!(reason.contains("d/large is a symlink"), "{reason}");
    assert!(scene.path("tree/d/large").is_symlink());
    assert_eq!(outside(&scene), around);
}

#[test]
fn a_directory_that_becomes_a_link_before_a_deletion_is_not_followed() {
    let scene = scene();
    for gone in ["d/file", "d/large", "file"] {
        scene.remove_exactly(gone);
    }
    scene.write("tree", &Files::new([("d/file", b"precious"), ("other", b"from the bucket")]));
    let around = outside(&scene);
    let ended = down_while_held(&scene, ("HeadObject", "d/file"), &["--delete"], || {
        fs::rename(scene.path("tree/d"), scene.path("tree/moved")).unwrap();
        symlink("../outside", scene.path("tree/d")).unwrap();
    });
    let (outcome, reason) = outcome_of(&ended.exits(3), "d/file");
    assert_eq!(outcome, "failed");
    assert!(reason.contains("d is a symlink"), "{reason}");
    assert_eq!(outside(&scene), around);
    assert!(scene.path("tree/moved/file").exists());
}

#[test]
fn what_is_no_file_in_the_place_of_a_target_stays() {
    let scene = scene();
    let mkfifo = Command::new("mkfifo").arg(scene.path("tree/file")).status().unwrap();
    assert!(mkfifo.success());
    let ended = down(&scene, &["--delete"]).exits(3);
    ended.summary().counts([("created", 3), ("failed", 1), ("skipped", 1)]);
    assert_eq!(outcome_of(&ended, "file").0, "failed");
    assert!(!scene.path("tree/file").is_file() && scene.path("tree/file").exists());
}

#[test]
fn a_read_only_file_is_replaced_and_stays_read_only() {
    let scene = scene();
    scene.write("tree", &Files::new([("file", b"old")]));
    fs::set_permissions(scene.path("tree/file"), Permissions::from_mode(0o444)).unwrap();
    scene.sync(&scene.url(""), &scene.arg("tree"), []).counts([("created", 3), ("replaced", 1)]);
    assert_eq!(scene.read("tree").0["file"], b"from the bucket");
    assert_eq!(fs::metadata(scene.path("tree/file")).unwrap().permissions().mode() & 0o777, 0o444);
}

#[test]
fn another_name_of_a_replaced_file_keeps_its_content() {
    let scene = scene();
    scene.write("tree", &Files::new([("file", b"old"), ("gone", b"old")]));
    fs::hard_link(scene.path("tree/file"), scene.path("outside/linked")).unwrap();
    fs::hard_link(scene.path("tree/gone"), scene.path("outside/also-linked")).unwrap();
    scene.sync(&scene.url(""), &scene.arg("tree"), ["--delete"]).counts([
        ("created", 3),
        ("replaced", 1),
        ("deleted", 1),
    ]);
    for name in ["outside/linked", "outside/also-linked"] {
        assert_eq!(fs::read(scene.path(name)).unwrap(), b"old", "{name}");
    }
    assert_eq!(scene.read("tree").0["file"], b"from the bucket");
}
