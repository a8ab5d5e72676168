//! The recorder: takes what a run settles, in order, and commits it to the
//! ledger in batches, each only after what it speaks of is durable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use brigade_store::{Key, Kind, Store};
use tokio::sync::Notify;

use super::watermark::Watermark;
use super::{Agreed, Change, Cursor, Fingerprint, Ledger, LedgerError, MOST_FAILED, Unseen};
use crate::job::Clock;

/// How long a change waits to be committed at most, beside the time that a commit takes.
const INTERVAL: Duration = Duration::from_secs(1);

/// After how long every system has written what was changed, without being
/// asked: Linux's `vm.dirty_expire_centisecs` is 30 s unless it was set otherwise.
const WRITTEN_BY_NOW: Duration = Duration::from_mins(10);

/// Changes that are worth a commit of their own.
const BATCH: usize = 4096;

/// Changes that may wait; whoever brings more waits for the next commit to begin.
const MOST_WAITING: usize = 4 * BATCH;

/// Takes what a run settles. Without a ledger, it takes nothing.
pub(crate) struct Recorder(Option<Recording>);

struct Recording {
    ledger: Arc<dyn Ledger>,
    clock: Clock,
    waiting: Mutex<Waiting>,
    /// Somebody should look: there is enough to commit, or the run has ended.
    due: Notify,
    /// What waited has been taken.
    taken: Notify,
    /// Held while a batch is committed: each comes after the one before it.
    committing: tokio::sync::Mutex<Committing>,
}

#[derive(Default)]
struct Committing {
    /// A batch could not be committed. What came after it builds on it, and isn't either.
    has_failed: bool,
}

#[derive(Default)]
struct Waiting {
    changes: Vec<Change>,
    cursors: Cursors,
    /// Those that were taken up. What failed behind them is looked at again by itself, or all is listed again.
    taken_up: Vec<Cursor>,
    /// Keys that failed, which the cursor passes all the same.
    failed: BTreeSet<Key>,
    /// One of those of an earlier run that is being looked at again: it has its place among them.
    again: Option<Key>,
    ended: bool,
}

/// What becomes of the cursors.
#[derive(Default)]
struct Cursors {
    /// They stay where they are: what they have not passed is listed again.
    are_fixed: bool,
    /// Those that move with what is done, by the number of their range.
    moving: BTreeMap<u64, Watermark>,
    /// How many ranges were followed.
    ranges: u64,
}

/// A range whose cursor moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Followed(u64);

/// What stands for actions of a range that were planned together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    range: u64,
    batch: u64,
}

impl Recorder {
    /// A recorder without a ledger.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// A recorder for this ledger.
    pub(crate) fn new(ledger: Arc<dyn Ledger>, clock: Clock) -> Self {
        Self(Some(Recording {
            ledger,
            clock,
            waiting: Mutex::default(),
            due: Notify::new(),
            taken: Notify::new(),
            committing: tokio::sync::Mutex::default(),
        }))
    }

    /// The ledger that is recorded in.
    pub(crate) fn ledger(&self) -> Option<&Arc<dyn Ledger>> {
        self.0.as_ref().map(|recording| &recording.ledger)
    }

    /// The time by the local clock.
    pub(crate) fn now(&self) -> SystemTime {
        self.0.as_ref().map_or(SystemTime::UNIX_EPOCH, |recording| (recording.clock)())
    }

    /// Commits these changes now, whatever waits.
    pub(crate) async fn commit_now(&self, changes: Vec<Change>, sides: [&dyn Store; 2]) -> Result<(), LedgerError> {
        match &self.0 {
            Some(recording) => recording.commit(changes, sides).await,
            None => Ok(()),
        }
    }

    /// A run is taken up from these cursors, or begun from the start; these keys failed behind them.
    pub(crate) fn take_up(&self, cursors: &[Cursor], failed: &[Key]) {
        if let Some(recording) = &self.0 {
            let mut waiting = recording.waiting();
            waiting.taken_up = cursors.to_vec();
            waiting.failed = failed.iter().cloned().collect();
            waiting.cursors = Cursors::default();
        }
    }

