//! Looking, reading, opening, digests.

use std::fs::File;
use std::io::Write;

use super::*;
use crate::{Digest, DigestKind, Verified, Version};

#[tokio::test]
async fn a_file_is_read_with_the_entry_of_its_descriptor() {
    let scenery = Scenery::new();
    for key in ["a/b", "empty"] {
        scenery.file(key, if key == "empty" { "" } else { "content" });
        let store = source(&scenery);
        let listed = entry(&store, key).await;
        let object = store.read(&listed).await.unwrap();
        assert_eq!(object.entry, listed);
        assert_eq!(Some(object.body.to_vec()), scenery.content(key));
        assert_eq!(object.headers.modified, Some(listed.modified));
        assert_eq!(object.verified, Verified::Yes);
    }
}

#[tokio::test]
async fn a_newer_version_is_read_as_what_it_is_unless_it_has_grown() {
    let scenery = Scenery::new();
    scenery.file("a", "older");
    let store = source(&scenery);
    let listed = entry(&store, "a").await;
    for newer in ["newer", "new", ""] {
        scenery.file("a", newer);
        let object = store.read(&listed).await.unwrap();
        assert_eq!((&object.body[..], object.entry.size), (newer.as_bytes(), newer.len() as u64));
        assert!(!object.entry.same_version(&listed));
    }
    scenery.file("a", "newest");
    assert_fails(store.read(&listed).await, FailureKind::Changed, "grown");
}

#[tokio::test]
async fn what_is_gone_is_absent() {
    let scenery = Scenery::new();
    scenery.file("d/a", "");
    let store = source(&scenery);
    let listed = entry(&store, "d/a").await;
    std::fs::remove_file(scenery.at("d/a")).unwrap();
    assert_fails(store.read(&listed).await, FailureKind::Absent, "does not exist");
    std::fs::remove_dir(scenery.at("d")).unwrap();
    assert_fails(store.read(&listed).await, FailureKind::Absent, "does not exist");
    scenery.file("d", "a file now");
    assert_fails(store.read(&listed).await, FailureKind::Absent, "does not exist");
    assert_fails(store.digests(&listed, &[DigestKind::Md5]).await, FailureKind::Absent, "does not exist");
}

#[tokio::test]
async fn something_else_in_the_files_place_is_a_change() {
    let scenery = Scenery::new();
    scenery.file("a", "");
    let store = source(&scenery);
    let listed = entry(&store, "a").await;
    std::fs::remove_file(scenery.at("a")).unwrap();
    scenery.directory("a");
    assert_fails(store.read(&listed).await, FailureKind::Changed, "directory");
    std::fs::remove_dir(scenery.at("a")).unwrap();
    // Who opens a pipe to read it waits for a writer, unless told not to.
    assert!(std::process::Command::new("mkfifo").arg(scenery.at("a")).status().unwrap().success());
    assert_fails(store.read(&listed).await, FailureKind::Changed, "not a regular file");
}

#[tokio::test]
async fn symlinks_are_followed_only_where_the_walk_follows_them() {
    let scenery = Scenery::new();
    scenery.file("d/f", "content");
    scenery.link("file", "d/f");
    scenery.link("directory", "d");
    let (follows, skips) = (source(&scenery), skipping_source(&scenery));
    for key in ["file", "directory/f"] {
        let listed = entry(&follows, key).await;
        assert_eq!(follows.read(&listed).await.unwrap().body, "content");
        let part = if key == "file" { "file is a symlink" } else { "directory is a symlink" };
        assert_fails(skips.read(&listed).await, FailureKind::Failed, part);
        assert_fails(skips.look(&listed.key).await, FailureKind::Failed, part);
    }
}

