//! How a run ended, and the summary that a person reads.

mod requests;

use std::fmt::Write;
use std::time::Duration;

use brigade_engine::events::{Summary, TakenUp};
use brigade_engine::prune::VersionCounts;

use super::Task;
use super::figures::{bytes, count, counted, duration, rate};
use crate::exit::Exit;
use crate::prices::PriceList;

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What the run was to the person.
    pub(crate) task: Task,
    /// Whether nothing was changed because the user asked what would be.
    pub(crate) dry_run: bool,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// What was done; missing if the run broke off without counting.
    pub(crate) summary: Option<&'a Summary>,
    /// Why the run didn't come to its end.
    pub(crate) error: Option<&'a str>,
    /// What requests cost, where that is known.
    pub(crate) prices: Option<&'a PriceList>,
    /// What came of the versions at the destination, if it was pruned.
    pub(crate) pruned: Option<&'a VersionCounts>,
}

impl Report<'_> {
    /// The summary for a person: what came of the objects, a line for each
    /// count, what it took, and why the exit code is what it is. Empty if
    /// nothing was counted: then the error says it all.
    pub(super) fn text(&self) -> String {
        let Some(summary) = self.summary else { return String::new() };
        let mut text = String::new();
        rows(&mut text, summary, self.task, self.dry_run);
        taken_up(&mut text, summary);
        pruned(&mut text, self.pruned, self.dry_run);
        if self.task.sends() {
            work(&mut text, summary, self.elapsed, self.dry_run);
        }
        requests::rows(&mut text, self, summary);
        let _ = writeln!(text, "{}", self.conclusion(summary));
        if let Some(when) = self.task.comes_back(summary).filter(|_| !self.dry_run) {
            let _ = writeln!(text, "{when}");
        }
        text
    }

    fn conclusion(&self, summary: &Summary) -> String {
        let code = self.exit.code();
        match self.exit {
            Exit::InStep if self.dry_run => "Dry run: nothing was changed.".to_owned(),
            Exit::InStep if summary.over_limit > 0 => {
                format!("Stopped at --limit: {} left to send.", counted(summary.over_limit, "object"))
            }
            Exit::InStep => self.task.done(summary).to_owned(),
            Exit::Incomplete if summary.complete() => {
                format!("In step, but some versions could not be removed (exit code {code}).")
            }
            Exit::Incomplete => {
                format!("{} (exit code {code}): {}.", self.task.undone(), shortfall(summary, self.dry_run))
            }
            exit => format!("{} (exit code {code}): {exit}.", self.task.undone()),
        }
    }
}

/// The counts of keys, those of zero left out but for what the run is about.
fn rows(text: &mut String, summary: &Summary, task: Task, dry_run: bool) {
    let created = if dry_run { "to create" } else { "created" };
    let replaced = if dry_run { "to replace" } else { "replaced" };
    let deleted = if dry_run { "to delete" } else { "deleted" };
    let restoring = if dry_run { "in an archive, and would be asked for" } else { "in an archive, and asked for" };
    let rows = [
        ("in step", summary.in_step, ""),
        (created, summary.created, ""),
        (replaced, summary.replaced, ""),
        (deleted, summary.deleted, ""),
        ("extra", summary.extra, "only at the destination, and left there"),
        ("kept", summary.deletions_held_back, "not deleted, for the reason given"),
        ("excluded", summary.excluded, "left out by the filters"),
        ("held", summary.held, "left alone, because the source could not tell"),
        ("left", summary.over_limit, "left undone by --limit"),
        ("gone", summary.withdrawn, "changed or went away before their turn came"),
        ("skipped", summary.skipped, "symlinks, special files and generated pages"),
        ("impossible", summary.unrepresentable, "keys that the destination can't hold"),
        ("archived", summary.archived, "in an archive: `brigade restore --request-restore DAYS` asks for them"),
        ("restoring", summary.restoring, restoring),
        ("failed", summary.failed, "named above, or counted by reason"),
        ("unverified", summary.unverified, "sent, with no digest to check the copy with"),
    ];
    let always: &[&str] = if task.sends() { &["in step", created] } else { &[deleted] };
    for (label, number, note) in rows.into_iter().filter(|(label, number, _)| *number > 0 || always.contains(label)) {
        let _ = writeln!(text, "{}", format!("{label:<10} {:>12}  {note}", count(number)).trim_end());
    }
}

