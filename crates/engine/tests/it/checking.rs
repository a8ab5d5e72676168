//! Checking: every planted difference is found, and nothing else; samples, and what is remembered of them.

mod fixture;
mod meanwhile;
mod sampled;

use brigade_engine::check::sampling::Sampling;
use brigade_engine::check::{Difference, DigestName, Evidence, Found, HeaderDifference, Proof, Share};
use brigade_engine::events::Side;
use brigade_engine::filters::{Filters, Rule};
use brigade_engine::job::AtOnce;
use brigade_engine::ledger::Checks as _;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_store::memory::{Call, MemoryOptions, MemoryStore, Sequence};
use brigade_store::{
    Condition, Extent, Failure, FailureKind, NewObject, ObjectHeaders, Order, Store, Unknown, UnknownReason,
};
use fixture::Checked;

fn different(found: Option<&Found>) -> Option<&Difference> {
    match found {
        Some(Found::Different(difference)) => Some(difference),
        _ => None,
    }
}

/// Each kind of difference, between each pair of kinds of stores.
#[tokio::test]
async fn each_difference_is_found_and_none_is_made_up() {
    let kinds = [MemoryStore::local, MemoryStore::remote];
    for (source, dest) in kinds.iter().flat_map(|left| kinds.iter().map(move |right| (left(), right()))) {
        let checked = Checked::new(source, dest);
        for number in 0..600 {
            let (key, body) = (format!("d{}/{number}", number % 7), format!("content {number}"));
            checked.source.put(key.as_str(), body.clone());
            checked.dest.put(key.as_str(), body);
        }
        checked.source.put("missing", "m");
        checked.dest.put("extra", "e");
        checked.dest.put("d1/1", "longer than before");
        checked.dest.put("d2/2", "Content 2");
        // Rotten: what is listed is as it was.
        checked.dest.edit_unseen("d3/3", "content x");
        checked.source.put("empty", "");
        checked.dest.put("empty", "");
        let summary = checked.run().await.unwrap();
        let of = |key: &str| checked.found(key);
        let kinds = format!("{:?} {:?}", checked.source.capabilities().kind, checked.dest.capabilities().kind);
        assert_eq!(of("missing"), Some(Found::Missing), "{kinds}");
        assert_eq!(of("extra"), Some(Found::Extra));
        assert_eq!(different(of("d1/1").as_ref()), Some(&Difference::Size { source: 9, dest: 18 }));
        let content = |offset| Difference::Content(format!("the first byte that differs is number {offset}"));
        assert_eq!(different(of("d2/2").as_ref()), Some(&content(1)));
        assert_eq!(different(of("d3/3").as_ref()), Some(&content(9)), "{kinds}");
        assert_eq!((summary.missing, summary.extra, summary.sizes, summary.contents), (1, 1, 1, 2), "{kinds}");
        assert_eq!((summary.same, summary.comparable, summary.bad(), summary.unknown()), (598, 600, 4, 0), "{kinds}");
        assert_eq!((summary.source_objects, summary.dest_objects), (602, 602));
        assert_eq!(summary.share(0.95), Share::Exactly(4));
        assert_eq!(checked.count(), 603);
    }
}

#[tokio::test]
async fn what_proves_it_is_what_is_least_to_read() {
    let (tree, bucket) = (MemoryStore::local, MemoryStore::remote);
    let (read, stored) = (Evidence::Read(DigestName::Md5), Evidence::Stored(DigestName::Md5));
    let places = [(tree(), bucket()), (bucket(), bucket()), (bucket(), tree())];
    // How often source and destination are read; a file is hashed without a read that is counted here.
    let table = [(Evidence::Bytes, [1, 1]), (read, [0, 1]), (read, [0, 0])];
    for ((source, dest), (evidence, expected)) in places.into_iter().zip(table) {
        let mut checked = Checked::new(source, dest);
        checked.source.put("k", "content");
        checked.dest.put("k", "content");
        let reads = |checked: &Checked| [&checked.source, &checked.dest].map(|store| store.count(Call::Read));
        checked.options.proof = Proof::StoredChecksums;
        checked.run().await.unwrap();
        assert_eq!((checked.found("k"), reads(&checked)), (Some(Found::Same(stored)), [0, 0]), "{evidence:?}");
        checked.options.proof = Proof::Content;
        checked.run().await.unwrap();
        assert_eq!((checked.found("k"), reads(&checked)), (Some(Found::Same(evidence)), expected));
    }
}

