//! How far a run that was killed had come by its own ledger, and that the next one
//! lists nothing of that again.

use std::fs;

use super::stage::Stage;
use crate::harness::{RequestRecord, ledgers_in};

/// How far its listing was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Committed {
    Nothing,
    Through(String),
    Everything,
}

const CURSOR: &str = "\
    SELECT CASE WHEN has_cursor = 0 THEN '' WHEN through IS NULL THEN 'everything' \
    ELSE 'through ' || CAST(through AS TEXT) END FROM run";

impl Committed {
    /// By the ledger that a run left.
    pub(super) fn by(stage: &Stage) -> Self {
        let scene = &stage.scene;
        let ledgers = ledgers_in(&scene.path(".local/state/brigade"));
        let Some(ledger) = ledgers.first() else { return Self::Nothing };
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
            return Self::Nothing;
        }
        match scene.in_ledger(&scene.path("look/ledger"), CURSOR).as_str() {
            "" => Self::Nothing,
            "everything" => Self::Everything,
            through => Self::Through(through.strip_prefix("through ").unwrap().to_owned()),
        }
    }

    /// Asserts that the next run listed what comes after it, and nothing else.
    pub(super) fn assert_not_listed_again(&self, next: &[RequestRecord]) {
        let mut listings = next.iter().filter(|it| it.operation.as_deref() == Some("ListObjectsV2"));
        match self {
            Self::Everything => assert_eq!(listings.next(), None, "everything had been listed"),
            Self::Nothing => {}
            Self::Through(key) => {
                let after = format!("start-after={}", key.replace('/', "%2F"));
                // A run that is killed again may not have come to it.
                for listing in listings {
                    let goes_on = listing.query.contains("continuation-token=");
                    assert!(goes_on || listing.query.contains(&after), "{after}: {listing:?}");
                }
            }
        }
    }
}
