//! The end of a check, as a person reads it: what was found, and what that says of all.

use std::fmt::Write;

use brigade_engine::check::{CheckSummary, Share};

use super::{Ended, Shown};
use crate::exit::Exit;
use crate::output::figures::{bytes, count, counted, duration};
use crate::output::listing::timestamp;

/// The summary; empty if nothing was found: then the error says it all.
pub(super) fn text(shown: &Shown, ended: &Ended<'_>) -> String {
    let Some(summary) = ended.summary else { return String::new() };
    let mut text = String::new();
    rows(&mut text, summary);
    let took = format!("in {}", duration(ended.elapsed));
    let _ = writeln!(text, "{:<10} {:>12}  {took}", "read", bytes(summary.bytes));
    if let Some(seed) = shown.seed {
        let _ = writeln!(text, "{:<10} {seed:>12}  --seed {seed} draws the same sample again", "seed");
    }
    if ended.error.is_none() {
        let _ = writeln!(text, "{}", certainty(summary, shown.confidence));
    }
    let _ = writeln!(text, "{}", conclusion(summary, ended.exit));
    text
}

/// The counts, those of zero left out but for the first three.
fn rows(text: &mut String, summary: &CheckSummary) {
    let verified = summary.same + summary.contents + summary.metadata;
    let keys = summary.source_objects + summary.extra;
    let always = [
        ("compared", keys, "keys, by what is listed"),
        ("verified", verified, "objects, by their content"),
        ("same", summary.same, ""),
    ];
    let earlier = match summary.earliest.and_then(timestamp) {
        Some(time) => format!("found good by earlier checks, since {}", time.strftime("%Y-%m-%d")),
        None => String::new(),
    };
    let if_any = [
        ("missing", summary.missing, "only at the source"),
        ("extra", summary.extra, "only at the destination"),
        ("size", summary.sizes, "of another size"),
        ("content", summary.contents, "of one size and another content"),
        ("metadata", summary.metadata, "of one content and other headers"),
        ("changed", summary.changed, "written or deleted while they were checked"),
        ("gone", summary.gone, "deleted on both sides meanwhile"),
        ("unchecked", summary.unchecked, "that could not be read"),
        ("held", summary.held, "on one side, while the other can't tell whether it has them"),
        ("unlisted", summary.unlisted, "places that could not be listed"),
        ("skipped", summary.skipped, "symlinks and special files"),
        ("excluded", summary.excluded, "left out by the filters"),
        ("earlier", summary.earlier, &earlier),
    ];
    let shown = always.into_iter().chain(if_any.into_iter().filter(|(_, number, _)| *number > 0));
    for (label, number, note) in shown {
        let _ = writeln!(text, "{}", format!("{label:<10} {:>12}  {note}", count(number)).trim_end());
    }
}

/// How much of the source can be bad.
fn certainty(summary: &CheckSummary, confidence: f64) -> String {
    let objects = counted(summary.source_objects, "object");
    let differ = if summary.unknown() > 0 { "differ, or could not be checked" } else { "differ" };
    let told = match summary.share(confidence) {
        Share::Nothing => "There are no objects at the source".to_owned(),
        Share::Exactly(0) => format!("Of {objects} at the source none differs: all were verified"),
        Share::Exactly(bad) => format!("Of {objects} at the source {} {differ}: all were looked at", count(bad)),
        Share::AtMost(share) => format!(
            "With {} % confidence at most {} % of {objects} at the source {differ}",
            plain(confidence * 100.0),
            at_most(share * 100.0)
        ),
    };
    told + &earlier(summary) + &unlisted(summary) + "."
}

/// What is not known by this check: it was good when an earlier one looked.
fn earlier(summary: &CheckSummary) -> String {
    match summary.earliest.and_then(timestamp) {
        Some(oldest) if summary.earlier > 0 => {
            format!(
                "; {} of them were found good before, the oldest on {}",
                count(summary.earlier),
                oldest.strftime("%Y-%m-%d")
            )
        }
        _ => String::new(),
    }
}

/// What nothing is known of.
fn unlisted(summary: &CheckSummary) -> String {
    match summary.unlisted {
        0 => String::new(),
        places => format!("; nothing is known of {} that could not be listed", counted(places, "place")),
    }
}

