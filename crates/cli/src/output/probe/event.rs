//! The JSON of what `brigade probe` found out.

use std::collections::BTreeMap;
use std::time::Duration;

use brigade_store::s3::probe::{Subject, Times, Trial, Verdict};
use brigade_store::s3::{Dialect, Fact, Support};
use serde::Serialize;

use super::{Probed, Setting};
use crate::output::json;
use crate::output::listing::timestamp;

/// The line of what is known before anything is tried.
pub(super) fn setting(setting: &Setting) -> String {
    let client = setting.bucket.client();
    let origin = client.credentials_origin();
    let expires = origin.as_ref().and_then(|origin| timestamp(origin.expires?));
    let skew = client.clock_skew().unwrap_or_default();
    let ahead = milliseconds(skew.by);
    json::line(&Body::Service {
        url: setting.bucket.url(),
        region: setting.bucket.region(),
        provider: client.provider().name(),
        provider_said: client.provider_was_said(),
        server: client.server(),
        credentials: origin.as_ref().map(|origin| origin.source.as_str()),
        access_key_id: origin.as_ref().and_then(|origin| origin.access_key_id.as_deref()),
        expires: expires.map(|time| time.to_string()),
        clock_ahead_ms: if skew.service_ahead { ahead } else { -ahead },
        new_connection: TimesField::of(setting.latency.new_connection),
        kept_connection: TimesField::of(setting.latency.kept_connection),
    })
}

/// The line of a trial.
pub(super) fn trial(trial: &Trial) -> String {
    let (subject, verdict) = (subject_name(trial.subject), verdict_name(trial.verdict));
    json::line(&Body::Trial { subject, verdict, reason: &trial.reason })
}

/// The last line.
pub(super) fn summary(probed: &Probed) -> String {
    json::line(&Body::Summary {
        exit_code: probed.exit.code(),
        error: probed.error.as_deref(),
        counted_on: counted_on(probed.after),
        counted_on_before: counted_on(probed.before),
        remembered_in: probed.kept_in.as_ref().map(|path| path.display().to_string()),
    })
}

fn counted_on(dialect: Dialect) -> BTreeMap<&'static str, &'static str> {
    Fact::ALL.into_iter().map(|fact| (fact.name(), support_name(dialect.of(fact)))).collect()
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Service {
        url: String,
        region: String,
        provider: &'a str,
        provider_said: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        credentials: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        access_key_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        expires: Option<String>,
        clock_ahead_ms: i64,
        new_connection: TimesField,
        kept_connection: TimesField,
    },
    Trial {
        subject: &'static str,
        verdict: &'static str,
        reason: &'a str,
    },
    Summary {
        exit_code: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
        counted_on: BTreeMap<&'static str, &'static str>,
        counted_on_before: BTreeMap<&'static str, &'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        remembered_in: Option<String>,
    },
}

#[derive(Serialize)]
struct TimesField {
    requests: usize,
    least_us: u64,
    median_us: u64,
    most_us: u64,
}

impl TimesField {
    fn of(times: Times) -> Self {
        let [least_us, median_us, most_us] =
            [times.least, times.median, times.most].map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        Self { requests: times.requests, least_us, median_us, most_us }
    }
}

fn subject_name(subject: Subject) -> &'static str {
    match subject {
        Subject::Order => "lists_by_bytes",
        Subject::PutIfAbsent => "put_if_absent",
        Subject::PutIfMatch => "put_if_match",
        Subject::CompleteConditions => "complete_conditions",
        Subject::DeleteIfMatch => "delete_if_match",
        Subject::BulkDelete => "bulk_delete",
        Subject::BulkDeleteIfMatch => "bulk_delete_if_match",
        Subject::Crc64Nvme => "crc64nvme",
        Subject::TwoParts => "two_parts",
        Subject::ShortPart => "short_part",
        Subject::PartNumber => "part_number",
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Yes => "yes",
        Verdict::No => "no",
        Verdict::Ignored => "ignored",
        Verdict::Differs => "differs",
        Verdict::Unknown => "unknown",
    }
}

fn support_name(support: Support) -> &'static str {
    match support {
        Support::Yes => "yes",
        Support::No => "no",
        Support::Unknown => "unknown",
    }
}
