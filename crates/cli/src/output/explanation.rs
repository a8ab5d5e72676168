//! What `brigade explain` found out, in words.

mod event;

use std::fmt::Write;

use brigade_engine::compare::{Content, Row};
use brigade_engine::events::Outcome;
use brigade_engine::explain::{Explanation, Prospect, Sighting};
use brigade_engine::filters::Rule;
use brigade_engine::ledger::SettledPair;
use brigade_engine::plan::{Action, Decision, Phase};
use brigade_store::{Entry, Extent, Key, Version};

use super::ledgers;
use super::listing::timestamp;
use crate::arguments::Format;
use crate::resolve::explain::Explain;
use crate::resolve::filters::Origin;

/// What is remembered of the key, in sentences.
fn remembered(settled: Option<&SettledPair>) -> Vec<String> {
    let Some(pair) = settled else { return vec!["nothing".to_owned()] };
    let [source, dest] = ledgers::sides(pair);
    let mut sentences = vec![format!("in step, with {source} at the source"), format!("and {dest}")];
    sentences.extend(Some(ledgers::doubts(pair)).filter(|doubts| !doubts.is_empty()));
    sentences
}

/// The explanation of the key that was asked about, with its end.
pub(crate) fn text(format: Format, asked: &Explain, found: &Explanation) -> String {
    let words = Words { asked, found };
    match format {
        Format::Text => words.text(),
        Format::Json => words.event(),
    }
}

/// An explanation about to be worded.
struct Words<'a> {
    asked: &'a Explain,
    found: &'a Explanation,
}

