//! Watches a check and shows it: what differs, how far it has come, and the summary.

mod event;
mod progress;
mod summary;
mod text;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use brigade_engine::check::{CheckEvent, CheckSummary, Watcher};
use tokio::time::interval;
use tracing::Level;

use super::outlet::{Last, Outlet};
use super::progress::Style;
use super::report_file::{ReportError, ReportFile};
use super::streams::{Streams, To, Tone};
use super::text::Verbosity;
use crate::arguments::Format;
use crate::exit::Exit;
use progress::Progress;

/// How often lines that wait in a buffer are sent on.
const TICK: Duration = Duration::from_secs(1);
/// How many ticks lie between two plain progress lines.
const TICKS_PER_LINE: u64 = 30;

/// What decides how a check is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// How results are written.
    pub(crate) format: Format,
    /// How progress is shown.
    pub(crate) progress: Style,
    /// How much is said.
    pub(crate) verbosity: Verbosity,
    /// The confidence of the share that can be bad: above 0, below 1.
    pub(crate) confidence: f64,
    /// Whether what only the copy has is no difference.
    pub(crate) ignore_extra: bool,
    /// What a sample was drawn by, if there was one.
    pub(crate) seed: Option<u64>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'a> {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What was found; missing if it broke off before anything was.
    pub(crate) summary: Option<&'a CheckSummary>,
    /// Why it didn't come to its end.
    pub(crate) error: Option<&'a str>,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

/// Watches a check and shows it.
pub(crate) struct CheckReporter {
    shown: Shown,
    started: Instant,
    progress: Progress,
    outlet: Outlet,
}

impl CheckReporter {
    /// A reporter that writes to these streams, and each object to this file.
    pub(crate) fn new(shown: Shown, streams: Arc<Mutex<Streams>>, file: Option<ReportFile>) -> Self {
        let outlet = Outlet::new(shown.format, shown.verbosity, streams, file);
        Self { shown, started: Instant::now(), progress: Progress::default(), outlet }
    }

    /// Begins the report file, if there is one, and says what is checked.
    pub(crate) fn begin(&self, source: &str, dest: &str) {
        self.outlet.begin_file();
        self.outlet.event(|| Some(event::started(source, dest, self.shown.seed)));
    }

    /// Shows how far the check has come until it is dropped.
    pub(crate) async fn show_progress(&self) -> ! {
        let mut ticks = interval(TICK);
        let mut tick = 0u64;
        // The first tick comes at once: a check that is over within one shows no progress.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            tick += 1;
            let parts = self.progress.parts(self.started.elapsed());
            let mut streams = self.outlet.streams();
            match self.shown.progress {
                Style::Bar => streams.draw(Some(super::progress::fitting(String::new(), &parts, Streams::columns()))),
                Style::Lines if tick.is_multiple_of(TICKS_PER_LINE) => {
                    streams.line(To::Err, Tone::Plain, "progress:", &parts.join(", "));
                }
                Style::Lines | Style::Hidden => {}
            }
            streams.flush();
        }
    }

    /// Says something on standard error that is no result.
    pub(crate) fn note(&self, text: &str) {
        self.outlet.note(text);
    }

    /// Shows what was said on the side.
    pub(crate) fn log(&self, level: Level, text: String) {
        if level <= Level::WARN { self.event(CheckEvent::Warning { text }) } else { self.note(&text) }
    }

    /// How long it has taken until now.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Writes the last line of the report file, if there is one. It is another run's where that one holds the lock.
    pub(crate) fn finish_file(&self, ended: &Ended<'_>) -> Result<(), ReportError> {
        self.outlet.finish_file(ended.exit, || event::summary(&self.shown, ended))
    }

    /// Shows how it ended. Nothing is written to standard output after it.
    pub(crate) fn finish(&self, ended: &Ended<'_>) {
        let (json, text) = (|| event::summary(&self.shown, ended), || summary::text(&self.shown, ended));
        self.outlet.finish(&Last { json: &json, text: &text, error: ended.error });
    }
}

impl Watcher for CheckReporter {
    fn event(&self, event: CheckEvent<'_>) {
        self.progress.count(&event);
        if let CheckEvent::Reordered { .. } = event {
            self.outlet.count_again();
        }
        self.outlet.event(|| event::line(&event));
        if let Some(line) = text::line(self.shown.verbosity, &event) {
            self.outlet.say(&line);
        }
    }
}

#[cfg(test)]
mod tests {

    use brigade_engine::check::{Evidence, Found};
    use brigade_store::Key;

    use super::*;
    use crate::output::written::Written;

    /// What standard output and standard error have after a check that could not read this many objects, and one more
    /// after it had ended.
    fn shown(format: Format, verbosity: Verbosity, unread: usize) -> [Vec<String>; 2] {
        let (out, err) = (Written::default(), Written::default());
        let streams = Arc::new(Mutex::new(Streams::to_writers(out.clone(), err.clone())));
        let (progress, confidence, ignore_extra, seed) = (Style::Hidden, 0.95, false, None);
        let shown = Shown { format, progress, verbosity, confidence, ignore_extra, seed };
        let reporter = CheckReporter::new(shown, streams, None);
        let tell = |key: &str, found: &Found| reporter.event(CheckEvent::Object { key: &Key::from(key), found });
        let changed = Found::Changed;
        (0..unread).for_each(|_| tell("k", &changed));
        let summary = CheckSummary { changed: unread as u64, ..CheckSummary::default() };
        let (exit, summary, elapsed) = (Exit::CouldNotRun, Some(&summary), Duration::ZERO);
        reporter.finish(&Ended { exit, summary, error: None, elapsed });
        tell("late", &Found::Same(Evidence::Bytes));
        tell("late", &Found::Missing);
        [out.lines(), err.lines()]
    }

    #[test]
    fn no_result_follows_the_summary() {
        for verbosity in [Verbosity::Normal, Verbosity::Verbose] {
            let [out, err] = shown(Format::Text, verbosity, 1);
            assert!(!out.is_empty() && !out.concat().contains("late"), "{out:?}");
            assert!(!err.concat().contains("late"), "{err:?}");
        }
        let [out, _] = shown(Format::Json, Verbosity::Normal, 1);
        assert_eq!(out.len(), 2, "the object and the summary: {out:?}");
        assert!(out[1].contains("\"summary\""), "{out:?}");
    }

    #[test]
    fn of_many_with_one_reason_the_first_are_named_and_all_are_counted() {
        let [_, err] = shown(Format::Text, Verbosity::Normal, 30);
        assert_eq!(err.len(), 22, "{err:?}");
        assert!(
            err[20].contains("and more for the same reason, which are only counted here (-v or --output json names")
        );
        assert!(err[21].starts_with("in all: 30 "), "{}", err[21]);
        let [_, err] = shown(Format::Json, Verbosity::Normal, 30);
        assert!(err[20].contains("(standard output names them all)"), "{}", err[20]);
        let [_, err] = shown(Format::Text, Verbosity::Verbose, 30);
        assert!(err.len() >= 30 && err[..30].iter().all(|line| !line.contains("and more for")), "{err:?}");
    }
}