#[tokio::test]
async fn stored_checksums_that_are_trusted_hide_what_has_rotten() {
    let mut checked = Checked::new(MemoryStore::remote(), MemoryStore::remote());
    for key in ["rotten", "good"] {
        checked.source.put(key, "content");
        checked.dest.put(key, "content");
    }
    checked.dest.edit_unseen("rotten", "CONTENT");
    checked.options.proof = Proof::StoredChecksums;
    assert_eq!(checked.run().await.unwrap().same, 2);
    checked.options.proof = Proof::Content;
    let summary = checked.run().await.unwrap();
    assert_eq!((summary.same, summary.contents), (1, 1));
    assert!(different(checked.found("rotten").as_ref()).is_some());
}

/// As under SSE-KMS: `ETag`s that are no MD5 of the content differ, and prove nothing.
#[tokio::test]
async fn etags_that_are_no_digests_prove_no_difference_and_are_soon_not_asked() {
    let mut checked = Checked::new(MemoryStore::remote(), MemoryStore::remote());
    for key in ["1", "2", "3"] {
        for (store, other) in [(&checked.source, "a"), (&checked.dest, "b")] {
            store.put(key, other);
            store.edit_unseen(key, "x");
        }
    }
    checked.options.jobs = AtOnce::Exactly(1);
    assert_eq!(checked.run().await.unwrap().same, 3);
    assert_eq!(checked.found("1"), Some(Found::Same(Evidence::Bytes)));
    let reads = [&checked.source, &checked.dest].map(|store| store.count(Call::Read));
    assert_eq!(reads, [3, 4], "only of the first one the copy was read once more, in vain");
}

/// Parts of 4 bytes: the ETag tells nobody how long they were, but usual sizes, and ours, are tried.
#[tokio::test]
async fn large_objects_are_read_in_ranges_and_the_first_difference_is_told() {
    let small = |options: MemoryOptions| MemoryOptions { whole_limit: 8, part_size: 4, ..options };
    let body: Vec<u8> = (0..=250).collect();
    let mut other = body.clone();
    (other[99], other[200]) = (0, 0);
    for source in [MemoryOptions::local(), MemoryOptions::remote()] {
        for dest in [MemoryOptions::local(), MemoryOptions::remote()] {
            let mut checked = Checked::new(MemoryStore::new(small(source.clone())), MemoryStore::new(small(dest)));
            checked.options.memory = 1;
            checked.source.put("good", body.clone());
            checked.dest.put("good", body.clone());
            checked.source.put("bad", body.clone());
            checked.dest.put("bad", other.clone());
            let headers = ObjectHeaders::default();
            let new = NewObject {
                key: "parts".into(),
                size: 251,
                headers,
                condition: Condition::Absent,
                part_size: None,
                digest: None,
            };
            let upload = checked.source.begin(&new).await.unwrap();
            for (number, chunk) in (1..).zip(body.chunks(4)) {
                let part = brigade_store::Part { number, offset: u64::from(number - 1) * 4 };
                upload.write(part, bytes::Bytes::copy_from_slice(chunk)).await.unwrap();
            }
            upload.finish(None).await.unwrap();
            checked.dest.put("parts", body.clone());
            let summary = checked.run().await.unwrap();
            let expected = Difference::Content("the first byte that differs is number 100".into());
            assert_eq!(different(checked.found("bad").as_ref()), Some(&expected));
            assert_eq!((summary.same, summary.contents), (2, 1));
            if checked.source.capabilities().kind == brigade_store::Kind::Remote {
                let expected = Found::Same(Evidence::Read(DigestName::MultipartEtag));
                assert_eq!(checked.found("parts"), Some(expected));
                assert_eq!(checked.found("good"), Some(Found::Same(Evidence::Read(DigestName::Md5))));
            }
        }
    }
}

