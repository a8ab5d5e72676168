//! What is remembered decides: nothing that is in step is read again, nothing that changed is taken to be in step.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brigade_engine::error::Why;
use brigade_engine::events::Outcome;
use brigade_engine::job::Comparison;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_store::Digest;
use brigade_store::memory::{Call, MemoryOptions, MemoryStore};

use crate::fixture::{Fixture, keys};

/// Long after the times of all files.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

/// The same, which remembers; by its clock all files are old.
fn remembering(mut fixture: Fixture) -> Fixture {
    fixture.ledger = Some(MemoryLedger::default());
    set_clock(&mut fixture, at(0));
    fixture
}

fn set_clock(fixture: &mut Fixture, now: SystemTime) {
    fixture.clock = Arc::new(move || now);
}

/// How often content was read, to be sent or to be compared, on either side.
fn reads(fixture: &Fixture) -> usize {
    let reads = [Call::Read, Call::Open, Call::Digests];
    [&fixture.source, &fixture.dest]
        .iter()
        .map(|store| reads.iter().map(|call| store.count(*call)).sum::<usize>())
        .sum()
}

/// Runs until all is in step; how many objects were sent, and how often content was read.
fn run(fixture: &Fixture) -> (u64, usize) {
    let before = reads(fixture);
    let summary = fixture.run().unwrap();
    assert!(summary.complete(), "{summary:?}");
    (summary.created + summary.replaced, reads(fixture) - before)
}

fn assert_equal(fixture: &Fixture) {
    assert_eq!(fixture.source.contents(), fixture.dest.contents());
}

#[test]
fn what_is_in_step_is_not_read_again_in_either_direction() {
    for fixture in [Fixture::up(), Fixture::down()].map(remembering) {
        for key in ["a", "d/b", "d/c"] {
            fixture.source.put(key, "content");
        }
        assert_eq!(run(&fixture).0, 3);
        assert_eq!(run(&fixture), (0, 0));
        assert_equal(&fixture);
    }
}

#[test]
fn a_new_time_inode_or_link_makes_a_file_be_read_once_and_never_again() {
    let fixture = remembering(Fixture::up());
    fixture.source.put("a", "content");
    run(&fixture);
    // Each time it has another inode, and other times: older ones, as a restored backup, or newer ones.
    for modified in [5, 1_900_000_000] {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
        fixture.source.put_modified("a", "content", modified);
        // A file of the future could be edited unseen until then.
        let later = modified.max(at(0)) + Duration::from_secs(10);
        let fixture = Fixture { clock: Arc::new(move || later), ..remembering_the_same(&fixture) };
        let (sent, read) = run(&fixture);
        assert_eq!((sent, read > 0), (0, true));
        assert_eq!(run(&fixture), (0, 0));
    }
}

fn remembering_the_same(fixture: &Fixture) -> Fixture {
    Fixture { ledger: fixture.ledger.clone(), ..Fixture::new(fixture.source.clone(), fixture.dest.clone()) }
}

#[test]
fn an_older_file_of_the_same_size_is_sent() {
    for fixture in [Fixture::up(), Fixture::down()].map(remembering) {
        fixture.source.put("a", "newer");
        run(&fixture);
        fixture.source.put_modified("a", "older", SystemTime::UNIX_EPOCH + Duration::from_secs(7));
        assert_eq!(run(&fixture).0, 1);
        assert_equal(&fixture);
        assert_eq!(run(&fixture), (0, 0));
    }
}

#[test]
fn a_copy_that_somebody_changed_is_mended_and_a_time_alone_is_not() {
    let fixture = remembering(Fixture::down());
    fixture.source.put("a", "right");
    run(&fixture);
    fixture.dest.put("a", "wrong");
    assert_eq!(run(&fixture).0, 1);
    assert_equal(&fixture);
    fixture.dest.put("a", "right");
    assert_eq!(run(&fixture).0, 0);
    assert_eq!(run(&fixture), (0, 0));
}

#[test]
fn an_edit_within_the_tick_in_which_a_file_was_read_is_found() {
    let mut fixture = remembering(Fixture::up());
    let edited = at(0);
    fixture.source.put_modified("a", "before", edited);
    set_clock(&mut fixture, edited + Duration::from_millis(1500));
    run(&fixture);
    fixture.source.edit_unseen("a", "beyond");
    set_clock(&mut fixture, at(100));
    assert_eq!(run(&fixture).0, 1);
    assert_equal(&fixture);
    // By now it can't have been: it is compared a last time, and known.
    let (sent, read) = run(&fixture);
    assert_eq!((sent, read), (0, 0));
}

