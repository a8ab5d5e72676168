//! What a check finds, as lines for a person.

use brigade_engine::check::{CheckEvent, Difference, DigestName, Evidence, Found, HeaderDifference};
use brigade_engine::events::Side;
use brigade_store::Key;

use crate::output::figures::count;
use crate::output::streams::{To, Tone};
use crate::output::text::{Line, Verbosity, named};

/// The line of an event, if it is to be said.
pub(super) fn line(verbosity: Verbosity, event: &CheckEvent<'_>) -> Option<Line> {
    let from = |least, line| Some(line).filter(|_| verbosity >= least);
    match event {
        CheckEvent::Object { key, found } => object(verbosity, key, found),
        CheckEvent::Unknown { side, unknown } => {
            let key = if unknown.key.as_bytes().is_empty() { ".".to_owned() } else { unknown.key.to_string() };
            let what = format!("{key} {}", place(*side));
            let reason = unknown.reason.to_string();
            if unknown.reason.is_failure() {
                return Some(unchecked(&what, &reason));
            }
            from(Verbosity::Verbose, Line::new(To::Out, Tone::Plain, "skipped:", format!("{what}: {reason}")))
        }
        CheckEvent::Reordered { location, key: Some(key) } => {
            let rest = format!("{location} lists its keys out of order, first at {key}; checking again, sorted");
            from(Verbosity::Normal, Line::new(To::Err, Tone::Plain, "note:", rest))
        }
        CheckEvent::Reordered { location, key: None } => {
            let rest = format!("{location} is known to list its keys out of order; they are sorted first");
            from(Verbosity::Verbose, Line::new(To::Err, Tone::Plain, "note:", rest))
        }
        CheckEvent::Warning { text } => {
            from(Verbosity::Normal, Line::new(To::Err, Tone::Warning, "warning:", text.clone()))
        }
        CheckEvent::Listed { .. } | CheckEvent::Read { .. } => None,
    }
}

fn object(verbosity: Verbosity, key: &Key, found: &Found) -> Option<Line> {
    let (key, differs) = (named(key), |word, rest| Some(Line::new(To::Out, Tone::Failure, word, rest)));
    match found {
        Found::Same(evidence) => (verbosity >= Verbosity::Verbose)
            .then(|| Line::new(To::Out, Tone::Plain, "same:", format!("{key} ({})", proof(*evidence)))),
        Found::Missing => differs("missing:", key),
        Found::Extra => differs("extra:", key),
        Found::Different(difference) => differs("different:", format!("{key}: {}", how(difference))),
        Found::Changed => {
            let reason = "it was written or deleted while it was checked; check again";
            Some(unchecked(&key, reason))
        }
        Found::Gone => (verbosity >= Verbosity::Verbose)
            .then(|| Line::new(To::Out, Tone::Plain, "gone:", format!("{key}: deleted on both sides meanwhile"))),
        Found::Unchecked { side, failure } => Some(unchecked(&format!("{key} {}", place(*side)), &failure.reason)),
    }
}

fn unchecked(what: &str, reason: &str) -> Line {
    let line = Line::new(To::Err, Tone::Failure, "not checked:", format!("{what}: {reason}"));
    Line { reason: Some(reason.to_owned()), ..line }
}

fn place(side: Side) -> &'static str {
    match side {
        Side::Source => "at the source",
        Side::Dest => "at the destination",
    }
}

fn proof(evidence: Evidence) -> String {
    match evidence {
        Evidence::Bytes => "byte by byte".to_owned(),
        Evidence::Read(digest) => format!("read, by {}", name(digest)),
        Evidence::Stored(digest) => format!("stored {}", name(digest)),
        Evidence::Directory => "a directory".to_owned(),
    }
}

fn name(digest: DigestName) -> &'static str {
    match digest {
        DigestName::Md5 => "MD5",
        DigestName::MultipartEtag => "ETag of parts",
        DigestName::Crc64Nvme => "CRC64NVME",
        DigestName::Crc32c => "CRC32C",
    }
}

fn how(difference: &Difference) -> String {
    match difference {
        Difference::Size { source, dest } => format!("{} and {} bytes", count(*source), count(*dest)),
        Difference::Content(reason) => reason.clone(),
        Difference::Metadata(headers) => headers.iter().map(header).collect::<Vec<_>>().join(", "),
    }
}

/// `content-type text/html and text/plain`.
fn header(HeaderDifference { name, source, dest }: &HeaderDifference) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    format!("{name} {} and {}", shown(source), shown(dest))
}

#[cfg(test)]
mod tests {
    use brigade_store::{Failure, FailureKind};

    use super::*;

    #[test]
    fn differences_are_results_and_what_could_not_be_checked_is_said_beside_them() {
        let headers = HeaderDifference { name: "content-type".into(), source: Some("a/b".into()), dest: None };
        let failure = Failure::new(FailureKind::Denied, "access denied");
        let table = [
            (Found::Same(Evidence::Bytes), Verbosity::Verbose, To::Out, "same: a\\nb (byte by byte)"),
            (Found::Same(Evidence::Read(DigestName::Md5)), Verbosity::Verbose, To::Out, "same: a\\nb (read, by MD5)"),
            (Found::Missing, Verbosity::Quiet, To::Out, "missing: a\\nb"),
            (Found::Extra, Verbosity::Quiet, To::Out, "extra: a\\nb"),
            (
                Found::Different(Difference::Size { source: 9, dest: 1800 }),
                Verbosity::Quiet,
                To::Out,
                "different: a\\nb: 9 and 1,800 bytes",
            ),
            (
                Found::Different(Difference::Content("the first byte".into())),
                Verbosity::Quiet,
                To::Out,
                "different: a\\nb: the first byte",
            ),
            (
                Found::Different(Difference::Metadata(vec![headers])),
                Verbosity::Quiet,
                To::Out,
                "different: a\\nb: content-type a/b and none",
            ),
            (Found::Gone, Verbosity::Verbose, To::Out, "gone: a\\nb: deleted on both sides meanwhile"),
            (
                Found::Unchecked { side: Side::Dest, failure },
                Verbosity::Quiet,
                To::Err,
                "not checked: a\\nb at the destination: access denied",
            ),
        ];
        let key = Key::from("a\nb");
        for (found, least, to, text) in table {
            for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose] {
                let event = CheckEvent::Object { key: &key, found: &found };
                let shown = line(verbosity, &event).map(|line| (line.to, format!("{} {}", line.word, line.rest)));
                assert_eq!(shown, (verbosity >= least).then(|| (to, text.to_owned())), "{found:?} {verbosity:?}");
            }
        }
    }
}
