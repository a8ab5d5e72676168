//! How far a run that was killed had come by its own ledger, and that the next one
//! does nothing of that again.

use std::collections::BTreeSet;
use std::fs;

use super::stage::Stage;
use crate::harness::{RequestRecord, ledgers_in};

/// What it had committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Committed {
    /// The ranges that were done: after which key, none for the first one, and through which, none for the last.
    pub(super) ranges: Vec<[Option<String>; 2]>,
    /// The keys that were still to be deleted.
    spooled: BTreeSet<String>,
    /// Whether the bucket can be asked to list what comes after a key.
    is_known: bool,
}

const RANGES: &str = "\
    SELECT CASE WHEN after = x'' THEN '-' ELSE CAST(substr(after, 2) AS TEXT) END || ' ' || \
    CASE WHEN through IS NULL THEN '-' ELSE CAST(through AS TEXT) END FROM ranges";

const SPOOLED: &str = "SELECT CAST(key AS TEXT) FROM spool";

impl Committed {
    /// By the ledger that a run left.
    pub(super) fn by(stage: &Stage) -> Self {
        let scene = &stage.scene;
        let ledgers = ledgers_in(&scene.path(".local/state/brigade"));
        let Some(ledger) = ledgers.first() else { return Self::default() };
        // Looked at as a copy: SQLite tidies up behind whoever closes a ledger.
        fs::create_dir_all(scene.path("look")).unwrap();
        for suffix in ["", "-wal"] {
            let mut from = ledger.clone().into_os_string();
            from.push(suffix);
            let to = scene.path(&format!("look/ledger{suffix}"));
            // What an earlier look left must not stay beside it.
            fs::write(&to, fs::read(&from).unwrap_or_default()).unwrap();
        }
        let _ = fs::remove_file(scene.path("look/ledger-shm"));
        let is_made = scene.path("look/ledger").metadata().unwrap().len() > 0;
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'run'";
        if !is_made || scene.in_ledger(&scene.path("look/ledger"), tables) == "0" {
            return Self::default();
        }
        let look = |statement| scene.in_ledger(&scene.path("look/ledger"), statement);
        let bound = |bound: &str| Some(bound.to_owned()).filter(|bound| bound != "-");
        let range = |line: &str| line.split_once(' ').map(|(after, through)| [bound(after), bound(through)]);
        let ranges = look(RANGES).lines().map(|line| range(line).unwrap()).collect();
        let spooled = look(SPOOLED).lines().map(str::to_owned).collect();
        Self { ranges, spooled, is_known: stage.is_known() }
    }

    /// Asserts that the next run began with what comes after it.
    pub(super) fn assert_not_done_again(&self, next: &[RequestRecord]) {
        self.assert_not_listed_again(next);
        if self.are_all_listed() {
            let is = |it: &&RequestRecord, operation: &str| it.operation.as_deref() == Some(operation);
            // The first look is at a settled key, whether the bucket still shows it.
            let looks = next.iter().filter(|it| is(it, "HeadObject")).skip(1);
            for deletion in looks.chain(next.iter().filter(|it| is(it, "DeleteObject"))) {
                assert!(self.spooled.contains(deletion.key.as_ref().unwrap()), "it had been deleted: {deletion:?}");
            }
        }
    }

    /// Whether nothing is left between the ranges.
    fn are_all_listed(&self) -> bool {
        let mut after = None;
        while let Some([_, through]) = self.ranges.iter().find(|[begin, _]| *begin == after) {
            if through.is_none() {
                return true;
            }
            after.clone_from(through);
        }
        false
    }

    fn assert_not_listed_again(&self, next: &[RequestRecord]) {
        let mut listings = next.iter().filter(|it| it.operation.as_deref() == Some("ListObjectsV2"));
        if self.are_all_listed() {
            assert_eq!(listings.next(), None, "everything had been listed");
        }
        if !self.is_known {
            return;
        }
        // What asks for one key alone only asks where there is one.
        let is_begun =
            |it: &&RequestRecord| !["continuation-token=", "max-keys=1&"].iter().any(|no| it.query.contains(no));
        for listing in listings.filter(is_begun) {
            let begin = listing.query.split('&').find_map(|it| it.strip_prefix("start-after="));
            let begin = begin.map(|begin| begin.replace("%2F", "/"));
            // The keys here need no other escapes; what is made up between them may.
            let is_behind = |[after, through]: &&[Option<String>; 2]| {
                *after <= begin && through.as_ref().is_none_or(|through| begin.as_ref().is_none_or(|it| it < through))
            };
            assert_eq!(self.ranges.iter().find(is_behind), None, "{listing:?} begins behind a cursor");
        }
    }
}