#[tokio::test]
async fn a_look_proves_presence_or_absence_or_fails() {
    let scenery = Scenery::new();
    scenery.file("d/f", "12");
    scenery.link("broken", "nowhere");
    scenery.socket("socket");
    let long = "x".repeat(300);
    for store in [source(&scenery), destination(&scenery)] {
        let found = store.look(&Key::from("d/f")).await.unwrap().unwrap();
        assert_eq!(found.size, 2);
        assert!(matches!(found.version, Version::File { .. }));
        for key in ["d", "d/x", "d/f/x", "x/y", "d/f/", "x/"] {
            assert_eq!(store.look(&Key::from(key)).await.unwrap(), None, "{key}");
        }
        for key in ["d//f", "/d/f", "d//", "d/../d/f", "", long.as_str()] {
            assert_fails(store.look(&Key::from(key)).await, FailureKind::Unrepresentable, "no file can have this key");
        }
        assert_eq!(store.look(&Key::from("d/")).await.unwrap().unwrap().size, 0, "a marker stands for its directory");
        assert_fails(store.look(&Key::from("broken")).await, FailureKind::Failed, "symlink");
        assert_fails(store.look(&Key::from("socket")).await, FailureKind::Failed, "not a regular file");
        assert_fails(store.look(&Key::from(".brigade-x")).await, FailureKind::Unrepresentable, "reserved");
    }
}

#[tokio::test]
async fn a_large_file_is_read_in_ranges_of_one_version() {
    let scenery = Scenery::new();
    scenery.file("a", "0123456789");
    let store = source(&scenery);
    let listed = entry(&store, "a").await;
    let reader = store.open(&listed).await.unwrap();
    assert_eq!(reader.entry(), &listed);
    assert_eq!(reader.headers().modified, Some(listed.modified));
    assert_eq!(reader.read(3..7).await.unwrap(), "3456");
    assert_eq!(reader.read(0..0).await.unwrap(), "");
    assert_fails(reader.read(8..11).await, FailureKind::Changed, "shorter");

    // Another file in its place is not a change of this one, whole as it is.
    let other = scenery.at("other");
    std::fs::write(&other, "another").unwrap();
    std::fs::rename(other, scenery.at("a")).unwrap();
    assert_eq!(reader.read(0..10).await.unwrap(), "0123456789");
}

#[tokio::test]
async fn a_file_that_is_written_to_while_it_is_read_is_a_change() {
    let scenery = Scenery::new();
    scenery.file("a", "0123456789");
    let store = source(&scenery);
    let reader = store.open(&entry(&store, "a").await).await.unwrap();
    reader.check_unchanged().await.unwrap();
    // As long as before, and with its old time set again: ctime tells.
    let mut file = File::options().write(true).open(scenery.at("a")).unwrap();
    file.write_all(b"X").unwrap();
    file.set_modified(reader.entry().modified).unwrap();
    assert_fails(reader.check_unchanged().await, FailureKind::Changed, "changed while");
}

#[tokio::test]
async fn digests_are_those_of_the_version_listed() {
    let scenery = Scenery::new();
    scenery.file("a", "hello");
    let store = source(&scenery);
    let listed = entry(&store, "a").await;
    let wanted = [DigestKind::MultipartMd5 { part_size: 8 }, DigestKind::Md5];
    // By `md5sum`; the first is that of the 16 bytes of the second.
    let expected = [
        Digest::from_etag("62109206880d38a4010a98e11243924a-1").unwrap(),
        Digest::from_etag("5d41402abc4b2a76b9719d911017c592").unwrap(),
    ];
    assert_eq!(store.digests(&listed, &wanted).await.unwrap(), expected);
    assert_eq!(store.digests(&listed, &[]).await.unwrap(), []);
    scenery.file("a", "other");
    assert_fails(store.digests(&listed, &wanted).await, FailureKind::Changed, "since it was listed");
}

/// What a broken symlink leads to may be there again tomorrow, and with it
/// all that was below: its absence proves nothing.
#[tokio::test]
async fn nothing_is_proven_absent_behind_a_broken_symlink() {
    let scenery = Scenery::new();
    scenery.file("file", "");
    scenery.link("gone", "nowhere");
    scenery.link("gone too", "file/x");
    let store = source(&scenery);
    for key in ["gone", "gone/x", "gone/x/y", "gone too", "gone too/x"] {
        assert_fails(store.look(&Key::from(key)).await, FailureKind::Failed, "target does not exist");
    }
    let store = LocalStore::source(scenery.at("missing"), Symlinks::Skip);
    assert_fails(store.look(&Key::from("x")).await, FailureKind::Failed, "could not open the root");
}