impl Words<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut row = |label: &str, words: &str| {
            // Writing into a string can't fail.
            let _ = writeln!(text, "{label:<12} {words}");
        };
        row("key", &self.asked.key.to_string());
        row("source", &sighting(&self.found.source));
        row("destination", &sighting(&self.found.dest));
        for words in remembered(self.found.settled.as_ref()) {
            row("remembered", &words);
        }
        row("filters", &self.filters());
        if let Some(compared) = self.compared() {
            row("compared", &compared);
        }
        row("a sync", &self.conclusion());
        for condition in self.conditions() {
            row("held back", condition);
        }
        text
    }

    fn filters(&self) -> String {
        let verdict = if self.found.judgement.takes_part { "takes part" } else { "left out" };
        match self.rule() {
            None if self.found.judgement.is_ledger => {
                format!("{verdict}: it is a file of a ledger, or a lock")
            }
            Some(rule) => format!("{verdict}, by {rule}: the last pattern that matches decides"),
            None if self.found.judgement.takes_part => format!("{verdict}: no pattern matches"),
            None => format!("{verdict}: no pattern matches, and an --include that comes first means only these"),
        }
    }

    /// The rule that decided: `--exclude '*.tmp'`, `'*.tmp' in line 3 of FILE`.
    fn rule(&self) -> Option<String> {
        let place = self.found.judgement.rule?;
        let rule = self.asked.job.spec.filters.rule(place)?;
        Some(match self.asked.job.origins.get(place)? {
            Origin::CommandLine => format!("{} '{}'", option(rule), rule.pattern()),
            Origin::File { path, line } => {
                let not = if matches!(rule, Rule::Include(_)) { "!" } else { "" };
                format!("'{not}{}' in line {line} of --exclude-from {}", rule.pattern(), path.display())
            }
        })
    }

    /// The row of the table that applied, and what the content told.
    fn compared(&self) -> Option<String> {
        let fudge = format!("the fudge of {} seconds", self.asked.job.spec.clock_fudge_factor.as_secs());
        let row = match self.found.row? {
            Row::Always => "with --compare always, everything is taken to differ".to_owned(),
            Row::SizesDiffer => "the sizes differ".to_owned(),
            Row::SizesEqual => "the sizes are equal, and --compare size asks no more".to_owned(),
            Row::Older => format!("the source's version is older than the destination's by {fudge} or more"),
            Row::NotOlder => format!("the source's version is not older than the destination's by {fudge}"),
            Row::Unchanged => "neither side has changed since they were last in step".to_owned(),
            Row::DigestsEqual => "the listed digests are of one kind, and equal".to_owned(),
            Row::ClearlyOlder => format!("the file's mtime and ctime are both more than {fudge} before LastModified"),
            Row::Undecided => "what is listed can't tell, so the content was asked".to_owned(),
        };
        let content = match self.found.content {
            None => "",
            Some(Content::SameMd5) => ": the MD5 of both sides is the same",
            Some(Content::SameCrc64) => ": the CRC-64/NVME of both sides is the same",
            Some(Content::SameCrc32c) => ": the CRC-32C of both sides is the same",
            Some(Content::SameMultipart) => ": the file, cut into parts, gives the object's multipart ETag",
            Some(Content::OtherMd5) => ": the MD5s of the two sides differ, and there is no other digest",
            Some(Content::OtherCrc64) => ": the CRC-64/NVMEs of the two sides differ",
            Some(Content::OtherCrc32c) => ": the CRC-32Cs of the two sides differ",
            Some(Content::OtherMultipart) => {
                ": cut into parts of no usual size, the file gives the object's multipart ETag"
            }
            Some(Content::WrittenLater) => {
                ": there is no digest that proves it to be the same, but the copy was written after the source was"
            }
            Some(Content::Unproven) => ": there is no digest that proves it to be the same",
        };
        Some(format!("{row}{content}"))
    }

    /// What a sync would do.
    fn conclusion(&self) -> String {
        match &self.found.decision {
            Decision::InStep(_) => "does nothing: it is in step".to_owned(),
            Decision::Excluded => "does nothing: it neither sends nor deletes what is left out".to_owned(),
            Decision::Extra if self.asked.job.spec.delete.is_some() => {
                "does nothing: an empty object that stands for a directory is never deleted".to_owned()
            }
            Decision::Extra => "does nothing: it is only at the destination, and --delete was not given".to_owned(),
            Decision::Held if matches!(self.found.source, Sighting::Unknown(_)) => {
                "does nothing: the source can't tell whether it has this, and only proven absence deletes".to_owned()
            }
            Decision::Held => {
                "does nothing: the destination can't tell what is there, and the source has nothing".to_owned()
            }
            Decision::Gone => self.gone(),
            Decision::Act(_, Action::Delete(_)) => self.foreseen("delete"),
            Decision::Act(_, Action::Send(_)) | Decision::Blocked(_) | Decision::Shadowed { .. } => {
                self.foreseen(self.asked.job.send)
            }
        }
    }

    fn gone(&self) -> String {
        let gone = "does nothing: neither side has it";
        match &self.asked.perhaps {
            Some(perhaps) => format!("{gone}. Keys count from the roots: did you mean {perhaps}?"),
            None => gone.to_owned(),
        }
    }

    fn foreseen(&self, verb: &str) -> String {
        let Some(Prospect { phase, outcome }) = &self.found.prospect else { return format!("tries to {verb} it") };
        let when = match phase {
            Phase::Now => "at once",
            Phase::Deletions => "when both sides are listed and all is sent",
            Phase::AfterDeletions => "after the deletions",
        };
        match outcome {
            Outcome::Sent { replaced: true, .. } => format!("{verb}s it {when}, over the destination's version"),
            Outcome::Sent { replaced: false, .. } => format!("{verb}s it {when}: the destination lacks it"),
            Outcome::Deleted => format!("{verb}s it {when}: the source lacks it"),
            Outcome::InStep => "does nothing: it is in step".to_owned(),
            Outcome::Withdrawn { reason } => format!("does nothing: {reason}"),
            Outcome::Unrepresentable { reason } => format!("fails (exit code 3): {reason}"),
            Outcome::Restoring(_) => "asks for it, out of the archive in which it lies".to_owned(),
            Outcome::Failed(failure) => format!("fails (exit code 3): {failure}"),
        }
    }

    /// What else would keep a sync from doing it.
    fn conditions(&self) -> &'static [&'static str] {
        match self.found.prospect {
            Some(Prospect { outcome: Outcome::Deleted, .. }) => &[
                "if either listing breaks off, or anything fails before the deletions",
                "if there are more deletions than --max-delete allows, or the source lists nothing at all",
                "if it is at the source again when its turn comes",
            ],
            Some(Prospect { phase: Phase::AfterDeletions, outcome: Outcome::Failed(_) }) => {
                &["unless a deletion makes room for it first: see --delete"]
            }
            Some(Prospect { phase: Phase::AfterDeletions, outcome: Outcome::Sent { .. } }) => {
                &["if the deletions that make room for it are held back, because anything fails before them"]
            }
            Some(Prospect { outcome: Outcome::Sent { replaced: true, .. }, .. }) => {
                &["if somebody else changes the destination's version first"]
            }
            _ => &[],
        }
    }
}

fn option(rule: &Rule) -> &'static str {
    match rule {
        Rule::Exclude(_) => "--exclude",
        Rule::Include(_) => "--include",
    }
}

/// `5 bytes, modified 2024-02-03T04:05:06Z, ETag abc`.
fn sighting(sighting: &Sighting) -> String {
    match sighting {
        Sighting::Absent => "nothing".to_owned(),
        Sighting::Present(entry) => version(entry),
        Sighting::Unknown(unknown) => {
            let place = match unknown.extent {
                Extent::Key => "",
                Extent::Below if unknown.key.as_bytes().is_empty() => ", like everything here",
                Extent::Below => ", like everything below",
            };
            format!("can't tell{place} {}: {}", unknown.key, unknown.reason)
        }
    }
}

fn version(entry: &Entry) -> String {
    let time = |time| timestamp(time).map_or_else(|| "a time that no calendar has".to_owned(), |time| time.to_string());
    let bytes = if entry.size == 1 { "byte" } else { "bytes" };
    let start = format!("{} {bytes}, modified {}", entry.size, time(entry.modified));
    match &entry.version {
        Version::File { changed, .. } => format!("{start}, inode changed {}", time(*changed)),
        Version::Object { etag, .. } => format!("{start}, ETag {}", Key::from(etag.as_str())),
    }
}
