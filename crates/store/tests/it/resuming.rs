//! What every store promises of uploads that outlive the process that began them.

use std::time::{Duration, UNIX_EPOCH};

use brigade_devserver::ListingOrder;
use brigade_s3::CreateMultipartUpload;
use brigade_store::s3::{Config, CustomerKey, Provider, Writing};
use brigade_store::{
    Condition, Digest, DigestKind, FailureKind, Key, Kind, Location, NewObject, ObjectHeaders, OpenUpload, Part, Role,
    Store, Tags, open,
};
use bytes::Bytes;
use md5::Digest as _;
use tokio_util::sync::CancellationToken;

use super::subjects::{TestServer, new_object, put, subjects};

/// The least that S3 takes for a part that isn't the last.
const PART: usize = 5 << 20;

/// Bytes that are different in each part.
fn content(length: usize) -> Bytes {
    (0..length).map(|place| u8::try_from((place / 7 + place / PART) % 251).unwrap()).collect()
}

fn part(number: u32) -> Part {
    Part { number, offset: u64::from(number - 1) * PART as u64 }
}

/// Begins an upload, writes parts of it, and forgets it, as a process does that
/// is killed; gives its id. `None` where nothing can take it up again.
async fn begin_and_forget(store: &dyn Store, object: &NewObject, parts: &[(u32, Bytes)]) -> Option<String> {
    let upload = store.begin(object).await.unwrap();
    for (number, body) in parts {
        upload.write(part(*number), body.clone()).await.unwrap();
    }
    upload.id().map(str::to_owned)
}

async fn open_uploads(store: &dyn Store) -> Vec<OpenUpload> {
    let mut pages = store.open_uploads();
    let mut uploads = Vec::new();
    while let Some(page) = pages.next_page().await.unwrap() {
        assert!(!page.is_empty());
        uploads.extend(page);
    }
    assert!(pages.next_page().await.unwrap().is_none(), "the end stays the end");
    uploads
}

#[tokio::test]
async fn an_upload_is_taken_up_again_where_its_process_left_it() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let body = content(2 * PART + 1);
        let modified = Some(UNIX_EPOCH + Duration::new(5, 1));
        let headers = ObjectHeaders { modified, content_type: None, ..ObjectHeaders::default() };
        let digest = Some(DigestKind::Crc64Nvme);
        let object = NewObject { headers, digest, ..new_object("d/big", body.len(), Condition::Absent) };
        let (first, other) = (body.slice(..PART), Bytes::from(vec![0; PART]));
        let written = [(1, first.clone()), (2, other.clone())];
        let id = begin_and_forget(store, &object, &written).await;
        assert_eq!(id.is_some(), store.capabilities().kind == Kind::Remote, "{name}");
        let Some(id) = id else { continue };

        let resumed = store.resume(&object, &id).await.unwrap().unwrap();
        assert_eq!(resumed.upload.id(), Some(id.as_str()), "{name}");
        let listed: Vec<_> = resumed.parts.iter().map(|part| (part.number, part.size, part.md5)).collect();
        let expected = [(1, &first), (2, &other)];
        let md5 = |body: &Bytes| Some(md5::Md5::digest(body).into());
        assert_eq!(listed, expected.map(|(number, body)| (number, PART as u64, md5(body))), "{name}");
        // What is written again replaces what was there.
        resumed.upload.write(part(3), body.slice(2 * PART..)).await.unwrap();
        resumed.upload.write(part(2), body.slice(PART..2 * PART)).await.unwrap();
        let crc = Digest::Crc64Nvme(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &body));
        let receipt = resumed.upload.finish(Some((DigestKind::Crc64Nvme, crc))).await.unwrap();
        assert!(receipt.digest.is_none_or(|digest| digest == crc), "{name}");
        assert_eq!(receipt.digest.is_none(), name.contains("nothing is known"), "{name}");

        let entry = store.look(&object.key).await.unwrap().unwrap();
        assert!(entry.same_version(&receipt.entry), "{name}: {entry:?} {receipt:?}");
        let reader = store.open(&entry).await.unwrap();
        assert!(reader.read(0..entry.size).await.unwrap() == body, "{name}");
        assert_eq!(reader.headers().modified, modified, "{name}");
        assert!(store.resume(&object, &id).await.unwrap().is_none(), "{name}: it is finished");
        assert_eq!(open_uploads(store).await, [], "{name}");
    }
}

