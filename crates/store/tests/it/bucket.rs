//! What is particular to buckets: what goes over the wire, and what comes back wrong.

use std::time::{Duration, UNIX_EPOCH};

use brigade_devserver::{Action, Fault, KeyPattern, ListingOrder, Occurrence};
use brigade_s3::{DeleteObject, HeadObject, PutObject};
use brigade_store::s3::Provider;
use brigade_store::{Capabilities, Condition, FailureKind, KeyRange, Kind, NewObject, ObjectHeaders, Order, Store};
use bytes::Bytes;

use super::subjects::{TestServer, new_object, put};

/// Keys in a page of S3's.
const PAGE: usize = 1000;

async fn keys(store: &dyn Store, range: KeyRange) -> Vec<String> {
    let mut listing = store.list(&range);
    let mut keys = Vec::new();
    while let Some(page) = listing.next_page().await.unwrap() {
        keys.extend(page.iter().map(|listed| listed.key().to_string()));
    }
    keys
}

#[tokio::test]
async fn one_page_is_fetched_ahead_and_no_more() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let store = test.store("s3://bucket/p", Provider::BrigadeDev).await;
    for number in 0..=3 * PAGE {
        put(&*store, format!("{number:04}"), "").await.unwrap();
    }
    let mut listing = store.list(&KeyRange::everything());
    assert_eq!(test.server.count("ListObjectsV2"), 0, "nothing is asked before the first page");
    assert_eq!(listing.next_page().await.unwrap().unwrap().len(), PAGE);
    // Another whole listing gives the first one all the time it needs to run ahead.
    assert_eq!(keys(&*store, KeyRange::everything()).await.len(), 3 * PAGE + 1);
    assert_eq!(test.server.count("ListObjectsV2"), 2 + 4);
    drop(listing);

    test.server.clear_requests();
    let range = KeyRange { after: Some("1500".into()), through: Some("1999".into()) };
    assert_eq!(keys(&*store, range).await.len(), 499);
    assert_eq!(test.server.count("ListObjectsV2"), 1, "it starts and stops where it is asked to");
}

#[tokio::test]
async fn a_bucket_out_of_order_is_listed_whole_whatever_the_range() {
    let test = TestServer::start(ListingOrder::SlashFirst).await;
    for (provider, order) in [(Provider::SeaweedFs, Order::Other), (Provider::Unknown, Order::Presumed)] {
        let store = test.store("s3://bucket/p", provider).await;
        let Capabilities { kind, order: claimed, .. } = store.capabilities();
        assert_eq!((kind, claimed), (Kind::Remote, order));
        for key in ["a/x", "a-b", "a0", "a"] {
            // The second time round it is there already: nothing of a condition is known here.
            put(&*store, key, "x").await.unwrap();
        }
        assert_eq!(keys(&*store, KeyRange::everything()).await, ["a", "a/x", "a-b", "a0"]);
        let range = KeyRange { after: Some("a-b".into()), through: Some("a/x".into()) };
        assert_eq!(keys(&*store, range).await, ["a/x"]);
    }
    assert!(test.server.requests().iter().all(|request| !request.query.contains("start-after")));
}

#[tokio::test]
async fn only_what_is_below_the_prefix_is_listed_and_nothing_of_our_own() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let bucket = test.bucket().await;
    for key in ["p", "p/", "p/a", "p/a/", "p/.brigade-1", "p/a/.brigade-trash/b", "p-q/c", "p/.brigade", "q"] {
        bucket.put_object(PutObject { key, ..PutObject::default() }).await.unwrap();
    }
    let store = test.store("s3://bucket/p", Provider::BrigadeDev).await;
    assert_eq!(keys(&*store, KeyRange::everything()).await, [".brigade", "a", "a/"]);
}

