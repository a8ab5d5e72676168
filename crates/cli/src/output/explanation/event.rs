//! The event `explanation`, as `docs/formats/events.md` describes it.

use brigade_engine::compare::{Content, Row};
use brigade_engine::explain::Sighting;
use brigade_engine::plan::{Action, Decision};
use brigade_store::{Extent, Version};
use serde::Serialize;

use super::{Words, option};
use crate::output::json::{self, KeyField, OutcomeField};
use crate::output::ledgers::PairField;
use crate::output::listing::timestamp;
use crate::resolve::filters::Origin;

impl Words<'_> {
    /// The event, as a line.
    pub(super) fn event(&self) -> String {
        json::line(&self.body())
    }

    fn body(&self) -> Body<'_> {
        let found = self.found;
        let prospect = found.prospect.as_ref();
        Body::Explanation {
            key: KeyField::new(&self.asked.key),
            source: SightingField::new(&found.source),
            dest: SightingField::new(&found.dest),
            settled: found.settled.is_some(),
            pair: found.settled.as_ref().map(PairField::new),
            takes_part: found.judgement.takes_part,
            rule: self.rule_field(),
            row: found.row.map(row_name),
            content: found.content.map(content_name),
            decision: decision_name(&found.decision),
            phase: prospect.map(|prospect| json::phase_name(prospect.phase)),
            outcome: prospect.map(|prospect| OutcomeField::new(&prospect.outcome)),
        }
    }

    fn rule_field(&self) -> Option<RuleField<'_>> {
        let place = self.found.judgement.rule?;
        let rule = self.asked.job.spec.filters.rule(place)?;
        let (file, line) = match self.asked.job.origins.get(place)? {
            Origin::CommandLine => (None, None),
            Origin::File { path, line } => (Some(path.display().to_string()), Some(*line)),
        };
        Some(RuleField { option: option(rule).trim_start_matches('-'), pattern: rule.pattern(), file, line })
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Explanation {
        #[serde(flatten)]
        key: KeyField<'a>,
        source: SightingField<'a>,
        dest: SightingField<'a>,
        settled: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        pair: Option<PairField<'a>>,
        takes_part: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<RuleField<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        row: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<&'static str>,
        decision: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        phase: Option<&'static str>,
        #[serde(flatten)]
        outcome: Option<OutcomeField<'a>>,
    },
}

#[derive(Serialize)]
#[serde(tag = "presence", rename_all = "snake_case")]
enum SightingField<'a> {
    Present {
        size: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        modified: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        changed: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        etag: Option<&'a str>,
    },
    Absent,
    Unknown {
        #[serde(flatten)]
        key: KeyField<'a>,
        below: bool,
        failure: bool,
        reason: String,
    },
}

impl<'a> SightingField<'a> {
    fn new(sighting: &'a Sighting) -> Self {
        let text = |time| timestamp(time).map(|time| time.to_string());
        match sighting {
            Sighting::Absent => Self::Absent,
            Sighting::Present(entry) => Self::Present {
                size: entry.size,
                modified: text(entry.modified),
                changed: match entry.version {
                    Version::File { changed, .. } => text(changed),
                    Version::Object { .. } => None,
                },
                etag: entry.etag(),
            },
            Sighting::Unknown(unknown) => Self::Unknown {
                key: KeyField::new(&unknown.key),
                below: unknown.extent == Extent::Below,
                failure: unknown.reason.is_failure(),
                reason: unknown.reason.to_string(),
            },
        }
    }
}

#[derive(Serialize)]
struct RuleField<'a> {
    option: &'static str,
    pattern: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

fn row_name(row: Row) -> &'static str {
    match row {
        Row::Always => "always",
        Row::SizesDiffer => "sizes_differ",
        Row::SizesEqual => "sizes_equal",
        Row::Older => "older",
        Row::NotOlder => "not_older",
        Row::Unchanged => "unchanged",
        Row::DigestsEqual => "digests_equal",
        Row::ClearlyOlder => "clearly_older",
        Row::Undecided => "undecided",
    }
}

fn content_name(content: Content) -> &'static str {
    match content {
        Content::SameMd5 => "same_md5",
        Content::SameCrc64 => "same_crc64",
        Content::SameCrc32c => "same_crc32c",
        Content::SameMultipart => "same_multipart",
        Content::OtherMd5 => "other_md5",
        Content::OtherCrc64 => "other_crc64",
        Content::OtherCrc32c => "other_crc32c",
        Content::OtherMultipart => "other_multipart",
        Content::Unproven => "unproven",
        Content::WrittenLater => "written_later",
    }
}

fn decision_name(decision: &Decision) -> &'static str {
    match decision {
        Decision::InStep(_) => "in_step",
        Decision::Act(_, Action::Send(_)) => "send",
        Decision::Act(_, Action::Delete(_)) => "delete",
        Decision::Extra => "extra",
        Decision::Excluded => "excluded",
        Decision::Held => "held",
        Decision::Blocked(_) => "blocked",
        Decision::Shadowed { .. } => "shadowed",
        Decision::Gone => "gone",
    }
}
