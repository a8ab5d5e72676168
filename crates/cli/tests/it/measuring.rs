//! `brigade du`: how much a place holds.

use std::fs;

use crate::harness::{Ended, Files, Occurrence, Scene, bound_by_permissions, on_both_servers};

fn some() -> Files {
    let mut files = Files::new([("p/a", b"1"), ("p/sub/b", b"22"), ("p/sub/deep/c", b"333"), ("p-q", b"4444")]);
    files.put("z/large", vec![0; 3 << 20]);
    files
}

/// The lines: each directory with its counts, and the whole.
fn lines(ended: &Ended) -> Vec<String> {
    ended.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

on_both_servers! {
    fn objects_and_bytes_are_counted(scene) {
        scene.write("origin", &some());
        scene.rclone(["copy", &scene.arg("origin"), &scene.remote("")]);
        let whole = format!("3.0 MiB 5 {}", scene.url(""));
        assert_eq!(lines(&scene.brigade(["du", &scene.url("")]).exits(0)), std::slice::from_ref(&whole));
        let deep = scene.brigade(["du", &scene.url(""), "--depth", "2"]).exits(0);
        assert_eq!(lines(&deep), ["5 B 2 p/sub/", "6 B 3 p/", "3.0 MiB 1 z/", &whole]);
        let part = scene.brigade(["du", &scene.url("p"), "--depth", "1", "--output", "json"]).exits(0).events();
        let counts = |place: usize| ["objects", "bytes"].map(|name| part[place][name].as_u64().unwrap());
        assert_eq!((&part[0]["type"], &part[0]["key"], counts(0)), (&"directory".into(), &"sub/".into(), [2, 5]));
        assert_eq!((&part[1]["type"], counts(1), &part[1]["exit_code"]), (&"summary".into(), [3, 6], &0.into()));
        assert_eq!(lines(&scene.brigade(["du", &scene.url("p/a")]).exits(0)), [format!("1 B 1 {}", scene.url("p/a"))]);
        scene.brigade(["du", &scene.url("none")]).exits(1).complains("nothing is at s3://");
        let none = scene.brigade(["du", &scene.url("none"), "--output", "json"]).exits(1).summary();
        assert_eq!(none.0["requests"][0]["operation"], "ListObjectsV2", "{}", none.0);
        assert_eq!(lines(&scene.brigade(["du", &scene.arg("origin"), "-d", "1"]).exits(0)).last().unwrap()[..10], whole[..10]);
    }
}

#[test]
fn a_bucket_is_measured_whole() {
    let scene = Scene::public();
    for key in ["p/", "p/d/", "p/.brigade-0123456789abcdef", "p/x"] {
        scene.put_exactly(key, if key.ends_with('/') { b"" } else { b"content" });
    }
    assert_eq!(lines(&scene.brigade(["du", &scene.url("p")]).exits(0)), [format!("14 B 4 {}", scene.url("p"))]);
    let empty = Scene::public();
    assert_eq!(lines(&empty.brigade(["du", &empty.url("")]).exits(0)), [format!("0 B 0 {}", empty.url(""))]);
}

#[test]
fn a_listing_that_breaks_off_gives_no_sum() {
    let scene = Scene::public_with_pages_of(2);
    for number in 0..5 {
        scene.put_exactly(&format!("{number}"), b"content");
    }
    scene.log().refuse_page(3);
    let ended = scene.brigade(["du", &scene.url(""), "--retries", "0"]).exits(1).complains("could not list");
    assert_eq!(ended.stdout, "");
    scene.log().heal();
    scene.log().refuse_page(3);
    let json = scene.brigade(["du", &scene.url(""), "--retries", "0", "--output", "json"]).exits(1).events();
    assert!(json[0]["objects"].is_null() && json[0]["error"].is_string(), "{}", json[0]);
    let pages = serde_json::json!([{"operation": "ListObjectsV2", "sent": 3, "retries": 0}]);
    assert_eq!(json[0]["requests"], pages, "the one that broke off, too");
}

/// What may be an object's name is looked for below it first.
#[test]
fn what_was_sent_is_told_where_nothing_can_be_listed() {
    let scene = Scene::public();
    for place in ["", "p", "p/"] {
        scene.log().refuse_all("ListObjectsV2");
        let du = ["du", &scene.url(place), "--output", "json"];
        let ended = scene.brigade(du).exits(1).complains("could not list").summary();
        let look = serde_json::json!([{"operation": "ListObjectsV2", "sent": 1, "retries": 0}]);
        assert_eq!(ended.0["requests"], look, "{place}");
        scene.log().heal();
    }
}

/// The listing begins again then, and what was listed before comes once more.
#[test]
fn nothing_is_counted_twice_where_a_page_is_refused() {
    let scene = Scene::public_with_pages_of(2);
    for number in 0..7 {
        scene.put_exactly(&format!("{number}"), b"content");
    }
    for provider in [&[][..], &["--provider", "brigade-dev"]] {
        scene.log().refuse_tokens(Occurrence::Nth(2));
        let url = scene.url("");
        let ended = scene.brigade(["du", &url].iter().chain(provider)).exits(0).complains("since a page was refused");
        assert_eq!(lines(&ended), [format!("49 B 7 {url}")], "{provider:?}");
        scene.log().heal();
    }
}

#[test]
fn a_directory_that_cannot_be_read_is_named() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("a", b"1"), ("closed/b", b"22")]));
    let closed = scene.path("tree/closed");
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let ended = Ended::of(bound_by_permissions(&scene.brigade_command(["du", &scene.arg("tree")])));
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ended = ended.exits(3).complains("failed: closed/: could not be read");
    assert_eq!(lines(&ended), [format!("1 B 1 {}", scene.arg("tree"))]);
}
