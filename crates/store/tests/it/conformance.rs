//! What every store promises, whatever it is made of.

use std::time::{Duration, UNIX_EPOCH};

use brigade_store::{
    Condition, Digest, DigestKind, Entry, FailureKind, Key, KeyRange, Kind, Listed, NewObject, ObjectHeaders, Part,
    Store, Verified,
};
use bytes::Bytes;
use md5::Digest as _;

use super::subjects::{Subject, new_object, put, subjects};

/// The least that S3 takes for a part that isn't the last.
const PART: usize = 5 << 20;

async fn list(store: &dyn Store, range: KeyRange) -> Vec<Entry> {
    let mut listing = store.list(&range);
    let mut entries = Vec::new();
    while let Some(page) = listing.next_page().await.unwrap() {
        assert!(!page.is_empty());
        entries.extend(page.into_iter().map(|listed| match listed {
            Listed::Present(entry) => entry,
            Listed::Unknown(unknown) => panic!("{unknown:?}"),
        }));
    }
    assert!(listing.next_page().await.unwrap().is_none(), "the end stays the end");
    entries
}

async fn keys(store: &dyn Store, range: KeyRange) -> Vec<String> {
    list(store, range).await.iter().map(|entry| entry.key.to_string()).collect()
}

fn kind<T>(result: Result<T, brigade_store::Failure>) -> Result<(), FailureKind> {
    result.map(drop).map_err(|failure| failure.kind)
}

/// What a write or removal whose condition doesn't hold must come to.
fn refused_if_guarded(subject: &Subject) -> Result<(), FailureKind> {
    if subject.is_guarded { Err(FailureKind::Changed) } else { Ok(()) }
}

/// Bytes that are different in each part.
fn content(length: usize) -> Bytes {
    (0..length).map(|place| u8::try_from((place / 7 + place / PART) % 251).unwrap()).collect()
}

#[tokio::test]
async fn what_is_written_is_read_back_with_its_headers() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let modified = UNIX_EPOCH + Duration::new(1_622_715_932, 123_456_789);
        for length in [0, 1, 100_000] {
            let headers = ObjectHeaders {
                modified: Some(modified),
                content_type: Some("text/x-test".into()),
                ..ObjectHeaders::default()
            };
            let object =
                NewObject { headers: headers.clone(), ..new_object(format!("d/{length}"), length, Condition::Absent) };
            let receipt = store.write(&object, content(length)).await.unwrap();
            let found = store.look(&object.key).await.unwrap().unwrap();
            assert!(found.same_version(&receipt.entry), "{name}: {found:?} {receipt:?}");
            let read = store.read(&found).await.unwrap();
            assert_eq!(read.body, content(length), "{name}");
            assert!(read.entry.same_version(&found), "{name}");
            assert_eq!(read.headers.modified, headers.modified, "{name}");
            if store.capabilities().kind == Kind::Remote {
                assert_eq!(read.headers.content_type, headers.content_type, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn listings_give_each_object_once_in_order_and_in_range() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        assert_eq!(list(store, KeyRange::everything()).await, [], "{name}");
        for key in ["a0", "b/y", "a/x", "b/x/z", "a-b", "a.b", "a+b", "é"] {
            put(store, key, key).await.unwrap();
        }
        let all = ["a+b", "a-b", "a.b", "a/x", "a0", "b/x/z", "b/y", "é"];
        assert_eq!(keys(store, KeyRange::everything()).await, all, "{name}");
        for (after, through, expected) in [
            (Some("a-b"), Some("b/x/z"), &all[2..6]),
            (Some("a.x"), None, &all[3..]),
            (None, Some("a"), &all[..0]),
            (Some("b/"), Some("b0"), &all[5..7]),
        ] {
            let range = KeyRange { after: after.map(Key::from), through: through.map(Key::from) };
            assert_eq!(keys(store, range.clone()).await, expected, "{name}: {range:?}");
        }
        for listed in list(store, KeyRange::everything()).await {
            let found = store.look(&listed.key).await.unwrap().unwrap();
            assert!(found.same_version(&listed), "{name}: {found:?} {listed:?}");
        }
    }
}

#[tokio::test]
async fn conditions_keep_what_somebody_else_wrote() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let first = put(store, "k", "first").await.unwrap();
        let write = async |condition, body: &'static str| {
            store.write(&new_object("k", body.len(), condition), Bytes::from_static(body.as_bytes())).await
        };
        let second = write(Condition::Replaces(first.clone()), "second").await.unwrap().entry;
        assert!(!second.same_version(&first), "{name}");

        let refused = refused_if_guarded(&subject);
        assert_eq!(kind(write(Condition::Absent, "third").await), refused, "{name}");
        assert_eq!(kind(write(Condition::Replaces(first.clone()), "third").await), refused, "{name}");
        let now = store.look(&"k".into()).await.unwrap().unwrap();
        let expected = if subject.is_guarded { "second" } else { "third" };
        assert_eq!(store.read(&now).await.unwrap().body, expected, "{name}");

        // What is read for an entry that is out of date is never mistaken for it.
        for read in [
            store.read(&first).await.map(|object| object.entry),
            store.open(&first).await.map(|reader| reader.entry().clone()),
        ] {
            match read {
                Ok(entry) => assert!(entry.same_version(&now), "{name}: {entry:?}"),
                Err(failure) => assert_eq!(failure.kind, FailureKind::Changed, "{name}"),
            }
        }
    }
}

