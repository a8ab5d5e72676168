//! File names that make trouble, up and down.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use crate::harness::{Ended, Files, Scene};

/// Names with each of ASCII's control characters but NUL.
fn controls() -> Vec<String> {
    (0x01..=0x1f_u8).chain([0x7f]).map(|control| format!("c{}d", char::from(control))).collect()
}

/// What shells, URLs, options and other systems would take for something else.
fn tricky() -> Files {
    let mut files = Files::default();
    let names = [
        "-rf",
        "--delete",
        "~",
        "$(x)",
        "`x`",
        "*",
        "?",
        "%2F",
        "%00",
        "+",
        "a+b",
        "a b",
        " leading",
        "trailing ",
        "trailing.",
        "...",
        "..a",
        ".hidden",
        "a\\b",
        "\u{e9}",
        "e\u{301}",
        "\u{202e}gpj.exe",
        "\u{1f600}",
        "NUL",
        "a:b",
        "tr ailing. /x",
    ];
    for name in controls().iter().map(String::as_str).chain(names) {
        files.put(name, name);
        files.put(&format!("d/{name}/x"), name);
    }
    files.put(&"n".repeat(255), "255 bytes");
    files
}

fn as_files(objects: BTreeMap<String, Vec<u8>>) -> Files {
    Files(objects)
}

/// Asserts that nothing but text and ends of lines was said.
#[track_caller]
fn assert_printable(ended: &Ended) {
    for said in [&ended.stdout, &ended.stderr] {
        let odd =
            said.chars().find(|character| character.is_control() && *character != '\n' || *character == '\u{202e}');
        assert_eq!(odd, None, "in what {} said:\n{said}", ended.command);
    }
}

#[test]
fn every_name_travels_up_and_down_as_it_is() {
    let (scene, files) = (Scene::public(), tricky());
    scene.write("tree", &files);
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    scene.sync(&tree, &bucket, ["--delete"]).counts([("created", files.count())]);
    as_files(scene.objects()).assert_are(&files);
    scene.sync(&tree, &bucket, ["--delete"]).counts([("in_step", files.count())]);
    scene.sync(&bucket, &scene.arg("copy"), ["--delete"]).counts([("created", files.count())]);
    scene.read("copy").assert_are(&files);
    scene.sync(&bucket, &scene.arg("copy"), ["--delete"]).counts([("in_step", files.count())]);
}

#[test]
fn every_name_is_deleted_as_it_is_one_by_one_where_a_bulk_request_could_not_say_it() {
    let (scene, files) = (Scene::public(), tricky());
    scene.write("tree", &files);
    scene.sync(&scene.arg("tree"), &scene.url(""), []);
    scene.sync(&scene.url(""), &scene.arg("copy"), []);
    let kept = Files::new([("+", b"+")]);
    scene.write("tree", &kept);
    let up = [&scene.arg("tree"), &scene.url("")];
    let summary = scene.sync(up[0], up[1], ["--delete", "--provider", "brigade-dev"]);
    summary.counts([("in_step", 1), ("deleted", files.count() - 1)]);
    as_files(scene.objects()).assert_are(&kept);
    // XML 1.0 has no controls but tab, line feed and carriage return, which it reads as a line feed. Each is in two
    // keys.
    assert_eq!((summary.requests("DeleteObject"), summary.requests("DeleteObjects")), (2 * 29, 1));
    scene
        .sync(&scene.url(""), &scene.arg("copy"), ["--delete"])
        .counts([("in_step", 1), ("deleted", files.count() - 1)]);
    scene.read("copy").assert_are(&kept);
}

#[test]
fn no_name_reaches_the_terminal_raw() {
    let scene = Scene::public();
    let mut files = tricky();
    files.put("\u{1b}[2J\u{1b}]0;title\u{7}", "clears the screen");
    scene.write("tree", &files);
    fs::write(scene.path("tree").join(OsStr::from_bytes(b"\xff\x1b[31m")), "no text").unwrap();
    fs::create_dir(scene.path("\u{1b}[2Jdir")).unwrap();
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    let odd = scene.arg("\u{1b}[2Jdir");
    let commands: [&[&str]; 9] = [
        &["sync", &tree, &bucket, "--dry-run"],
        &["sync", &tree, &bucket, "-vv"],
        &["sync", &tree, &bucket, "--output", "json", "--compare", "always"],
        &["ls", &bucket],
        &["ls", &bucket, "--recursive"],
        &["ls", &bucket, "--recursive", "--output", "json"],
        &["ls", &tree],
        &["sync", &odd, &bucket],
        &["sync", &format!("{odd}/missing"), &bucket],
    ];
    for command in commands {
        let ended = scene.brigade(command);
        assert!(!ended.stdout.is_empty() || !ended.stderr.is_empty());
        assert_printable(&ended);
    }
    scene.brigade(["sync", &tree, &bucket, "--dry-run"]).exits(3).complains("failed: \\xff\\u{1b}[31m: S3's keys are");
    let listed = scene.brigade(["ls", &bucket]).exits(0).stdout;
    for shown in ["  \\u{1b}[2J\\u{1b}]0;title\\u{7}\n", "  c\\nd\n", "  c\\td\n", "  a\\\\b\n"] {
        assert!(listed.contains(shown), "{shown:?} is not in {listed}");
    }
}

