//! The events `ledger` and `pair`, as `docs/formats/events.md` describes them.

use std::path::Path;

use brigade_engine::ledger::sqlite::Contents;
use brigade_engine::ledger::{Fingerprint, SettledPair};
use serde::Serialize;

use super::moment_of;
use crate::output::json::{self, KeyField, TakenUpField};

pub(super) fn ledger(path: &Path, size: u64, contents: &Contents) -> String {
    let run = contents.remembered.run.as_ref();
    let left = run.map(|run| (moment_of(run.begun), run.left()));
    json::line(&Body::Ledger {
        path: path.display().to_string(),
        size,
        source: &contents.binding.source,
        dest: &contents.binding.dest,
        settled: contents.settled,
        indexed: contents.remembered.index.is_some(),
        unfinished: left
            .as_ref()
            .map(|(begun, left)| Unfinished { begun: begun.clone(), left: TakenUpField::new(left) }),
        uploads: contents
            .remembered
            .uploads
            .iter()
            .map(|upload| UploadField { key: KeyField::new(&upload.key), upload_id: &upload.upload_id })
            .collect(),
    })
}

pub(super) fn pair(pair: &SettledPair) -> String {
    json::line(&Body::Pair { key: KeyField::new(&pair.key), pair: PairField::new(pair) })
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Ledger {
        path: String,
        size: u64,
        source: &'a str,
        dest: &'a str,
        settled: u64,
        indexed: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        unfinished: Option<Unfinished<'a>>,
        uploads: Vec<UploadField<'a>>,
    },
    Pair {
        #[serde(flatten)]
        key: KeyField<'a>,
        #[serde(flatten)]
        pair: PairField<'a>,
    },
}

/// A settled pair, without its key.
#[derive(Serialize)]
pub(crate) struct PairField<'a> {
    source: Side<'a>,
    dest: Side<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    unsure: bool,
    assumed: bool,
    lost: bool,
}

impl<'a> PairField<'a> {
    pub(crate) fn new(pair: &'a SettledPair) -> Self {
        Self {
            source: Side::new(&pair.left),
            dest: Side::new(&pair.right),
            digest: pair.digest.as_ref().and_then(super::digest).map(|(kind, hex)| format!("{kind}:{hex}")),
            unsure: pair.unsure,
            assumed: pair.assumed,
            lost: pair.lost,
        }
    }
}

#[derive(Serialize)]
struct Unfinished<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    begun: Option<String>,
    #[serde(flatten)]
    left: TakenUpField<'a>,
}

#[derive(Serialize)]
struct UploadField<'a> {
    #[serde(flatten)]
    key: KeyField<'a>,
    upload_id: &'a str,
}

/// One side of a pair: a file by its times and inode, an object by its ETag.
#[derive(Serialize)]
#[serde(untagged)]
enum Side<'a> {
    File {
        size: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        modified: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        changed: Option<String>,
        inode: u64,
    },
    Object {
        size: u64,
        etag: &'a str,
    },
}

impl<'a> Side<'a> {
    fn new(side: &'a Fingerprint) -> Self {
        match side {
            Fingerprint::File { size, modified, changed, inode } => {
                Self::File { size: *size, modified: moment_of(*modified), changed: moment_of(*changed), inode: *inode }
            }
            Fingerprint::Object { size, etag } => Self::Object { size: *size, etag },
        }
    }
}