#[test]
fn what_was_sent_just_after_it_was_written_is_read_once_more_and_then_known() {
    let mut fixture = remembering(Fixture::up());
    fixture.source.put_modified("a", "content", at(0));
    set_clock(&mut fixture, at(1));
    run(&fixture);
    set_clock(&mut fixture, at(60));
    let (sent, read) = run(&fixture);
    assert_eq!((sent, read > 0), (0, true));
    assert_eq!(run(&fixture), (0, 0));
}

#[test]
fn a_rule_that_proves_nothing_is_not_believed_by_another() {
    let mut fixture = remembering(Fixture::down());
    fixture.source.put("a", "right");
    fixture.dest.put("a", "wrong");
    fixture.job.comparison = Comparison::Size;
    assert_eq!(run(&fixture), (0, 0));
    fixture.job.comparison = Comparison::Auto;
    assert_eq!(run(&fixture).0, 1);
    assert_equal(&fixture);
}

/// A tree and its copy, with so many files in `d/`, one in `e/`, all settled; then all of `d/` is lost.
fn lost(files: usize) -> Fixture {
    let fixture = remembering(Fixture::up().deleting());
    for number in 0..files {
        fixture.source.put(format!("d/{number:03}").as_str(), "content");
    }
    fixture.source.put("e/kept", "content");
    run(&fixture);
    for number in 0..files {
        fixture.source.take(format!("d/{number:03}").as_str());
    }
    fixture
}

#[test]
fn a_directory_that_lost_all_of_a_hundred_is_refused_like_an_empty_source() {
    let mut fixture = lost(100);
    let error = fixture.run().unwrap_err();
    let Why::Refused(reason) = &error.why else { panic!("{error:?}") };
    assert!(reason.contains("all 100 objects that d/ in memory-dir had"), "{reason}");
    assert_eq!((keys(&fixture.dest).len(), error.summary.deletions_held_back), (101, 100));
    // What is new there doesn't vouch for it.
    fixture.source.put("d/lost+found", "new");
    assert!(matches!(fixture.run().unwrap_err().why, Why::Refused(_)));
    fixture.options.allow_empty_source = true;
    assert_eq!(fixture.run().unwrap().deleted, 100);
    assert_equal(&fixture);
}

#[test]
fn fewer_or_one_that_is_left_is_no_reason_to_refuse() {
    let fixture = lost(99);
    assert_eq!(fixture.run().unwrap().deleted, 99);
    let fixture = lost(101);
    fixture.source.put("d/007", "content");
    assert_eq!(fixture.run().unwrap().deleted, 100);
}

/// Many more deletions than are read or removed at once.
#[test]
fn deletions_wait_in_the_ledger_and_leave_nothing_there() {
    let fixture = remembering(Fixture::up().deleting());
    fixture.source.put("kept", "content");
    for number in 0..3000 {
        fixture.dest.put(format!("{number:05}").as_str(), "content");
    }
    assert_eq!(fixture.run().unwrap().deleted, 3000);
    assert_equal(&fixture);
    assert_eq!(fixture.ledger.as_ref().unwrap().pairs().len(), 1);
}

#[test]
fn a_dry_run_reads_what_is_remembered_and_changes_none_of_it() {
    let mut fixture = remembering(Fixture::up().deleting());
    fixture.source.put("a", "content");
    run(&fixture);
    let pairs = fixture.ledger.as_ref().unwrap().pairs();
    fixture.source.put("b", "new");
    fixture.source.take("a");
    fixture.options.dry_run = true;
    fixture.options.allow_empty_source = true;
    fixture.run().unwrap();
    assert!(fixture.outcomes().iter().any(|(key, outcome)| key == "a" && *outcome == Outcome::Deleted));
    assert_eq!(fixture.ledger.as_ref().unwrap().pairs(), pairs);
}

/// The multipart `ETag` of a stranger tells nothing of the content.
#[test]
fn objects_in_parts_of_any_size_are_read_once() {
    let strange = MemoryOptions { whole_limit: 3, part_size: 4, ..MemoryOptions::remote() };
    let fixture = remembering(Fixture::new(MemoryStore::local(), MemoryStore::new(strange)));
    fixture.source.put("a", "content in parts");
    assert_eq!(run(&fixture).0, 1);
    let settled = fixture.ledger.as_ref().unwrap().pairs()[0].digest;
    assert!(matches!(settled, Some(Digest::Crc64Nvme(_))), "{settled:?}, put together from the parts'");
    assert_eq!(run(&fixture), (0, 0));
    // Its time alone is new: the content is compared, by the digest that was settled if no other one helps.
    fixture.source.put("a", "content in parts");
    assert_eq!(run(&fixture).0, 0);
    assert_eq!(run(&fixture), (0, 0));
}
