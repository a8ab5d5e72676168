//! The file by itself: it keeps what the ledger in memory keeps, and refuses what is no ledger of these locations.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use brigade_store::{Digest, Entry, Version};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::events::Side;
use crate::job::JobDigest;
use crate::ledger::memory::MemoryLedger;
use crate::ledger::{Apart, BegunUpload, Checked, Checks, Cursor, Fingerprint, Held, Index, Unseen, VersionsDigest};
use crate::plan::Transfer;

fn binding() -> Binding {
    Binding { source: "/a".into(), dest: "s3://b/ at AWS".into() }
}

/// A place for a ledger.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state/one.ledger");
    (directory, path)
}

fn open(path: &Path) -> Result<SqliteLedger, LedgerError> {
    SqliteLedger::open(path, &binding(), Access::Write).map(Option::unwrap)
}

fn moment() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_760_000_000, 5)
}

fn pair(key: Key, tag: u8) -> SettledPair {
    let left = Fingerprint::File { size: 3, modified: moment(), changed: moment(), inode: tag.into() };
    let right = Fingerprint::Object { size: 3, etag: format!("{tag:032x}") };
    let (digest, unsure) = (Some(Digest::Crc64Nvme(tag.into())), tag.is_multiple_of(2));
    SettledPair { key, left, right, digest, unsure, assumed: false, lost: false }
}

fn entry(key: Key, tag: u8) -> Entry {
    Entry { key, size: tag.into(), modified: moment(), version: Version::object(format!("e{tag}")) }
}

fn change() -> impl Strategy<Value = Change> {
    // Few keys, so that changes meet; among them the empty one, and bytes that are no text.
    let key = || prop_oneof![Just(Key::from("")), Just(Key::new(&b"\xff\x00"[..])), "[a-d]{1,2}".prop_map(Key::from)];
    let phase = || prop_oneof![Just(Phase::Deletions), Just(Phase::AfterDeletions)];
    prop_oneof![
        8 => (key(), any::<u8>()).prop_map(|(key, tag)| Change::Settle(pair(key, tag))),
        2 => key().prop_map(Change::Unsettle),
        4 => (key(), any::<u8>()).prop_map(|(key, tag)| {
            let dest = match tag {
                0..100 => Held::InDoubt,
                100..150 => Held::Nothing,
                _ => Held::Version(Fingerprint::of(&entry(key.clone(), tag))),
            };
            Change::Apart(Apart { key, dest })
        }),
        2 => proptest::option::weighted(0.8, (any::<u8>(), any::<bool>(), any::<bool>())).prop_map(|index| {
            Change::Index(index.map(|(tag, is_whole, in_use)| {
                Index { filters: JobDigest([tag; 16]), is_whole, in_use }
            }))
        }),
        1 => any::<u8>().prop_map(|tag| Change::Begin { job: JobDigest([tag; 16]), begun: moment() }),
        1 => Just(Change::End),
        1 => Just(Change::Relist),
        3 => (proptest::option::of(key()), proptest::option::of(key()), 0u64..9).prop_map(|(after, through, extra)| {
            Change::Cursor(Cursor { after, through, unseen: Unseen { extra, ..Unseen::default() } })
        }),
        4 => (phase(), key(), any::<u8>()).prop_map(|(phase, key, tag)| {
            Change::Spool(phase, if tag < 128 {
                Action::Delete(entry(key, tag))
            } else {
                let replaces = (tag < 192).then(|| entry(key.clone(), 1));
                Action::Send(Transfer { source: entry(key, tag), replaces, if_content_differs: true, settled: None, unlisted: None })
            })
        }),
        2 => (phase(), key()).prop_map(|(phase, key)| Change::Unspool(phase, key)),
        2 => key().prop_map(Change::Failed),
        1 => key().prop_map(Change::Resolved),
        2 => (key(), 0u64..3).prop_map(|(key, id)| Change::UploadBegun(BegunUpload {
            source: pair(key.clone(), 1).left,
            key,
            upload_id: id.to_string(),
            unsure: id == 1,
            part_size: 8 << 20,
            terms: (id != 0).then_some([u8::try_from(id).unwrap(); 32]),
        })),
        2 => (key(), 0u64..3).prop_map(|(key, id)| Change::UploadEnded { key, upload_id: id.to_string() }),
    ]
}

