//! Uploads in parts that an earlier run began: taken up from their finished parts, begun anew, or given up.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brigade_engine::events::Summary;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_engine::ledger::{BegunUpload, Change, Fingerprint, Ledger as _, Progress as _};
use brigade_store::memory::{Call, MemoryOptions, MemoryStore};
use brigade_store::{Condition, Entry, Failure, FailureKind, NewObject, ObjectHeaders, Part, Store as _};
use bytes::Bytes;

use crate::fixture::Fixture;

const CONTENT: &[u8] = b"0123456789abcdefghij";
const PART: usize = 8;

/// A tree with a large file, of which an earlier run has sent the first part, and the second with this content.
fn begun(second: &'static [u8]) -> Fixture {
    begun_with(second, |_| {})
}

/// The same, of an upload that is remembered otherwise.
fn begun_with(second: &'static [u8], alter: fn(&mut BegunUpload)) -> Fixture {
    let bucket = MemoryStore::new(MemoryOptions { whole_limit: 16, part_size: PART as u64, ..MemoryOptions::remote() });
    let mut fixture = Fixture::new(MemoryStore::local(), bucket);
    let source = fixture.source.put("large", CONTENT);
    let ledger = MemoryLedger::default();
    fixture.clock = Arc::new(|| SystemTime::UNIX_EPOCH + Duration::from_hours(500_000));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut begun = runtime.block_on(begin(&fixture.dest, &source, second));
    alter(&mut begun);
    runtime.block_on(ledger.commit(vec![Change::UploadBegun(begun)])).unwrap();
    fixture.ledger = Some(ledger);
    fixture
}

async fn begin(bucket: &MemoryStore, source: &Entry, second: &'static [u8]) -> BegunUpload {
    let headers = ObjectHeaders { modified: Some(source.modified), content_type: None, ..ObjectHeaders::default() };
    let new = NewObject {
        key: "large".into(),
        size: source.size,
        headers,
        condition: Condition::Absent,
        part_size: None,
        digest: None,
    };
    let upload = bucket.begin(&new).await.unwrap();
    upload.write(Part { number: 1, offset: 0 }, Bytes::from_static(&CONTENT[..PART])).await.unwrap();
    upload.write(Part { number: 2, offset: PART as u64 }, Bytes::from_static(second)).await.unwrap();
    BegunUpload {
        key: "large".into(),
        upload_id: upload.id().unwrap().to_owned(),
        source: Fingerprint::of(source),
        unsure: false,
        part_size: PART as u64,
        terms: Some(bucket.terms(&new).unwrap()),
    }
}

/// Runs to the end: the summary, and how many parts were sent.
fn run(fixture: &Fixture) -> (Summary, usize) {
    let before = fixture.dest.count(Call::WritePart);
    let summary = fixture.run().unwrap();
    assert!(summary.complete(), "{summary:?}");
    assert_eq!(fixture.source.contents(), fixture.dest.contents());
    assert_eq!(fixture.dest.unfinished_uploads(), 0);
    (summary, fixture.dest.count(Call::WritePart) - before)
}

fn nothing_is_left(fixture: &Fixture) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ledger = fixture.ledger.clone().unwrap();
    runtime.block_on(async move { ledger.progress().await.unwrap().uploads.is_empty() })
}

#[test]
fn only_what_is_missing_is_sent() {
    let fixture = begun(&CONTENT[PART..2 * PART]);
    let (summary, parts) = run(&fixture);
    assert_eq!((summary.parts_taken_up, summary.created, parts), (2, 1, 1));
    assert!(nothing_is_left(&fixture));
}

#[test]
fn a_part_that_is_not_whole_is_sent_again() {
    let fixture = begun(b"8");
    let (summary, parts) = run(&fixture);
    assert_eq!((summary.parts_taken_up, parts), (1, 2));
}

#[test]
fn another_version_of_the_file_begins_anew() {
    let fixture = begun(&CONTENT[PART..2 * PART]);
    fixture.source.put("large", "another content, in parts");
    let (summary, parts) = run(&fixture);
    assert_eq!((summary.parts_taken_up, parts), (0, 4));
    assert!(nothing_is_left(&fixture));
}

