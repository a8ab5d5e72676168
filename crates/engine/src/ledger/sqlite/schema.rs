//! The tables of a ledger, and how older ones become them.

use rusqlite::{Connection, OptionalExtension};

use super::{Binding, Trouble};

/// The newest format that this program writes, and the newest that it reads: SQLite's `user_version`.
pub const FORMAT: i64 = 5;

/// The first format that has an index: whoever only reads doesn't migrate.
pub(super) const HAS_INDEX: i64 = 3;

/// The first format that remembers checks.
pub(super) const HAS_CHECKS: i64 = 4;

/// The first format that remembers with what uploads were begun.
pub(super) const HAS_TERMS: i64 = 5;

/// What tells a ledger from any other SQLite database: SQLite's `application_id`, the letters BRGD.
pub const APPLICATION: i64 = 0x4252_4744;

/// What makes each format of the one before it; the first, of nothing.
const MIGRATIONS: [&str; 5] = [FIRST, RANGES, INDEX, CHECKS, TERMS];

pub(super) const FIRST: &str = "
    CREATE TABLE locations (
        side INTEGER PRIMARY KEY,
        location TEXT NOT NULL,
        unordered INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE settled (key BLOB PRIMARY KEY, pair BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE run (
        only_one INTEGER PRIMARY KEY CHECK (only_one = 0),
        job BLOB NOT NULL,
        begun_seconds INTEGER NOT NULL,
        begun_nanoseconds INTEGER NOT NULL,
        has_cursor INTEGER NOT NULL DEFAULT 0,
        through BLOB,
        source_objects INTEGER NOT NULL DEFAULT 0,
        dest_objects INTEGER NOT NULL DEFAULT 0,
        extra INTEGER NOT NULL DEFAULT 0,
        excluded INTEGER NOT NULL DEFAULT 0,
        held INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE failed (key BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE spool (
        phase INTEGER NOT NULL,
        key BLOB NOT NULL,
        action BLOB NOT NULL,
        PRIMARY KEY (phase, key)
    ) WITHOUT ROWID;
    CREATE TABLE uploads (
        key BLOB NOT NULL,
        upload_id TEXT NOT NULL,
        source BLOB NOT NULL,
        unsure INTEGER NOT NULL,
        part_size INTEGER NOT NULL,
        PRIMARY KEY (key, upload_id)
    ) WITHOUT ROWID;
";

/// A run has a cursor for each of its ranges.
const RANGES: &str = "
    CREATE TABLE ranges (
        after BLOB PRIMARY KEY,
        through BLOB,
        source_objects INTEGER NOT NULL,
        dest_objects INTEGER NOT NULL,
        extra INTEGER NOT NULL,
        excluded INTEGER NOT NULL,
        held INTEGER NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO ranges SELECT x'', through, source_objects, dest_objects, extra, excluded, held
        FROM run WHERE has_cursor = 1;
    ALTER TABLE run DROP COLUMN has_cursor;
    ALTER TABLE run DROP COLUMN through;
    ALTER TABLE run DROP COLUMN source_objects;
    ALTER TABLE run DROP COLUMN dest_objects;
    ALTER TABLE run DROP COLUMN extra;
    ALTER TABLE run DROP COLUMN excluded;
    ALTER TABLE run DROP COLUMN held;
";

/// What is known of a destination stands for a listing of it.
const INDEX: &str = "
    CREATE TABLE apart (key BLOB PRIMARY KEY, dest BLOB) WITHOUT ROWID;
    CREATE TABLE listed (
        only_one INTEGER PRIMARY KEY CHECK (only_one = 0),
        filters BLOB NOT NULL,
        is_whole INTEGER NOT NULL,
        in_use INTEGER NOT NULL
    );
";

/// When objects were last found good.
const CHECKS: &str = "
    CREATE TABLE checked (key BLOB PRIMARY KEY, versions BLOB NOT NULL, seconds INTEGER NOT NULL) WITHOUT ROWID;
";

/// With what uploads were begun.
const TERMS: &str = "
    ALTER TABLE uploads ADD COLUMN terms BLOB;
";

/// Brings the tables to the newest format, from whichever they have.
pub(super) fn migrate(connection: &mut Connection, from: i64) -> Result<(), Trouble> {
    let done = usize::try_from(from).unwrap_or(0);
    let transaction = connection.transaction()?;
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    Ok(transaction.commit()?)
}

/// The format that it has.
pub(super) fn format(connection: &Connection) -> Result<i64, Trouble> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// The locations that the ledger is bound to; empty before they are written.
pub(super) fn binding(connection: &Connection) -> Result<Binding, Trouble> {
    let side = |side: i64| {
        connection
            .query_row("SELECT location FROM locations WHERE side = ?1", [side], |row| row.get(0))
            .optional()
            .map(Option::unwrap_or_default)
    };
    Ok(Binding { source: side(0)?, dest: side(1)? })
}

/// Binds a new ledger to its locations, both or none.
pub(super) fn bind(connection: &Connection, binding: &Binding) -> Result<(), Trouble> {
    let sql = "INSERT INTO locations (side, location) VALUES (0, ?1), (1, ?2)";
    connection.execute(sql, (&binding.source, &binding.dest))?;
    Ok(())
}