#[tokio::test]
async fn a_digest_that_is_wrong_is_found_out_in_a_resumed_upload_too() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let object = new_object("k", 3, Condition::Absent);
        let Some(id) = begin_and_forget(store, &object, &[(1, "abc".into())]).await else { continue };
        let resumed = store.resume(&object, &id).await.unwrap().unwrap();
        let finished = resumed.upload.finish(Some((DigestKind::Crc64Nvme, Digest::Crc64Nvme(1)))).await;
        // Where the service tells no checksum that can be trusted, there is nothing to compare.
        let expected = if name.contains("nothing is known") { None } else { Some(FailureKind::Corrupt) };
        assert_eq!(finished.err().map(|failure| failure.kind), expected, "{name}");
    }
}

#[tokio::test]
async fn parts_that_do_not_make_the_object_are_not_taken_for_it() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let object = new_object("k", PART + 1, Condition::Absent);
        let written = [(1, content(PART)), (2, Bytes::from_static(b"x"))];
        let Some(id) = begin_and_forget(store, &object, &written).await else { continue };
        // The object has become shorter, or a part has another size by now.
        let shorter = new_object("k", PART, Condition::Absent);
        let resumed = store.resume(&shorter, &id).await.unwrap().unwrap();
        assert_eq!(resumed.upload.finish(None).await.unwrap_err().kind, FailureKind::Corrupt, "{name}");
        let resumed = store.resume(&object, &id).await.unwrap().unwrap();
        resumed.upload.write(Part { number: 2, offset: 7 }, Bytes::from_static(b"y")).await.unwrap();
        assert_eq!(resumed.upload.finish(None).await.unwrap_err().kind, FailureKind::Corrupt, "{name}");
        resumed.upload.abandon().await;
        assert_eq!(open_uploads(store).await, [], "{name}");
        assert_eq!(store.look(&"k".into()).await, Ok(None), "{name}");
    }
}

#[tokio::test]
async fn an_upload_that_nobody_began_is_gone() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let object = new_object("k", 1, Condition::Absent);
        assert!(store.resume(&object, "no such upload").await.unwrap().is_none(), "{name}");
        if let Some(id) = begin_and_forget(store, &object, &[]).await {
            let other = new_object("other", 1, Condition::Absent);
            assert!(store.resume(&other, &id).await.unwrap().is_none(), "{name}: it is another key's");
            assert_eq!(store.resume(&object, &id).await.unwrap().unwrap().parts, [], "{name}");
        }
    }
}

#[tokio::test]
async fn an_upload_may_be_given_up_by_anybody_and_again() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let object = new_object("d/k", 3, Condition::Absent);
        assert_eq!(store.abandon_upload(&object.key, "no such upload").await, Ok(()), "{name}");
        let Some(id) = begin_and_forget(store, &object, &[(1, "abc".into())]).await else { continue };
        let resumed = store.resume(&object, &id).await.unwrap().unwrap();
        for _ in 0..2 {
            assert_eq!(store.abandon_upload(&object.key, &id).await, Ok(()), "{name}");
        }
        assert!(store.resume(&object, &id).await.unwrap().is_none(), "{name}");
        assert!(resumed.upload.write(part(1), "abc".into()).await.is_err(), "{name}");
        assert!(resumed.upload.finish(None).await.is_err(), "{name}");
        assert_eq!(store.look(&object.key).await, Ok(None), "{name}");
    }
}

