//! Making changes in a ledger's tables.

use brigade_store::Key;
use rusqlite::{Connection, Statement, Transaction};

use super::Trouble;
use crate::events::Side;
use crate::ledger::encoding::{encode_beginning, encode_fingerprint, encode_pair};
use crate::ledger::{Apart, BegunUpload, Change, Cursor, Held, Index};
use crate::spool::encode_action;

/// Makes the changes, in their order.
pub(super) fn make(transaction: &Transaction<'_>, changes: &[Change]) -> Result<(), Trouble> {
    let mut statements = Statements {
        connection: transaction,
        any_apart: transaction.query_row("SELECT EXISTS (SELECT 1 FROM apart)", [], |row| row.get(0))?,
        settle: None,
        unsettle: None,
        rejoin: None,
        spool: None,
        unspool: None,
    };
    changes.iter().try_for_each(|change| statements.make(change))
}

/// The statements that come by the thousand, each prepared when it first comes.
struct Statements<'a> {
    connection: &'a Connection,
    /// Whether there may be keys that are apart; mostly there are none to be looked for.
    any_apart: bool,
    settle: Option<Statement<'a>>,
    unsettle: Option<Statement<'a>>,
    rejoin: Option<Statement<'a>>,
    spool: Option<Statement<'a>>,
    unspool: Option<Statement<'a>>,
}

const SETTLE: &str = "INSERT INTO settled (key, pair) VALUES (?1, ?2) \
                      ON CONFLICT (key) DO UPDATE SET pair = excluded.pair";
const UNSETTLE: &str = "DELETE FROM settled WHERE key = ?1";
const REJOIN: &str = "DELETE FROM apart WHERE key = ?1";
const SPOOL: &str = "INSERT INTO spool (phase, key, action) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (phase, key) DO UPDATE SET action = excluded.action";
const UNSPOOL: &str = "DELETE FROM spool WHERE phase = ?1 AND key = ?2";

fn prepared<'a, 's>(
    connection: &'a Connection,
    place: &'s mut Option<Statement<'a>>,
    sql: &str,
) -> Result<&'s mut Statement<'a>, Trouble> {
    Ok(match place {
        Some(statement) => statement,
        none => none.insert(connection.prepare(sql)?),
    })
}

impl Statements<'_> {
    fn make(&mut self, change: &Change) -> Result<(), Trouble> {
        let connection = self.connection;
        match change {
            Change::Settle(pair) => {
                let settle = prepared(connection, &mut self.settle, SETTLE)?;
                settle.execute((pair.key.as_bytes(), encode_pair(pair)))?;
                self.rejoin(&pair.key)?;
            }
            Change::Apart(Apart { key, dest }) => {
                let dest = match dest {
                    Held::Version(version) => Some(encode_fingerprint(version)),
                    Held::Nothing => Some(vec![]),
                    Held::InDoubt => None,
                };
                let sql = "INSERT OR REPLACE INTO apart (key, dest) VALUES (?1, ?2)";
                connection.execute(sql, (key.as_bytes(), dest))?;
                self.any_apart = true;
            }
            Change::Index(index) => {
                put_index(connection, index.as_ref())?;
                self.any_apart &= index.is_some();
            }
            Change::Spool(phase, action) => {
                let spool = prepared(connection, &mut self.spool, SPOOL)?;
                let record = encode_action(action).map_err(|_| Trouble::Garbled)?;
                spool.execute((*phase as u8, action.key().as_bytes(), record))?;
            }
            Change::Unspool(phase, key) => {
                prepared(connection, &mut self.unspool, UNSPOOL)?.execute((*phase as u8, key.as_bytes()))?;
            }
            Change::Unsettle(key) => {
                prepared(connection, &mut self.unsettle, UNSETTLE)?.execute([key.as_bytes()])?;
                self.rejoin(key)?;
            }
            Change::Begin { job, begun } => {
                forget_progress(connection)?;
                let (seconds, nanoseconds) = brigade_store::time::since_epoch(*begun);
                let sql = "INSERT INTO run (only_one, job, begun_seconds, begun_nanoseconds) VALUES (0, ?1, ?2, ?3)";
                connection.execute(sql, (&job.0, seconds, nanoseconds))?;
            }
            Change::End => forget_progress(connection)?,
            Change::Cursor(cursor) => move_cursor(connection, cursor)?,
            Change::Relist => {
                connection.execute("DELETE FROM ranges", [])?;
            }
            Change::Failed(key) => {
                connection.execute("INSERT OR IGNORE INTO failed (key) VALUES (?1)", [key.as_bytes()])?;
            }
            Change::Resolved(key) => {
                connection.execute("DELETE FROM failed WHERE key = ?1", [key.as_bytes()])?;
            }
            Change::UploadBegun(upload) => begin_upload(connection, upload)?,
            Change::UploadEnded { key, upload_id } => {
                let sql = "DELETE FROM uploads WHERE key = ?1 AND upload_id = ?2";
                connection.execute(sql, (key.as_bytes(), upload_id))?;
            }
            Change::Unordered(side) => {
                let side = i64::from(*side == Side::Dest);
                connection.execute("UPDATE locations SET unordered = 1 WHERE side = ?1", [side])?;
            }
        }
        Ok(())
    }

    /// The key is not apart any more.
    fn rejoin(&mut self, key: &Key) -> Result<(), Trouble> {
        if self.any_apart {
            prepared(self.connection, &mut self.rejoin, REJOIN)?.execute([key.as_bytes()])?;
        }
        Ok(())
    }
}

/// Without an index, nothing is known of what isn't settled.
fn put_index(connection: &Connection, index: Option<&Index>) -> Result<(), Trouble> {
    match index {
        Some(Index { filters, is_whole, in_use }) => {
            let sql = "INSERT OR REPLACE INTO listed (only_one, filters, is_whole, in_use) VALUES (0, ?1, ?2, ?3)";
            connection.execute(sql, (&filters.0, is_whole, in_use))?;
        }
        None => connection.execute_batch("DELETE FROM listed; DELETE FROM apart;")?,
    }
    Ok(())
}

fn forget_progress(connection: &Connection) -> Result<(), Trouble> {
    Ok(connection.execute_batch("DELETE FROM run; DELETE FROM ranges; DELETE FROM failed; DELETE FROM spool;")?)
}

fn move_cursor(connection: &Connection, cursor: &Cursor) -> Result<(), Trouble> {
    let unseen = cursor.unseen;
    // Without a run, there is nothing for it to be of.
    let sql = "INSERT OR REPLACE INTO ranges (after, through, source_objects, dest_objects, extra, excluded, held) \
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 FROM run";
    connection.execute(
        sql,
        (
            encode_beginning(cursor.after.as_ref()),
            cursor.through.as_ref().map(Key::as_bytes),
            unseen.source_objects,
            unseen.dest_objects,
            unseen.extra,
            unseen.excluded,
            unseen.held,
        ),
    )?;
    Ok(())
}

fn begin_upload(connection: &Connection, upload: &BegunUpload) -> Result<(), Trouble> {
    let sql = "INSERT OR REPLACE INTO uploads (key, upload_id, source, unsure, part_size, terms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let BegunUpload { key, upload_id, source, unsure, part_size, terms } = upload;
    connection.execute(sql, (key.as_bytes(), upload_id, encode_fingerprint(source), unsure, part_size, terms))?;
    Ok(())
}