#[tokio::test]
async fn removals_answer_for_each_object_and_spare_what_changed() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let gone = put(store, "gone", "x").await.unwrap();
        assert_eq!(store.remove(std::slice::from_ref(&gone)).await, [Ok(())], "{name}");
        assert_eq!(store.look(&"gone".into()).await, Ok(None), "{name}");
        assert_eq!(kind(store.read(&gone).await), Err(FailureKind::Absent), "{name}");
        assert_eq!(kind(store.open(&gone).await), Err(FailureKind::Absent), "{name}");

        let stale = put(store, "d/replaced", "first").await.unwrap();
        let second = new_object("d/replaced", 6, Condition::Replaces(stale.clone()));
        store.write(&second, Bytes::from_static(b"second")).await.unwrap();
        let other = put(store, "d/other", "x").await.unwrap();
        let results = store.remove(&[other, stale, gone]).await;
        let results: Vec<_> = results.into_iter().map(kind).collect();
        assert_eq!(results, [Ok(()), refused_if_guarded(&subject), Ok(())], "{name}");
        let left: &[&str] = if subject.is_guarded { &["d/replaced"] } else { &[] };
        assert_eq!(keys(store, KeyRange::everything()).await, left, "{name}");
    }
}

#[tokio::test]
async fn parts_in_any_order_make_an_object_that_is_read_in_ranges() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let body = content(2 * PART + 1);
        let modified = Some(UNIX_EPOCH + Duration::new(5, 1));
        let headers = ObjectHeaders { modified, content_type: None, ..ObjectHeaders::default() };
        let digest = Some(DigestKind::Crc64Nvme);
        let object = NewObject { headers, digest, ..new_object("d/big", body.len(), Condition::Absent) };
        let upload = store.begin(&object).await.unwrap();
        for number in [3_u32, 1, 2] {
            let start = (number as usize - 1) * PART;
            let part = body.slice(start..body.len().min(start + PART));
            upload.write(Part { number, offset: start as u64 }, part).await.unwrap();
        }
        assert_eq!(keys(store, KeyRange::everything()).await, [""; 0], "{name}: it appears only when finished");
        let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &body);
        let receipt = upload.finish(Some((DigestKind::Crc64Nvme, Digest::Crc64Nvme(crc)))).await.unwrap();
        assert_eq!(receipt.verified, Verified::Yes, "{name}");

        let [listed] = &list(store, KeyRange::everything()).await[..] else { panic!("{name}") };
        assert!(listed.same_version(&receipt.entry), "{name}: {listed:?} {receipt:?}");
        let reader = store.open(listed).await.unwrap();
        assert_eq!(reader.headers().modified, modified, "{name}");
        assert!(reader.entry().same_version(listed), "{name}");
        for range in [0..0, 0..1, PART - 1..PART + 1, 0..body.len(), body.len() - 1..body.len()] {
            let bytes = reader.read(range.start as u64..range.end as u64).await.unwrap();
            assert!(bytes == body.slice(range.clone()), "{name}: {range:?}");
        }
        assert!(reader.read(0..body.len() as u64 + 1).await.is_err(), "{name}: shorter is a failure");
        reader.check_unchanged().await.unwrap();
        if let Some((kind, digest)) = reader.digest() {
            assert!(expected_digests(&body).contains(&digest), "{name}: {kind:?}");
        }
    }
}

#[tokio::test]
async fn a_reader_tells_that_its_object_was_replaced() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let first = put(store, "k", "first").await.unwrap();
        let reader = store.open(&first).await.unwrap();
        store.write(&new_object("k", 5, Condition::Replaces(first)), Bytes::from_static(b"other")).await.unwrap();
        match reader.read(0..5).await {
            // A file that is open stays what it was.
            Ok(bytes) => assert_eq!(bytes, "first", "{name}"),
            Err(failure) => assert_eq!(failure.kind, FailureKind::Changed, "{name}"),
        }
        assert_eq!(kind(reader.check_unchanged().await), Err(FailureKind::Changed), "{name}");
    }
}

