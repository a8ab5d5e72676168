//! `--report FILE`: every event of a run, in a file of its own, as `--output json` writes them.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// The file, while it is written.
#[derive(Debug)]
pub(crate) struct ReportFile {
    path: PathBuf,
    file: BufWriter<File>,
    /// Lines that came before it was known that the run may begin: until then, the file may be another run's.
    early: Option<String>,
    /// Why a line could not be written: then no more is.
    failed: Option<std::io::Error>,
}

/// What could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write the report {path}: {reason}; choose another place with --report")]
pub(crate) struct ReportError {
    path: PathBuf,
    reason: std::io::Error,
}

impl ReportFile {
    /// Opens the file, and makes it if it isn't there; what it holds stays until the run begins.
    pub(crate) fn open(path: &Path) -> Result<Self, ReportError> {
        match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
            Ok(file) => {
                let (path, file) = (path.to_owned(), BufWriter::new(file));
                Ok(Self { path, file, early: Some(String::new()), failed: None })
            }
            Err(reason) => Err(ReportError { path: path.to_owned(), reason }),
        }
    }

    /// Begins to write: what the file held is gone.
    pub(super) fn begin(&mut self) {
        if let Some(early) = self.early.take() {
            // What isn't a regular file has no length to cut.
            let is_file = self.file.get_ref().metadata().is_ok_and(|metadata| metadata.is_file());
            self.failed = if is_file { self.file.get_ref().set_len(0).err() } else { None };
            self.line(&early);
        }
    }

    /// Writes a line, which has its end.
    pub(super) fn line(&mut self, line: &str) {
        match &mut self.early {
            Some(early) => early.push_str(line),
            None if self.failed.is_none() => self.failed = self.file.write_all(line.as_bytes()).err(),
            None => {}
        }
    }

    /// Writes what waits in memory; fails if anything could not be written.
    pub(crate) fn finish(&mut self) -> Result<(), ReportError> {
        let written = match self.failed.take() {
            Some(reason) => Err(reason),
            None => self.file.flush(),
        };
        written.map_err(|reason| ReportError { path: self.path.clone(), reason })
    }
}
