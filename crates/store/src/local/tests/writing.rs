//! Writing whole and in parts: what appears, and that nothing else is left.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::{Digest, DigestKind, Part, Upload, Verified};

#[tokio::test]
async fn a_file_appears_whole_with_its_time_and_a_true_receipt() {
    let scenery = Scenery::new();
    let store = LocalStore::destination(scenery.at("new/root"));
    let receipt = write(&store, "a/b/c", b"content", Condition::Absent).await.unwrap();
    assert_eq!(scenery.content("new/root/a/b/c").unwrap(), b"content");
    assert_eq!(receipt.entry.modified, moment());
    assert_eq!(receipt.entry, entry(&store, "a/b/c").await);
    assert_eq!(receipt.verified, Verified::Yes);
    assert_eq!(scenery.names(), ["new", "new/root", "new/root/a", "new/root/a/b", "new/root/a/b/c"]);
}

#[tokio::test]
async fn permissions_are_those_of_a_new_file_or_of_the_one_replaced() {
    let scenery = Scenery::new();
    let store = destination(&scenery);
    scenery.file("by another program", "");
    let usual = std::fs::metadata(scenery.at("by another program")).unwrap().mode();
    write(&store, "new", b"", Condition::Absent).await.unwrap();
    assert_eq!(std::fs::metadata(scenery.at("new")).unwrap().mode(), usual);
    for mode in [0o600, 0o751] {
        std::fs::set_permissions(scenery.at("new"), PermissionsExt::from_mode(mode)).unwrap();
        let listed = entry(&store, "new").await;
        write(&store, "new", b"", Condition::Replaces(listed)).await.unwrap();
        assert_eq!(std::fs::metadata(scenery.at("new")).unwrap().mode() & 0o7777, mode);
    }
}

#[tokio::test]
async fn a_condition_that_does_not_hold_changes_nothing() {
    let scenery = Scenery::new();
    let store = destination(&scenery);
    scenery.file("a", "old");
    let listed = entry(&store, "a").await;
    assert_fails(write(&store, "a", b"x", Condition::Absent).await, FailureKind::Changed, "has appeared");
    scenery.file("a", "edited");
    let replaces = || Condition::Replaces(listed.clone());
    assert_fails(write(&store, "a", b"x", replaces()).await, FailureKind::Changed, "not the one listed");
    assert_eq!(scenery.content("a").unwrap(), b"edited");
    std::fs::remove_file(scenery.at("a")).unwrap();
    assert_fails(write(&store, "a", b"x", replaces()).await, FailureKind::Changed, "gone");
    assert_eq!(scenery.names(), [""; 0]);
}

#[tokio::test]
async fn a_directory_and_a_file_never_take_each_others_place() {
    let scenery = Scenery::new();
    let store = destination(&scenery);
    scenery.file("file", "old");
    let listed = entry(&store, "file").await;
    scenery.file("directory/kept", "");
    assert_fails(write(&store, "directory", b"x", Condition::Absent).await, FailureKind::Obstructed, "a directory");
    assert_fails(write(&store, "file/x", b"x", Condition::Absent).await, FailureKind::Obstructed, "file is a file");
    std::fs::remove_file(scenery.at("file")).unwrap();
    scenery.directory("file");
    let replaces = Condition::Replaces(listed);
    assert_fails(write(&store, "file", b"x", replaces).await, FailureKind::Obstructed, "a directory");
    assert_eq!(scenery.names(), ["directory", "directory/kept", "file"]);
}

#[tokio::test]
async fn a_directory_without_any_file_gives_way_to_a_new_one() {
    let scenery = Scenery::new();
    let store = destination(&scenery);
    std::fs::create_dir_all(scenery.at("a/b/c")).unwrap();
    write(&store, "a", b"x", Condition::Absent).await.unwrap();
    assert_eq!((scenery.names(), scenery.content("a")), (vec!["a".into()], Some(b"x".to_vec())));
}

