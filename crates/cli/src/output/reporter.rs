//! Watches a run and shows it: joins the events, the progress and the summary.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use brigade_engine::events::{Event, Observer};
use brigade_engine::prune::{JudgedVersion, Prune};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::interval;
use tracing::Level;

use super::json;
use super::outlet::{Last, Outlet};
use super::progress::{self, Style};
use super::pruned::Telling;
use super::report::Report;
use super::report_file::{ReportError, ReportFile};
use super::streams::{Streams, To, Tone};
use super::tally::{Tally, Totals};
use super::text::{Verbosity, Wording};
use crate::arguments::Format;

/// How often lines that wait in a buffer are sent on, and JSON says how far a run has come.
const TICK: Duration = Duration::from_secs(1);
/// How many ticks lie between two plain progress lines.
const TICKS_PER_LINE: u64 = 30;

/// What decides how a run is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Show {
    /// How results are written.
    pub(crate) format: Format,
    /// How progress is shown.
    pub(crate) progress: Style,
    /// How events are worded.
    pub(crate) wording: Wording,
}

/// Watches a run and shows it.
pub(crate) struct Reporter {
    show: Show,
    started: Instant,
    tally: Tally,
    outlet: Outlet,
}

impl Reporter {
    /// A reporter that writes to these streams, and every event to this file.
    pub(crate) fn new(show: Show, streams: Arc<Mutex<Streams>>, file: Option<ReportFile>) -> Self {
        let outlet = Outlet::new(show.format, show.wording.verbosity, streams, file);
        Self { show, started: Instant::now(), tally: Tally::default(), outlet }
    }

    /// Shows how far the run has come until it is dropped.
    pub(crate) async fn show_progress(&self) -> ! {
        let mut ticks = interval(TICK);
        let mut last_totals = Totals::default();
        let mut tick = 0;
        // The first tick comes at once: a run that is over within one shows no progress.
        ticks.tick().await;
        let mut resized = signal(SignalKind::window_change()).ok();
        loop {
            tokio::select! {
                _ = ticks.tick() => tick += 1,
                // What is drawn must fit at once; nothing else is due.
                () = next(&mut resized) => {
                    self.draw(&self.tally.totals());
                    continue;
                }
            }
            let totals = self.tally.totals();
            if self.show.format == Format::Json && totals != last_totals {
                self.outlet.streams().text(To::Out, &json::progress(&totals));
                last_totals = totals;
            }
            self.show_totals(&totals, tick);
            self.outlet.streams().flush();
        }
    }

    fn show_totals(&self, totals: &Totals, tick: u64) {
        self.draw(totals);
        if self.show.progress == Style::Lines && tick.is_multiple_of(TICKS_PER_LINE) {
            let line = progress::sentence(totals, self.started.elapsed());
            self.outlet.streams().line(To::Err, Tone::Plain, "progress:", &line);
        }
    }

    fn draw(&self, totals: &Totals) {
        if self.show.progress == Style::Bar {
            let line = progress::bar(totals, self.started.elapsed(), Streams::columns());
            self.outlet.streams().draw(Some(line));
        }
    }

    /// Says something on standard error that is neither an event nor an error.
    pub(crate) fn note(&self, text: &str) {
        self.outlet.note(text);
    }

    /// Shows what was said on the side.
    pub(crate) fn log(&self, level: Level, text: String) {
        if level <= Level::WARN {
            self.event(Event::Warning { text });
        } else {
            self.note(&text);
        }
    }

    /// What tells of the versions that are removed afterwards.
    pub(crate) fn telling(&self, prune: Prune) -> Telling {
        let verbosity = self.show.wording.verbosity;
        let telling = Telling::new(self.show.format, verbosity >= Verbosity::Verbose, prune);
        if verbosity == Verbosity::Quiet { telling.quiet() } else { telling }
    }

    /// Says what came of a version.
    pub(crate) fn tell_of_version(&self, telling: &mut Telling, judged: &JudgedVersion) {
        if let Some(line) = telling.event(judged) {
            self.outlet.to_file(&line);
        }
        self.outlet.write(To::Out, |streams| telling.tell(streams, judged));
    }

    /// Says for which reasons those failed that were only counted.
    pub(crate) fn tell_of_failed_versions(&self, telling: &Telling) {
        telling.reasons(&mut self.outlet.streams());
    }

    /// How long the run has taken until now.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Begins the report file, if there is one: no other run is using it.
    pub(crate) fn begin_file(&self) {
        self.outlet.begin_file();
    }

    /// Writes the last lines of the report file, if there is one. It is another run's where that one holds the lock.
    pub(crate) fn finish_file(&self, report: &Report<'_>) -> Result<(), ReportError> {
        self.outlet.finish_file(report.exit, || json::summary(report))
    }