#[tokio::test]
async fn times_and_types_are_stored_as_others_read_them() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let store = test.store("s3://bucket/p", Provider::BrigadeDev).await;
    let modified = Some(UNIX_EPOCH + Duration::new(1_622_715_932, 120_000_000));
    let headers = ObjectHeaders { modified, content_type: Some("text/css".into()), ..ObjectHeaders::default() };
    let object = NewObject { headers, ..new_object("k", 1, Condition::Absent) };
    store.write(&object, Bytes::from_static(b"x")).await.unwrap();
    let head = test.bucket().await.head_object(HeadObject { key: "p/k", version_id: None }).await.unwrap();
    assert_eq!(head.metadata, [("mtime".to_owned(), "1622715932.12".to_owned())]);
    assert_eq!(head.content_type.as_deref(), Some("text/css"));

    let bucket = test.bucket().await;
    let metadata = [("mtime", "last week")];
    bucket
        .put_object(PutObject {
            key: "p/odd",
            headers: brigade_s3::NewHeaders { metadata: &metadata, ..Default::default() },
            ..PutObject::default()
        })
        .await
        .unwrap();
    let entry = store.look(&"odd".into()).await.unwrap().unwrap();
    assert_eq!(store.read(&entry).await.unwrap().headers.modified, None);
}

#[tokio::test]
async fn a_listing_that_breaks_off_is_an_error_and_no_end() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let store = test.store("s3://bucket/p", Provider::BrigadeDev).await;
    for number in 0..=PAGE {
        put(&*store, format!("{number:04}"), "").await.unwrap();
    }
    let denied = Fault::new(Action::status(403, "AccessDenied")).on("ListObjectsV2").when(Occurrence::Nth(2));
    test.server.faults().add(denied);
    let mut listing = store.list(&KeyRange::everything());
    assert_eq!(listing.next_page().await.unwrap().unwrap().len(), PAGE);
    let error = listing.next_page().await.unwrap_err().to_string();
    assert!(error.starts_with("could not list s3://bucket/p: ListObjectsV2"), "{error}");
    assert!(listing.next_page().await.is_err(), "it stays broken");
}

#[tokio::test]
async fn refusals_come_to_the_engine_as_what_they_mean() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let store = test.store("s3://bucket", Provider::BrigadeDev).await;
    let entry = put(&*store, "k", "x").await.unwrap();
    let other = put(&*store, "other", "x").await.unwrap();
    let denied = |operation: &str| Fault::new(Action::status(403, "AccessDenied")).on(operation);
    test.server.faults().add(denied("GetObject").key(KeyPattern::Exact("k".into())));
    let failure = store.read(&entry).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(failure.reason.contains("GetObject was answered 403 AccessDenied"), "{failure}");
    assert!(store.read(&other).await.is_ok());

    test.server.faults().add(denied("DeleteObjects"));
    let failed = store.remove(&[entry, other]).await;
    assert!(failed.iter().all(|result| result.as_ref().is_err_and(|failure| failure.kind == FailureKind::Denied)));
}

#[tokio::test]
async fn requests_are_counted_by_operation() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let store = test.store("s3://bucket", Provider::BrigadeDev).await;
    let slow_down = Fault::new(Action::status(503, "SlowDown")).on("PutObject").when(Occurrence::Nth(1));
    test.server.faults().add(slow_down);
    put(&*store, "k", "x").await.unwrap();
    let counts: Vec<_> = store.requests().iter().map(|count| (count.operation, count.sent, count.retries)).collect();
    assert_eq!(counts, [("PutObject", 2, 1)]);
}

#[tokio::test]
async fn an_object_that_vanishes_is_absent_in_the_middle_of_a_read() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let store = test.store("s3://bucket", Provider::BrigadeDev).await;
    let entry = put(&*store, "k", "content").await.unwrap();
    let reader = store.open(&entry).await.unwrap();
    test.bucket()
        .await
        .delete_object(DeleteObject { key: "k", if_match: None, ..DeleteObject::default() })
        .await
        .unwrap();
    assert_eq!(reader.read(0..3).await.unwrap_err().kind, FailureKind::Absent);
    assert_eq!(reader.check_unchanged().await.unwrap_err().kind, FailureKind::Absent);
}