#[test]
fn one_that_was_begun_with_something_else_or_nobody_knows_with_what_begins_anew() {
    let others: [fn(&mut BegunUpload); 2] = [|begun| begun.terms = Some([1; 32]), |begun| begun.terms = None];
    for alter in others {
        let fixture = begun_with(&CONTENT[PART..2 * PART], alter);
        let (summary, parts) = run(&fixture);
        assert_eq!((summary.parts_taken_up, parts), (0, 3));
        assert_eq!(fixture.dest.count(Call::AbandonUpload), 1);
        assert!(nothing_is_left(&fixture));
    }
}

/// Its ETag doesn't tell.
#[test]
fn an_object_of_which_only_headers_changed_begins_anew() {
    for (content_type, is_taken_up) in [("text/plain", true), ("text/html", false)] {
        let options = MemoryOptions { whole_limit: 16, part_size: PART as u64, ..MemoryOptions::remote() };
        let mut fixture = Fixture::new(MemoryStore::remote(), MemoryStore::new(options));
        fixture.ledger = Some(MemoryLedger::default());
        write(&fixture.source, "text/plain");
        fixture.dest.fail(Call::Finish, "large", 1, Failure::new(FailureKind::Failed, "unreachable"));
        assert_eq!(fixture.run().unwrap().failed, 1);
        assert_eq!(fixture.dest.unfinished_uploads(), 1);
        write(&fixture.source, content_type);
        let (summary, parts) = run(&fixture);
        let expected = if is_taken_up { (3, 0) } else { (0, 3) };
        assert_eq!((summary.parts_taken_up, parts), expected, "{content_type}");
        assert_eq!(fixture.dest.headers("large").unwrap().content_type.as_deref(), Some(content_type));
    }
}

/// Writes a large object of this type, in place of what is there.
fn write(bucket: &MemoryStore, content_type: &str) {
    bucket.take("large");
    let headers = ObjectHeaders { content_type: Some(content_type.into()), ..ObjectHeaders::default() };
    let size = CONTENT.len() as u64;
    let new =
        NewObject { key: "large".into(), size, headers, condition: Condition::Absent, part_size: None, digest: None };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(bucket.write(&new, Bytes::from_static(CONTENT))).unwrap();
}

#[test]
fn an_upload_that_is_gone_begins_anew() {
    let fixture = begun(&CONTENT[PART..2 * PART]);
    fixture.dest.forget_uploads();
    let (summary, parts) = run(&fixture);
    assert_eq!((summary.parts_taken_up, parts), (0, 3));
}

#[test]
fn one_that_can_not_be_finished_begins_anew_in_the_same_run() {
    let fixture = begun(&CONTENT[PART..2 * PART]);
    fixture.dest.fail(Call::Finish, "large", 1, Failure::new(FailureKind::Failed, "no such upload"));
    let (summary, parts) = run(&fixture);
    assert_eq!((summary.parts_taken_up, summary.created, summary.failed, parts), (2, 1, 0, 1 + 3));
}

/// An outage costs what was in flight, and nothing that was sent before.
#[test]
fn an_upload_of_which_a_part_could_not_be_sent_is_left_to_the_next_run() {
    let fixture = begun(&CONTENT[PART..2 * PART]);
    fixture.dest.fail(Call::WritePart, "large", 1, Failure::new(FailureKind::Failed, "unreachable"));
    let summary = fixture.run().unwrap();
    assert_eq!((summary.parts_taken_up, summary.failed), (2, 1));
    assert_eq!((fixture.dest.unfinished_uploads(), nothing_is_left(&fixture)), (1, false));
    let (summary, parts) = run(&fixture);
    assert_eq!((summary.parts_taken_up, summary.created, parts), (2, 1, 1));
    assert!(nothing_is_left(&fixture));
}

/// Whoever may only write still sends the object.
#[test]
fn one_that_may_neither_be_looked_at_nor_given_up_does_not_stop_the_object() {
    let fixture = begun(&CONTENT[PART..2 * PART]);
    for call in [Call::Resume, Call::AbandonUpload] {
        fixture.dest.fail(call, "large", 9, Failure::new(FailureKind::Denied, "denied"));
    }
    let summary = fixture.run().unwrap();
    assert_eq!((summary.created, summary.failed), (1, 0));
    assert_eq!(fixture.source.contents(), fixture.dest.contents());
}

#[test]
fn one_that_nobody_has_use_for_is_given_up() {
    let fixture = begun(&CONTENT[PART..2 * PART]);
    fixture.source.take("large");
    fixture.source.put("small", "content");
    assert_eq!(run(&fixture).1, 0);
    assert!(nothing_is_left(&fixture));
}
