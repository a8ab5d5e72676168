//! Durable before settled, with the real parts: a pair is committed only after
//! the file that it speaks of was written, and then made durable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_trait::async_trait;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_engine::ledger::{Change, Ledger, SettledPair};
use brigade_engine::run::{Run, run};
use brigade_store::memory::{MemoryOptions, MemoryStore};
use brigade_store::{
    Capabilities, Digest, DigestKind, Entry, Failure, Key, KeyRange, Listing, LocalStore, NewObject, Object, Part,
    Reader, Receipt, Store, Symlinks, Upload,
};
use bytes::Bytes;

use crate::fixture::{Fixture, keys};

/// What was done, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Done {
    /// A file is in its place.
    Written(Key),
    Removed(Key),
    /// Everything before the call was made durable.
    Durable,
    Committed(Vec<Change>),
}

type Log = Arc<Mutex<Vec<Done>>>;

/// A store, with a log of what changes it.
struct Recorded {
    store: LocalStore,
    log: Log,
}

impl Recorded {
    fn record(&self, done: Done) {
        self.log.lock().unwrap().push(done);
    }
}

#[async_trait]
impl Store for Recorded {
    fn location(&self) -> &str {
        self.store.location()
    }

    fn capabilities(&self) -> Capabilities {
        // Small objects go in parts as well.
        Capabilities { whole_limit: 16, part_size: 8, ..self.store.capabilities() }
    }

    fn list(&self, range: &KeyRange) -> Box<dyn Listing> {
        self.store.list(range)
    }

    async fn look(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        self.store.look(key).await
    }

    async fn read(&self, entry: &Entry) -> Result<Object, Failure> {
        self.store.read(entry).await
    }

    async fn open(&self, entry: &Entry) -> Result<Box<dyn Reader>, Failure> {
        self.store.open(entry).await
    }

    fn could_hold(&self, entry: &Entry) -> Result<(), Failure> {
        self.store.could_hold(entry)
    }

    async fn check_room(&self, key: &Key) -> Result<(), Failure> {
        self.store.check_room(key).await
    }

    async fn digests(&self, entry: &Entry, wanted: &[DigestKind]) -> Result<Vec<Digest>, Failure> {
        self.store.digests(entry, wanted).await
    }

    async fn write(&self, object: &NewObject, body: Bytes) -> Result<Receipt, Failure> {
        let receipt = self.store.write(object, body).await?;
        self.record(Done::Written(object.key.clone()));
        Ok(receipt)
    }

    async fn begin(&self, object: &NewObject) -> Result<Box<dyn Upload>, Failure> {
        let upload = self.store.begin(object).await?;
        Ok(Box::new(RecordedUpload { upload, key: object.key.clone(), log: Arc::clone(&self.log) }))
    }

    async fn remove(&self, entries: &[Entry]) -> Vec<Result<(), Failure>> {
        let results = self.store.remove(entries).await;
        for (entry, _) in entries.iter().zip(&results).filter(|(_, result)| result.is_ok()) {
            self.record(Done::Removed(entry.key.clone()));
        }
        results
    }

    async fn make_durable(&self) -> Result<(), Failure> {
        // What is written meanwhile is not promised.
        let before = self.log.lock().unwrap().len();
        self.store.make_durable().await?;
        self.log.lock().unwrap().insert(before, Done::Durable);
        Ok(())
    }
}

struct RecordedUpload {
    upload: Box<dyn Upload>,
    key: Key,
    log: Log,
}

#[async_trait]
impl Upload for RecordedUpload {
    fn id(&self) -> Option<&str> {
        self.upload.id()
    }

    async fn write(&self, part: Part, body: Bytes) -> Result<(), Failure> {
        self.upload.write(part, body).await
    }

    async fn finish(&self, expected: Option<(DigestKind, Digest)>) -> Result<Receipt, Failure> {
        let receipt = self.upload.finish(expected).await?;
        self.log.lock().unwrap().push(Done::Written(self.key.clone()));
        Ok(receipt)
    }

    async fn abandon(&self) {
        self.upload.abandon().await;
    }
}

