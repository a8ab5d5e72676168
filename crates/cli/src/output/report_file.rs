//! `--report FILE`: every event of a run, in a file of its own, as `--output json` writes them.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// The file, while it is written.
#[derive(Debug)]
pub(crate) struct ReportFile {
    path: PathBuf,
    file: BufWriter<File>,
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
    /// Begins the file; what it held is gone.
    pub(crate) fn create(path: &Path) -> Result<Self, ReportError> {
        match File::create(path) {
            Ok(file) => Ok(Self { path: path.to_owned(), file: BufWriter::new(file), failed: None }),
            Err(reason) => Err(ReportError { path: path.to_owned(), reason }),
        }
    }

    /// Writes a line, which has its end.
    pub(super) fn line(&mut self, line: &str) {
        if self.failed.is_none() {
            self.failed = self.file.write_all(line.as_bytes()).err();
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
