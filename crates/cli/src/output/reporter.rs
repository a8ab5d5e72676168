//! Watches a run and shows it: joins the events, the progress and the summary.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use brigade_engine::events::{Event, Observer};
use brigade_engine::prune::{JudgedVersion, Prune};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::interval;
use tracing::Level;

use super::folding::{Folding, Said};
use super::json;
use super::progress::{self, Style};
use super::pruned::Telling;
use super::report::Report;
use super::report_file::{ReportError, ReportFile};
use super::streams::{Streams, To, Tone};
use super::tally::{Tally, Totals};
use super::text::{Line, Verbosity, Wording};
use crate::arguments::Format;
use crate::exit::Exit;

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
    /// Whether the summary is written; changes while the streams are locked.
    finished: AtomicBool,
    folding: Mutex<Folding>,
    streams: Arc<Mutex<Streams>>,
    /// Where every event is written besides.
    file: Option<Mutex<ReportFile>>,
}

impl Reporter {
    /// A reporter that writes to these streams, and every event to this file.
    pub(crate) fn new(show: Show, streams: Arc<Mutex<Streams>>, file: Option<ReportFile>) -> Self {
        let (started, tally, finished, folding) =
            (Instant::now(), Tally::default(), AtomicBool::new(false), Mutex::default());
        Self { show, started, tally, finished, folding, streams, file: file.map(Mutex::new) }
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
                self.streams().text(To::Out, &json::progress(&totals));
                last_totals = totals;
            }
            self.show_totals(&totals, tick);
            self.streams().flush();
        }
    }

    fn show_totals(&self, totals: &Totals, tick: u64) {
        self.draw(totals);
        if self.show.progress == Style::Lines && tick.is_multiple_of(TICKS_PER_LINE) {
            let line = progress::sentence(totals, self.started.elapsed());
            self.streams().line(To::Err, Tone::Plain, "progress:", &line);
        }
    }

    fn draw(&self, totals: &Totals) {
        if self.show.progress == Style::Bar {
            let line = progress::bar(totals, self.started.elapsed(), Streams::columns());
            self.streams().draw(Some(line));
        }
    }

    /// Says something on standard error that is neither an event nor an error.
    pub(crate) fn note(&self, text: &str) {
        if self.show.wording.verbosity > Verbosity::Quiet {
            self.write(To::Err, |streams| streams.line(To::Err, Tone::Plain, "note:", text));
        }
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
        if let Some((mut file, line)) = self.file().zip(telling.event(judged)) {
            file.line(&line);
        }
        self.write(To::Out, |streams| telling.tell(streams, judged));
    }

    /// Says for which reasons those failed that were only counted.
    pub(crate) fn tell_of_failed_versions(&self, telling: &Telling) {
        telling.reasons(&mut self.streams());
    }

    /// How long the run has taken until now.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Begins the report file, if there is one: no other run is using it.
    pub(crate) fn begin_file(&self) {
        if let Some(mut file) = self.file() {
            file.begin();
        }
    }

    /// Writes the last lines of the report file, if there is one. It is another run's where that one holds the lock.
    pub(crate) fn finish_file(&self, report: &Report<'_>) -> Result<(), ReportError> {
        let Some(mut file) = self.file().filter(|_| report.exit != Exit::Locked) else { return Ok(()) };
        file.begin();
        file.line(&json::summary(report));
        file.finish()
    }

    fn file(&self) -> Option<MutexGuard<'_, ReportFile>> {
        self.file.as_ref().map(|file| file.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows how the run ended. Nothing is written to standard output after it.
    /// What was given up may still warn on standard error.
    pub(crate) fn finish(&self, report: &Report<'_>) {
        let mut streams = self.streams();
        streams.draw(None);
        self.finished.store(true, Relaxed);
        let folding = self.folding();
        if folding.has_folded() {
            for line in folding.by_reason() {
                streams.line(To::Err, Tone::Failure, "in all:", &line);
            }
        }
        match self.show.format {
            Format::Json => streams.text(To::Out, &json::summary(report)),
            Format::Text if self.show.wording.verbosity > Verbosity::Quiet => {
                streams.text(To::Out, &report.text());
            }
            Format::Text => {}
        }
        if let Some(error) = report.error {
            super::error(&mut streams, error);
        }
        streams.flush();
    }

    /// Says a line, or after many that say the same, that it is counted.
    fn say(&self, line: &Line) {
        // Counted while the streams are locked: none that is named stands after the one that says that more follow.
        self.write(line.to, |streams| {
            let said = line.reason.as_ref().map_or(Said::Named, |reason| self.folding().count(reason));
            let names_all = self.show.wording.verbosity >= Verbosity::Verbose;
            match if names_all { Said::Named } else { said } {
                Said::Named => streams.line(line.to, line.tone, &line.word, &line.rest),
                Said::MoreFollow => streams.line(line.to, line.tone, &line.word, &self.more_follow(line)),
                Said::Counted => {}
            }
        });
    }

    fn more_follow(&self, line: &Line) -> String {
        let named = match self.show.format {
            Format::Text => "-v or --output json names them all",
            Format::Json => "standard output names them all",
        };
        let reason = line.reason.as_deref().unwrap_or_default();
        format!("and more for the same reason, which are only counted here ({named}): {reason}")
    }

    fn folding(&self) -> MutexGuard<'_, Folding> {
        // Counting can't panic half-way.
        self.folding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, to: To, write: impl FnOnce(&mut Streams)) {
        let mut streams = self.streams();
        if to == To::Out && self.finished.load(Relaxed) {
            return;
        }
        write(&mut streams);
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        super::lock(&self.streams)
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
            // The listing starts again, and with it all counts.
            *self.folding() = Folding::default();
        }
        if (self.show.format == Format::Json || self.file.is_some())
            && let Some(line) = json::event(&event)
        {
            if let Some(mut file) = self.file() {
                file.line(&line);
            }
            if self.show.format == Format::Json {
                self.write(To::Out, |streams| streams.text(To::Out, &line));
            }
        }
        // What went wrong is named on standard error in both formats: it may be all that a person sees.
        let line = self.show.wording.line(&event);
        if let Some(line) = line.filter(|line| self.show.format == Format::Text || line.to == To::Err) {
            self.say(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use brigade_engine::events::{Outcome, Summary};
    use brigade_store::{Failure, FailureKind, Key, Verified};

    use super::*;
    use crate::output::Task;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

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
