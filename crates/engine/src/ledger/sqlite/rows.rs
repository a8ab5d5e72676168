//! Reading a ledger's rows.

use brigade_store::{Key, time};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{Trouble, schema};
use crate::events::Side;
use crate::job::JobDigest;
use crate::ledger::cursor::joined;
use crate::ledger::encoding::{Garbled, decode_beginning, decode_fingerprint, decode_pair};
use crate::ledger::{Apart, BegunUpload, Cursor, Held, Index, Remembered, SettledPair, UnfinishedRun, Unseen};
use crate::plan::{Action, Phase};
use crate::spool::decode_action;

/// The next pairs after a key.
pub(super) fn page(connection: &Connection, after: Option<&Key>, most: usize) -> Result<Vec<SettledPair>, Trouble> {
    let sql = match after {
        Some(_) => "SELECT key, pair FROM settled WHERE key > ?1 ORDER BY key LIMIT ?2",
        None => "SELECT key, pair FROM settled WHERE key >= ?1 ORDER BY key LIMIT ?2",
    };
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query((bytes(after), count_of(most)))?;
    let mut pairs = Vec::with_capacity(most);
    while let Some(row) = rows.next()? {
        pairs.push(decode_pair(key(row, 0)?, blob(row, 1)?)?);
    }
    Ok(pairs)
}

/// The pair of a key.
pub(super) fn pair(connection: &Connection, key: &Key) -> Result<Option<SettledPair>, Trouble> {
    let sql = "SELECT pair FROM settled WHERE key = ?1";
    let found = connection.query_row(sql, [key.as_bytes()], |row| row.get::<_, Vec<u8>>(0)).optional()?;
    Ok(found.map(|record| decode_pair(key.clone(), &record)).transpose()?)
}

/// Any pairs. Every row is passed over once, which costs a tenth of a microsecond each.
pub(super) fn sample(connection: &Connection, most: usize) -> Result<Vec<SettledPair>, Trouble> {
    let any = if schema::format(connection)? < schema::HAS_INDEX {
        "SELECT key FROM settled"
    } else {
        "SELECT key FROM settled WHERE key NOT IN (SELECT key FROM apart)"
    };
    let sql = format!("SELECT key, pair FROM settled WHERE key IN ({any} ORDER BY random() LIMIT ?1)");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([count_of(most)])?;
    let mut pairs = Vec::with_capacity(most);
    while let Some(row) = rows.next()? {
        pairs.push(decode_pair(key(row, 0)?, blob(row, 1)?)?);
    }
    Ok(pairs)
}

/// The next keys after one that are apart.
pub(super) fn apart(connection: &Connection, after: Option<&Key>, most: usize) -> Result<Vec<Apart>, Trouble> {
    if schema::format(connection)? < schema::HAS_INDEX {
        return Ok(vec![]);
    }
    let sql = match after {
        Some(_) => "SELECT key, dest FROM apart WHERE key > ?1 ORDER BY key LIMIT ?2",
        None => "SELECT key, dest FROM apart WHERE key >= ?1 ORDER BY key LIMIT ?2",
    };
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query((bytes(after), count_of(most)))?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let dest = match row.get_ref(1)?.as_blob_or_null().map_err(|_| Trouble::Garbled)? {
            None => Held::InDoubt,
            Some([]) => Held::Nothing,
            Some(version) => Held::Version(decode_fingerprint(version)?),
        };
        keys.push(Apart { key: key(row, 0)?, dest });
    }
    Ok(keys)
}

/// How many pairs there are.
pub(super) fn count(connection: &Connection) -> Result<u64, Trouble> {
    Ok(connection.query_row("SELECT count(*) FROM settled", [], |row| row.get(0))?)
}

/// The next spooled actions of a phase after a key.
pub(super) fn spooled(
    connection: &Connection,
    phase: Phase,
    after: Option<&Key>,
    most: usize,
) -> Result<Vec<Action>, Trouble> {
    let sql = match after {
        Some(_) => "SELECT action FROM spool WHERE phase = ?3 AND key > ?1 ORDER BY key LIMIT ?2",
        None => "SELECT action FROM spool WHERE phase = ?3 AND key >= ?1 ORDER BY key LIMIT ?2",
    };
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query((bytes(after), count_of(most), phase as u8))?;
    let mut actions = Vec::with_capacity(most);
    while let Some(row) = rows.next()? {
        actions.push(decode_action(blob(row, 0)?).map_err(|_| Garbled)?);
    }
    Ok(actions)
}

