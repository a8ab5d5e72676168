//! What is remembered of checks: a table of its own, which no sync reads or writes.

use async_trait::async_trait;
use brigade_store::{Key, time};
use rusqlite::Connection;

use super::{SqliteLedger, Trouble, rows, schema};
use crate::ledger::{Checked, Checks, LedgerError, VersionsDigest};

const NOTE: &str = "INSERT INTO checked (key, versions, seconds) VALUES (?1, ?2, ?3) \
                    ON CONFLICT (key) DO UPDATE SET versions = excluded.versions, seconds = excluded.seconds";
const FORGET: &str = "DELETE FROM checked WHERE key = ?1";

#[async_trait]
impl Checks for SqliteLedger {
    async fn checked(&self, after: Option<&Key>, most: usize) -> Result<Vec<Checked>, LedgerError> {
        let after = after.cloned();
        self.with(move |connection| page(connection, after.as_ref(), most)).await
    }

    async fn note_checks(&self, good: Vec<Checked>, forgotten: Vec<Key>) -> Result<(), LedgerError> {
        self.with(move |connection| note(connection, &good, &forgotten)).await
    }
}

fn page(connection: &Connection, after: Option<&Key>, most: usize) -> Result<Vec<Checked>, Trouble> {
    if schema::format(connection)? < schema::HAS_CHECKS {
        return Ok(vec![]);
    }
    let sql = match after {
        Some(_) => "SELECT key, versions, seconds FROM checked WHERE key > ?1 ORDER BY key LIMIT ?2",
        None => "SELECT key, versions, seconds FROM checked WHERE key >= ?1 ORDER BY key LIMIT ?2",
    };
    let mut statement = connection.prepare(sql)?;
    let mut found = statement.query((rows::bytes(after), rows::count_of(most)))?;
    let mut checked = Vec::with_capacity(most);
    while let Some(row) = found.next()? {
        let versions = rows::blob(row, 1)?.try_into().map_err(|_| Trouble::Garbled)?;
        let (versions, at) = (VersionsDigest(versions), time::at(row.get(2)?, 0));
        checked.push(Checked { key: rows::key(row, 0)?, versions, at });
    }
    Ok(checked)
}

fn note(connection: &mut Connection, good: &[Checked], forgotten: &[Key]) -> Result<(), Trouble> {
    let transaction = connection.transaction()?;
    {
        let mut forget = transaction.prepare(FORGET)?;
        for key in forgotten {
            forget.execute([key.as_bytes()])?;
        }
        let mut note = transaction.prepare(NOTE)?;
        for Checked { key, versions, at } in good {
            note.execute((key.as_bytes(), &versions.0, time::since_epoch(*at).0))?;
        }
    }
    Ok(transaction.commit()?)
}
