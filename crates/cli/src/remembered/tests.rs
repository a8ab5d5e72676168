//! What is remembered of a bucket, and what is not believed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

const SERVICE: &str = "http://host:9000";

fn found(fact: Fact, support: Support) -> Dialect {
    Dialect::UNKNOWN.with(fact, support)
}

#[test]
fn what_was_found_is_remembered_of_its_bucket_for_a_while() {
    let directory = tempfile::tempdir().unwrap();
    let directories = ["/dev/null/not".into(), directory.path().join("state")];
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let later = |hours| now + SignedDuration::from_hours(hours);
    assert_eq!(recall(&directories, SERVICE, "b", now), None);
    keep(&directories, SERVICE, "b", found(Fact::PutIfMatch, Support::Yes), now).unwrap();
    let path = keep(&directories, SERVICE, "b", found(Fact::Crc64Nvme, Support::No), later(24)).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let crc = found(Fact::Crc64Nvme, Support::No);
    let both = crc.with(Fact::PutIfMatch, Support::Yes);
    let table = [
        (later(25), both),
        (later(30 * 24), both),
        (later(30 * 24 + 1), crc),
        (later(31 * 24 + 1), Dialect::UNKNOWN),
        (later(-48), Dialect::UNKNOWN),
    ];
    for (then, expected) in table {
        assert_eq!(recall(&directories, SERVICE, "b", then), Some(expected), "{then}");
    }
    assert_eq!(recall(&directories, SERVICE, "c", now), None);
    assert_eq!(recall(&directories, "http://host:9001", "b", now), None);
    keep(&directories, SERVICE, "b", found(Fact::PutIfMatch, Support::No), later(24)).unwrap();
    assert_eq!(recall(&directories, SERVICE, "b", later(24)).unwrap().put_if_match, Support::No);
}

#[test]
fn what_cannot_be_believed_is_gone_without_and_written_anew() {
    let directory = tempfile::tempdir().unwrap();
    let directories = [directory.path().to_owned()];
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let path = keep(&directories, SERVICE, "b", found(Fact::PutIfMatch, Support::Yes), now).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let broken = [
        String::new(),
        good[..good.len() / 2].to_owned(),
        good.replace("\"version\": 1", "\"version\": 2"),
        good.replace("\"yes\"", "\"perhaps\""),
        good.replace(SERVICE, "http://elsewhere"),
    ];
    for text in broken {
        fs::write(&path, &text).unwrap();
        assert_eq!(recall(&directories, SERVICE, "b", now), None, "{text}");
    }
    fs::write(&path, good.replace("2027", "next year")).unwrap();
    assert_eq!(recall(&directories, SERVICE, "b", now), Some(Dialect::UNKNOWN), "no date that can be read");
    keep(&directories, SERVICE, "b", found(Fact::PutIfMatch, Support::Yes), now).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), good);
}

#[test]
fn what_was_found_with_one_key_is_not_believed_of_many() {
    let directory = tempfile::tempdir().unwrap();
    let directories = [directory.path().to_owned()];
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let former = found(Fact::BulkDelete, Support::No).with(Fact::DeleteIfMatch, Support::Yes);
    let bulk = found(Fact::BulkDelete, Support::Yes);
    let table = [
        (Support::Yes, bulk, Support::Unknown),
        (Support::Yes, bulk.with(Fact::DeleteIfMatch, Support::Yes), Support::Yes),
        (Support::Yes, bulk.with(Fact::DeleteIfMatch, Support::No), Support::No),
        (Support::Yes, found(Fact::BulkDelete, Support::No), Support::Yes),
        (Support::Yes, found(Fact::Crc64Nvme, Support::Yes), Support::Yes),
        (Support::No, bulk, Support::No),
    ];
    for (one_by_one, newly, expected) in table {
        let former = former.with(Fact::DeleteIfMatch, one_by_one);
        keep(&directories, SERVICE, "b", former, now).unwrap();
        keep(&directories, SERVICE, "b", newly, now).unwrap();
        assert_eq!(recall(&directories, SERVICE, "b", now).unwrap().delete_if_match, expected, "{newly:?}");
    }
}

#[test]
fn what_was_found_last_counts_wherever_it_was_written() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let both = [first.path().to_owned(), second.path().to_owned()];
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let later = |hours| now + SignedDuration::from_hours(hours);
    let (yes, no) = (found(Fact::PutIfMatch, Support::Yes), found(Fact::PutIfMatch, Support::No));
    keep(&both[..1], SERVICE, "b", yes.with(Fact::Crc64Nvme, Support::Yes), now).unwrap();
    let table = [(yes, later(2), Support::Yes), (no, later(3), Support::No), (no, later(-1), Support::No)];
    for (newly, then, expected) in table {
        // As where the first directory can be read, and not be written.
        fs::remove_dir_all(&both[1]).unwrap();
        keep(&both[1..], SERVICE, "b", newly, then.max(now)).unwrap();
        let known = recall(&both, SERVICE, "b", later(4)).unwrap();
        assert_eq!((known.put_if_match, known.crc64nvme), (expected, Support::Yes), "{then}");
    }
    fs::write(both[0].join(name(SERVICE, "b")), "{").unwrap();
    assert_eq!(recall(&both, SERVICE, "b", later(4)), None, "what can't be read may have denied it");
}

#[test]
fn a_clock_that_ran_ahead_keeps_nothing() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let both = [first.path().to_owned(), second.path().to_owned()];
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let ahead = now + SignedDuration::from_hours(12);
    keep(&both[..1], SERVICE, "b", found(Fact::PutIfMatch, Support::Yes), ahead).unwrap();
    let unwritable = first.path().join(name(SERVICE, "b"));
    let kept = fs::read(&unwritable).unwrap();
    keep(&both, SERVICE, "b", found(Fact::PutIfMatch, Support::No), now).unwrap();
    fs::rename(&unwritable, second.path().join(name(SERVICE, "b"))).unwrap();
    fs::write(&unwritable, kept).unwrap();
    assert_eq!(recall(&both, SERVICE, "b", now).unwrap().put_if_match, Support::No);
}

#[test]
fn only_a_regular_file_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let directories = [directory.path().to_owned()];
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let path = keep(&directories, SERVICE, "b", found(Fact::PutIfMatch, Support::Yes), now).unwrap();
    fs::rename(&path, directory.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(directory.path().join("elsewhere"), &path).unwrap();
    assert_eq!(recall(&directories, SERVICE, "b", now), None, "a link");
    fs::remove_file(&path).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
    assert_eq!(recall(&directories, SERVICE, "b", now), None, "a FIFO");
}
