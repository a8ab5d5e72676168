//! What a check finds, as JSON: a line for each object, and the summary.

use brigade_engine::check::{
    CheckEvent, CheckSummary, Difference, DigestName, Evidence, Found, HeaderDifference, Share,
};
use brigade_engine::events::Event;
use serde::Serialize;

use super::{Ended, Shown};
use crate::output::json::{self, KeyField, Requests, side_name};
use crate::output::listing::timestamp;

/// The first line.
pub(super) fn started(source: &str, dest: &str, seed: Option<u64>) -> String {
    json::line(&Body::CheckStarted { source, dest, seed })
}

/// The line of an event; none for those that are added up.
pub(super) fn line(event: &CheckEvent<'_>) -> Option<String> {
    match event {
        CheckEvent::Listed { .. } | CheckEvent::Read { .. } => None,
        CheckEvent::Object { key, found } => {
            Some(json::line(&Body::Checked { key: KeyField::new(key), result: ResultField::new(found) }))
        }
        // Those are as in a sync.
        CheckEvent::Unknown { side, unknown } => json::event(&Event::Unknown { side: *side, unknown }),
        CheckEvent::Reordered { location, key } => json::event(&Event::Reordered { location, key: *key }),
        CheckEvent::Warning { text } => json::event(&Event::Warning { text: text.clone() }),
    }
}

/// The last line.
pub(super) fn summary(shown: &Shown, ended: &Ended<'_>) -> String {
    let counts = ended.summary.cloned().unwrap_or_default();
    json::line(&Body::Summary {
        exit_code: ended.exit.code(),
        error: ended.error,
        seconds: ended.elapsed.as_secs_f64(),
        seed: shown.seed,
        share: ended.summary.filter(|_| ended.error.is_none()).map(|found| ShareField::of(found, shown.confidence)),
        counts: CountsField::of(&counts),
        requests: Requests::of(&counts.requests),
    })
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    CheckStarted {
        source: &'a str,
        dest: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        seed: Option<u64>,
    },
    Checked {
        #[serde(flatten)]
        key: KeyField<'a>,
        #[serde(flatten)]
        result: ResultField<'a>,
    },
    Summary {
        exit_code: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
        seconds: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        seed: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        share: Option<ShareField>,
        #[serde(flatten)]
        counts: CountsField,
        requests: Vec<Requests<'a>>,
    },
}

/// What was found of an object.
#[derive(Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
enum ResultField<'a> {
    Same {
        proof: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        digest: Option<&'static str>,
    },
    Missing,
    Extra,
    SizeDiffers {
        source_size: u64,
        dest_size: u64,
    },
    ContentDiffers {
        reason: &'a str,
    },
    MetadataDiffers {
        headers: Vec<HeaderField<'a>>,
    },
    Changed,
    Gone,
    Unchecked {
        side: &'static str,
        kind: &'static str,
        reason: &'a str,
    },
}

#[derive(Serialize)]
struct HeaderField<'a> {
    header: &'a str,
    source_value: Option<&'a str>,
    dest_value: Option<&'a str>,
}

impl<'a> ResultField<'a> {
    fn new(found: &'a Found) -> Self {
        match found {
            Found::Same(Evidence::Bytes) => Self::Same { proof: "bytes", digest: None },
            Found::Same(Evidence::Directory) => Self::Same { proof: "directory", digest: None },
            Found::Same(Evidence::Read(digest)) => Self::Same { proof: "read", digest: Some(digest_name(*digest)) },
            Found::Same(Evidence::Stored(digest)) => Self::Same { proof: "stored", digest: Some(digest_name(*digest)) },
            Found::Missing => Self::Missing,
            Found::Extra => Self::Extra,
            Found::Different(Difference::Size { source, dest }) => {
                Self::SizeDiffers { source_size: *source, dest_size: *dest }
            }
            Found::Different(Difference::Content(reason)) => Self::ContentDiffers { reason },
            Found::Different(Difference::Metadata(headers)) => {
                Self::MetadataDiffers { headers: headers.iter().map(HeaderField::new).collect() }
            }
            Found::Changed => Self::Changed,
            Found::Gone => Self::Gone,
            Found::Unchecked { side, failure } => {
                Self::Unchecked { side: side_name(*side), kind: json::kind_name(failure.kind), reason: &failure.reason }
            }
        }
    }
}

impl<'a> HeaderField<'a> {
    fn new(header: &'a HeaderDifference) -> Self {
        let HeaderDifference { name, source, dest } = header;
        Self { header: name, source_value: source.as_deref(), dest_value: dest.as_deref() }
    }
}

fn digest_name(digest: DigestName) -> &'static str {
    match digest {
        DigestName::Md5 => "md5",
        DigestName::MultipartEtag => "multipart_etag",
        DigestName::Crc64Nvme => "crc64nvme",
        DigestName::Crc32c => "crc32c",
    }
}