    /// From now on a cursor moves from here. There is none where all is to be
    /// listed again: none may say otherwise.
    pub(crate) fn follow(&self, after: Option<&Key>) -> Option<Followed> {
        let mut waiting = self.0.as_ref()?.waiting();
        let cursors = &mut waiting.cursors;
        if cursors.are_fixed {
            return None;
        }
        cursors.ranges += 1;
        cursors.moving.insert(cursors.ranges, Watermark::starting_after(after.cloned()));
        Some(Followed(cursors.ranges))
    }

    /// From now on all cursors stay where they are.
    pub(crate) fn stop_following(&self) {
        if let Some(recording) = &self.0 {
            recording.waiting().cursors.fix();
        }
    }

    /// Whether this key failed, in this run or, behind its cursor, in the one that it took up.
    pub(crate) fn has_failed(&self, key: &Key) -> bool {
        self.0.as_ref().is_some_and(|recording| recording.waiting().failed.contains(key))
    }

    /// Takes changes.
    pub(crate) fn note(&self, changes: impl IntoIterator<Item = Change>) {
        if let Some(recording) = &self.0 {
            let mut waiting = recording.waiting();
            waiting.changes.extend(changes);
            recording.tell(&waiting);
        }
    }

    /// Takes a pair; `since` is a time after which both sides were read.
    pub(crate) fn settle(&self, agreed: Agreed, since: SystemTime) {
        // A tree lists no directories: nothing can be settled with one.
        if self.0.is_some() && !agreed.source.stands_for_directory() {
            self.note([Change::Settle(agreed.into_pair(since))]);
        }
    }

    /// Takes note of a failure: the key is looked at again when the run is taken up.
    pub(crate) fn fail(&self, key: &Key) {
        let Some(recording) = &self.0 else { return };
        let mut waiting = recording.waiting();
        if waiting.failed.len() < MOST_FAILED || waiting.again.as_ref() == Some(key) {
            waiting.failed.insert(key.clone());
            waiting.changes.push(Change::Failed(key.clone()));
        } else if !waiting.failed.contains(key) {
            waiting.cursors.fix();
            if waiting.taken_up.iter().any(|cursor| cursor.has_passed(key)) {
                waiting.taken_up.clear();
                waiting.changes.push(Change::Relist);
            }
        }
    }

    /// A key that had failed did so no more, and what became of it was noted.
    pub(crate) fn resolve(&self, key: &Key) {
        let Some(recording) = &self.0 else { return };
        let mut waiting = recording.waiting();
        if waiting.failed.remove(key) {
            waiting.changes.push(Change::Resolved(key.clone()));
        }
    }

    /// A key that had failed is about to be looked at again.
    pub(crate) fn try_again(&self, key: &Key) {
        if let Some(recording) = &self.0 {
            let mut waiting = recording.waiting();
            waiting.failed.remove(key);
            waiting.again = Some(key.clone());
        }
    }

    /// It was looked at again, and what became of it was noted.
    pub(crate) fn tried_again(&self, key: &Key) {
        let Some(recording) = &self.0 else { return };
        let mut waiting = recording.waiting();
        waiting.again = None;
        if !waiting.failed.contains(key) {
            waiting.changes.push(Change::Resolved(key.clone()));
        }
    }

    /// So many actions were planned for the keys of a range up to this one
    /// (`None`: all); the number stands for them when they are done.
    pub(crate) fn planned(
        &self,
        Followed(range): Followed,
        through: Option<&Key>,
        actions: usize,
        unseen: Unseen,
    ) -> Option<Number> {
        let recording = self.0.as_ref()?;
        let mut waiting = recording.waiting();
        let watermark = waiting.cursors.moving.get_mut(&range)?;
        let (batch, moved) = watermark.planned(through.cloned(), actions, unseen);
        waiting.move_to(moved);
        recording.tell(&waiting);
        Some(Number { range, batch })
    }

    /// An action is done, and what became of it was noted.
    pub(crate) fn done(&self, number: Option<Number>) {
        let (Some(recording), Some(Number { range, batch })) = (&self.0, number) else { return };
        let mut waiting = recording.waiting();
        if let Some(watermark) = waiting.cursors.moving.get_mut(&range) {
            let moved = watermark.done(batch);
            waiting.move_to(moved);
        }
    }

