//! Watches a check and shows it: what differs, how far it has come, and the summary.

mod event;
mod progress;
mod summary;
mod text;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use brigade_engine::check::{CheckEvent, CheckSummary, Watcher};
use tokio::time::interval;
use tracing::Level;

use super::folding::{Folding, Said};
use super::progress::Style;
use super::report_file::{ReportError, ReportFile};
use super::streams::{Streams, To, Tone};
use super::text::{Line, Verbosity};
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
    /// Whether the summary is written; changes while the streams are locked.
    finished: AtomicBool,
    folding: Mutex<Folding>,
    streams: Arc<Mutex<Streams>>,
    file: Option<Mutex<ReportFile>>,
}

impl CheckReporter {
    /// A reporter that writes to these streams, and each object to this file.
    pub(crate) fn new(shown: Shown, streams: Arc<Mutex<Streams>>, file: Option<ReportFile>) -> Self {
        let (started, progress, finished) = (Instant::now(), Progress::default(), AtomicBool::new(false));
        Self { shown, started, progress, finished, folding: Mutex::default(), streams, file: file.map(Mutex::new) }
    }

    /// Begins the report file, if there is one, and says what is checked.
    pub(crate) fn begin(&self, source: &str, dest: &str) {
        if let Some(mut file) = self.file() {
            file.begin();
        }
        self.json(&event::started(source, dest, self.shown.seed));
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
            let mut streams = self.streams();
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
        if self.shown.verbosity > Verbosity::Quiet {
            self.streams().line(To::Err, Tone::Plain, "note:", text);
        }
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
        let Some(mut file) = self.file().filter(|_| ended.exit != Exit::Locked) else { return Ok(()) };
        file.begin();
        file.line(&event::summary(&self.shown, ended));
        file.finish()
    }

    /// Shows how it ended. Nothing is written to standard output after it.
    pub(crate) fn finish(&self, ended: &Ended<'_>) {
        let mut streams = self.streams();
        streams.draw(None);
        self.finished.store(true, Relaxed);
        let folding = self.folding();
        if folding.has_folded() {
            for line in folding.by_reason() {
                streams.line(To::Err, Tone::Failure, "in all:", &line);
            }
        }
        match self.shown.format {
            Format::Json => streams.text(To::Out, &event::summary(&self.shown, ended)),
            Format::Text if self.shown.verbosity > Verbosity::Quiet => {
                streams.text(To::Out, &summary::text(&self.shown, ended));
            }
            Format::Text => {}
        }
        if let Some(error) = ended.error {
            super::error(&mut streams, error);
        }
        streams.flush();
    }

    /// Writes a line to the report file, and where results are JSON, to standard output.
    fn json(&self, line: &str) {
        if let Some(mut file) = self.file() {
            file.line(line);
        }
        if self.shown.format == Format::Json && !self.finished.load(Relaxed) {
            self.streams().text(To::Out, line);
        }
    }

    /// Says a line, or after many that say the same, that it is counted.
    fn say(&self, line: &Line) {
        let mut streams = self.streams();
        if line.to == To::Out && self.finished.load(Relaxed) {
            return;
        }
        let said = line.reason.as_ref().map_or(Said::Named, |reason| self.folding().count(reason));
        match if self.shown.verbosity >= Verbosity::Verbose { Said::Named } else { said } {
            Said::Named => streams.line(line.to, line.tone, &line.word, &line.rest),
            Said::MoreFollow => {
                let reason = line.reason.as_deref().unwrap_or_default();
                let rest =
                    format!("and more for the same reason, which are only counted here (-v names them all): {reason}");
                streams.line(line.to, line.tone, &line.word, &rest);
            }
            Said::Counted => {}
        }
    }

    fn folding(&self) -> MutexGuard<'_, Folding> {
        self.folding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> Option<MutexGuard<'_, ReportFile>> {
        self.file.as_ref().map(|file| file.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        super::lock(&self.streams)
    }
}

impl Watcher for CheckReporter {
    fn event(&self, event: CheckEvent<'_>) {
        self.progress.count(&event);
        if let CheckEvent::Reordered { .. } = event {
            *self.folding() = Folding::default();
        }
        if (self.shown.format == Format::Json || self.file.is_some())
            && let Some(line) = event::line(&event)
        {
            self.json(&line);
        }
        // What could not be checked is named on standard error in both formats.
        let line = text::line(self.shown.verbosity, &event);
        if let Some(line) = line.filter(|line| self.shown.format == Format::Text || line.to == To::Err) {
            self.say(&line);
        }
    }
}
