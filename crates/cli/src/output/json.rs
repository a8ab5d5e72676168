//! Events as JSON, one object a line, for other programs. The format is
//! described in `docs/formats/events.md`; what is there stays there.

mod summary;

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use brigade_engine::events::{Event, Outcome, Side, TakenUp};
use brigade_engine::plan::Phase;
use brigade_store::{Extent, FailureKind, Key, Restoring, Verified, is_unprintable};
use serde::Serialize;

use super::tally::Totals;
pub(super) use summary::{Requests, summary};

/// Grows only when a reader of the former version would misread the new one.
const VERSION: u32 = 1;

/// One line, with its end, of an object that gives its own type.
pub(super) fn line(body: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Line<'a, B> {
        version: u32,
        #[serde(flatten)]
        body: &'a B,
    }
    // Only maps with keys that aren't text can fail, and there are none.
    let text = serde_json::to_string(&Line { version: VERSION, body }).unwrap_or_default();
    let mut line = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        // JSON leaves some of what a terminal may act upon as it is. All of it lies within
        // strings, and in the range that four digits can say.
        if is_unprintable(character) {
            // Writing into a string can't fail.
            let _ = write!(line, "\\u{:04x}", u32::from(character));
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    line
}

/// The line of an engine's event; none for those that [`progress`] adds up.
pub(super) fn event(event: &Event<'_>) -> Option<String> {
    Some(line(&match event {
        Event::Planned { .. } | Event::Progress { .. } => return None,
        Event::Started { source, dest, dry_run } => Body::Started { source, dest, dry_run: *dry_run },
        Event::Object { key, outcome } => Body::Object { key: KeyField::new(key), outcome: OutcomeField::new(outcome) },
        Event::Unknown { side, unknown } => Body::Unknown {
            side: side_name(*side),
            key: KeyField::new(&unknown.key),
            below: unknown.extent == Extent::Below,
            failure: unknown.reason.is_failure(),
            reason: unknown.reason.to_string(),
        },
        Event::TakenUp(taken_up) => Body::TakenUp(TakenUpField::new(taken_up)),
        Event::Reordered { location, key } => Body::Reordered { location, key: key.map(KeyField::new) },
        Event::Warning { text } => Body::Warning { text },
        Event::Phase { phase, actions } => Body::Phase { phase: phase_name(*phase), actions: *actions },
    }))
}

/// The line that says how far a run has come.
pub(super) fn progress(totals: &Totals) -> String {
    line(&Body::Progress(totals))
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Started {
        source: &'a str,
        dest: &'a str,
        dry_run: bool,
    },
    TakenUp(TakenUpField<'a>),
    Progress(&'a Totals),
    Object {
        #[serde(flatten)]
        key: KeyField<'a>,
        #[serde(flatten)]
        outcome: OutcomeField<'a>,
    },
    Unknown {
        side: &'static str,
        #[serde(flatten)]
        key: KeyField<'a>,
        below: bool,
        failure: bool,
        reason: String,
    },
    Reordered {
        location: &'a str,
        #[serde(flatten)]
        key: Option<KeyField<'a>>,
    },
    Warning {
        text: &'a str,
    },
    Phase {
        phase: &'static str,
        actions: u64,
    },
}

/// A key that is text as `key`, any other one as `key_base64`.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum KeyField<'a> {
    Text { key: &'a str },
    Bytes { key_base64: String },
}

impl<'a> KeyField<'a> {
    pub(super) fn new(key: &'a Key) -> Self {
        match key.as_text() {
            Some(key) => Self::Text { key },
            None => Self::Bytes { key_base64: STANDARD.encode(key.as_bytes()) },
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum OutcomeField<'a> {
    Sent { bytes: u64, replaced: bool, verified: bool },
    InStep,
    Deleted,
    Withdrawn { reason: &'a str },
    Unrepresentable { reason: &'a str },
    Restoring { state: &'static str },
    Failed { kind: &'static str, reason: &'a str },
}

impl<'a> OutcomeField<'a> {
    pub(super) fn new(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Sent { bytes, replaced, verified } => {
                Self::Sent { bytes: *bytes, replaced: *replaced, verified: *verified == Verified::Yes }
            }
            Outcome::InStep => Self::InStep,
            Outcome::Deleted => Self::Deleted,
            Outcome::Withdrawn { reason } => Self::Withdrawn { reason },
            Outcome::Unrepresentable { reason } => Self::Unrepresentable { reason },
            Outcome::Restoring(restoring) => Self::Restoring { state: state_name(*restoring) },
            Outcome::Failed(failure) => Self::Failed { kind: kind_name(failure.kind), reason: &failure.reason },
        }
    }
}

fn state_name(restoring: Restoring) -> &'static str {
    match restoring {
        Restoring::Begun => "begun",
        Restoring::UnderWay => "under_way",
        Restoring::Ready => "ready",
    }
}

pub(super) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Dest => "dest",
    }
}

pub(super) fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Now => "now",
        Phase::Deletions => "deletions",
        Phase::AfterDeletions => "after_deletions",
    }
}

pub(super) fn kind_name(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Absent => "absent",
        FailureKind::Changed => "changed",
        FailureKind::Obstructed => "obstructed",
        FailureKind::Unrepresentable => "unrepresentable",
        FailureKind::Denied => "denied",
        FailureKind::LockedOut => "locked_out",
        FailureKind::Archived => "archived",
        FailureKind::Corrupt => "corrupt",
        FailureKind::Failed => "failed",
    }
}