/// What an earlier run had done, if this one went on from there.
fn taken_up(text: &mut String, summary: &Summary) {
    let mut words = Vec::new();
    if let Some(TakenUp { through, ranges, failed, spooled }) = &summary.taken_up {
        match through {
            Some(Some(key)) => words.push(format!("listed up to {key}")),
            Some(None) => words.push("everything listed".to_owned()),
            None => {}
        }
        let counts = [(*ranges, "further ranges in part"), (*failed, "failed"), (*spooled, "waiting")];
        words.extend(counts.iter().filter(|(number, _)| *number > 0).map(|(n, what)| format!("{} {what}", count(*n))));
    }
    if summary.parts_taken_up > 0 {
        words.push(format!("{} of large uploads", counted(summary.parts_taken_up, "part")));
    }
    if !words.is_empty() {
        let _ = writeln!(text, "{:<10} {:>12}  {}", "taken up", "", words.join(", "));
    }
}

/// What came of old versions.
fn pruned(text: &mut String, counts: Option<&VersionCounts>, dry_run: bool) {
    let Some(VersionCounts { removed, removed_bytes, failed, .. }) = counts else { return };
    let label = if dry_run { "to prune" } else { "pruned" };
    let _ = write!(text, "{label:<10} {:>12}  old versions ({})", count(*removed), bytes(*removed_bytes));
    if *failed > 0 {
        let _ = write!(text, ", {} failed", count(*failed));
    }
    text.push('\n');
}

/// What it took: bytes, time.
fn work(text: &mut String, summary: &Summary, elapsed: Duration, dry_run: bool) {
    let sent = if dry_run { "to send" } else { "sent" };
    let _ = write!(text, "{sent:<10} {:>12}  in {}", bytes(summary.bytes), duration(elapsed));
    match rate(summary.bytes, elapsed) {
        Some(rate) if summary.bytes > 0 && !dry_run => {
            let _ = writeln!(text, ", {rate}");
        }
        _ => text.push('\n'),
    }
}

