//! How far a run has come: a bar on a terminal, a plain line now and then elsewhere.

use std::time::Duration;

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

/// Columns of the gauge at the beginning of a bar, brackets included.
const GAUGE: usize = 26;

/// The bar for a terminal of so many columns, shorter than these: a gauge and
/// what is known, the most important first, as much of it as fits.
pub(super) fn bar(totals: &Totals, elapsed: Duration, columns: usize) -> String {
    let room = columns.saturating_sub(1);
    // A narrow terminal has room for the figures or for the gauge.
    let line = if room >= 3 * GAUGE { format!("{} ", gauge(totals)) } else { String::new() };
    fitting(line, &parts(totals, elapsed), columns)
}

/// The line, with as many of the parts, the most important first, as fit into
/// a terminal of so many columns.
pub(super) fn fitting(mut line: String, parts: &[String], columns: usize) -> String {
    let room = columns.saturating_sub(1);
    let mut separator = "";
    for part in parts {
        if line.len() + separator.len() + part.len() <= room {
            line.push_str(separator);
            line.push_str(part);
            separator = ", ";
        }
    }
    line
}

/// `[=====>      ]`: how much of the work known so far is done.
fn gauge(totals: &Totals) -> String {
    let width = GAUGE - 2;
    let thousandths = usize::try_from(done(totals).saturating_mul(1000) / planned(totals).max(1)).unwrap_or(1000);
    let full = width * thousandths.min(1000) / 1000;
    let head = if full < width { ">" } else { "" };
    format!("[{:<width$}]", "=".repeat(full) + head)
}

/// All that is known, for a line that nothing is drawn over.
pub(super) fn sentence(totals: &Totals, elapsed: Duration) -> String {
    parts(totals, elapsed).join(", ")
}

/// `2 failed`, `50 of 200 done`, `50.0 MiB of 200.0 MiB`, `30 s left`, `5.0 MiB/s`, `10,000 compared`, `3 deleted`:
/// what is known, the most important first.
fn parts(totals: &Totals, elapsed: Duration) -> Vec<String> {
    let mut parts = vec![
        format!("{} of {} done", count(totals.objects_done), count(totals.objects_planned)),
        format!("{} of {}", bytes(totals.bytes_done), bytes(totals.bytes_planned)),
    ];
    if totals.failed > 0 {
        parts.insert(0, format!("{} failed", count(totals.failed)));
    }
    parts.extend(time_left(totals, elapsed).map(|time| format!("{} left", duration(time))));
    parts.extend(rate(totals.bytes_done, elapsed).filter(|_| totals.bytes_done > 0));
    parts.push(format!("{} compared", count(totals.keys)));
    if totals.deleted > 0 {
        parts.push(format!("{} deleted", count(totals.deleted)));
    }
    parts
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

    fn some() -> Totals {
        Totals {
            keys: 10_000,
            objects_planned: 200,
            objects_done: 50,
            bytes_planned: 200 << 20,
            bytes_done: 50 << 20,
            deleted: 3,
            failed: 2,
        }
    }

    #[test]
    fn the_sentence_has_what_is_known() {
        assert_eq!(sentence(&Totals::default(), Duration::ZERO), "0 of 0 done, 0 B of 0 B, 0 compared");
        let expected =
            "2 failed, 50 of 200 done, 50.0 MiB of 200.0 MiB, 30 s left, 5.0 MiB/s, 10,000 compared, 3 deleted";
        assert_eq!(sentence(&some(), Duration::from_secs(10)), expected);
    }

    #[test]
    fn the_bar_has_as_much_of_it_as_the_terminal_has_room_for() {
        let table = [
            (0, ""),
            (16, "2 failed"),
            (40, "2 failed, 50 of 200 done, 30 s left"),
            (79, "[======>                 ] 2 failed, 50 of 200 done, 50.0 MiB of 200.0 MiB"),
            (80, "[======>                 ] 2 failed, 50 of 200 done, 50.0 MiB of 200.0 MiB"),
            (
                200,
                "[======>                 ] 2 failed, 50 of 200 done, 50.0 MiB of 200.0 MiB, 30 s left, 5.0 MiB/s, \
             10,000 compared, 3 deleted",
            ),
        ];
        for (columns, expected) in table {
            assert_eq!(bar(&some(), Duration::from_secs(10), columns), expected, "{columns}");
        }
        for columns in 1..250 {
            assert!(bar(&some(), Duration::from_secs(10), columns).len() < columns, "{columns}");
        }
    }

    #[test]
    fn the_gauge_is_full_when_all_is_done() {
        let all = Totals { objects_planned: 2, objects_done: 2, ..Totals::default() };
        assert_eq!(gauge(&all), format!("[{}]", "=".repeat(24)));
        assert_eq!(gauge(&Totals::default()), format!("[>{}]", " ".repeat(23)));
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