#[test]
fn a_name_that_is_no_text_is_named_and_holds_the_deletions_back() {
    let scene = Scene::public();
    scene.write("tree", &Files::new([("file", b"1")]));
    fs::create_dir(scene.path("tree").join(OsStr::from_bytes(b"\xfe"))).unwrap();
    for name in [b"caf\xe9".as_slice(), b"\xfe/below"] {
        fs::write(scene.path("tree").join(OsStr::from_bytes(name)), "2").unwrap();
    }
    scene.put_exactly("extra", b"3");
    for more in [["--dry-run"].as_slice(), &[]] {
        let args = ["sync", &scene.arg("tree"), &scene.url(""), "--delete", "--output", "json"];
        let ended = scene.brigade(args.iter().chain(more)).exits(3);
        ended.summary().counts([("created", 1), ("unrepresentable", 2), ("deletions_held_back", 1)]);
        let events = ended.events();
        for base64 in ["Y2Fm6Q==", "/i9iZWxvdw=="] {
            assert!(events.iter().any(|event| event["key_base64"] == base64), "{}", ended.stdout);
        }
        ended.complains("failed: caf\\xe9: S3's keys are UTF-8").complains("failed: \\xfe/below: ");
    }
    assert_eq!(scene.objects().into_keys().collect::<Vec<_>>(), ["extra", "file"]);
}

#[test]
fn a_name_that_no_key_can_be_is_not_deleted_from_a_directory() {
    let scene = Scene::public();
    scene.put_exactly("p/file", b"1");
    let long = format!("{}/x", [&*"n".repeat(255); 4].join("/"));
    let no_text = scene.path("tree").join(OsStr::from_bytes(b"caf\xe9"));
    scene.write("tree", &Files::new([("extra", b"2"), (&long, b"3")]));
    fs::write(&no_text, "4").unwrap();
    let args = ["sync", &scene.url("p"), &scene.arg("tree"), "--delete", "--output", "json"];
    let ended =
        scene.brigade(args).exits(3).complains("failed: caf\\xe9: ").complains("nnn/x: S3's keys are at most 1024");
    ended.summary().counts([("created", 1), ("deleted", 1), ("unrepresentable", 2)]);
    assert!(no_text.exists() && scene.path("tree").join(long).exists());
}

#[test]
fn a_key_of_1024_bytes_is_the_longest_and_one_more_is_named() {
    let scene = Scene::public();
    let long = "n".repeat(255);
    let longest = format!("{long}/{long}/{long}/{}/x", "n".repeat(254));
    assert_eq!(longest.len(), 1024);
    let too_long = format!("{longest}y");
    scene.write("tree", &Files::new([("file", b"1"), (&longest, b"2"), (&too_long, b"3")]));
    scene.put_exactly("extra", b"4");
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    scene.log().forget_requests();
    let args = ["sync", &tree, &bucket, "--delete", "--output", "json"];
    let ended = scene.brigade(args).exits(3);
    ended.summary().counts([("created", 2), ("unrepresentable", 1), ("deletions_held_back", 1)]);
    assert_eq!(scene.log().received("PutObject"), 2);
    let says = format!("failed: {too_long}: S3's keys are at most 1024 bytes long, and this would be 1025");
    ended.complains(&says);
    let kept = Files::new([("extra", b"4"), ("file", b"1"), (&longest, b"2")]);
    as_files(scene.objects()).assert_are(&kept);

    // A prefix that tips it over.
    fs::remove_file(scene.path("tree").join(&too_long)).unwrap();
    scene.sync(&tree, &bucket, ["--delete"]).counts([("in_step", 2), ("deleted", 1)]);
    let ended = scene.brigade(["sync", &tree, &scene.url("p"), "--output", "json"]).exits(3);
    ended.summary().counts([("created", 1), ("unrepresentable", 1)]);
    ended.complains("this would be 1026");
    assert!(scene.objects().contains_key("p/file"));
}

#[test]
fn names_that_are_reserved_are_named_and_never_deleted() {
    let scene = Scene::public();
    let users = [
        ".brigade-notes",
        ".brigade-trash/x",
        "d/.brigade-0123456789abcdeF",
        // A directory is no temporary file, whatever its name.
        "e/.brigade-0123456789abcdef/x",
    ];
    let mut files = Files::new([("file", b"1"), ("d/.brigade-0123456789abcdef", b"a temporary file")]);
    for name in users {
        files.put(name, "a user's own");
    }
    scene.write("tree", &files);
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    for more in [["--dry-run"].as_slice(), &[]] {
        let args = ["sync", &tree, &bucket, "--delete", "--output", "json"];
        let ended = scene.brigade(args.iter().chain(more)).exits(3);
        ended.summary().counts([("created", 1), ("unrepresentable", 4)]);
        for name in users {
            let says = format!("failed: {name}: names that begin with `.brigade-` are reserved; rename or exclude it");
            assert!(ended.stderr.contains(&says), "{}", ended.stderr);
        }
    }
    // Left out by the user's own will, they are no failure.
    scene.sync(&tree, &bucket, ["--exclude", ".brigade-*"]).counts([("in_step", 1), ("excluded", 4)]);

    // At a destination, either kind, they stay.
    fs::remove_file(scene.path("tree/file")).unwrap();
    fs::write(scene.path("tree/other"), "2").unwrap();
    scene.put_exactly(".brigade-object", b"kept");
    scene.sync(&tree, &bucket, ["--exclude", ".brigade-*", "--delete"]).counts([
        ("created", 1),
        ("deleted", 1),
        ("excluded", 4),
    ]);
    assert_eq!(scene.objects().into_keys().collect::<Vec<_>>(), [".brigade-object", "other"]);
    scene.remove_exactly(".brigade-object");
    fs::write(scene.path("tree/extra"), "3").unwrap();
    scene.sync(&bucket, &tree, ["--delete"]).counts([("in_step", 1), ("deleted", 1)]);
    for name in users {
        assert!(scene.path("tree").join(name).exists(), "{name}");
    }
}
