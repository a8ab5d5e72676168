//! A crash: at one step of a run everything of it ends, and nothing of it goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_engine::ledger::{Apart, Change, Ledger, LedgerError, Progress, Remembered, Settled, SettledPair};
use brigade_engine::plan::{Action, Phase};
use brigade_store::Key;
use tokio::sync::Notify;

use super::chronicle::{Chronicle, Happened};

/// When a run is killed, and whether it has been.
pub(crate) struct Crash {
    at: Option<u64>,
    steps: AtomicU64,
    has_come: AtomicBool,
    comes: Notify,
    chronicle: Chronicle,
}

impl Crash {
    /// One at this step, or none.
    pub(crate) fn new(at: Option<u64>, chronicle: &Chronicle) -> Self {
        let (steps, has_come) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { at, steps, has_come, comes: Notify::new(), chronicle: chronicle.clone() }
    }

    /// Whether the run goes on after one more step, which is called so.
    pub(crate) fn goes_on(&self, step: impl FnOnce() -> String) -> bool {
        if self.has_come() {
            return false;
        }
        if self.at == Some(self.steps.fetch_add(1, Ordering::Relaxed) + 1) {
            self.has_come.store(true, Ordering::Relaxed);
            self.chronicle.record(Happened::Crashed(step()));
            self.comes.notify_one();
            return false;
        }
        true
    }

    pub(crate) fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Relaxed)
    }

    /// Waits for it.
    pub(crate) async fn comes(&self) {
        self.comes.notified().await;
    }

    async fn step(&self, called: &str) {
        if !self.goes_on(|| called.to_owned()) {
            std::future::pending::<()>().await;
        }
    }
}

/// A ledger whose commits are steps too, and take their time.
pub(crate) struct Mortal {
    pub(crate) ledger: MemoryLedger,
    pub(crate) crash: std::sync::Arc<Crash>,
    pub(crate) takes: Duration,
}

#[async_trait]
impl Settled for Mortal {
    async fn page(&self, after: Option<&Key>, most: usize) -> Result<Vec<SettledPair>, LedgerError> {
        self.ledger.page(after, most).await
    }

    async fn pair(&self, key: &Key) -> Result<Option<SettledPair>, LedgerError> {
        self.ledger.pair(key).await
    }

    async fn sample(&self, most: usize) -> Result<Vec<SettledPair>, LedgerError> {
        self.ledger.sample(most).await
    }

    async fn apart(&self, after: Option<&Key>, most: usize) -> Result<Vec<Apart>, LedgerError> {
        self.ledger.apart(after, most).await
    }
}

#[async_trait]
impl Progress for Mortal {
    async fn progress(&self) -> Result<Remembered, LedgerError> {
        self.ledger.progress().await
    }

    async fn spooled(&self, phase: Phase, after: Option<&Key>, most: usize) -> Result<Vec<Action>, LedgerError> {
        self.ledger.spooled(phase, after, most).await
    }
}

#[async_trait]
impl Ledger for Mortal {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), LedgerError> {
        tokio::time::sleep(self.takes).await;
        self.crash.step("before a commit").await;
        self.crash.chronicle.record(Happened::Committed(changes.clone()));
        self.ledger.commit(changes).await?;
        tokio::time::sleep(self.takes).await;
        self.crash.step("after a commit").await;
        Ok(())
    }
}