/// Everything that a ledger tells, read two rows at a time.
async fn everything(ledger: &dyn Ledger) -> (Vec<SettledPair>, Vec<Apart>, [Vec<Action>; 2], Remembered) {
    let mut pairs: Vec<SettledPair> = vec![];
    loop {
        let page = ledger.page(pairs.last().map(|pair| &pair.key), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        pairs.extend(page);
    }
    for pair in &pairs {
        assert_eq!(ledger.pair(&pair.key).await.unwrap().as_ref(), Some(pair));
    }
    let mut apart: Vec<Apart> = vec![];
    loop {
        let page = ledger.apart(apart.last().map(|apart| &apart.key), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        apart.extend(page);
    }
    let mut sample = ledger.sample(3).await.unwrap();
    sample.sort_by(|one, other| one.key.cmp(&other.key));
    sample.dedup();
    let together = |pair: &&SettledPair| apart.iter().all(|apart| apart.key != pair.key);
    assert_eq!(sample.len(), pairs.iter().filter(together).count().min(3));
    assert!(sample.iter().all(|pair| together(&pair) && pairs.contains(pair)));
    let mut spooled = [vec![], vec![]];
    for (actions, phase) in spooled.iter_mut().zip([Phase::Deletions, Phase::AfterDeletions]) {
        loop {
            let page = ledger.spooled(phase, actions.last().map(Action::key), 2).await.unwrap();
            if page.is_empty() {
                break;
            }
            actions.extend(page);
        }
    }
    (pairs, apart, spooled, ledger.progress().await.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_file_keeps_what_the_ledger_in_memory_keeps(
        commits in proptest::collection::vec(proptest::collection::vec(change(), 0..12), 1..5)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_directory, path) = place();
            let (memory, file) = (MemoryLedger::default(), open(&path).unwrap());
            for changes in commits {
                memory.commit(changes.clone()).await.unwrap();
                file.commit(changes).await.unwrap();
            }
            let expected = everything(&memory).await;
            assert_eq!(everything(&file).await, expected);
            drop(file);
            assert_eq!(everything(&open(&path).unwrap()).await, expected, "opened again");
        });
    }
}

#[tokio::test]
async fn it_is_for_nobody_else_to_read_and_one_file_when_it_is_closed() {
    let (directory, path) = place();
    let ledger = open(&path).unwrap();
    ledger.commit(vec![Change::Settle(pair(Key::from("k"), 1)), Change::Unordered(Side::Dest)]).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let names =
        |directory: &Path| fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    for name in names(path.parent().unwrap()) {
        assert_eq!(mode(&name), 0o600, "{}", name.display());
    }
    assert_eq!(ledger.check_kept().await, None);
    ledger.close().await.unwrap();
    assert_eq!(names(path.parent().unwrap()), [path.as_path()]);
    let copy = directory.path().join("copy");
    fs::copy(&path, &copy).unwrap();
    let contents = open(&copy).unwrap().contents().await.unwrap();
    assert_eq!((contents.settled, contents.binding), (1, binding()));
    assert_eq!(contents.remembered.unordered, [Side::Dest]);
}

#[tokio::test]
async fn others_may_read_while_a_run_writes_but_not_on_a_network() {
    let (_directory, path) = place();
    let writer = open(&path).unwrap();
    writer.commit(vec![Change::Settle(pair(Key::from("k"), 1))]).await.unwrap();
    let read = || SqliteLedger::open(&path, &binding(), Access::Read);
    let reader = read().unwrap().unwrap();
    assert_eq!(reader.pair(&Key::from("k")).await.unwrap(), Some(pair(Key::from("k"), 1)));
    assert!(reader.commit(vec![Change::End]).await.is_err(), "it only reads");
    drop((reader, writer));

    let alone = SqliteLedger::open_on(FileSystem::Network, &path, &binding(), Access::Write).unwrap().unwrap();
    alone.commit(vec![Change::Settle(pair(Key::from("l"), 1))]).await.unwrap();
    assert!(!path.with_extension("ledger-shm").exists(), "no memory is shared");
    assert!(matches!(read(), Err(LedgerError::Refused { .. })));
    drop(alone);
    assert_eq!(read().unwrap().unwrap().contents().await.unwrap().settled, 2);
}

#[tokio::test]
async fn what_is_no_ledger_of_these_locations_is_refused_and_left_alone() {
    let (_directory, path) = place();
    let many = (0..2000).map(|n: u32| Change::Settle(pair(Key::from(format!("{n:06}")), 1))).collect();
    let ledger = open(&path).unwrap();
    ledger.commit(many).await.unwrap();
    ledger.close().await.unwrap();
    let whole = fs::read(&path).unwrap();

    let other = Binding { dest: "s3://c/ at AWS".into(), ..binding() };
    let error = SqliteLedger::open(&path, &other, Access::Write).err().unwrap().to_string();
    assert!(error.contains("is the ledger of /a -> s3://b/ at AWS, and not of /a -> s3://c/ at AWS"), "{error}");

    let refused = |name: &str, content: &[u8], expected: &str| {
        fs::write(&path, content).unwrap();
        let error = match open(&path) {
            Err(error) => {
                // What is damaged is written to by SQLite before it finds that out.
                let is_left_alone = fs::read(&path).unwrap() == content;
                assert!(is_left_alone || matches!(error, LedgerError::Damaged { .. }), "{name} was changed");
                error
            }
            Ok(ledger) => {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let error = std::thread::spawn(move || runtime.block_on(everything_or_error(&ledger))).join().unwrap();
                error.unwrap_or_else(|| panic!("{name} is taken for a ledger"))
            }
        };
        let error = error.to_string();
        assert!(error.contains(expected), "{name}: {error}");
        assert!(error.contains(path.to_str().unwrap()), "{name}: {error}");
    };
    refused("text", "no ledger at all, but quite long enough to be one".repeat(90).as_bytes(), "is no ledger");
    refused("cut short", &whole[..whole.len() / 2], "is damaged");
    let mut torn = whole.clone();
    torn[4096..].fill(0x5a);
    refused("torn", &torn, "is damaged");
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&99u32.to_be_bytes());
    refused("newer", &newer, "written by a newer brigade (format 99; this one reads up to 5)");
    let mut foreign = whole.clone();
    foreign[68..72].copy_from_slice(b"ABCD");
    refused("another program's", &foreign, "is no ledger");
    fs::write(&path, &whole).unwrap();
    assert_eq!(open(&path).unwrap().contents().await.unwrap().settled, 2000);
}

