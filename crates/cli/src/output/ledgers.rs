//! What is in a ledger, as lines for a person or for a program.

mod event;

pub(crate) use event::PairField;

use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;

use brigade_engine::events::TakenUp;
use brigade_engine::ledger::sqlite::Contents;
use brigade_engine::ledger::{Fingerprint, SettledPair, UnfinishedRun};
use brigade_store::Digest;

use super::figures::{bytes, count};
use super::listing::timestamp;
use super::text::named;
use crate::arguments::Format;

/// What a ledger of so many bytes has in it, with its end.
pub(crate) fn described(format: Format, path: &Path, size: u64, contents: &Contents) -> String {
    match format {
        Format::Json => event::ledger(path, size, contents),
        Format::Text => text(path, size, contents),
    }
}

/// One settled pair, as a line of JSON.
pub(crate) fn exported(pair: &SettledPair) -> String {
    event::pair(pair)
}

fn text(path: &Path, size: u64, contents: &Contents) -> String {
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    let mut text = format!("{name}\n");
    let mut row = |label: &str, words: &str| {
        // Writing into a string can't fail.
        let _ = writeln!(text, "  {label:<12} {words}");
    };
    row("source", &contents.binding.source);
    row("destination", &contents.binding.dest);
    row("file", &format!("{} ({})", path.display(), bytes(size)));
    row("settled", &format!("{} in step when they were last seen", count(contents.settled)));
    if contents.remembered.index.is_some() {
        row("index", "all that the destination holds is known, for --index");
    }
    if let Some(run) = &contents.remembered.run {
        row("unfinished", &unfinished(run));
    }
    for upload in &contents.remembered.uploads {
        row("upload", &format!("{} (upload {})", named(&upload.key), upload.upload_id));
    }
    text
}

fn unfinished(run: &UnfinishedRun) -> String {
    let since = moment(run.begun);
    let TakenUp { through, ranges, failed, spooled } = run.left();
    let reached = match through {
        None if ranges > 0 => "begun".to_owned(),
        None => "nothing is behind it yet".to_owned(),
        Some(None) => "everything is listed".to_owned(),
        Some(Some(key)) => format!("listed up to {key}"),
    };
    let also = [(ranges, "further ranges listed"), (failed, "failed"), (spooled, "waiting")];
    let also = also.into_iter().filter(|(number, _)| *number > 0);
    also.fold(format!("a run of {since}: {reached}"), |text, (number, what)| {
        format!("{text}, {} {what}", count(number))
    })
}

/// A pair in words: `file of 5 B, modified ..., ETag ...`.
pub(crate) fn sides(pair: &SettledPair) -> [String; 2] {
    [&pair.left, &pair.right].map(|side| match side {
        Fingerprint::File { size, modified, .. } => {
            format!("a file of {}, modified {}", bytes(*size), moment(*modified))
        }
        Fingerprint::Object { size, etag } => format!("an object of {}, ETag {etag}", bytes(*size)),
    })
}

/// What else a pair says, in words; empty where it says no more.
pub(crate) fn doubts(pair: &SettledPair) -> String {
    let doubts = [
        (pair.unsure, "unsure: it had changed so shortly before that its content is compared once more"),
        (pair.assumed, "assumed: they were only taken to be in step, by the comparison that was chosen"),
        (pair.lost, "lost: the source didn't have it any more"),
    ];
    let doubts: Vec<&str> = doubts.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words).collect();
    doubts.join("; ")
}

fn moment(time: SystemTime) -> String {
    timestamp(time).map_or_else(|| "at a time that no calendar has".to_owned(), |time| format!("{time:.0}"))
}

/// As JSON has it; `None` for a time that no calendar has.
fn moment_of(time: SystemTime) -> Option<String> {
    timestamp(time).map(|time| time.to_string())
}

/// A digest's kind and its hexadecimal digits.
fn digest(digest: &Digest) -> Option<(&'static str, String)> {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    match digest {
        Digest::Md5(md5) => Some(("md5", hex(md5))),
        Digest::Crc64Nvme(crc) => Some(("crc64nvme", format!("{crc:016x}"))),
        Digest::MultipartMd5 { .. } | Digest::Crc32c(_) => None,
    }
}