    /// Waits while too much waits to be committed.
    pub(crate) async fn keep_pace(&self) {
        let Some(recording) = &self.0 else { return };
        loop {
            let taken = recording.taken.notified();
            tokio::pin!(taken);
            taken.as_mut().enable();
            {
                let waiting = recording.waiting();
                if waiting.changes.len() < MOST_WAITING || waiting.ended {
                    return;
                }
            }
            taken.await;
        }
    }

    /// Says that nothing more comes.
    pub(crate) fn end(&self) {
        if let Some(recording) = &self.0 {
            recording.waiting().ended = true;
            recording.due.notify_one();
            recording.taken.notify_waiters();
        }
    }

    /// Commits what waits, now.
    pub(crate) async fn flush(&self, sides: [&dyn Store; 2]) -> Result<(), LedgerError> {
        match &self.0 {
            Some(recording) => recording.commit_waiting(sides).await,
            None => Ok(()),
        }
    }

    /// Commits what comes, until the end was said.
    pub(crate) async fn keep(&self, sides: [&dyn Store; 2]) -> Result<(), LedgerError> {
        let Some(recording) = &self.0 else { return Ok(()) };
        loop {
            // Whichever comes first.
            let _ = tokio::time::timeout(INTERVAL, recording.due.notified()).await;
            let ended = recording.waiting().ended;
            if let Err(error) = recording.commit_waiting(sides).await {
                // Nobody waits for a commit that will not come.
                self.end();
                // Whoever had a batch of their own committed has the reason.
                return if matches!(error, LedgerError::GivenUp) { Ok(()) } else { Err(error) };
            }
            if ended {
                return Ok(());
            }
        }
    }
}

impl Recording {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, waiting: &Waiting) {
        if waiting.changes.len() >= BATCH {
            self.due.notify_one();
        }
    }

    async fn commit_waiting(&self, sides: [&dyn Store; 2]) -> Result<(), LedgerError> {
        let mut committing = self.committing.lock().await;
        if committing.has_failed {
            return Err(LedgerError::GivenUp);
        }
        let changes = std::mem::take(&mut self.waiting().changes);
        self.taken.notify_waiters();
        if changes.is_empty() {
            return Ok(());
        }
        let committed = self.commit(changes, sides).await;
        committing.has_failed = committed.is_err();
        committed
    }

    async fn commit(&self, changes: Vec<Change>, sides: [&dyn Store; 2]) -> Result<(), LedgerError> {
        // Everything that the changes speak of was done before they were noted.
        let now = (self.clock)();
        for (place, side) in sides.into_iter().enumerate() {
            if side.capabilities().kind == Kind::Local && changes.iter().any(|change| is_fresh(change, place, now)) {
                side.make_durable().await.map_err(|failure| LedgerError::NotDurable {
                    location: side.location().to_owned(),
                    reason: failure.reason,
                })?;
            }
        }
        self.ledger.commit(changes).await
    }
}

/// Whether a change speaks of a file of this side (0 for the source) that a
/// power cut could still take back. What others wrote in the source longer ago than this, the system has
/// written by itself, and it isn't made to write for it what other programs are
/// writing now. In the destination it may be our own: no clock is asked.
fn is_fresh(change: &Change, side: usize, now: SystemTime) -> bool {
    let is_fresh = |file: &Fingerprint| match file {
        Fingerprint::File { changed, .. } => changed.checked_add(WRITTEN_BY_NOW).is_none_or(|by| by > now),
        Fingerprint::Object { .. } => false,
    };
    match (change, side) {
        (Change::Settle(pair), 0) => is_fresh(&pair.left),
        // Whoever takes it up adds to the parts what the file holds by then.
        (Change::UploadBegun(upload), 0) => is_fresh(&upload.source),
        // A removal leaves no time that could be looked at, and there is none at the source.
        (Change::Settle(_) | Change::Unsettle(_) | Change::Unspool(..), 1) => true,
        _ => false,
    }
}

impl Cursors {
    fn fix(&mut self) {
        self.are_fixed = true;
        self.moving.clear();
    }
}

impl Waiting {
    fn move_to(&mut self, moved: Option<Cursor>) {
        let Some(cursor) = moved else { return };
        match self.changes.last_mut() {
            Some(Change::Cursor(last)) if last.after == cursor.after => *last = cursor,
            _ => self.changes.push(Change::Cursor(cursor)),
        }
    }
}

#[cfg(test)]
mod tests;
