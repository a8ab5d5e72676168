//! What a check remembers of earlier ones, read as the keys come by, and what it leaves to the next.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use brigade_store::{Entry, Key};

use crate::ledger::pair::could_hide_an_edit;
use crate::ledger::{Checked, Checks, LedgerError, Proven, VersionsDigest};

/// Rows that are read, or written, at once.
const PAGE: usize = 1000;

/// What was found good by now, on its way to the ledger.
pub(super) struct Remembering {
    checks: Arc<dyn Checks>,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    good: Vec<Checked>,
    forgotten: Vec<Key>,
}

impl Remembering {
    pub(super) fn new(checks: Arc<dyn Checks>) -> Self {
        Self { checks, notes: Mutex::default() }
    }

    /// What earlier checks found, from the first key on.
    pub(super) fn strip(&self) -> Strip {
        Strip { checks: Arc::clone(&self.checks), page: VecDeque::new(), last: None, has_ended: false }
    }

    /// Takes note that both versions, looked at since then, are proven to be the same. A file that
    /// could have been edited without a trace since is not remembered: it counts as never checked.
    pub(super) async fn good(
        &self,
        source: &Entry,
        dest: &Entry,
        proven: Proven,
        since: SystemTime,
    ) -> Result<(), LedgerError> {
        if could_hide_an_edit(source, since) || could_hide_an_edit(dest, since) {
            return self.forget(source.key.clone()).await;
        }
        let versions = VersionsDigest::of(source, dest, proven);
        self.notes().good.push(Checked { key: source.key.clone(), versions, at: since });
        self.commit(PAGE).await
    }

    /// Takes note that nothing good is known of the key any more.
    pub(super) async fn forget(&self, key: Key) -> Result<(), LedgerError> {
        self.notes().forgotten.push(key);
        self.commit(PAGE).await
    }

    /// Writes what has come together.
    pub(super) async fn finish(&self) -> Result<(), LedgerError> {
        self.commit(1).await
    }

    /// Writes what has come together, if it is so much.
    async fn commit(&self, enough: usize) -> Result<(), LedgerError> {
        let Notes { good, forgotten } = {
            let mut notes = self.notes();
            if notes.good.len() + notes.forgotten.len() < enough {
                return Ok(());
            }
            std::mem::take(&mut *notes)
        };
        self.checks.note_checks(good, forgotten).await
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What earlier checks found, in key order, asked for one key after the other.
pub(super) struct Strip {
    checks: Arc<dyn Checks>,
    page: VecDeque<Checked>,
    last: Option<Key>,
    has_ended: bool,
}

impl Strip {
    /// What was found of this key, which comes after all that were asked for
    /// before; and the keys before it that nobody asked for.
    pub(super) async fn of(&mut self, key: &Key) -> Result<(Option<Checked>, Vec<Key>), LedgerError> {
        let mut passed = Vec::new();
        loop {
            while let Some(next) = self.page.pop_front_if(|next| next.key <= *key) {
                if next.key == *key {
                    return Ok((Some(next), passed));
                }
                passed.push(next.key);
            }
            if !self.page.is_empty() || !self.read_on().await? {
                return Ok((None, passed));
            }
        }
    }

    /// The next keys that nobody asked for; empty at the end.
    pub(super) async fn rest(&mut self) -> Result<Vec<Key>, LedgerError> {
        if self.page.is_empty() {
            self.read_on().await?;
        }
        Ok(self.page.drain(..).map(|checked| checked.key).collect())
    }

    async fn read_on(&mut self) -> Result<bool, LedgerError> {
        if self.has_ended {
            return Ok(false);
        }
        self.page = self.checks.checked(self.last.as_ref(), PAGE).await?.into();
        self.has_ended = self.page.is_empty();
        self.last = self.page.back().map(|last| last.key.clone()).or(self.last.take());
        Ok(!self.has_ended)
    }
}