/// Every file of which a commit speaks must have been made durable after it
/// was last written or removed; gives how many were spoken of.
fn spoken_of_when_durable(log: &[Done]) -> Result<usize, String> {
    let mut is_durable: BTreeMap<&Key, bool> = BTreeMap::new();
    let mut spoken_of = 0;
    for done in log {
        match done {
            Done::Written(key) | Done::Removed(key) => drop(is_durable.insert(key, false)),
            Done::Durable => is_durable.values_mut().for_each(|durable| *durable = true),
            Done::Committed(changes) => {
                for change in changes {
                    let (Change::Settle(SettledPair { key, .. }) | Change::Unsettle(key)) = change else {
                        continue;
                    };
                    match is_durable.get(key) {
                        Some(false) => return Err(format!("{key} was committed and not durable")),
                        Some(true) => spoken_of += 1,
                        None => {}
                    }
                }
            }
        }
    }
    Ok(spoken_of)
}

/// A ledger that writes down its commits.
fn watched(log: &Log) -> MemoryLedger {
    let (ledger, log) = (MemoryLedger::default(), Arc::clone(log));
    ledger.watch(move |changes| log.lock().unwrap().push(Done::Committed(changes.to_vec())));
    ledger
}

fn sync(source: Arc<dyn Store>, dest: Arc<dyn Store>, ledger: &MemoryLedger) {
    let fixture = Fixture::up().deleting();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ended = runtime.block_on(run(Run {
        job: fixture.job.clone(),
        options: fixture.options.clone(),
        source,
        dest,
        ledger: Some(Arc::new(ledger.clone()) as Arc<dyn Ledger>),
        clock: Arc::new(SystemTime::now),
        observer: fixture.log.clone(),
        cancel: fixture.cancel.clone(),
    }));
    assert!(ended.unwrap().complete());
}

#[test]
fn a_pair_is_committed_only_after_its_file_is_durable() {
    let directory = tempfile::tempdir().unwrap();
    let (log, source) = (Log::default(), MemoryStore::remote());
    let ledger = watched(&log);
    let dest = Arc::new(Recorded { store: LocalStore::destination(directory.path()), log: Arc::clone(&log) });
    for n in 0..300_u32 {
        // Every third goes in parts.
        source.put(format!("{}/{n:03}", n % 7), vec![b'x'; if n % 3 == 0 { 40 } else { 4 }]);
    }
    sync(Arc::new(source.clone()), dest.clone(), &ledger);
    assert_eq!(spoken_of_when_durable(&log.lock().unwrap()), Ok(300));
    // Replaced, and removed.
    let all = keys(&source);
    for key in &all[..100] {
        source.put(key.as_str(), "another");
    }
    for key in &all[100..150] {
        source.take(key.as_str());
    }
    log.lock().unwrap().clear();
    sync(Arc::new(source.clone()), dest.clone(), &ledger);
    assert_eq!(spoken_of_when_durable(&log.lock().unwrap()), Ok(150));
    let settled: Vec<String> = ledger.pairs().iter().map(|pair| pair.key.to_string()).collect();
    assert_eq!(settled, keys(&source));
}

#[test]
fn an_upload_is_remembered_only_after_its_file_is_durable() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::default();
    let ledger = watched(&log);
    let store = LocalStore::source(directory.path(), Symlinks::Follow);
    let source = Arc::new(Recorded { store, log: Arc::clone(&log) });
    let dest = MemoryStore::new(MemoryOptions { whole_limit: 16, part_size: 8, ..MemoryOptions::remote() });
    std::fs::write(directory.path().join("large"), [b'x'; 40]).unwrap();
    sync(source, Arc::new(dest), &ledger);
    let log = log.lock().unwrap();
    let begins = |change: &Change| matches!(change, Change::UploadBegun(_));
    let place = log.iter().position(|done| matches!(done, Done::Committed(changes) if changes.iter().any(begins)));
    assert!(log[..place.unwrap()].contains(&Done::Durable), "{log:?}");
}

#[test]
fn the_order_that_is_asked_for_can_be_missed() {
    let key = Key::from("k");
    let unsettled = Done::Committed(vec![Change::Unsettle(key.clone())]);
    let table = [
        (vec![Done::Written(key.clone()), Done::Durable, unsettled.clone()], true),
        (vec![Done::Written(key.clone()), unsettled.clone(), Done::Durable], false),
        (vec![Done::Durable, Done::Removed(key.clone()), unsettled.clone()], false),
        (vec![Done::Written(key.clone()), Done::Durable, Done::Removed(key), unsettled], false),
    ];
    for (log, is_right) in table {
        assert_eq!(spoken_of_when_durable(&log).is_ok(), is_right, "{log:?}");
    }
}
