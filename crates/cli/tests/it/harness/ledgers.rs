//! Ledgers, looked at and changed by a program that nobody here wrote.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Ended, Scene, tool};

/// Runs one statement, and writes the first column of what it gives.
const STATEMENT: &str = "\
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as ledger:
    for row in ledger.execute(sys.argv[2]):
        print(row[0])";

impl Scene {
    /// Runs a statement in a ledger; a line of the first column for each row.
    #[track_caller]
    pub(crate) fn in_ledger(&self, ledger: &Path, statement: &str) -> String {
        let mut python = self.command(&tool("python3"));
        python.args(["-c", STATEMENT]).arg(ledger).arg(statement);
        Ended::of(python).exits(0).stdout.trim_end().to_owned()
    }
}

/// The ledgers in a directory of ledgers; none where it isn't there.
pub(crate) fn ledgers_in(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "ledger")).collect()
}
