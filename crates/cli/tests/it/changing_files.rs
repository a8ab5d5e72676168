//! Files that change under the program's hands: between the listing and the
//! reading, and in the middle of the reading. A request that is held is the
//! moment at which they do.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::harness::{Ended, Files, Scene, content};

/// More than is written whole: three parts.
const LARGE: usize = (16 << 20) + 1;

/// Something that befalls a file, and what must come of it.
struct Change {
    name: &'static str,
    happens: fn(&Path),
    ends: End,
}

/// What must come of a file that changed.
enum End {
    /// The version that is there at the end is sent.
    Sent,
    /// It is gone, which is no failure: nothing is sent.
    Withdrawn,
    /// It fails, for a reason that says this: nothing is sent.
    Failed(&'static str),
}

const CHANGES: [Change; 10] = [
    Change { name: "grows", happens: grow, ends: End::Sent },
    Change {
        name: "shrinks",
        happens: |path| {
            let file = File::options().write(true).open(path).unwrap();
            file.set_len(path.metadata().unwrap().len() / 2).unwrap();
        },
        ends: End::Sent,
    },
    Change { name: "is-emptied", happens: |path| drop(File::create(path).unwrap()), ends: End::Sent },
    Change {
        name: "is-replaced",
        happens: |path| {
            let newer = path.with_file_name(".newer");
            fs::write(&newer, rewritten(path)).unwrap();
            fs::rename(newer, path).unwrap();
        },
        ends: End::Sent,
    },
    Change { name: "is-rewritten-with-its-size-and-mtime", happens: rewrite, ends: End::Sent },
    Change {
        name: "becomes-a-symlink",
        happens: |path| {
            fs::rename(path, path.with_file_name("../outside")).unwrap();
            symlink("../outside", path).unwrap();
        },
        ends: End::Sent,
    },
    Change { name: "vanishes", happens: |path| fs::remove_file(path).unwrap(), ends: End::Withdrawn },
    Change {
        name: "becomes-a-directory",
        happens: |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        },
        ends: End::Withdrawn,
    },
    Change {
        name: "becomes-a-pipe",
        happens: |path| {
            fs::remove_file(path).unwrap();
            // Whoever opened it for reading would wait for a writer for ever.
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        },
        ends: End::Failed("not a regular file"),
    },
    Change {
        name: "becomes-a-broken-symlink",
        happens: |path| {
            fs::remove_file(path).unwrap();
            symlink("nowhere", path).unwrap();
        },
        ends: End::Failed("symlink"),
    },
];

fn grow(path: &Path) {
    File::options().append(true).open(path).unwrap().write_all(b"more").unwrap();
}

/// Other content of the same size.
fn rewritten(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap().iter().map(|byte| !byte).collect()
}

/// In place, first byte to last, and so that neither size nor mtime tell of it.
fn rewrite(path: &Path) {
    let modified = path.metadata().unwrap().modified().unwrap();
    let newer = rewritten(path);
    let mut file = File::options().write(true).open(path).unwrap();
    file.write_all(&newer).unwrap();
    file.set_modified(modified).unwrap();
}

/// Runs the command; when the first request of this operation has come, `change` is given its key, and then it goes on.
fn meanwhile(scene: &Scene, command: Command, operation: &str, change: impl FnOnce(&str)) -> Ended {
    scene.log().forget_requests();
    scene.log().hold_the(operation, &[1]);
    Ended::of_while(command, || {
        change(&scene.log().wait_for_number(operation, 1));
        scene.log().heal();
    })
}

/// Asserts that the key's end is the right one: what the bucket holds of it, the exit code, the events.
#[track_caller]
fn assert_ended(scene: &Scene, change: &Change, ended: Ended, key: &str) {
    let name = change.name;
    let stored = scene.stored(name).0.remove(key);
    match change.ends {
        End::Sent => {
            ended.exits(0);
            let wanted = fs::read(scene.path(name).join(key)).unwrap();
            assert!(stored.is_some_and(|stored| stored == wanted), "{name}: another content was stored");
        }
        End::Withdrawn => {
            assert_eq!(ended.exits(0).summary().0["withdrawn"], 1, "{name}");
            assert_eq!(stored, None, "{name}");
        }
        End::Failed(reason) => {
            let ended = ended.exits(3);
            assert_eq!(ended.summary().0["failed"], 1, "{name}");
            ended.complains_of(key, reason);
            assert_eq!(stored, None, "{name}");
        }
    }
}

#[test]
fn a_file_that_changes_after_it_was_listed_is_sent_as_it_is_or_not_at_all() {
    let scene = Scene::embedded();
    for change in CHANGES {
        scene.write(change.name, &Files::new([("a", b"content"), ("b", b"content")]));
        let (tree, site) = (scene.arg(change.name), scene.url(change.name));
        // The one that comes second is read only when the first one's request is through.
        let command = scene.brigade_command(["sync", &tree, &site, "--jobs", "1", "--output", "json"]);
        let mut second = "";
        let ended = meanwhile(&scene, command, "PutObject", |first| {
            second = if first.ends_with('a') { "b" } else { "a" };
            (change.happens)(&scene.path(change.name).join(second));
        });
        assert_ended(&scene, &change, ended, second);
    }
}

#[test]
fn a_file_that_changes_while_its_parts_are_sent_is_sent_anew_or_not_at_all() {
    let scene = Scene::embedded();
    let content = content(LARGE);
    for change in CHANGES {
        scene.write(change.name, &Files::new([("large", &content)]));
        let (tree, site) = (scene.arg(change.name), scene.url(change.name));
        let command = scene.brigade_command(["sync", &tree, &site, "--jobs", "1", "--output", "json"]);
        let ended = meanwhile(&scene, command, "UploadPart", |_| {
            (change.happens)(&scene.path(change.name).join("large"));
        });
        assert_ended(&scene, &change, ended, "large");
        assert_eq!(scene.log().received("AbortMultipartUpload"), 1, "{}", change.name);
        fs::remove_dir_all(scene.path(change.name)).unwrap();
    }
}

#[test]
fn a_file_that_never_holds_still_is_named_and_the_old_object_stays() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("large", &content(LARGE)), ("still", b"1")]));
    scene.put("large", b"old");
    let command =
        scene.brigade_command(["sync", &scene.arg("tree"), &scene.url(""), "--jobs", "1", "--output", "json"]);
    // The first part of the first attempt, and of the second one.
    scene.log().hold_the("UploadPart", &[1, 4]);
    let ended = Ended::of_while(command, || {
        for first_part in [1, 4] {
            scene.log().wait_for_number("UploadPart", first_part);
            rewrite(&scene.path("tree/large"));
            scene.log().release();
        }
    });
    let ended = ended.exits(3);
    ended.summary().counts([("created", 1), ("failed", 1)]);
    ended.complains_of("large", "changed while it was read; run again");
    assert_eq!((scene.log().received("AbortMultipartUpload"), scene.log().received("CompleteMultipartUpload")), (2, 0));
    scene.stored("").assert_are(&Files::new([("large", b"old"), ("still", b"1")]));
}
