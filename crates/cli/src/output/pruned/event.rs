//! The JSON of what `brigade prune` found and did.

use brigade_engine::prune::{JudgedVersion, VersionCounts, VersionOutcome};
use serde::Serialize;

use super::Pruned;
use crate::output::json::{self, KeyField, Requests};
use crate::output::kept::VersionField;

/// The line of a version.
pub(super) fn version(judged: &JudgedVersion) -> String {
    let JudgedVersion { version, age, outcome } = judged;
    json::line(&Body::Version {
        key: KeyField::new(&version.key),
        version: VersionField::new(version),
        age_seconds: age.map(|age| age.as_secs()),
        outcome: match outcome {
            VersionOutcome::Removed => OutcomeField::Removed,
            VersionOutcome::Current => OutcomeField::Current,
            VersionOutcome::Young => OutcomeField::Young,
            VersionOutcome::Kept => OutcomeField::Kept,
            VersionOutcome::Covering => OutcomeField::Covering,
            VersionOutcome::Failed(failure) => {
                OutcomeField::Failed { kind: json::kind_name(failure.kind), reason: &failure.reason }
            }
        },
    })
}

/// The last line.
pub(super) fn summary(pruned: &Pruned<'_>, dry_run: bool) -> String {
    json::line(&Body::Summary {
        exit_code: pruned.exit.code(),
        dry_run,
        error: pruned.error,
        counts: CountsField::new(&pruned.counts),
        requests: Requests::of(pruned.requests),
    })
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Version {
        #[serde(flatten)]
        key: KeyField<'a>,
        #[serde(flatten)]
        version: VersionField<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        age_seconds: Option<u64>,
        #[serde(flatten)]
        outcome: OutcomeField<'a>,
    },
    Summary {
        exit_code: u8,
        dry_run: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
        #[serde(flatten)]
        counts: CountsField,
        requests: Vec<Requests<'a>>,
    },
}

#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum OutcomeField<'a> {
    Removed,
    Current,
    Young,
    Kept,
    Covering,
    Failed { kind: &'static str, reason: &'a str },
}

/// How many versions came to what.
#[derive(Serialize)]
pub(in crate::output) struct CountsField {
    found: u64,
    removed: u64,
    removed_bytes: u64,
    current: u64,
    young: u64,
    kept: u64,
    covering: u64,
    failed: u64,
}

impl CountsField {
    pub(in crate::output) fn new(counts: &VersionCounts) -> Self {
        let VersionCounts { removed, removed_bytes, current, young, kept, covering, failed } = *counts;
        Self { found: counts.found(), removed, removed_bytes, current, young, kept, covering, failed }
    }
}
