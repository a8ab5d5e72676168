//! Where a run is told: standard output and standard error, and a file besides. No result follows the summary.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::folding::{Folding, Said};
use super::report_file::{ReportError, ReportFile};
use super::streams::{Streams, To, Tone};
use super::text::{Line, Verbosity};
use crate::arguments::Format;
use crate::exit::Exit;

/// Writes events and lines for people, from whatever task they come.
pub(super) struct Outlet {
    format: Format,
    verbosity: Verbosity,
    /// Whether the summary is written; changes while the streams are locked.
    finished: AtomicBool,
    folding: Mutex<Folding>,
    streams: Arc<Mutex<Streams>>,
    /// Where every event is written besides.
    file: Option<Mutex<ReportFile>>,
}

/// How a run ended, in both forms.
pub(super) struct Last<'a> {
    /// The line for programs.
    pub(super) json: &'a dyn Fn() -> String,
    /// What people read.
    pub(super) text: &'a dyn Fn() -> String,
    /// Why it didn't come to its end.
    pub(super) error: Option<&'a str>,
}

impl Outlet {
    /// Writes to these streams, and every event to this file.
    pub(super) fn new(
        format: Format,
        verbosity: Verbosity,
        streams: Arc<Mutex<Streams>>,
        file: Option<ReportFile>,
    ) -> Self {
        let (finished, folding, file) = (AtomicBool::new(false), Mutex::default(), file.map(Mutex::new));
        Self { format, verbosity, finished, folding, streams, file }
    }

    /// Begins the report file, if there is one: no other run is using it.
    pub(super) fn begin_file(&self) {
        if let Some(mut file) = self.file() {
            file.begin();
        }
    }

    /// Writes the last line of the report file, if there is one. It is another run's where that one holds the lock.
    pub(super) fn finish_file(&self, exit: Exit, summary: impl FnOnce() -> String) -> Result<(), ReportError> {
        let Some(mut file) = self.file().filter(|_| exit != Exit::Locked) else { return Ok(()) };
        file.begin();
        file.line(&summary());
        file.finish()
    }

    /// Writes an event to the file, and where results are JSON, to standard output. It is worded only if anybody takes
    /// it.
    pub(super) fn event(&self, line: impl FnOnce() -> Option<String>) {
        if self.format != Format::Json && self.file.is_none() {
            return;
        }
        let Some(line) = line() else { return };
        self.to_file(&line);
        if self.format == Format::Json {
            self.write(To::Out, |streams| streams.text(To::Out, &line));
        }
    }

    /// Writes a line to the file alone, if there is one.
    pub(super) fn to_file(&self, line: &str) {
        if let Some(mut file) = self.file() {
            file.line(line);
        }
    }

    /// Says a line to people, or after many that say the same, that it is counted. What went wrong is named on standard
    /// error in both formats: it may be all that a person sees.
    pub(super) fn say(&self, line: &Line) {
        if self.format != Format::Text && line.to != To::Err {
            return;
        }
        // Counted while the streams are locked: none that is named stands after the one that says that more follow.
        self.write(line.to, |streams| {
            let said = line.reason.as_ref().map_or(Said::Named, |reason| self.folding().count(reason));
            match if self.verbosity >= Verbosity::Verbose { Said::Named } else { said } {
                Said::Named => streams.line(line.to, line.tone, &line.word, &line.rest),
                Said::MoreFollow => streams.line(line.to, line.tone, &line.word, &self.more_follow(line)),
                Said::Counted => {}
            }
        });
    }

    fn more_follow(&self, line: &Line) -> String {
        let named = match self.format {
            Format::Text => "-v or --output json names them all",
            Format::Json => "standard output names them all",
        };
        let reason = line.reason.as_deref().unwrap_or_default();
        format!("and more for the same reason, which are only counted here ({named}): {reason}")
    }

    /// Says something on standard error that is neither an event nor an error.
    pub(super) fn note(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.write(To::Err, |streams| streams.line(To::Err, Tone::Plain, "note:", text));
        }
    }

    /// A listing starts again, and with it what is counted.
    pub(super) fn count_again(&self) {
        *self.folding() = Folding::default();
    }

    /// Shows how the run ended. Nothing is written to standard output after it.
    /// What was given up may still warn on standard error.
    pub(super) fn finish(&self, last: &Last<'_>) {
        let mut streams = self.streams();
        streams.draw(None);
        self.finished.store(true, Relaxed);
        let folding = self.folding();
        if folding.has_folded() {
            for line in folding.by_reason() {
                streams.line(To::Err, Tone::Failure, "in all:", &line);
            }
        }
        match self.format {
            Format::Json => streams.text(To::Out, &(last.json)()),
            Format::Text if self.verbosity > Verbosity::Quiet => streams.text(To::Out, &(last.text)()),
            Format::Text => {}
        }
        if let Some(error) = last.error {
            super::error(&mut streams, error);
        }
        streams.flush();
    }

    /// Writes what is no line of its own kind here, unless it came too late.
    pub(super) fn write(&self, to: To, write: impl FnOnce(&mut Streams)) {
        let mut streams = self.streams();
        if to == To::Out && self.finished.load(Relaxed) {
            return;
        }
        write(&mut streams);
    }

    pub(super) fn streams(&self) -> MutexGuard<'_, Streams> {
        super::lock(&self.streams)
    }

    fn folding(&self) -> MutexGuard<'_, Folding> {
        // Counting can't panic half-way.
        self.folding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> Option<MutexGuard<'_, ReportFile>> {
        self.file.as_ref().map(|file| file.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