    /// Shows how the run ended. Nothing is written to standard output after it.
    /// What was given up may still warn on standard error.
    pub(crate) fn finish(&self, report: &Report<'_>) {
        let (json, text) = (|| json::summary(report), || report.text());
        self.outlet.finish(&Last { json: &json, text: &text, error: report.error });
    }
}

/// Waits for the next signal, if it can be listened for.
async fn next(signal: &mut Option<unix::Signal>) {
    match signal {
        Some(signal) => _ = signal.recv().await,
        None => std::future::pending().await,
    }
}

impl Observer for Reporter {
    fn event(&self, event: Event<'_>) {
        self.tally.count(&event);
        if let Event::Reordered { .. } = event {
            self.outlet.count_again();
        }
        self.outlet.event(|| json::event(&event));
        if let Some(line) = self.show.wording.line(&event) {
            self.outlet.say(&line);
        }
    }
}

#[cfg(test)]
mod tests {

    use brigade_engine::events::{Outcome, Summary};
    use brigade_store::{Failure, FailureKind, Key, Verified};

    use super::*;
    use crate::exit::Exit;
    use crate::output::Task;
    use crate::output::written::Written;

    /// What standard output and standard error have after a run in which one object was sent and one failed.
    fn shown(format: Format, verbosity: Verbosity) -> (String, String) {
        let (out, err) = (Written::default(), Written::default());
        let streams = Arc::new(Mutex::new(Streams::to_writers(out.clone(), err.clone())));
        let wording = Wording { verbosity, send: "upload", dry_run: false };
        let reporter = Reporter::new(Show { format, progress: Style::Hidden, wording }, streams, None);
        let sent = Outcome::Sent { bytes: 5, replaced: false, verified: Verified::Yes };
        let failed = Outcome::Failed(Failure::new(FailureKind::Denied, "access denied"));
        reporter.event(Event::Object { key: &Key::from("one"), outcome: &sent });
        reporter.event(Event::Object { key: &Key::from("two"), outcome: &failed });
        reporter.note("stopping");
        reporter.log(Level::WARN, "remains".to_owned());
        reporter.log(Level::DEBUG, "retrying".to_owned());
        let summary = Summary { created: 1, bytes: 5, failed: 1, ..Summary::default() };
        let elapsed = Duration::ZERO;
        let (exit, summary) = (Exit::Incomplete, Some(&summary));
        reporter.finish(&Report {
            exit,
            task: Task::Sync,
            dry_run: false,
            elapsed,
            summary,
            error: Some("the last word"),
            prices: None,
            pruned: None,
        });
        reporter.event(Event::Object { key: &Key::from("late"), outcome: &sent });
        (out.text(), err.text())
    }

    #[test]
    fn results_go_to_standard_output_and_the_rest_to_standard_error() {
        let summary = "\
in step               0
created               1
failed                1  named above, or counted by reason
sent                5 B  in 0.0 s
Not in step (exit code 3): 1 failed.
";
        let failed = "failed: two: access denied\n";
        let said = "note: stopping\nwarning: remains\nnote: retrying\n";
        let errors = format!("{failed}{said}error: the last word\n");
        assert_eq!(shown(Format::Text, Verbosity::Normal), (summary.to_owned(), errors.clone()));
        assert_eq!(shown(Format::Text, Verbosity::Verbose), (format!("upload one\n{summary}"), errors));
        let errors = format!("{failed}error: the last word\n");
        assert_eq!(shown(Format::Text, Verbosity::Quiet), (String::new(), errors));
    }

    #[test]
    fn what_failed_before_a_listing_started_again_is_not_counted_twice() {
        let (out, err) = (Written::default(), Written::default());
        let streams = Arc::new(Mutex::new(Streams::to_writers(out, err.clone())));
        let wording = Wording { verbosity: Verbosity::Normal, send: "upload", dry_run: false };
        let reporter = Reporter::new(Show { format: Format::Text, progress: Style::Hidden, wording }, streams, None);
        let failed = Outcome::Failed(Failure::new(FailureKind::Denied, "access denied"));
        for _ in 0..2 {
            reporter.event(Event::Reordered { location: "s3://b", key: None });
            for _ in 0..30 {
                reporter.event(Event::Object { key: &Key::from("k"), outcome: &failed });
            }
        }
        let summary = Summary { failed: 30, ..Summary::default() };
        let (exit, elapsed, summary) = (Exit::Incomplete, Duration::ZERO, Some(&summary));
        reporter.finish(&Report {
            exit,
            task: Task::Sync,
            dry_run: false,
            elapsed,
            summary,
            error: None,
            prices: None,
            pruned: None,
        });
        assert_eq!(err.text().lines().last(), Some("in all: 30 failed: access denied"));
    }

    #[test]
    fn json_is_whole_and_failures_are_named_for_people_too() {
        let (out, err) = shown(Format::Json, Verbosity::Quiet);
        let types: Vec<String> = out
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["type"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(types, ["object", "object", "warning", "summary"]);
        assert_eq!(err, "failed: two: access denied\nerror: the last word\n");
    }
}