/// What an earlier run left.
pub(super) fn remembered(connection: &Connection) -> Result<Remembered, Trouble> {
    Ok(Remembered {
        run: run(connection)?,
        uploads: uploads(connection)?,
        unordered: unordered(connection)?,
        index: index(connection)?,
    })
}

fn run(connection: &Connection) -> Result<Option<UnfinishedRun>, Trouble> {
    let sql = "SELECT job, begun_seconds, begun_nanoseconds FROM run";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(UnfinishedRun {
        job: JobDigest(row.get(0)?),
        begun: time::at(row.get(1)?, row.get(2)?),
        cursors: cursors(connection)?,
        failed: failed(connection)?,
        spooled: spool_counts(connection)?,
    }))
}

fn cursors(connection: &Connection) -> Result<Vec<Cursor>, Trouble> {
    let sql = match schema::format(connection)? {
        // Whoever only reads doesn't migrate: there, the run has one range.
        ..2 => "SELECT x'', through, source_objects, dest_objects, extra, excluded, held FROM run WHERE has_cursor = 1",
        _ => "SELECT after, through, source_objects, dest_objects, extra, excluded, held FROM ranges",
    };
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut cursors = Vec::new();
    while let Some(row) = rows.next()? {
        cursors.push(Cursor {
            after: decode_beginning(blob(row, 0)?)?,
            through: row.get::<_, Option<Vec<u8>>>(1)?.map(Key::new),
            unseen: Unseen {
                source_objects: row.get(2)?,
                dest_objects: row.get(3)?,
                extra: row.get(4)?,
                excluded: row.get(5)?,
                held: row.get(6)?,
            },
        });
    }
    Ok(joined(cursors))
}

fn failed(connection: &Connection) -> Result<Vec<Key>, Trouble> {
    let mut statement = connection.prepare("SELECT key FROM failed ORDER BY key")?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(key(row, 0)?);
    }
    Ok(keys)
}

fn spool_counts(connection: &Connection) -> Result<[u64; Phase::COUNT], Trouble> {
    let mut counts = [0; Phase::COUNT];
    for (phase, waiting) in counts.iter_mut().enumerate() {
        let phase = u8::try_from(phase).unwrap_or(u8::MAX);
        *waiting = connection.query_row("SELECT count(*) FROM spool WHERE phase = ?1", [phase], |row| row.get(0))?;
    }
    Ok(counts)
}

fn uploads(connection: &Connection) -> Result<Vec<BegunUpload>, Trouble> {
    let terms = if schema::format(connection)? < schema::HAS_TERMS { "NULL" } else { "terms" };
    let sql = format!("SELECT key, upload_id, source, unsure, part_size, {terms} FROM uploads ORDER BY key, upload_id");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut uploads = Vec::new();
    while let Some(row) = rows.next()? {
        uploads.push(BegunUpload {
            key: key(row, 0)?,
            upload_id: row.get(1)?,
            source: decode_fingerprint(blob(row, 2)?)?,
            unsure: row.get(3)?,
            part_size: row.get(4)?,
            terms: row.get(5)?,
        });
    }
    Ok(uploads)
}

fn unordered(connection: &Connection) -> Result<Vec<Side>, Trouble> {
    let mut sides = Vec::new();
    for (number, side) in [(0, Side::Source), (1, Side::Dest)] {
        let sql = "SELECT unordered FROM locations WHERE side = ?1";
        if connection.query_row(sql, [number], |row| row.get(0)).optional()? == Some(true) {
            sides.push(side);
        }
    }
    Ok(sides)
}

fn index(connection: &Connection) -> Result<Option<Index>, Trouble> {
    if schema::format(connection)? < schema::HAS_INDEX {
        return Ok(None);
    }
    let index =
        |row: &Row<'_>| Ok(Index { filters: JobDigest(row.get(0)?), is_whole: row.get(1)?, in_use: row.get(2)? });
    Ok(connection.query_row("SELECT filters, is_whole, in_use FROM listed", [], index).optional()?)
}

pub(super) fn bytes(key: Option<&Key>) -> &[u8] {
    key.map_or(&[], Key::as_bytes)
}

pub(super) fn count_of(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

pub(super) fn key(row: &Row<'_>, column: usize) -> Result<Key, Trouble> {
    Ok(Key::new(blob(row, column)?))
}

pub(super) fn blob<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8], Trouble> {
    row.get_ref(column)?.as_blob().map_err(|_| Trouble::Garbled)
}
