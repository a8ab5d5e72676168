//! How far a run has come: a bar on a terminal, a plain line now and then elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::figures::{bytes, count, duration, rate};
use super::tally::Totals;
use crate::arguments;

/// What an object costs besides its bytes, in bytes: a request takes about as
/// long as this much content. It only weighs small objects against large ones in the estimate.
const BYTES_PER_OBJECT: u64 = 64 * 1024;

/// How progress is shown, decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A bar that is drawn over.
    Bar,
    /// A line every 30 seconds.
    Lines,
    /// Nothing.
    Hidden,
}

impl Style {
    /// What the option means here: a bar needs a terminal to be drawn on.
    pub(crate) fn resolve(option: arguments::Progress, can_draw: bool, quiet: bool) -> Self {
        match option {
            arguments::Progress::None => Self::Hidden,
            arguments::Progress::Auto if quiet => Self::Hidden,
            arguments::Progress::Auto | arguments::Progress::Bar if can_draw => Self::Bar,
            arguments::Progress::Auto | arguments::Progress::Bar | arguments::Progress::Plain => Self::Lines,
        }
    }
}

/// A bar over `0..=1000` thousandths of the work known so far, drawn on standard error.
pub(super) fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {wide_msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// Draws the bar anew.
pub(super) fn draw(bar: &ProgressBar, totals: &Totals, elapsed: Duration) {
    bar.set_position(done(totals) * 1000 / planned(totals).max(1));
    bar.set_message(sentence(totals, elapsed));
}

/// `1,234 of 5,678 objects, 1.2 GiB of 5.6 GiB, 98.0 MiB/s, 2 failed, about 42 s left`.
pub(super) fn sentence(totals: &Totals, elapsed: Duration) -> String {
    let mut parts = vec![
        format!("{} compared", count(totals.keys)),
        format!("{} of {} sent", count(totals.objects_done), count(totals.objects_planned)),
        format!("{} of {}", bytes(totals.bytes_done), bytes(totals.bytes_planned)),
    ];
    parts.extend(rate(totals.bytes_done, elapsed).filter(|_| totals.bytes_done > 0));
    if totals.deleted > 0 {
        parts.push(format!("{} deleted", count(totals.deleted)));
    }
    if totals.failed > 0 {
        parts.push(format!("{} failed", count(totals.failed)));
    }
    parts.extend(time_left(totals, elapsed).map(|time| format!("{} left", duration(time))));
    parts.join(", ")
}

/// How long the work known so far will still take; it grows while the listing finds more.
fn time_left(totals: &Totals, elapsed: Duration) -> Option<Duration> {
    let (done, planned) = (done(totals), planned(totals));
    let left = planned.checked_sub(done).filter(|left| *left > 0)?;
    let milliseconds = elapsed.as_millis().checked_mul(left.into())?.checked_div(done.into())?;
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}

fn done(totals: &Totals) -> u64 {
    totals.bytes_done.saturating_add(totals.objects_done.saturating_mul(BYTES_PER_OBJECT)).min(planned(totals))
}

fn planned(totals: &Totals) -> u64 {
    totals.bytes_planned.saturating_add(totals.objects_planned.saturating_mul(BYTES_PER_OBJECT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Progress;

    #[test]
    fn the_style_follows_the_option_and_the_terminal() {
        let table = [
            (Progress::Auto, true, false, Style::Bar),
            (Progress::Auto, false, false, Style::Lines),
            (Progress::Auto, true, true, Style::Hidden),
            (Progress::Bar, true, true, Style::Bar),
            (Progress::Bar, false, false, Style::Lines),
            (Progress::Plain, true, false, Style::Lines),
            (Progress::None, true, false, Style::Hidden),
        ];
        for (option, can_draw, quiet, style) in table {
            assert_eq!(Style::resolve(option, can_draw, quiet), style, "{option:?} {can_draw} {quiet}");
        }
    }

    #[test]
    fn the_sentence_has_what_is_known() {
        let nothing = "0 compared, 0 of 0 sent, 0 B of 0 B";
        assert_eq!(sentence(&Totals::default(), Duration::ZERO), nothing);
        let totals = Totals {
            keys: 10_000,
            objects_planned: 200,
            objects_done: 50,
            bytes_planned: 200 << 20,
            bytes_done: 50 << 20,
            deleted: 3,
            failed: 2,
        };
        let expected =
            "10,000 compared, 50 of 200 sent, 50.0 MiB of 200.0 MiB, 5.0 MiB/s, 3 deleted, 2 failed, 30 s left";
        assert_eq!(sentence(&totals, Duration::from_secs(10)), expected);
    }

    #[test]
    fn the_time_left_needs_something_done_and_something_to_do() {
        let second = Duration::from_secs(1);
        let table = [(0, 0, None), (0, 4, None), (4, 4, None), (1, 4, Some(3))];
        for (objects_done, objects_planned, seconds) in table {
            let totals = Totals { objects_planned, objects_done, ..Totals::default() };
            assert_eq!(time_left(&totals, second), seconds.map(Duration::from_secs), "{totals:?}");
        }
    }
}
