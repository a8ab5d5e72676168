use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::*;
use crate::{Condition, Extent, Listed, ObjectHeaders, Part, UnknownReason, Version};

async fn list(store: &MemoryStore, range: KeyRange) -> Result<Vec<String>, crate::ListingError> {
    let mut listing = store.list(&range);
    let mut keys = Vec::new();
    while let Some(page) = listing.next_page().await? {
        assert!(!page.is_empty() && page.len() <= store.options.page_size);
        keys.extend(page.iter().map(|item| item.key().to_string()));
    }
    Ok(keys)
}

fn new_object(key: &str, size: u64, condition: Condition) -> NewObject {
    NewObject { key: key.into(), size, headers: ObjectHeaders::default(), condition, part_size: None, digest: None }
}

async fn write(store: &MemoryStore, key: &str, condition: Condition) -> Result<Entry, FailureKind> {
    let written = store.write(&new_object(key, 3, condition), Bytes::from_static(b"new")).await;
    written.map(|receipt| receipt.entry).map_err(|failure| failure.kind)
}

#[tokio::test]
async fn pages_come_in_the_order_that_was_asked_for() {
    for (sequence, expected) in
        [(Sequence::ByBytes, ["a", "a-b", "a/x", "a0"]), (Sequence::SlashFirst, ["a", "a/x", "a-b", "a0"])]
    {
        let store = MemoryStore::new(MemoryOptions { sequence, page_size: 3, ..MemoryOptions::remote() });
        for key in ["a0", "a/x", "a-b", "a"] {
            store.put(key, "x");
        }
        assert_eq!(list(&store, KeyRange::everything()).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_listing_keeps_to_its_range_and_leaves_out_what_is_unknown() {
    let store = MemoryStore::remote();
    for key in ["a", "b", "d/x", "e", "f"] {
        store.put(key, "x");
    }
    let unknown = Unknown { key: "d/".into(), extent: Extent::Below, reason: UnknownReason::Unreadable("no".into()) };
    store.add_unknown(unknown.clone());
    let range = KeyRange { after: Some("a".into()), through: Some("e".into()) };
    assert_eq!(list(&store, range).await.unwrap(), ["b", "d/", "e"]);

    // A range that begins inside of what is unknown must still be told.
    let inside = KeyRange { after: Some("d/k".into()), through: Some("d/z".into()) };
    let page = store.list(&inside).next_page().await.unwrap();
    assert_eq!(page, Some(vec![Listed::Unknown(unknown)]));
}

#[tokio::test]
async fn a_listing_breaks_off_where_it_is_told_to() {
    let store = MemoryStore::remote();
    store.put("a", "x");
    store.put("b", "x");
    store.break_listings_after(Some(1));
    let mut listing = store.list(&KeyRange::everything());
    assert_eq!(listing.next_page().await.unwrap().unwrap().len(), 1);
    assert!(listing.next_page().await.is_err());
    store.break_listings_after(None);
    assert_eq!(list(&store, KeyRange::everything()).await.unwrap(), ["a", "b"]);
}

#[tokio::test]
async fn conditions_are_honoured() {
    for store in [MemoryStore::local(), MemoryStore::remote()] {
        let first = write(&store, "k", Condition::Absent).await.unwrap();
        assert_eq!(write(&store, "k", Condition::Absent).await, Err(FailureKind::Changed));
        let second = store.put("k", "somebody else's");
        assert_eq!(write(&store, "k", Condition::Replaces(first.clone())).await, Err(FailureKind::Changed));
        assert_eq!(store.read(&first).await.unwrap_err().kind, FailureKind::Changed);
        assert_eq!(store.remove(&[first]).await[0].as_ref().unwrap_err().kind, FailureKind::Changed);
        write(&store, "k", Condition::Replaces(second.clone())).await.unwrap();
        store.take("k");
        assert_eq!(write(&store, "k", Condition::Replaces(second.clone())).await, Err(FailureKind::Changed));
        assert_eq!(store.remove(&[second]).await, [Ok(())]);
    }
}

#[tokio::test]
async fn files_and_directories_stand_in_each_others_way_only_in_a_tree() {
    let tree = MemoryStore::local();
    tree.put("a/b", "x");
    tree.put("c", "x");
    assert_eq!(write(&tree, "a", Condition::Absent).await, Err(FailureKind::Obstructed));
    assert_eq!(write(&tree, "c/d", Condition::Absent).await, Err(FailureKind::Obstructed));
    write(&tree, "a-", Condition::Absent).await.unwrap();

    let bucket = MemoryStore::remote();
    bucket.put("a/b", "x");
    write(&bucket, "a", Condition::Absent).await.unwrap();
}

#[tokio::test]
async fn keys_that_it_cannot_hold_are_refused() {
    let store = MemoryStore::local();
    assert_eq!(write(&store, "a//b", Condition::Absent).await, Err(FailureKind::Unrepresentable));
    assert_eq!(write(&store, "x/", Condition::Absent).await, Err(FailureKind::Unrepresentable), "it has content");
    assert_eq!(store.look(&Key::from("a//")).await.unwrap_err().kind, FailureKind::Unrepresentable);
}

#[tokio::test]
async fn a_marker_makes_a_directory_of_a_tree_which_goes_with_its_last_file() {
    let tree = MemoryStore::local();
    let marker = new_object("d/e/", 0, Condition::Absent);
    tree.write(&marker, Bytes::new()).await.unwrap();
    assert!(tree.contents().is_empty());
    for directory in ["d/", "d/e/"] {
        assert_eq!(tree.look(&directory.into()).await.unwrap().unwrap().key, directory.into());
    }
    assert_eq!(write(&tree, "d/e", Condition::Absent).await, Err(FailureKind::Obstructed));
    let file = write(&tree, "d/e/f", Condition::Absent).await.unwrap();
    assert_eq!(tree.remove(&[file]).await, [Ok(())]);
    assert_eq!(tree.look(&"d/".into()).await, Ok(None));
    tree.put("file", "x");
    let marker = new_object("file/", 0, Condition::Absent);
    assert_eq!(tree.write(&marker, Bytes::new()).await.unwrap_err().kind, FailureKind::Obstructed);
}

/// Refuses to write `no`, and loses the answer of every other call.
struct Cruel(Mutex<Vec<String>>);

impl Fates for Cruel {
    fn befalls(&self, _: Call, key: &Key) -> Fate {
        let failure = Failure::new(FailureKind::Failed, "cruel");
        let strike = if *key == Key::from("no") { Strike::Refused(failure) } else { Strike::AnswerLost(failure) };
        Fate { to_store: Duration::from_secs(3), strike, from_store: Duration::from_secs(2) }
    }

    fn reached(&self, call: Call, key: &Key, _: Option<&Key>, _: &Strike) {
        self.0.lock().unwrap().push(format!("{call:?} {key}"));
    }

    fn changed(&self, change: Change<'_>) {
        let there = change.after.map_or("nothing", |(_, body)| std::str::from_utf8(body).unwrap());
        self.0.lock().unwrap().push(format!("{there} at {}, {}", change.key, change.by_call));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_meets_its_fate() {
    let store = MemoryStore::remote();
    let cruel = Arc::new(Cruel(Mutex::default()));
    store.set_fates(Some(cruel.clone()));
    let start = tokio::time::Instant::now();
    for key in ["no", "yes"] {
        assert_eq!(write(&store, key, Condition::Absent).await, Err(FailureKind::Failed), "{key}");
    }
    assert_eq!(start.elapsed(), Duration::from_secs(10), "by a clock that stands still otherwise");
    store.take("yes");
    let told = ["Write no", "Write yes", "new at yes, true", "nothing at yes, false"];
    assert_eq!(*cruel.0.lock().unwrap(), told);
    store.set_fates(None);
    write(&store, "no", Condition::Absent).await.unwrap();
}

/// Hears which pages of which ranges are asked for.
#[derive(Default)]
struct Pages(Mutex<Vec<(Call, Key, Option<Key>)>>);

impl Fates for Pages {
    fn befalls(&self, _: Call, _: &Key) -> Fate {
        Fate::default()
    }

    fn reached(&self, call: Call, key: &Key, range_start: Option<&Key>, _: &Strike) {
        self.0.lock().unwrap().push((call, key.clone(), range_start.cloned()));
    }

    fn changed(&self, _: Change<'_>) {}
}

#[tokio::test]
async fn a_page_is_told_with_the_start_of_its_range() {
    let store = MemoryStore::new(MemoryOptions { page_size: 2, ..MemoryOptions::remote() });
    for key in ["a", "b", "c", "d"] {
        store.put(key, "");
    }
    let pages = Arc::new(Pages::default());
    store.set_fates(Some(pages.clone()));
    let range = |after: Option<&str>| KeyRange { after: after.map(Key::from), through: Some("z".into()) };
    for range in [KeyRange::everything(), range(None), range(Some("a"))] {
        let mut listing = store.list(&range);
        while listing.next_page().await.unwrap().is_some() {}
    }
    store.look(&"a".into()).await.unwrap();
    let told = [
        (Call::List, "", Some("")),
        (Call::ListMore, "b", Some("")),
        (Call::ListMore, "d", Some("")),
        (Call::ListRange, "", Some("")),
        (Call::ListRangeMore, "b", Some("")),
        (Call::ListRangeMore, "d", Some("")),
        (Call::ListRange, "a", Some("a")),
        (Call::ListRangeMore, "c", Some("a")),
        (Call::ListRangeMore, "d", Some("a")),
        (Call::Look, "a", None),
    ]
    .map(|(call, key, range_start)| (call, Key::from(key), range_start.map(Key::from)));
    assert_eq!(*pages.0.lock().unwrap(), told);
}

#[tokio::test]
async fn failures_strike_as_often_as_ordered_and_calls_are_logged() {
    let store = MemoryStore::remote();
    let entry = store.put("k", "x");
    store.fail(Call::Read, "k", 2, Failure::new(FailureKind::Denied, "no"));
    for _ in 0..2 {
        assert_eq!(store.read(&entry).await.unwrap_err().kind, FailureKind::Denied);
    }
    assert_eq!(store.read(&entry).await.unwrap().body, "x");
    assert_eq!(store.calls(), vec![(Call::Read, Key::from("k")); 3]);
}

#[tokio::test]
async fn parts_in_any_order_make_an_object_with_a_multipart_etag() {
    let store = MemoryStore::remote();
    let upload = store.begin(&new_object("big", 5, Condition::Absent)).await.unwrap();
    upload.write(Part { number: 2, offset: 3 }, Bytes::from_static(b"lo")).await.unwrap();
    upload.write(Part { number: 1, offset: 0 }, Bytes::from_static(b"hel")).await.unwrap();
    assert!(store.contents().is_empty());
    let expected = (DigestKind::Md5, objects::digest(b"hello", DigestKind::Md5));
    let entry = upload.finish(Some(expected)).await.unwrap().entry;
    // From `printf hel | md5sum` and `printf lo | md5sum`, their bytes joined and summed again.
    assert_eq!(entry.version, Version::object("554a2f6105cc700b8cc987b5ddfb8102-2"));
    assert_eq!(store.contents()[b"big".as_slice()], "hello");

    let reader = store.open(&entry).await.unwrap();
    assert_eq!(reader.read(1..4).await.unwrap(), "ell");
    assert!(reader.read(1..6).await.is_err());
    let (kind, digest) = reader.digest().unwrap();
    assert_eq!(kind, DigestKind::MultipartMd5 { part_size: 3 });
    assert_eq!(entry.listed_digest(), Some(digest));
    store.put("big", "other");
    assert_eq!(reader.check_unchanged().await.unwrap_err().kind, FailureKind::Changed);
}

#[tokio::test]
async fn an_upload_that_is_wrong_or_abandoned_leaves_nothing() {
    let store = MemoryStore::local();
    let object = new_object("k", 3, Condition::Absent);
    let upload = store.begin(&object).await.unwrap();
    upload.write(Part { number: 1, offset: 0 }, Bytes::from_static(b"abc")).await.unwrap();
    let wrong = (DigestKind::Crc64Nvme, Digest::Crc64Nvme(1));
    assert_eq!(upload.finish(Some(wrong)).await.unwrap_err().kind, FailureKind::Corrupt);
    assert_eq!(store.unfinished_uploads(), 1);
    upload.abandon().await;
    upload.abandon().await;
    assert_eq!((store.unfinished_uploads(), store.contents().len()), (0, 0));
}

#[tokio::test]
async fn a_file_keeps_the_time_it_was_given_and_an_object_keeps_it_beside_its_own() {
    let mtime = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_891);
    let headers =
        ObjectHeaders { modified: Some(mtime), content_type: Some("text/plain".into()), ..ObjectHeaders::default() };
    let object = NewObject { headers: headers.clone(), ..new_object("k", 3, Condition::Absent) };
    let file = MemoryStore::local().write(&object, Bytes::from_static(b"abc")).await.unwrap().entry;
    assert_eq!(file.modified, mtime);
    let bucket = MemoryStore::remote();
    let entry = bucket.write(&object, Bytes::from_static(b"abc")).await.unwrap().entry;
    assert_ne!(entry.modified, mtime);
    assert_eq!(bucket.read(&entry).await.unwrap().headers, headers);
}

#[tokio::test]
async fn calls_about_uploads_of_other_processes_are_logged_and_fail_on_order() {
    let store = MemoryStore::remote();
    let object = new_object("k", 1, Condition::Absent);
    let id = store.begin(&object).await.unwrap().id().unwrap().to_owned();
    assert_eq!(store.unfinished_uploads(), 1, "it outlives whoever began it");
    for call in [Call::Resume, Call::AbandonUpload] {
        store.fail(call, "k", 1, Failure::new(FailureKind::Denied, "no"));
    }
    store.fail(Call::ListUploads, "", 1, Failure::new(FailureKind::Denied, "no"));
    assert_eq!(store.resume(&object, &id).await.err().map(|failure| failure.kind), Some(FailureKind::Denied));
    assert!(store.resume(&object, &id).await.unwrap().is_some());
    assert_eq!(store.abandon_upload(&object.key, &id).await.unwrap_err().kind, FailureKind::Denied);
    assert!(store.open_uploads().next_page().await.is_err());
    assert_eq!(store.open_uploads().next_page().await.unwrap().map(|page| page.len()), Some(1));
    store.abandon_upload(&object.key, &id).await.unwrap();
    assert_eq!(store.unfinished_uploads(), 0);
    assert_eq!([Call::Resume, Call::AbandonUpload, Call::ListUploads].map(|call| store.count(call)), [2; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_power_cut_takes_back_what_is_not_durable() {
    let old = Bytes::from_static(b"old");
    let table = [
        (Loss::Nothing, Some(&b"new"[..]), None),
        (Loss::Undone, Some(&b"old"[..]), Some(&old)),
        (Loss::Emptied, Some(&b""[..]), Some(&old)),
        (Loss::Torn, Some(&b"n\0\0"[..]), Some(&old)),
    ];
    for (loss, replaced, removed) in table {
        let store = MemoryStore::local();
        let [replaces, removes] = ["replaced", "removed"].map(|key| store.put(key, old.clone()));
        store.write_later(Duration::from_mins(1));
        write(&store, "durable", Condition::Absent).await.unwrap();
        write(&store, "d/made", Condition::Absent).await.unwrap();
        store.make_durable().await.unwrap();
        write(&store, "long ago", Condition::Absent).await.unwrap();
        tokio::time::sleep(Duration::from_mins(1)).await;
        let written = write(&store, "replaced", Condition::Replaces(replaces)).await.unwrap();
        write(&store, "d/new", Condition::Absent).await.unwrap();
        store.remove(&[removes]).await[0].as_ref().unwrap();
        store.cut_power(|_| loss);
        let there = store.contents();
        assert_eq!(there.get(&Key::from("replaced")).map(|body| &body[..]), replaced, "{loss:?}");
        assert_eq!(there.get(&Key::from("removed")), removed, "{loss:?}");
        assert_eq!(there.contains_key(&Key::from("d/new")), loss != Loss::Undone, "{loss:?}");
        for key in ["durable", "d/made", "long ago"] {
            assert_eq!(there[&Key::from(key)], Bytes::from_static(b"new"), "{loss:?}: {key}");
        }
        if loss == Loss::Torn {
            let looked_at = store.look(&Key::from("replaced")).await.unwrap();
            assert_eq!(looked_at, Some(written), "nothing shows that it is torn");
        }
        store.cut_power(|_| Loss::Undone);
        assert_eq!(store.contents(), there, "what a power cut has left is durable");
    }
}

/// Lets a client die at one step of each call.
struct Deadly(Step);

impl Fates for Deadly {
    fn befalls(&self, _: Call, _: &Key) -> Fate {
        Fate { to_store: Duration::from_secs(2), ..Fate::default() }
    }

    fn reached(&self, _: Call, _: &Key, _: Option<&Key>, _: &Strike) {}

    fn changed(&self, _: Change<'_>) {}

    fn goes_on(&self, _: Call, _: &Key, step: Step) -> bool {
        step != self.0
    }

    fn arrives_all_the_same(&self, _: Call, key: &Key) -> bool {
        *key == Key::from("straggler")
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_client_that_died_never_ends_and_may_arrive() {
    for (store, straggles) in [(MemoryStore::local(), false), (MemoryStore::remote(), true)] {
        for (step, after) in [(Step::Arrival, 3), (Step::Answer, 3), (Step::Answer, 1)] {
            store.set_fates(Some(Arc::new(Deadly(step))));
            for key in ["lost", "straggler"] {
                let call = write(&store, key, Condition::Absent);
                assert!(tokio::time::timeout(Duration::from_secs(after), call).await.is_err());
                let has_arrived = step == Step::Answer && after == 3 || straggles && key == "straggler";
                assert_eq!(store.contents().contains_key(&Key::from(key)), has_arrived, "{step:?} {after} {key}");
                store.take(key);
            }
        }
    }
}
