//! A ledger in memory, for tests and simulation: what is committed stays, whatever becomes of the run.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use brigade_store::Key;

use super::cursor::joined;
use super::{
    Apart, BegunUpload, Change, Checked, Checks, Cursor, Index, Ledger, LedgerError, Progress, Remembered, Settled,
    SettledPair, UnfinishedRun,
};
use crate::events::Side;
use crate::plan::{Action, Phase};

/// A ledger in memory. Clones share what it holds.
#[derive(Clone, Default)]
pub struct MemoryLedger(Arc<Mutex<Held>>);

/// Sees the changes of a commit.
type Witness = Arc<dyn Fn(&[Change]) + Send + Sync>;

#[derive(Default)]
struct Held {
    settled: BTreeMap<Key, SettledPair>,
    run: Option<UnfinishedRun>,
    cursors: BTreeMap<Option<Key>, Cursor>,
    failed: BTreeSet<Key>,
    spool: BTreeMap<(Phase, Key), Action>,
    uploads: BTreeMap<(Key, String), BegunUpload>,
    unordered: Vec<Side>,
    apart: BTreeMap<Key, Apart>,
    index: Option<Index>,
    checked: BTreeMap<Key, Checked>,
    witness: Option<Witness>,
}

impl MemoryLedger {
    /// Everything that is settled.
    #[must_use]
    pub fn pairs(&self) -> Vec<SettledPair> {
        self.held().settled.values().cloned().collect()
    }

    /// Calls this with the changes of each commit, before they are made.
    pub fn watch(&self, witness: impl Fn(&[Change]) + Send + Sync + 'static) {
        self.held().witness = Some(Arc::new(witness));
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Checks for MemoryLedger {
    async fn checked(&self, after: Option<&Key>, most: usize) -> Result<Vec<Checked>, LedgerError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let held = self.held();
        Ok(held
            .checked
            .range::<Key, _>((from, Bound::Unbounded))
            .take(most)
            .map(|(_, checked)| checked.clone())
            .collect())
    }

    async fn note_checks(&self, good: Vec<Checked>, forgotten: Vec<Key>) -> Result<(), LedgerError> {
        let mut held = self.held();
        held.checked.retain(|key, _| !forgotten.contains(key));
        held.checked.extend(good.into_iter().map(|checked| (checked.key.clone(), checked)));
        Ok(())
    }
}

#[async_trait]
impl Settled for MemoryLedger {
    async fn page(&self, after: Option<&Key>, most: usize) -> Result<Vec<SettledPair>, LedgerError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self
            .held()
            .settled
            .range::<Key, _>((from, Bound::Unbounded))
            .take(most)
            .map(|(_, pair)| pair.clone())
            .collect())
    }

    async fn pair(&self, key: &Key) -> Result<Option<SettledPair>, LedgerError> {
        Ok(self.held().settled.get(key).cloned())
    }

    /// The same ones again, so that a simulation takes the same course.
    async fn sample(&self, most: usize) -> Result<Vec<SettledPair>, LedgerError> {
        let held = self.held();
        let pairs: Vec<&SettledPair> =
            held.settled.values().filter(|pair| !held.apart.contains_key(&pair.key)).collect();
        let step = (pairs.len() / most.max(1)).max(1);
        Ok(pairs.into_iter().step_by(step).take(most).cloned().collect())
    }

    async fn apart(&self, after: Option<&Key>, most: usize) -> Result<Vec<Apart>, LedgerError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self
            .held()
            .apart
            .range::<Key, _>((from, Bound::Unbounded))
            .take(most)
            .map(|(_, apart)| apart.clone())
            .collect())
    }
}

#[async_trait]
impl Progress for MemoryLedger {
    async fn progress(&self) -> Result<Remembered, LedgerError> {
        let held = self.held();
        let run = held.run.clone().map(|run| {
            let mut spooled = [0; Phase::COUNT];
            for (phase, _) in held.spool.keys() {
                spooled[*phase as usize] += 1;
            }
            let cursors = joined(held.cursors.values().cloned().collect());
            UnfinishedRun { cursors, failed: held.failed.iter().cloned().collect(), spooled, ..run }
        });
        Ok(Remembered {
            run,
            uploads: held.uploads.values().cloned().collect(),
            unordered: held.unordered.clone(),
            index: held.index,
        })
    }

    async fn spooled(&self, phase: Phase, after: Option<&Key>, most: usize) -> Result<Vec<Action>, LedgerError> {
        let held = self.held();
        let waiting = held
            .spool
            .iter()
            .filter(|((waits_for, key), _)| *waits_for == phase && after.is_none_or(|after| key > after));
        Ok(waiting.take(most).map(|(_, action)| action.clone()).collect())
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), LedgerError> {
        let witness = self.held().witness.clone();
        if let Some(witness) = witness {
            witness(&changes);
        }
        let mut held = self.held();
        for change in changes {
            held.make(change);
        }
        Ok(())
    }
}

impl Held {
    fn make(&mut self, change: Change) {
        match change {
            Change::Settle(pair) => {
                self.apart.remove(&pair.key);
                self.settled.insert(pair.key.clone(), pair);
            }
            Change::Unsettle(key) => {
                self.apart.remove(&key);
                self.settled.remove(&key);
            }
            Change::Apart(apart) => drop(self.apart.insert(apart.key.clone(), apart)),
            Change::Index(index) => {
                self.index = index;
                if index.is_none() {
                    self.apart.clear();
                }
            }
            Change::Begin { job, begun } => {
                self.forget_progress();
                let spooled = [0; Phase::COUNT];
                self.run = Some(UnfinishedRun { job, begun, cursors: vec![], failed: vec![], spooled });
            }
            Change::End => self.forget_progress(),
            Change::Cursor(cursor) => {
                if self.run.is_some() {
                    self.cursors.insert(cursor.after.clone(), cursor);
                }
            }
            Change::Relist => self.cursors.clear(),
            Change::Spool(phase, action) => drop(self.spool.insert((phase, action.key().clone()), action)),
            Change::Unspool(phase, key) => drop(self.spool.remove(&(phase, key))),
            Change::Failed(key) => drop(self.failed.insert(key)),
            Change::Resolved(key) => drop(self.failed.remove(&key)),
            Change::UploadBegun(upload) => {
                self.uploads.insert((upload.key.clone(), upload.upload_id.clone()), upload);
            }
            Change::UploadEnded { key, upload_id } => drop(self.uploads.remove(&(key, upload_id))),
            Change::Unordered(side) => self.unordered.push(side),
        }
    }

    fn forget_progress(&mut self) {
        self.run = None;
        self.cursors.clear();
        self.failed.clear();
        self.spool.clear();
    }
}