#[tokio::test]
async fn uploads_under_way_are_listed_with_key_id_and_age() {
    for subject in subjects().await {
        let (name, store) = (subject.name, &*subject.store);
        let mut begun = Vec::new();
        for key in ["b", "a/x", "a/x", "é +%"] {
            let id = begin_and_forget(store, &new_object(key, 1, Condition::Absent), &[]).await;
            begun.extend(id.map(|id| (Key::from(key), id)));
        }
        begun.sort();
        let listed = open_uploads(store).await;
        assert!(listed.iter().all(|upload| upload.initiated.is_some()), "{name}: {listed:?}");
        assert_eq!(listed.into_iter().map(|upload| (upload.key, upload.id)).collect::<Vec<_>>(), begun, "{name}");
    }
}

#[tokio::test]
async fn terms_are_others_with_each_option_and_all_that_the_object_had() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let plain = test.config(Provider::BrigadeDev);
    let acl = Writing { acl: Some("public-read".into()), ..Writing::default() };
    let writing = Config { writing: acl, ..plain.clone() };
    let customer_key = Config { customer_key: Some(CustomerKey::new([1; 32])), ..plain.clone() };
    let location = Location::parse("s3://bucket".as_ref()).unwrap();
    let opened =
        async |config: &Config| open(&location, Role::Destination, config, &CancellationToken::new()).await.unwrap();
    let entry = put(&*opened(&writing).await, "public", "content").await.unwrap();
    let grants = opened(&plain).await.grants(&entry).await.unwrap();
    let (none, class) = (ObjectHeaders::default(), Some("STANDARD_IA".into()));
    let mut terms = Vec::new();
    for (config, headers) in [
        (&plain, none.clone()),
        (&plain, ObjectHeaders { storage_class: class, ..none.clone() }),
        (&plain, ObjectHeaders { tags: Tags::Known("a=1".into()), ..none.clone() }),
        (&plain, ObjectHeaders { grants, ..none.clone() }),
        (&writing, none.clone()),
        (&customer_key, none),
    ] {
        let object = NewObject { headers, ..new_object("k", 1, Condition::Absent) };
        let digest = opened(config).await.terms(&object).unwrap();
        assert_eq!(opened(config).await.terms(&object).unwrap(), digest);
        assert!(!terms.contains(&digest), "{object:?}");
        terms.push(digest);
    }
    assert_eq!(test.server.count("CreateMultipartUpload"), 0);
}

#[tokio::test]
async fn only_uploads_below_the_prefix_are_listed_whoever_began_them() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let bucket = test.bucket().await;
    for key in ["p", "p/", "p/.brigade-1/x", "p/a", "pq", "q/p/a"] {
        bucket
            .create_multipart_upload(CreateMultipartUpload { key, ..CreateMultipartUpload::default() })
            .await
            .unwrap();
    }
    let store = test.store("s3://bucket/p", Provider::BrigadeDev).await;
    let uploads = open_uploads(&*store).await;
    let keys: Vec<String> = uploads.iter().map(|upload| upload.key.to_string()).collect();
    assert_eq!(keys, ["", ".brigade-1/x", "a"]);
    for upload in &uploads {
        assert_eq!(store.abandon_upload(&upload.key, &upload.id).await, Ok(()), "{upload:?}");
    }
    assert_eq!(open_uploads(&*store).await, []);
    let left = open_uploads(&*test.store("s3://bucket", Provider::BrigadeDev).await).await;
    assert_eq!(left.iter().map(|upload| upload.key.to_string()).collect::<Vec<_>>(), ["p", "pq", "q/p/a"]);
}

#[tokio::test]
async fn many_uploads_are_listed_page_by_page() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let store = test.store("s3://bucket", Provider::BrigadeDev).await;
    for _ in 0..1001 {
        begin_and_forget(&*store, &new_object("k", 1, Condition::Absent), &[]).await;
    }
    let mut pages = store.open_uploads();
    assert_eq!(test.server.count("ListMultipartUploads"), 0, "nothing is asked before the first page");
    assert_eq!(pages.next_page().await.unwrap().map(|page| page.len()), Some(1000));
    assert_eq!(pages.next_page().await.unwrap().map(|page| page.len()), Some(1));
    assert_eq!(pages.next_page().await.unwrap(), None);
    assert_eq!(test.server.count("ListMultipartUploads"), 2);
}