#[tokio::test]
async fn no_symlink_is_followed_or_replaced() {
    let (scenery, outside) = (Scenery::new(), Scenery::new());
    outside.file("f", "precious");
    scenery.link("f", outside.at("f"));
    scenery.link("d", outside.path());
    scenery.link("dangling", outside.at("made"));
    scenery.directory("deep");
    scenery.link("deep/d", outside.path());
    let store = destination(&scenery);
    let listed = entry(&destination(&outside), "f").await;
    for (key, part) in [
        ("f", "f is a symlink"),
        ("d/f", "d is a symlink"),
        ("d/new/x", "d is a symlink"),
        ("dangling", "dangling is a symlink"),
        ("dangling/x", "dangling is a symlink"),
        ("deep/d/f", "deep/d is a symlink"),
    ] {
        for condition in [Condition::Absent, Condition::Replaces(listed.clone())] {
            assert_fails(write(&store, key, b"x", condition).await, FailureKind::Failed, part);
        }
        let entry = Entry { key: Key::from(key), ..listed.clone() };
        let removed = store.remove(std::slice::from_ref(&entry)).await.remove(0);
        assert_fails(removed, FailureKind::Failed, part);
    }
    assert_eq!((outside.names(), outside.content("f").unwrap()), (vec!["f".into()], b"precious".to_vec()));
    assert_eq!(scenery.names(), ["d", "dangling", "deep", "deep/d", "f"]);
}

#[tokio::test]
async fn keys_that_no_file_can_have_are_refused() {
    let scenery = Scenery::new();
    let store = LocalStore::destination(scenery.at("root"));
    for key in ["a//b", "../x", "a/../../x", "/x", "x/", ".", "", ".brigade-x", "a/.brigade-x/b"] {
        let result = write(&store, key, b"x", Condition::Absent).await;
        assert_fails(result, FailureKind::Unrepresentable, "no file can have this key");
    }
    assert_eq!(scenery.names(), [""; 0], "not even the root was made");
}

#[tokio::test]
async fn content_of_another_length_is_corrupt() {
    let scenery = Scenery::new();
    let object = NewObject { size: 4, ..object("a", b"", Condition::Absent) };
    let result = destination(&scenery).write(&object, Bytes::from_static(b"123")).await;
    assert_fails(result, FailureKind::Corrupt, "3 bytes arrived where 4");
    assert_eq!(scenery.names(), [""; 0]);
}

async fn begin(store: &LocalStore, condition: Condition) -> Box<dyn Upload> {
    store.begin(&object("d/a", b"0123456789", condition)).await.unwrap()
}

async fn part(upload: &dyn Upload, number: u32, offset: u64, content: &'static str) {
    upload.write(Part { number, offset }, Bytes::from_static(content.as_bytes())).await.unwrap();
}

#[tokio::test]
async fn parts_come_in_any_order_and_appear_together() {
    let scenery = Scenery::new();
    let store = destination(&scenery);
    let upload = begin(&store, Condition::Absent).await;
    part(&*upload, 3, 8, "89").await;
    part(&*upload, 1, 0, "0123").await;
    // The same part again, as after a retry.
    part(&*upload, 1, 0, "0123").await;
    part(&*upload, 2, 4, "4567").await;
    assert_eq!(store.look(&Key::from("d/a")).await.unwrap(), None);
    let md5 = Digest::from_etag("781e5e245d69b566979b86e28d23f2c7").unwrap();
    let receipt = upload.finish(Some((DigestKind::Md5, md5))).await.unwrap();
    assert_eq!(receipt.verified, Verified::Yes);
    assert_eq!(receipt.entry, entry(&store, "d/a").await);
    assert_eq!(receipt.entry.modified, moment());
    drop(upload);
    assert_eq!(scenery.content("d/a").unwrap(), b"0123456789");
    assert_eq!(scenery.names(), ["d", "d/a"]);
}

#[tokio::test]
async fn an_upload_that_is_wrong_or_given_up_leaves_nothing() {
    let scenery = Scenery::new();
    let store = destination(&scenery);
    scenery.directory("d");

    let upload = begin(&store, Condition::Absent).await;
    part(&*upload, 1, 0, "0123456789").await;
    let wrong = Some((DigestKind::Crc64Nvme, Digest::Crc64Nvme(1)));
    assert_fails(upload.finish(wrong).await, FailureKind::Corrupt, "digest");
    drop(upload);
    assert_eq!(scenery.names(), ["d"]);

    let upload = begin(&store, Condition::Absent).await;
    part(&*upload, 2, 4, "456789").await;
    assert_fails(upload.finish(None).await, FailureKind::Corrupt, "6 bytes arrived where 10");
    assert_eq!(scenery.names().len(), 2);
    upload.abandon().await;
    assert_eq!(scenery.names(), ["d"], "before it is dropped");
    upload.abandon().await;
    drop(upload);

    let upload = begin(&store, Condition::Absent).await;
    // As long as it should be, but a part lies beyond the end.
    part(&*upload, 1, 1, "0123456789").await;
    assert_fails(upload.finish(None).await, FailureKind::Corrupt, "11 bytes arrived where 10");
    drop(upload);
    assert_eq!(scenery.names(), ["d"]);
}