/// What is left undone.
fn shortfall(summary: &Summary, dry_run: bool) -> String {
    let restoring = if dry_run { "would be asked for, out of an archive" } else { "asked for, out of an archive" };
    let parts = [
        (summary.failed, "failed"),
        (summary.archived, "in an archive"),
        (summary.restoring, restoring),
        (summary.unrepresentable, "can't be held by the destination"),
        (summary.deletions_held_back, "not deleted"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", count(number)))
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use brigade_store::{Forecast, Key, RequestCount};

    use super::*;
    use crate::signals::Signal;

    fn report(exit: Exit, summary: &Summary) -> Report<'_> {
        Report {
            exit,
            task: Task::Sync,
            dry_run: false,
            elapsed: Duration::from_secs(2),
            summary: Some(summary),
            error: None,
            prices: None,
            pruned: None,
        }
    }

    #[test]
    fn what_was_pruned_has_a_row() {
        let summary = Summary { in_step: 1, ..Summary::default() };
        let pruned =
            VersionCounts { removed: 2, removed_bytes: 2048, current: 9, failed: 1, ..VersionCounts::default() };
        let text = Report { pruned: Some(&pruned), ..report(Exit::Incomplete, &summary) }.text();
        assert!(text.contains("\npruned                2  old versions (2.0 KiB), 1 failed\n"), "{text}");
        assert!(text.ends_with("In step, but some versions could not be removed (exit code 3).\n"), "{text}");
        let clean = VersionCounts { failed: 0, ..pruned };
        let text = Report { pruned: Some(&clean), dry_run: true, ..report(Exit::InStep, &summary) }.text();
        assert!(text.contains("\nto prune              2  old versions (2.0 KiB)\n"), "{text}");
    }

    #[test]
    fn nothing_to_do_is_short() {
        let summary = Summary { in_step: 1_204, ..Summary::default() };
        let expected = "\
in step           1,204
created               0
sent                0 B  in 2.0 s
In step.
";
        assert_eq!(report(Exit::InStep, &summary).text(), expected);
    }

    #[test]
    fn every_count_has_its_row() {
        let summary = Summary {
            source_objects: 2_000,
            dest_objects: 1_500,
            in_step: 1_204,
            created: 3,
            replaced: 2,
            bytes: 12_897_485,
            unverified: 1,
            deleted: 4,
            extra: 5,
            deletions_held_back: 6,
            excluded: 7,
            held: 13,
            over_limit: 8,
            withdrawn: 9,
            skipped: 10,
            unrepresentable: 11,
            archived: 15,
            restoring: 16,
            ready: 16,
            failed: 12,
            taken_up: Some(TakenUp { through: Some(Some(Key::from("d/k"))), ranges: 0, failed: 2, spooled: 3 }),
            parts_taken_up: 14,
            requests: vec![
                RequestCount { operation: "ListObjectsV2", sent: 2, retries: 0 },
                RequestCount { operation: "PutObject", sent: 1_006, retries: 1 },
            ],
            forecast: Forecast::default(),
        };
        let expected = "\
in step           1,204
created               3
replaced              2
deleted               4
extra                 5  only at the destination, and left there
kept                  6  not deleted, for the reason given
excluded              7  left out by the filters
held                 13  left alone, because the source could not tell
left                  8  left undone by --limit
gone                  9  changed or went away before their turn came
skipped              10  symlinks, special files and generated pages
impossible           11  keys that the destination can't hold
archived             15  in an archive: `brigade restore --request-restore DAYS` asks for them
restoring            16  in an archive, and asked for
failed               12  named above, or counted by reason
unverified            1  sent, with no digest to check the copy with
taken up                 listed up to d/k, 2 failed, 3 waiting, 14 parts of large uploads
sent           12.3 MiB  in 2.0 s, 6.1 MiB/s
requests          1,008  ListObjectsV2 2, PutObject 1,006 (1 retry)
Not in step (exit code 3): 12 failed, 15 in an archive, 16 asked for, out of an archive, 11 can't be held by the destination, 6 not deleted.
";
        assert_eq!(report(Exit::Incomplete, &summary).text(), expected);
    }

    #[test]
    fn a_dry_run_says_what_would_be_done() {
        let summary = Summary { created: 1, replaced: 2, deleted: 3, bytes: 2_048, ..Summary::default() };
        let expected = "\
in step               0
to create             1
to replace            2
to delete             3
to send         2.0 KiB  in 2.0 s
Dry run: nothing was changed.
";
        assert_eq!(Report { dry_run: true, ..report(Exit::InStep, &summary) }.text(), expected);
    }

    #[test]
    fn the_last_line_gives_the_reason_of_the_exit_code() {
        let plain = Summary::default();
        let extra = Summary { extra: 1, ..Summary::default() };
        let limited = Summary { over_limit: 1, ..Summary::default() };
        let failed = Summary { failed: 1, ..Summary::default() };
        let table = [
            (Exit::InStep, &plain, "In step."),
            (Exit::InStep, &extra, "In step, but for what is only at the destination."),
            (Exit::InStep, &limited, "Stopped at --limit: 1 object left to send."),
            (Exit::Incomplete, &failed, "Not in step (exit code 3): 1 failed."),
            (Exit::Refused, &plain, "Not in step (exit code 4): refused for safety, nothing was deleted."),
            (Exit::Interrupted(Signal::Interrupt), &plain, "Not in step (exit code 130): interrupted."),
        ];
        for (exit, summary, expected) in table {
            assert_eq!(report(exit, summary).conclusion(summary), expected);
        }
        let broken_off = Report { summary: None, ..report(Exit::CouldNotRun, &plain) };
        assert_eq!(broken_off.text(), "");
    }
}