/// How many objects of the source are bad, or at most.
#[derive(Serialize)]
struct ShareField {
    bad_at_most: f64,
    exact: bool,
    confidence: f64,
}

impl ShareField {
    #[expect(clippy::cast_precision_loss, reason = "a share has no more digits")]
    fn of(summary: &CheckSummary, confidence: f64) -> Self {
        match summary.share(confidence) {
            Share::Nothing => Self { bad_at_most: 0.0, exact: true, confidence },
            Share::Exactly(bad) => {
                Self { bad_at_most: bad as f64 / summary.source_objects as f64, exact: true, confidence }
            }
            Share::AtMost(share) => Self { bad_at_most: share, exact: false, confidence },
        }
    }
}

#[derive(Serialize)]
struct CountsField {
    source_objects: u64,
    dest_objects: u64,
    comparable: u64,
    sampled: u64,
    same: u64,
    missing: u64,
    extra: u64,
    size_differs: u64,
    content_differs: u64,
    metadata_differs: u64,
    changed: u64,
    gone: u64,
    unchecked: u64,
    held: u64,
    unlisted: u64,
    skipped: u64,
    excluded: u64,
    checked_earlier: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest_check: Option<String>,
    bytes_read: u64,
}

impl CountsField {
    fn of(summary: &CheckSummary) -> Self {
        Self {
            source_objects: summary.source_objects,
            dest_objects: summary.dest_objects,
            comparable: summary.comparable,
            sampled: summary.sampled,
            same: summary.same,
            missing: summary.missing,
            extra: summary.extra,
            size_differs: summary.sizes,
            content_differs: summary.contents,
            metadata_differs: summary.metadata,
            changed: summary.changed,
            gone: summary.gone,
            unchecked: summary.unchecked,
            held: summary.held,
            unlisted: summary.unlisted,
            skipped: summary.skipped,
            excluded: summary.excluded,
            checked_earlier: summary.earlier,
            earliest_check: summary.earliest.and_then(timestamp).map(|time| time.to_string()),
            bytes_read: summary.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use brigade_engine::events::Side;
    use brigade_store::{Extent, Failure, FailureKind, Key, Unknown, UnknownReason};

    use super::*;

    #[test]
    fn each_result_is_one_line() {
        let headers = HeaderDifference { name: "content-type".into(), source: Some("a/b".into()), dest: None };
        let failure = Failure::new(FailureKind::Denied, "no");
        let table = [
            (Found::Same(Evidence::Bytes), r#""result":"same","proof":"bytes""#),
            (
                Found::Same(Evidence::Read(DigestName::Crc64Nvme)),
                r#""result":"same","proof":"read","digest":"crc64nvme""#,
            ),
            (Found::Missing, r#""result":"missing""#),
            (
                Found::Different(Difference::Size { source: 1, dest: 2 }),
                r#""result":"size_differs","source_size":1,"dest_size":2"#,
            ),
            (Found::Different(Difference::Content("x".into())), r#""result":"content_differs","reason":"x""#),
            (
                Found::Different(Difference::Metadata(vec![headers])),
                r#""result":"metadata_differs","headers":[{"header":"content-type","source_value":"a/b","dest_value":null}]"#,
            ),
            (
                Found::Unchecked { side: Side::Dest, failure },
                r#""result":"unchecked","side":"dest","kind":"denied","reason":"no""#,
            ),
        ];
        let key = Key::new(&b"k\xff"[..]);
        for (found, expected) in table {
            let found = line(&CheckEvent::Object { key: &key, found: &found });
            let start = r#"{"version":1,"type":"checked","key_base64":"a/8=","#;
            assert_eq!(found, Some(format!("{start}{expected}}}\n")));
        }
        assert_eq!(line(&CheckEvent::Read { bytes: 1 }), None);
    }

    #[test]
    fn what_a_sync_tells_too_is_told_as_there() {
        let key = Key::from("closed/");
        let reason = UnknownReason::Unreadable("no".to_owned());
        let unknown = Unknown { key: key.clone(), extent: Extent::Below, reason };
        let table = [
            (
                CheckEvent::Unknown { side: Side::Dest, unknown: &unknown },
                r#""unknown","side":"dest","key":"closed/","below":true,"failure":true,"reason":"could not be read: no""#,
            ),
            (
                CheckEvent::Reordered { location: "s3://b", key: Some(&key) },
                r#""reordered","location":"s3://b","key":"closed/""#,
            ),
            (CheckEvent::Warning { text: "take care".to_owned() }, r#""warning","text":"take care""#),
        ];
        for (event, expected) in table {
            assert_eq!(line(&event), Some(format!("{{\"version\":1,\"type\":{expected}}}\n")));
        }
    }
}