/// Puts something where a file is about to go, in one tree, or with the help of another.
type Plant = fn(&Scenery, &Scenery);

/// Between `begin` and `finish` there is time for anything.
#[tokio::test]
async fn what_comes_to_the_target_before_the_rename_is_kept() {
    let outside = Scenery::new();
    outside.file("f", "precious");

    let table: [(Plant, FailureKind, &str); 3] = [
        (|here, _| here.file("d/a", "theirs"), FailureKind::Changed, "has appeared"),
        (|here, _| here.file("d/a/kept", ""), FailureKind::Obstructed, "a directory"),
        (|here, outside| here.link("d/a", outside.at("f")), FailureKind::Failed, "d/a is a symlink"),
    ];
    for (plant, kind, reason) in table {
        let scenery = Scenery::new();
        let store = destination(&scenery);
        let upload = begin(&store, Condition::Absent).await;
        part(&*upload, 1, 0, "0123456789").await;
        plant(&scenery, &outside);
        assert_fails(upload.finish(None).await, kind, reason);
        drop(upload);
        assert_eq!(scenery.names()[..2], ["d", "d/a"]);
        assert_ne!(scenery.content("d/a"), Some(b"0123456789".to_vec()));
    }
    assert_eq!(outside.content("f").unwrap(), b"precious");
}

#[tokio::test]
async fn what_was_edited_before_the_rename_is_kept() {
    let scenery = Scenery::new();
    scenery.file("d/a", "old");
    let store = destination(&scenery);
    let upload = begin(&store, Condition::Replaces(entry(&store, "d/a").await)).await;
    part(&*upload, 1, 0, "0123456789").await;
    scenery.file("d/a", "new");
    assert_fails(upload.finish(None).await, FailureKind::Changed, "not the one listed");
    drop(upload);
    assert_eq!((scenery.names(), scenery.content("d/a")), (vec!["d".into(), "d/a".into()], Some(b"new".to_vec())));
}

#[tokio::test]
async fn a_symlink_planted_in_the_parents_place_leads_nowhere() {
    let (scenery, outside) = (Scenery::new(), Scenery::new());
    let store = destination(&scenery);
    let upload = begin(&store, Condition::Absent).await;
    part(&*upload, 1, 0, "0123456789").await;
    std::fs::rename(scenery.at("d"), scenery.at("moved")).unwrap();
    scenery.link("d", outside.path());
    // The descriptor still leads to the directory that was entered, wherever it is now.
    assert_fails(upload.finish(None).await, FailureKind::Failed, "d is a symlink");
    std::fs::remove_file(scenery.at("d")).unwrap();
    scenery.directory("d");
    assert_fails(upload.finish(None).await, FailureKind::Changed, "moved away or replaced");
    drop(upload);
    assert_eq!(outside.names(), [""; 0]);
    assert_eq!(scenery.names(), ["d", "moved"]);
}

#[tokio::test]
async fn many_writers_of_one_new_key_leave_one_winner() {
    let scenery = Scenery::new();
    let store = Arc::new(destination(&scenery));
    let contents: [&'static [u8]; 8] = [b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7"];
    let writers: Vec<_> = contents
        .into_iter()
        .map(|content| {
            let store = store.clone();
            tokio::spawn(async move { (content, write(&store, "a/b/c", content, Condition::Absent).await) })
        })
        .collect();
    let mut winners = Vec::new();
    for writer in writers {
        match writer.await.unwrap() {
            (content, Ok(_)) => winners.push(content),
            (_, failed) => assert_fails(failed, FailureKind::Changed, "has appeared"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(scenery.content("a/b/c").unwrap(), winners[0]);
    assert_eq!(scenery.names(), ["a", "a/b", "a/b/c"]);
}
