//! Watches a run and shows it: joins the events, the progress and the summary.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use brigade_engine::events::{Event, Observer};
use indicatif::ProgressBar;
use tokio::time::interval;

use super::json;
use super::progress::{self, Style};
use super::report::Report;
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
    bar: Option<ProgressBar>,
    streams: Arc<Mutex<Streams>>,
}

impl Reporter {
    /// A reporter that writes to these streams.
    pub(crate) fn new(show: Show, streams: Arc<Mutex<Streams>>) -> Self {
        let bar = (show.progress == Style::Bar).then(progress::bar);
        Self { show, started: Instant::now(), tally: Tally::default(), bar, streams }
    }

    /// Shows how far the run has come until it is dropped.
    pub(crate) async fn show_progress(&self) -> ! {
        let mut ticks = interval(TICK);
        let mut last_totals = Totals::default();
        let mut tick = 0;
        // The first tick comes at once: a run that is over within one shows no progress.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            tick += 1;
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
        let elapsed = self.started.elapsed();
        match (self.show.progress, &self.bar) {
            (Style::Bar, Some(bar)) => progress::draw(bar, totals, elapsed),
            (Style::Lines, _) if tick.is_multiple_of(TICKS_PER_LINE) => {
                let line = progress::sentence(totals, elapsed);
                self.streams().line(To::Err, Tone::Plain, "progress:", &line);
            }
            _ => {}
        }
    }

    /// Says something on standard error that is neither an event nor an error.
    pub(crate) fn note(&self, text: &str) {
        if self.show.wording.verbosity > Verbosity::Quiet {
            self.above_the_bar(|streams| streams.line(To::Err, Tone::Plain, "note:", text));
        }
    }

    /// How long the run has taken until now.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows how the run ended. Nothing is shown after it.
    pub(crate) fn finish(&self, report: &Report<'_>) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let mut streams = self.streams();
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

    /// Writes while the bar is out of the way.
    fn above_the_bar(&self, write: impl FnOnce(&mut Streams)) {
        let mut streams = self.streams();
        match &self.bar {
            Some(bar) => bar.suspend(|| {
                write(&mut streams);
                streams.flush();
            }),
            None => write(&mut streams),
        }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Reporter {
    fn event(&self, event: Event<'_>) {
        self.tally.count(&event);
        if self.show.format == Format::Json
            && let Some(line) = json::event(&event)
        {
            self.above_the_bar(|streams| streams.text(To::Out, &line));
        }
        // What went wrong is named on standard error in both formats: it may be all that a person sees.
        let line = self.show.wording.line(&event);
        if let Some(line) = line.filter(|line| self.show.format == Format::Text || line.to == To::Err) {
            self.above_the_bar(|streams| streams.line(line.to, line.tone, &line.word, &line.rest));
        }
    }
}
