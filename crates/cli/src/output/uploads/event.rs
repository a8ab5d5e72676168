//! The JSON of what `brigade cleanup` found and did.

use brigade_engine::cleanup::{Judged, UploadCounts, UploadOutcome};
use serde::Serialize;

use super::Cleaned;
use crate::output::json::{self, KeyField, Requests};
use crate::output::listing::timestamp;

/// The line of an upload that was found.
pub(super) fn upload(judged: &Judged) -> String {
    let upload = &judged.upload;
    json::line(&Body::Upload {
        key: KeyField::new(&upload.key),
        upload_id: &upload.id,
        initiated: upload.initiated.and_then(timestamp).map(|time| time.to_string()),
        age_seconds: judged.age.map(|age| age.as_secs()),
        outcome: match &judged.outcome {
            UploadOutcome::Aborted => OutcomeField::Aborted,
            UploadOutcome::Young => OutcomeField::Young,
            UploadOutcome::Failed(failure) => {
                OutcomeField::Failed { kind: json::kind_name(failure.kind), reason: &failure.reason }
            }
        },
    })
}

/// The last line.
pub(super) fn summary(cleaned: &Cleaned<'_>, dry_run: bool) -> String {
    let UploadCounts { aborted, young, failed } = cleaned.counts;
    json::line(&Body::Summary {
        exit_code: cleaned.exit.code(),
        dry_run,
        error: cleaned.error,
        found: cleaned.counts.found(),
        aborted,
        young,
        failed,
        requests: Requests::of(cleaned.requests),
    })
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Upload {
        #[serde(flatten)]
        key: KeyField<'a>,
        upload_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        initiated: Option<String>,
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
        found: u64,
        aborted: u64,
        young: u64,
        failed: u64,
        requests: Vec<Requests<'a>>,
    },
}

#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum OutcomeField<'a> {
    Aborted,
    Young,
    Failed { kind: &'static str, reason: &'a str },
}
