//! The ledger as a file: one SQLite database for each pair of locations.
//! docs/formats/ledger.md says what is in it.

mod changes;
mod checks;
mod open;
mod rows;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use brigade_store::Key;
use rusqlite::{Connection, Error, ErrorCode};
use tokio::task::spawn_blocking;

pub use open::{Access, Binding, FileSystem};
pub use schema::{APPLICATION, FORMAT};

use super::{Apart, Change, Ledger, LedgerError, Progress, Remembered, Settled, SettledPair};
use crate::plan::{Action, Phase};

/// A ledger in a file.
#[derive(Clone)]
pub struct SqliteLedger {
    path: PathBuf,
    /// What tells the file from another one that has taken its name.
    identity: open::Identity,
    connection: Arc<Mutex<Connection>>,
}

/// What is in a ledger, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The locations that it is bound to.
    pub binding: Binding,
    /// How many pairs are settled.
    pub settled: u64,
    /// What an earlier run left.
    pub remembered: Remembered,
}

impl SqliteLedger {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it.
    pub async fn contents(&self) -> Result<Contents, LedgerError> {
        self.with(|connection| {
            Ok(Contents {
                binding: schema::binding(connection)?,
                settled: rows::count(connection)?,
                remembered: rows::remembered(connection)?,
            })
        })
        .await
    }

    /// Moves everything into the one file, and lets go of it: nothing is beside
    /// it then, and it may be copied.
    pub async fn close(self) -> Result<(), LedgerError> {
        self.with(|connection| {
            connection.pragma_update(None, "wal_checkpoint", "TRUNCATE")?;
            connection.pragma_update(None, "journal_mode", "DELETE")?;
            Ok(())
        })
        .await
    }

    /// Does this where it may block, with the connection.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let this = self.clone();
        spawn_blocking(move || work(&mut this.connection()).map_err(|trouble| trouble.of(&this.path, "use"))).await?
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A transaction that was cut short is rolled back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Settled for SqliteLedger {
    async fn page(&self, after: Option<&Key>, most: usize) -> Result<Vec<SettledPair>, LedgerError> {
        let after = after.cloned();
        self.with(move |connection| rows::page(connection, after.as_ref(), most)).await
    }

    async fn pair(&self, key: &Key) -> Result<Option<SettledPair>, LedgerError> {
        let key = key.clone();
        self.with(move |connection| rows::pair(connection, &key)).await
    }

    async fn sample(&self, most: usize) -> Result<Vec<SettledPair>, LedgerError> {
        self.with(move |connection| rows::sample(connection, most)).await
    }

    async fn apart(&self, after: Option<&Key>, most: usize) -> Result<Vec<Apart>, LedgerError> {
        let after = after.cloned();
        self.with(move |connection| rows::apart(connection, after.as_ref(), most)).await
    }
}

#[async_trait]
impl Progress for SqliteLedger {
    async fn progress(&self) -> Result<Remembered, LedgerError> {
        self.with(|connection| rows::remembered(connection)).await
    }

    async fn spooled(&self, phase: Phase, after: Option<&Key>, most: usize) -> Result<Vec<Action>, LedgerError> {
        let after = after.cloned();
        self.with(move |connection| rows::spooled(connection, phase, after.as_ref(), most)).await
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), LedgerError> {
        self.with(move |connection| {
            // What a power cut undoes of other commits is done again; an index must not be believed again.
            let is_to_last = changes.iter().any(|change| matches!(change, Change::Index(_)));
            if is_to_last {
                connection.pragma_update(None, "synchronous", "FULL")?;
            }
            let committed = commit(connection, &changes);
            if is_to_last {
                connection.pragma_update(None, "synchronous", "NORMAL")?;
            }
            committed
        })
        .await
    }

    async fn check_kept(&self) -> Option<String> {
        let (path, identity) = (self.path.clone(), self.identity);
        let is_there = spawn_blocking(move || open::Identity::at(&path).is_ok_and(|now| now == identity)).await;
        (!matches!(is_there, Ok(true))).then(|| {
            format!(
                "the ledger {} was removed or replaced while the run was on: the next run won't remember this one",
                self.path.display()
            )
        })
    }
}

fn commit(connection: &mut Connection, changes: &[Change]) -> Result<(), Trouble> {
    let transaction = connection.transaction()?;
    changes::make(&transaction, changes)?;
    Ok(transaction.commit()?)
}

/// What went wrong in the database.
#[derive(Debug)]
enum Trouble {
    Database(Error),
    /// A record does not read as it was written.
    Garbled,
}

impl Trouble {
    fn of(self, path: &Path, doing: &'static str) -> LedgerError {
        let path = path.to_owned();
        match self {
            Self::Garbled => LedgerError::Damaged { path, reason: super::encoding::Garbled.to_string() },
            Self::Database(error) => match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase) => LedgerError::NoLedger(path),
                // Without a code, a table isn't what it was made as.
                Some(ErrorCode::DatabaseCorrupt) | None => LedgerError::Damaged { path, reason: error.to_string() },
                Some(_) => LedgerError::Refused { doing, path, reason: error.to_string() },
            },
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<super::encoding::Garbled> for Trouble {
    fn from(_: super::encoding::Garbled) -> Self {
        Self::Garbled
    }
}

#[cfg(test)]
mod tests;