/// Stopped after the first of 63 ranges: of the others nobody knows anything.
#[tokio::test]
async fn a_large_object_whose_comparison_is_cut_short_is_not_taken_for_good() {
    let small = |options: MemoryOptions| MemoryOptions { whole_limit: 8, part_size: 4, ..options };
    let stores = [MemoryOptions::local(), MemoryOptions::remote()].map(|options| MemoryStore::new(small(options)));
    let [source, dest] = stores;
    let mut checked = Checked::new(source, dest);
    let ledger = MemoryLedger::default();
    checked.ledger = Some(ledger.clone());
    let body: Vec<u8> = (0..=250).collect();
    let mut other = body.clone();
    other[200] = 0;
    let entry = checked.source.put("k", body);
    checked.dest.put("k", other);
    checked.clock = std::sync::Arc::new(move || entry.modified + std::time::Duration::from_mins(1));
    let cancel = checked.cancel.clone();
    checked.when_read(move || cancel.cancel());
    let error = checked.run().await.unwrap_err();
    assert_eq!((checked.found("k"), error.summary.same), (None, 0));
    assert!(ledger.checked(None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn headers_are_compared_on_request_and_only_where_the_content_is_the_same() {
    let mut checked = Checked::new(MemoryStore::remote(), MemoryStore::remote());
    for (key, types) in [("same", ["a/b", "a/b"]), ("other", ["a/b", "c/d"])] {
        for (store, content_type) in [&checked.source, &checked.dest].into_iter().zip(types) {
            let headers = ObjectHeaders { content_type: Some(content_type.into()), ..ObjectHeaders::default() };
            let new = NewObject {
                key: key.into(),
                size: 1,
                headers,
                condition: Condition::Absent,
                part_size: None,
                digest: None,
            };
            store.write(&new, "x".into()).await.unwrap();
        }
    }
    assert_eq!(checked.run().await.unwrap().same, 2);
    checked.options.metadata = true;
    let summary = checked.run().await.unwrap();
    assert_eq!((summary.same, summary.metadata, summary.share(0.95)), (1, 1, Share::Exactly(1)));
    let expected =
        HeaderDifference { name: "content-type".into(), source: Some("a/b".into()), dest: Some("c/d".into()) };
    assert_eq!(different(checked.found("other").as_ref()), Some(&Difference::Metadata(vec![expected])));
}

#[tokio::test]
async fn filters_judge_as_in_a_run_and_what_is_ours_takes_no_part() {
    let mut checked = Checked::new(MemoryStore::local(), MemoryStore::remote()).excluding("*.tmp");
    checked.source.put("a", "1");
    checked.dest.put("a", "1");
    checked.dest.put("b.tmp", "2");
    checked.source.put("c.tmp", "3");
    checked.dest.put("d/.brigade-x", "4");
    let summary = checked.run().await.unwrap();
    assert_eq!((summary.same, summary.excluded, summary.bad(), summary.extra), (1, 3, 0, 0));
    assert!(checked.warnings().is_empty());
    checked = checked.excluding("nothing-like-it");
    checked.run().await.unwrap();
    assert_eq!(checked.warnings(), ["the pattern \"nothing-like-it\" matches no key"]);
}

#[tokio::test]
async fn a_marker_is_the_same_as_the_directory_that_it_stands_for() {
    for is_up in [true, false] {
        let (tree, bucket) = (MemoryStore::local(), MemoryStore::remote());
        tree.put("d/x", "1");
        for key in ["d/", "d/x", "gone/"] {
            bucket.put(key, if key == "d/x" { "1" } else { "" });
        }
        let (source, dest) = if is_up { (tree, bucket) } else { (bucket, tree) };
        let checked = Checked::new(source, dest);
        let summary = checked.run().await.unwrap();
        assert_eq!(checked.found("d/"), Some(Found::Same(Evidence::Directory)), "up: {is_up}");
        assert_eq!(checked.found("gone/"), Some(if is_up { Found::Extra } else { Found::Missing }));
        assert_eq!((summary.same, summary.bad() + summary.extra), (2, 1));
    }
}

#[tokio::test]
async fn what_could_not_be_read_or_listed_is_named_and_is_no_difference() {
    let checked = Checked::new(MemoryStore::local(), MemoryStore::remote());
    for key in ["a", "d/1", "d/2", "z"] {
        checked.source.put(key, "1");
        checked.dest.put(key, "1");
    }
    let reason = UnknownReason::Unreadable("Permission denied".into());
    checked.source.add_unknown(Unknown { key: "d/".into(), extent: Extent::Below, reason });
    checked.dest.fail(Call::Read, "z", 9, Failure::new(FailureKind::Denied, "no"));
    let summary = checked.run().await.unwrap();
    assert_eq!((summary.same, summary.unlisted, summary.held, summary.unchecked), (1, 1, 2, 1));
    assert_eq!((summary.bad(), summary.extra, summary.unknown()), (0, 0, 4));
    let failure = Failure::new(FailureKind::Denied, "no");
    assert_eq!(checked.found("z"), Some(Found::Unchecked { side: Side::Dest, failure }));
    checked.dest.fail(Call::Read, "a", 9, Failure::new(FailureKind::Corrupt, "the MD5 is another"));
    checked.run().await.unwrap();
    let expected = "what memory://bucket sends is not what its own checksum says: the MD5 is another";
    assert_eq!(different(checked.found("a").as_ref()), Some(&Difference::Content(expected.into())));
}

/// `--include '*.jpg'` leaves out the key `d/`, and not what could lie below it.
#[tokio::test]
async fn a_directory_that_cannot_be_listed_counts_unless_nothing_below_could_take_part() {
    let mut checked = Checked::new(MemoryStore::local(), MemoryStore::remote());
    let reason = UnknownReason::Unreadable("Permission denied".into());
    checked.source.add_unknown(Unknown { key: "d/".into(), extent: Extent::Below, reason });
    for (pattern, unlisted) in [("*.jpg", 1), ("/d/x", 1), ("/e/", 0)] {
        checked.options.filters = Filters::new(&[Rule::Include(pattern.into())]).unwrap();
        assert_eq!(checked.run().await.unwrap().unlisted, unlisted, "{pattern}");
    }
}

#[tokio::test]
async fn a_listing_that_breaks_off_and_a_store_that_knows_nobody_end_the_check() {
    let checked = Checked::new(MemoryStore::local(), MemoryStore::remote());
    for number in 0..10 {
        checked.source.put(format!("{number}"), "1");
        checked.dest.put(format!("{number}"), "1");
    }
    checked.dest.break_listings_after(Some(0));
    let error = checked.run().await.unwrap_err();
    assert!(error.to_string().contains("could not list memory://bucket"), "{error}");
    assert_eq!(error.summary.missing, 0, "what was not listed is not missing");
    checked.dest.break_listings_after(None);
    checked.dest.fail(Call::Read, "3", 9, Failure::new(FailureKind::LockedOut, "expired"));
    let error = checked.run().await.unwrap_err();
    assert!(error.to_string().contains("does not accept the credentials any more: expired"), "{error}");
    assert_eq!((error.summary.unchecked, error.summary.bad()), (0, 0));
}

#[tokio::test]
async fn stores_that_list_in_another_order_are_sorted_and_counted_once() {
    let unordered = MemoryOptions {
        order: Order::Presumed,
        sequence: Sequence::SlashFirst,
        page_size: 3,
        ..MemoryOptions::remote()
    };
    let mut checked = Checked::new(MemoryStore::remote(), MemoryStore::new(unordered));
    for key in ["a", "a!x", "a/b", "a/c", "b", "c!", "c/x", "d"] {
        checked.source.put(key, key);
        checked.dest.put(key, key);
    }
    checked.dest.put("a/c", "a/C");
    checked.source.put("missing", "");
    checked.options.sampling = Sampling::All;
    let summary = checked.run().await.unwrap();
    assert_eq!(checked.reordered(), ["memory://bucket"]);
    assert_eq!((summary.same, summary.contents, summary.missing, summary.comparable), (7, 1, 1, 8));
}