fn conclusion(summary: &CheckSummary, exit: Exit) -> String {
    let code = exit.code();
    match exit {
        Exit::InStep if summary.extra > 0 => {
            "No difference was found, but for what only the destination has.".to_owned()
        }
        Exit::InStep => "No difference was found.".to_owned(),
        Exit::Incomplete => format!("The copy differs (exit code {code})."),
        Exit::CouldNotRun if summary.unknown() > 0 => format!("Not all could be checked (exit code {code})."),
        exit => format!("Not checked to the end (exit code {code}): {exit}."),
    }
}

/// A percentage with two significant digits, rounded up: it says what is not exceeded.
fn at_most(percent: f64) -> String {
    if percent <= 0.0 {
        return "0".to_owned();
    }
    let digits = (1.0 - percent.log10().floor()).clamp(0.0, 12.0);
    let scale = 10f64.powf(digits);
    plain((percent * scale - 1e-9).ceil() / scale)
}

/// Without zeros at its end.
fn plain(number: f64) -> String {
    let text = format!("{number:.12}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::arguments::Format;
    use crate::output::progress::Style;
    use crate::output::text::Verbosity;

    #[test]
    fn a_share_is_rounded_up_to_two_digits() {
        let table = [
            (0.299_12, "0.3"),
            (0.291, "0.3"),
            (2.951_3, "3"),
            (4.656, "4.7"),
            (12.0, "12"),
            (12.1, "13"),
            (100.0, "100"),
            (0.000_123, "0.00013"),
            (0.0, "0"),
        ];
        for (percent, text) in table {
            assert_eq!(at_most(percent), text, "{percent}");
        }
        assert_eq!((plain(95.0), plain(99.9)), ("95".to_owned(), "99.9".to_owned()));
    }

    #[test]
    fn the_summary_says_what_was_found_and_what_it_says_of_all() {
        let summary = CheckSummary {
            source_objects: 1_000_000,
            dest_objects: 1_000_000,
            comparable: 1_000_000,
            same: 1000,
            sampled: 1000,
            bytes: 5 << 20,
            ..CheckSummary::default()
        };
        let shown = Shown {
            format: Format::Text,
            progress: Style::Hidden,
            verbosity: Verbosity::Normal,
            confidence: 0.95,
            ignore_extra: false,
            seed: Some(7),
        };
        let ended =
            Ended { exit: Exit::InStep, summary: Some(&summary), error: None, elapsed: Duration::from_secs(12) };
        let expected = "\
compared      1,000,000  keys, by what is listed
verified          1,000  objects, by their content
same              1,000
read            5.0 MiB  in 12 s
seed                  7  --seed 7 draws the same sample again
With 95 % confidence at most 0.3 % of 1,000,000 objects at the source differ.
No difference was found.
";
        assert_eq!(text(&shown, &ended), expected);
        let bad = CheckSummary { same: 1, comparable: 1, sampled: 1, source_objects: 2, missing: 1, ..summary.clone() };
        let shown = Shown { seed: None, ..shown };
        let differs = text(&shown, &Ended { exit: Exit::Incomplete, summary: Some(&bad), ..ended });
        let last = "Of 2 objects at the source 1 differ: all were looked at.\nThe copy differs (exit code 3).\n";
        assert!(differs.ends_with(last), "{differs}");
        let earlier =
            CheckSummary { earlier: 999_000, earliest: Some(std::time::UNIX_EPOCH), unlisted: 2, ..summary.clone() };
        let told = text(&shown, &Ended { exit: Exit::CouldNotRun, summary: Some(&earlier), ..ended });
        let last = "With 95 % confidence at most 0 % of 1,000,000 objects at the source differ, or could not be checked; \
                    999,000 of them were found good before, the oldest on 1970-01-01; nothing is known of 2 places that \
                    could not be listed.\n";
        assert!(told.contains(last), "{told}");
        let broken = Ended { exit: Exit::CouldNotRun, error: Some("why"), summary: Some(&bad), ..ended };
        assert!(text(&shown, &broken).ends_with("Not checked to the end (exit code 1): could not run.\n"));
        assert_eq!(text(&shown, &Ended { summary: None, ..broken }), "");
    }
}
