//! What `brigade prune` found and did, as lines for a person or for a program.

mod event;

pub(super) use event::CountsField;

use brigade_engine::prune::{JudgedVersion, Prune, VersionCounts, VersionOutcome};
use brigade_store::RequestCount;

use super::figures::{bytes, count, counted, duration};
use super::folding::{Folding, Said};
use super::streams::{Streams, To, Tone};
use super::text::named;
use crate::arguments::Format;
use crate::exit::Exit;

/// Tells what comes of versions.
#[derive(Debug)]
pub(crate) struct Telling {
    format: Format,
    /// Whether each version is named.
    verbose: bool,
    /// Whether only what fails is named.
    quiet: bool,
    /// What is asked for.
    prune: Prune,
    /// What failed so far.
    failures: Folding,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pruned<'a> {
    /// The exit code.
    pub(crate) exit: Exit,
    /// Why it didn't come to its end.
    pub(crate) error: Option<&'a str>,
    /// What came of the versions that were found.
    pub(crate) counts: VersionCounts,
    /// What was sent.
    pub(crate) requests: &'a [RequestCount],
}

impl Telling {
    /// For whom, and whether each version is named.
    pub(crate) fn new(format: Format, verbose: bool, prune: Prune) -> Self {
        Self { format, verbose, quiet: false, prune, failures: Folding::default() }
    }

    /// The same, which names only what fails.
    pub(super) fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// The line of a version as a program reads it, if it is told of it.
    pub(super) fn event(&self, judged: &JudgedVersion) -> Option<String> {
        let stays = !matches!(judged.outcome, VersionOutcome::Removed | VersionOutcome::Failed(_));
        (self.verbose || !stays).then(|| event::version(judged))
    }

    /// Says what came of a version.
    pub(crate) fn tell(&mut self, streams: &mut Streams, judged: &JudgedVersion) {
        if let Some(line) = self.event(judged).filter(|_| self.format == Format::Json) {
            streams.text(To::Out, &line);
        }
        let word = match &judged.outcome {
            VersionOutcome::Failed(failure) => return self.failed(streams, judged, &failure.reason),
            VersionOutcome::Removed if self.prune.dry_run => "would remove",
            VersionOutcome::Removed => "remove",
            _ => "leave",
        };
        let is_named = self.verbose || (self.prune.dry_run && judged.outcome == VersionOutcome::Removed);
        if self.format == Format::Text && is_named && !self.quiet {
            streams.line(To::Out, Tone::Plain, word, &described(judged));
        }
    }

    fn failed(&mut self, streams: &mut Streams, judged: &JudgedVersion, reason: &str) {
        let said = if self.verbose { Said::Named } else { self.failures.count(reason) };
        match said {
            Said::Named => {
                streams.line(To::Err, Tone::Failure, "failed:", &format!("{}: {reason}", described(judged)));
            }
            Said::MoreFollow => {
                let rest = format!(
                    "and more for the same reason, which are only counted here (-v or --output json names them all): {reason}"
                );
                streams.line(To::Err, Tone::Failure, "failed:", &rest);
            }
            Said::Counted => {}
        }
    }

    /// Says for which reasons those failed that were only counted.
    pub(crate) fn reasons(&self, streams: &mut Streams) {
        if self.failures.has_folded() {
            for line in self.failures.by_reason() {
                streams.line(To::Err, Tone::Failure, "in all:", &line);
            }
        }
    }

    /// The last lines, with their end.
    pub(crate) fn summary(&self, pruned: &Pruned<'_>) -> String {
        match self.format {
            Format::Json => event::summary(pruned, self.prune.dry_run),
            // The reason on standard error says it all.
            Format::Text if pruned.error.is_some() && pruned.counts.found() == 0 => String::new(),
            Format::Text => format!("{}\n{}\n", self.totals(&pruned.counts), self.conclusion(pruned)),
        }
    }

    /// `9 versions: 5 removed (1.5 KiB), 3 current, 1 left alone (superseded less than 30 d 00 h ago)`.
    pub(crate) fn totals(&self, counts: &VersionCounts) -> String {
        let VersionCounts { removed, removed_bytes, current, young, kept, covering, failed } = *counts;
        let done = if self.prune.dry_run { "to remove" } else { "removed" };
        let parts = [
            (removed, format!("{done} ({})", bytes(removed_bytes)), true),
            (current, "current".to_owned(), false),
            (young, format!("left alone (superseded less than {} ago)", duration(self.prune.older_than)), false),
            (kept, format!("left alone (of the newest {} of their keys)", count(self.prune.keep)), false),
            (covering, "left alone (delete markers over what stays)".to_owned(), false),
            (failed, "failed".to_owned(), false),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(number, _, always)| *always || *number > 0)
            .map(|(number, what, _)| format!("{} {what}", count(number)))
            .collect();
        format!("{}: {}", counted(counts.found(), "version"), parts.join(", "))
    }

    fn conclusion(&self, pruned: &Pruned<'_>) -> String {
        match pruned.exit {
            Exit::InStep if self.prune.dry_run => "Dry run: nothing was changed.".to_owned(),
            Exit::InStep => "Pruned.".to_owned(),
            exit => format!("Not pruned (exit code {}): {exit}.", exit.code()),
        }
    }
}

/// `KEY (version ID, superseded 40 d 02 h ago)`.
fn described(judged: &JudgedVersion) -> String {
    let JudgedVersion { version, age, outcome } = judged;
    let what = if version.is_delete_marker() { "delete marker" } else { "version" };
    let id = version.id.as_str();
    let since = if version.is_current { "written" } else { "superseded" };
    let age = age.map(|age| format!(", {since} {} ago", duration(age))).unwrap_or_default();
    let why = match outcome {
        VersionOutcome::Current => ", current",
        VersionOutcome::Kept => ", one of the newest",
        VersionOutcome::Covering => ", over what stays",
        VersionOutcome::Removed | VersionOutcome::Young | VersionOutcome::Failed(_) => "",
    };
    format!("{} ({what} {id}{age}{why})", named(&version.key))
}

#[cfg(test)]
#[path = "pruned/tests.rs"]
mod tests;
