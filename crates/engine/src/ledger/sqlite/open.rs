//! Opening a ledger's file, or making it.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags};

use super::{SqliteLedger, Trouble, schema};
use crate::ledger::LedgerError;
use crate::ledger::file::file_system_of;

/// The two places that a ledger is about, each as its store tells it from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// Where objects come from.
    pub source: String,
    /// Where they go.
    pub dest: String,
}

/// What a ledger is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To be written; made if it isn't there.
    Write,
    /// To be read, and not changed.
    Read,
}

/// What kind of file system a ledger is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// One of this machine: others may read while a run writes.
    Local,
    /// One without memory that processes share: the ledger is locked as a whole.
    Network,
}

/// What tells a file from any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// That of the file which has this path now.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

impl SqliteLedger {
    /// Opens the ledger of these locations. One that isn't there is made, and
    /// the directory it is in, for nobody else to read; with [`Access::Read`], it is `None`.
    pub fn open(path: &Path, binding: &Binding, access: Access) -> Result<Option<Self>, LedgerError> {
        Self::open_on(file_system_of(path), path, binding, access)
    }

    /// The same on a file system of this kind.
    pub(super) fn open_on(
        file_system: FileSystem,
        path: &Path,
        binding: &Binding,
        access: Access,
    ) -> Result<Option<Self>, LedgerError> {
        let ledger = Self::open_any_on(file_system, path, access)?;
        let Some(ledger) = ledger else { return Ok(None) };
        let bind = |connection: &Connection| -> Result<Binding, Trouble> {
            let bound = schema::binding(connection)?;
            if bound == Binding::default() && access == Access::Write {
                schema::bind(connection, binding)?;
                return Ok(binding.clone());
            }
            Ok(bound)
        };
        let bound = bind(&ledger.connection()).map_err(|trouble| trouble.of(path, "open"))?;
        if bound == *binding {
            return Ok(Some(ledger));
        }
        if bound == Binding::default() {
            // It was only just made, and there is nothing in it.
            return Ok(None);
        }
        Err(LedgerError::OtherLocations {
            path: path.to_owned(),
            source_location: bound.source,
            dest: bound.dest,
            wanted_source: binding.source.clone(),
            wanted_dest: binding.dest.clone(),
        })
    }

    /// Opens a ledger, whatever locations it is of.
    pub fn open_any(path: &Path, access: Access) -> Result<Option<Self>, LedgerError> {
        Self::open_any_on(file_system_of(path), path, access)
    }

    fn open_any_on(file_system: FileSystem, path: &Path, access: Access) -> Result<Option<Self>, LedgerError> {
        let refused = |reason: io::Error| LedgerError::Refused {
            doing: "open",
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        match access {
            Access::Write => make(path).map_err(refused)?,
            Access::Read => match fs::metadata(path) {
                // One that was just made, and has nothing in it yet.
                Ok(metadata) if metadata.len() == 0 => return Ok(None),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(refused(error)),
            },
        }
        let identity = Identity::at(path).map_err(refused)?;
        let connection = connect(path, access, file_system)?;
        Ok(Some(Self { path: path.to_owned(), identity, connection: Arc::new(Mutex::new(connection)) }))
    }
}

/// Makes the file if it isn't there: SQLite gives what it makes beside it the same permissions.
fn make(path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => OpenOptions::new().write(true).open(path).map(drop),
    }
}

fn connect(path: &Path, access: Access, file_system: FileSystem) -> Result<Connection, LedgerError> {
    let flags = match access {
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let connected = || -> Result<(Connection, i64), Trouble> {
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        if file_system == FileSystem::Network {
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        }
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (application, format) = (number("application_id")?, number("user_version")?);
        let is_new = application == 0 && format == 0 && number("schema_version")? == 0;
        if application != schema::APPLICATION && !is_new {
            return Err(Trouble::Database(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB),
                None,
            )));
        }
        Ok((connection, format))
    };
    let (mut connection, format) = connected().map_err(|trouble| trouble.of(path, "open"))?;
    if format > schema::FORMAT {
        return Err(LedgerError::Newer { path: path.to_owned(), found: format, known: schema::FORMAT });
    }
    if access == Access::Write {
        prepare(&mut connection, format).map_err(|trouble| trouble.of(path, "open"))?;
    }
    Ok(connection)
}

fn prepare(connection: &mut Connection, format: i64) -> Result<(), Trouble> {
    // A commit needs no sync of its own: whatever the disk has kept after a
    // power cut is some state that the ledger was in, and no later one than the files'.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    if format < schema::FORMAT {
        schema::migrate(connection, format)?;
    }
    Ok(())
}
