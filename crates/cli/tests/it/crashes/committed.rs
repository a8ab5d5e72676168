//! How far a run that was killed had come by its own ledger, and that the next one
//! does nothing of that again.

use std::collections::BTreeSet;
use std::fs;

use super::stage::Stage;
use crate::harness::{RequestRecord, ledgers_in};

/// What it had committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Committed {
    pub(super) listed: Listed,
    /// The keys that were still to be deleted.
    spooled: BTreeSet<String>,
    /// Whether the bucket can be asked to list what comes after a key.
    is_known: bool,
}

/// How far its listing was committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Listed {
    #[default]
    Nothing,
    Through(String),
    Everything,
}

/// How far the first range has come. The servers here answer so soon that there are no others.
const CURSOR: &str = "\
    SELECT CASE WHEN through IS NULL THEN 'everything' ELSE 'through ' || CAST(through AS TEXT) END \
    FROM ranges WHERE after = x''";

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
        let listed = match look(CURSOR).as_str() {
            "" => Listed::Nothing,
            "everything" => Listed::Everything,
            through => Listed::Through(through.strip_prefix("through ").unwrap().to_owned()),
        };
        let spooled = look(SPOOLED).lines().map(str::to_owned).collect();
        Self { listed, spooled, is_known: stage.is_known() }
    }

    /// Asserts that the next run began with what comes after it.
    pub(super) fn assert_not_done_again(&self, next: &[RequestRecord]) {
        self.assert_not_listed_again(next);
        if self.listed == Listed::Everything {
            let is = |it: &&RequestRecord, operation: &str| it.operation.as_deref() == Some(operation);
            // The first look is at a settled key, whether the bucket still shows it.
            let looks = next.iter().filter(|it| is(it, "HeadObject")).skip(1);
            for deletion in looks.chain(next.iter().filter(|it| is(it, "DeleteObject"))) {
                assert!(self.spooled.contains(deletion.key.as_ref().unwrap()), "it had been deleted: {deletion:?}");
            }
        }
    }

    fn assert_not_listed_again(&self, next: &[RequestRecord]) {
        let mut listings = next.iter().filter(|it| it.operation.as_deref() == Some("ListObjectsV2"));
        match &self.listed {
            Listed::Everything => assert_eq!(listings.next(), None, "everything had been listed"),
            Listed::Through(key) if self.is_known => {
                let after = format!("start-after={}", key.replace('/', "%2F"));
                // A run that is killed again may not have come to it.
                for listing in listings {
                    let goes_on = listing.query.contains("continuation-token=");
                    assert!(goes_on || listing.query.contains(&after), "{after}: {listing:?}");
                }
            }
            Listed::Nothing | Listed::Through(_) => {}
        }
    }
}