#[tokio::test]
async fn uploads_that_are_wrong_or_abandoned_leave_nothing() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let digest = Some(DigestKind::Crc64Nvme);
        let object = NewObject { digest, ..new_object("d/k", 3, Condition::Absent) };
        let abc = Bytes::from_static(b"abc");
        let upload = store.begin(&object).await.unwrap();
        upload.write(Part { number: 1, offset: 0 }, abc.clone()).await.unwrap();
        let wrong = (DigestKind::Crc64Nvme, Digest::Crc64Nvme(1));
        assert_eq!(kind(upload.finish(Some(wrong)).await), Err(FailureKind::Corrupt), "{name}");
        upload.abandon().await;

        let upload = store.begin(&object).await.unwrap();
        upload.write(Part { number: 1, offset: 0 }, abc.clone()).await.unwrap();
        upload.abandon().await;
        assert_eq!(list(store, KeyRange::everything()).await, [], "{name}");

        let upload = store.begin(&object).await.unwrap();
        upload.write(Part { number: 1, offset: 0 }, abc).await.unwrap();
        put(store, "d/k", "somebody else's").await.unwrap();
        assert_eq!(kind(upload.finish(None).await), refused_if_guarded(&subject), "{name}");
        upload.abandon().await;
    }
}

#[tokio::test]
async fn digests_are_those_of_the_content() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let body = content(100_000);
        let entry = put(store, "k", body.clone()).await.unwrap();
        let wanted = [DigestKind::Md5, DigestKind::Crc64Nvme, DigestKind::MultipartMd5 { part_size: PART as u64 }];
        let digests = store.digests(&entry, &wanted).await.unwrap();
        assert!(!digests.is_empty(), "{name}");
        for digest in digests {
            assert!(expected_digests(&body).contains(&digest), "{name}: {digest:?}");
        }
    }
}

/// The digests that a content may have, with parts of [`PART`] bytes.
fn expected_digests(body: &[u8]) -> [Digest; 3] {
    let md5s: Vec<u8> = body.chunks(PART).flat_map(md5::Md5::digest).collect();
    [
        Digest::Md5(md5::Md5::digest(body).into()),
        Digest::Crc64Nvme(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, body)),
        Digest::MultipartMd5 {
            md5: md5::Md5::digest(md5s).into(),
            parts: u32::try_from(body.len().div_ceil(PART)).unwrap(),
        },
    ]
}

#[tokio::test]
async fn keys_are_kept_to_the_byte_or_refused() {
    let hostile = [
        "a//b",
        "/a",
        "a/",
        "//",
        ".",
        "..",
        "../x",
        "a/../b",
        "a/./b",
        "a b+c%20&=?#;:@$,'()*!~",
        "\"<>&\\^`{|}[]",
        "é",
        "\u{1}\t\n\r\u{7f}",
        "\u{fffe}",
        "🪣/🪣",
        "a/x\u{301}",
        "a/x\u{341}",
    ];
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let mut kept = Vec::new();
        for key in hostile {
            match put(store, key, key).await {
                Ok(_) => kept.push(key),
                Err(failure) => {
                    assert_eq!(failure.kind, FailureKind::Unrepresentable, "{name}: {key:?} {failure}");
                    assert!(!subject.takes_any_key, "{name}: {key:?}");
                }
            }
        }
        assert!(kept.len() >= 7, "{name}: {kept:?}");
        kept.sort_unstable();
        let entries = list(store, KeyRange::everything()).await;
        let listed: Vec<&str> = entries.iter().map(|entry| entry.key.as_text().unwrap()).collect();
        assert_eq!(listed, kept, "{name}");
        for pair in entries.windows(2) {
            let after = store.first_after(&pair[0].key).await.unwrap();
            assert_eq!(after.as_ref(), Some(&pair[1].key), "{name}: after {}", pair[0].key);
        }
        let last = &entries.last().unwrap().key;
        assert_eq!(store.first_after(last).await.unwrap(), None, "{name}: after {last}, the last one");
        for entry in &entries {
            assert_eq!(store.read(entry).await.unwrap().body, entry.key.as_bytes(), "{name}");
        }
        assert!(store.remove(&entries).await.iter().all(Result::is_ok), "{name}");
        assert_eq!(list(store, KeyRange::everything()).await, [], "{name}");
    }
}

#[tokio::test]
async fn reserved_keys_are_refused_and_impossible_ones_prove_nothing() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        for reserved in [".brigade-1", "a/.brigade-trash/b"] {
            assert_eq!(kind(put(store, reserved, "x").await), Err(FailureKind::Unrepresentable), "{name}");
            assert_eq!(
                kind(store.begin(&new_object(reserved, 1, Condition::Absent)).await),
                Err(FailureKind::Unrepresentable),
                "{name}"
            );
        }
        let impossible = Key::new([b"x".repeat(2000), b"\xff".to_vec()].concat());
        match store.look(&impossible).await {
            Err(failure) => assert_eq!(failure.kind, FailureKind::Unrepresentable, "{name}"),
            // In memory, any key can be held.
            Ok(found) => assert_eq!((found, name.contains("memory")), (None, true), "{name}"),
        }
    }
}