/// What was taken up of an earlier run.
#[derive(Serialize)]
pub(super) struct TakenUpField<'a> {
    /// Whether nothing of the buckets is listed again.
    listed: bool,
    #[serde(flatten)]
    through: Option<KeyField<'a>>,
    ranges: u64,
    failed: u64,
    spooled: u64,
}

impl<'a> TakenUpField<'a> {
    pub(super) fn new(taken_up: &'a TakenUp) -> Self {
        Self {
            listed: taken_up.through == Some(None),
            through: taken_up.through.as_ref().and_then(Option::as_ref).map(KeyField::new),
            ranges: taken_up.ranges,
            failed: taken_up.failed,
            spooled: taken_up.spooled,
        }
    }
}

#[cfg(test)]
mod tests {
    use brigade_store::{Failure, Unknown, UnknownReason};

    use super::*;

    #[test]
    fn each_event_is_one_line() {
        let (key, odd) = (Key::from("a \"b\"\n"), Key::new(&b"\xff\x00"[..]));
        let sent = Outcome::Sent { bytes: 5, replaced: true, verified: Verified::Yes };
        let unverifiable = Outcome::Sent { bytes: 0, replaced: false, verified: Verified::Unverifiable };
        let failed = Outcome::Failed(Failure::new(FailureKind::Denied, "access denied"));
        let unknown = Unknown {
            key: Key::from("private/"),
            extent: Extent::Below,
            reason: UnknownReason::Unreadable("Permission denied".to_owned()),
        };
        let table = [
            (
                Event::Started { source: "site", dest: "s3://b", dry_run: false },
                r#"{"version":1,"type":"started","source":"site","dest":"s3://b","dry_run":false}"#,
            ),
            (
                Event::Object { key: &key, outcome: &sent },
                r#"{"version":1,"type":"object","key":"a \"b\"\n","outcome":"sent","bytes":5,"replaced":true,"verified":true}"#,
            ),
            (
                Event::Object { key: &odd, outcome: &unverifiable },
                r#"{"version":1,"type":"object","key_base64":"/wA=","outcome":"sent","bytes":0,"replaced":false,"verified":false}"#,
            ),
            (
                Event::Object { key: &key, outcome: &Outcome::InStep },
                r#"{"version":1,"type":"object","key":"a \"b\"\n","outcome":"in_step"}"#,
            ),
            (
                Event::Object { key: &key, outcome: &Outcome::Deleted },
                r#"{"version":1,"type":"object","key":"a \"b\"\n","outcome":"deleted"}"#,
            ),
            (
                Event::Object { key: &key, outcome: &Outcome::Withdrawn { reason: "gone".to_owned() } },
                r#"{"version":1,"type":"object","key":"a \"b\"\n","outcome":"withdrawn","reason":"gone"}"#,
            ),
            (
                Event::Object { key: &key, outcome: &Outcome::Unrepresentable { reason: "no".to_owned() } },
                r#"{"version":1,"type":"object","key":"a \"b\"\n","outcome":"unrepresentable","reason":"no"}"#,
            ),
            (
                Event::Object { key: &key, outcome: &failed },
                r#"{"version":1,"type":"object","key":"a \"b\"\n","outcome":"failed","kind":"denied","reason":"access denied"}"#,
            ),
            (
                Event::Unknown { side: Side::Source, unknown: &unknown },
                r#"{"version":1,"type":"unknown","side":"source","key":"private/","below":true,"failure":true,"reason":"could not be read: Permission denied"}"#,
            ),
            (
                Event::Reordered { location: "s3://b", key: Some(&key) },
                r#"{"version":1,"type":"reordered","location":"s3://b","key":"a \"b\"\n"}"#,
            ),
            (
                Event::Reordered { location: "s3://b", key: None },
                r#"{"version":1,"type":"reordered","location":"s3://b"}"#,
            ),
            (Event::Warning { text: "take care".to_owned() }, r#"{"version":1,"type":"warning","text":"take care"}"#),
            (
                Event::Phase { phase: Phase::AfterDeletions, actions: 2 },
                r#"{"version":1,"type":"phase","phase":"after_deletions","actions":2}"#,
            ),
        ];
        for (what, expected) in table {
            assert_eq!(event(&what), Some(format!("{expected}\n")));
        }
    }

    #[test]
    fn what_is_added_up_has_no_line_of_its_own() {
        assert_eq!(event(&Event::Progress { bytes: 5 }), None);
        assert_eq!(event(&Event::Planned { keys: 1, objects: 1, bytes: 5 }), None);
        let totals = Totals { keys: 9, objects_planned: 3, objects_done: 2, ..Totals::default() };
        assert_eq!(
            progress(&totals),
            "{\"version\":1,\"type\":\"progress\",\"keys\":9,\"objects_planned\":3,\"objects_done\":2,\
             \"bytes_planned\":0,\"bytes_done\":0,\"deleted\":0,\"failed\":0}\n"
        );
    }
}