/// As it was written when a run had one range.
#[tokio::test]
async fn a_ledger_of_the_first_format_is_taken_up_where_it_was() {
    let (_directory, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let old = Connection::open(&path).unwrap();
    old.execute_batch(schema::FIRST).unwrap();
    old.pragma_update(None, "application_id", APPLICATION).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    schema::bind(&old, &binding()).unwrap();
    old.execute_batch(
        "INSERT INTO run VALUES (0, zeroblob(16), 7, 8, 1, x'6b', 1, 2, 3, 4, 5);
         INSERT INTO failed VALUES (x'61');",
    )
    .unwrap();
    let source = Fingerprint::Object { size: 9, etag: "e".into() };
    let upload = "INSERT INTO uploads VALUES (x'6b', 'id', ?1, 0, 8)";
    old.execute(upload, [crate::ledger::encoding::encode_fingerprint(&source)]).unwrap();
    let upload =
        BegunUpload { key: Key::from("k"), upload_id: "id".into(), source, unsure: false, part_size: 8, terms: None };
    drop(old);
    let unseen = Unseen { source_objects: 1, dest_objects: 2, extra: 3, excluded: 4, held: 5 };
    // By who only reads it, by who brings it to the new format, and after that.
    for access in [Access::Read, Access::Write, Access::Read] {
        let ledger = SqliteLedger::open(&path, &binding(), access).unwrap().unwrap();
        let remembered = ledger.progress().await.unwrap();
        assert_eq!(remembered.uploads, std::slice::from_ref(&upload), "{access:?}");
        let run = remembered.run.unwrap();
        assert_eq!(run.cursors, [Cursor { after: None, through: Some(Key::from("k")), unseen }], "{access:?}");
        assert_eq!((run.begun, run.failed), (brigade_store::time::at(7, 8), vec![Key::from("a")]));
        assert_eq!(ledger.apart(None, 10).await.unwrap(), []);
        assert_eq!(ledger.checked(None, 10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn checks_are_remembered_beside_everything_else_and_in_key_order() {
    let (_directory, path) = place();
    let ledger = open(&path).unwrap();
    ledger.commit(vec![Change::Settle(pair(Key::from("a"), 1))]).await.unwrap();
    let before = (ledger.contents().await.unwrap(), ledger.page(None, 10).await.unwrap());
    let checked = |key: &str, version, seconds| Checked {
        key: Key::from(key),
        versions: VersionsDigest([version; 16]),
        at: brigade_store::time::at(seconds, 0),
    };
    ledger.note_checks(vec![checked("b", 1, 7), checked("", 2, 8), checked("a", 3, -9)], vec![]).await.unwrap();
    ledger.note_checks(vec![checked("b", 4, 10)], vec![Key::from("a"), Key::from("b")]).await.unwrap();
    drop(ledger);
    for access in [Access::Read, Access::Write] {
        let ledger = SqliteLedger::open(&path, &binding(), access).unwrap().unwrap();
        assert_eq!(ledger.checked(None, 10).await.unwrap(), [checked("", 2, 8), checked("b", 4, 10)]);
        assert_eq!(ledger.checked(Some(&Key::from("")), 10).await.unwrap(), [checked("b", 4, 10)]);
        assert_eq!(ledger.checked(None, 1).await.unwrap().len(), 1);
        assert_eq!((ledger.contents().await.unwrap(), ledger.page(None, 10).await.unwrap()), before);
    }
}

async fn everything_or_error(ledger: &SqliteLedger) -> Option<LedgerError> {
    let mut after: Option<Key> = None;
    loop {
        match ledger.page(after.as_ref(), 100).await {
            Err(error) => return Some(error),
            Ok(page) => after = Some(page.last()?.key.clone()),
        }
    }
}

#[tokio::test]
async fn one_that_is_removed_or_replaced_meanwhile_is_noticed() {
    let (_directory, path) = place();
    let ledger = open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    ledger.commit(vec![Change::Settle(pair(Key::from("k"), 1))]).await.unwrap();
    assert!(ledger.check_kept().await.unwrap().contains("was removed or replaced"));
    fs::write(&path, "").unwrap();
    assert!(ledger.check_kept().await.is_some(), "another file of its name is not it");
}

#[test]
fn one_that_is_not_there_is_not_made_to_be_read() {
    let (_directory, path) = place();
    assert!(SqliteLedger::open(&path, &binding(), Access::Read).unwrap().is_none());
    assert!(!path.parent().unwrap().exists());
}
