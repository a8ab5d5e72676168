//! Events as lines for a person.

use brigade_engine::events::{Event, Outcome, Side, TakenUp};
use brigade_store::{Key, Restoring, Unknown};
use tracing::Level;

use super::figures::count;
use super::streams::{To, Tone};

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Only what went wrong (`-q`).
    Quiet,
    /// Also warnings and the summary.
    #[default]
    Normal,
    /// Also each object that was changed, and what was skipped (`-v`).
    Verbose,
    /// Also objects found in step by their content, and retries (`-vv`).
    VeryVerbose,
    /// Also each request (`-vvv`).
    Trace,
}

impl Verbosity {
    /// By `-q`, and how often `-v` was given.
    pub(crate) fn of(quiet: bool, verbose: u8) -> Self {
        match (quiet, verbose) {
            (true, _) => Self::Quiet,
            (false, 0) => Self::Normal,
            (false, 1) => Self::Verbose,
            (false, 2) => Self::VeryVerbose,
            (false, _) => Self::Trace,
        }
    }

    /// The most detailed of what is said on the side that is listened to.
    pub(crate) fn log_level(self) -> Level {
        match self {
            Self::Quiet | Self::Normal => Level::WARN,
            Self::Verbose => Level::INFO,
            Self::VeryVerbose => Level::DEBUG,
            Self::Trace => Level::TRACE,
        }
    }
}

/// What decides how events are worded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wording {
    /// How much is said.
    pub(crate) verbosity: Verbosity,
    /// What sending an object is called here: `upload`, `download`.
    pub(crate) send: &'static str,
    /// Whether nothing is really done.
    pub(crate) dry_run: bool,
}

/// A line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) to: To,
    pub(super) tone: Tone,
    pub(super) word: String,
    pub(super) rest: String,
    /// Why something failed: lines with the same reason may be folded.
    pub(super) reason: Option<String>,
}

impl Line {
    pub(super) fn new(to: To, tone: Tone, word: &str, rest: String) -> Self {
        Self { to, tone, word: word.to_owned(), rest, reason: None }
    }

    fn failed(what: &str, reason: &str) -> Self {
        let line = Self::new(To::Err, Tone::Failure, "failed:", format!("{what}: {reason}"));
        Self { reason: Some(reason.to_owned()), ..line }
    }
}

impl Wording {
    /// The line of an event, if it is to be said.
    pub(super) fn line(&self, event: &Event<'_>) -> Option<Line> {
        match event {
            Event::Object { key, outcome } => self.outcome(key, outcome),
            Event::Unknown { side, unknown } => self.unknown(*side, unknown),
            Event::Reordered { location, key: Some(key) } => self.from(Verbosity::Normal, || {
                let rest = format!("{location} lists its keys out of order, first at {key}; listing again, sorted");
                Line::new(To::Err, Tone::Plain, "note:", rest)
            }),
            Event::Reordered { location, key: None } => self.from(Verbosity::Verbose, || {
                let rest = format!("{location} is known to list its keys out of order; they are sorted first");
                Line::new(To::Err, Tone::Plain, "note:", rest)
            }),
            Event::Warning { text } => {
                self.from(Verbosity::Normal, || Line::new(To::Err, Tone::Warning, "warning:", text.clone()))
            }
            Event::TakenUp(taken_up) => {
                self.from(Verbosity::Normal, || Line::new(To::Err, Tone::Plain, "note:", going_on(taken_up)))
            }
            Event::Started { .. } | Event::Planned { .. } | Event::Progress { .. } | Event::Phase { .. } => None,
        }
    }

    fn outcome(&self, key: &Key, outcome: &Outcome) -> Option<Line> {
        // A dry run is asked for its lines: it has nothing else to show.
        let changes = if self.dry_run { Verbosity::Normal } else { Verbosity::Verbose };
        match outcome {
            Outcome::Sent { .. } => self.from(changes, || self.done(self.send, key)),
            Outcome::Deleted => self.from(changes, || self.done("delete", key)),
            Outcome::InStep => {
                self.from(Verbosity::VeryVerbose, || Line::new(To::Out, Tone::Plain, "in step", key.to_string()))
            }
            Outcome::Withdrawn { reason } => self
                .from(Verbosity::Verbose, || Line::new(To::Out, Tone::Plain, "withdrawn", format!("{key}: {reason}"))),
            Outcome::Restoring(Restoring::Begun) => self.from(changes, || self.done("ask for", key)),
            Outcome::Restoring(Restoring::UnderWay) => {
                self.from(Verbosity::Verbose, || Line::new(To::Out, Tone::Plain, "restoring", key.to_string()))
            }
            Outcome::Restoring(Restoring::Ready) => {
                self.from(Verbosity::Verbose, || Line::new(To::Out, Tone::Plain, "restored meanwhile", key.to_string()))
            }
            Outcome::Unrepresentable { reason } => Some(Line::failed(&named(key), reason)),
            Outcome::Failed(failure) => Some(Line::failed(&named(key), &failure.reason)),
        }
    }

    fn unknown(&self, side: Side, unknown: &Unknown) -> Option<Line> {
        let place = match side {
            Side::Source => "at the source",
            Side::Dest => "at the destination",
        };
        let key = if unknown.key.as_bytes().is_empty() { ".".to_owned() } else { unknown.key.to_string() };
        let reason = unknown.reason.to_string();
        if unknown.reason.is_failure() {
            return Some(Line::failed(&format!("{key} {place}"), &reason));
        }
        let rest = format!("{key} {place}: {reason}");
        self.from(Verbosity::Verbose, || Line::new(To::Out, Tone::Plain, "skipped", rest))
    }

    /// `upload KEY`, or in a dry run `would upload KEY`.
    fn done(&self, verb: &str, key: &Key) -> Line {
        let would = if self.dry_run { "would " } else { "" };
        Line::new(To::Out, Tone::Plain, &format!("{would}{verb}"), key.to_string())
    }

    fn from(&self, least: Verbosity, line: impl FnOnce() -> Line) -> Option<Line> {
        (self.verbosity >= least).then(line)
    }
}

/// What is taken up of an earlier run, in a sentence.
fn going_on(taken_up: &TakenUp) -> String {
    let TakenUp { through, ranges, failed, spooled } = taken_up;
    let from = match through {
        None => "going on with what an earlier run had begun".to_owned(),
        Some(None) => "going on from where an earlier run came to: everything is listed".to_owned(),
        Some(Some(key)) => format!("going on from where an earlier run came to: after {key}"),
    };
    let also = [
        (*ranges, "further ranges", "listed in part"),
        (*failed, "failed", "to try again"),
        (*spooled, "more", "waiting"),
    ];
    let also = also.into_iter().filter(|(number, ..)| *number > 0);
    also.fold(from, |text, (number, what, doing)| format!("{text}; {} {what}, {doing}", count(number)))
}

/// The key; in words where it is empty: the name of an object is the prefix itself.
pub(super) fn named(key: &Key) -> String {
    if key.as_bytes().is_empty() { "(the prefix itself)".to_owned() } else { key.to_string() }
}

#[cfg(test)]
mod tests {
    use brigade_store::{Extent, Failure, FailureKind, UnknownReason, Verified};

    use super::*;

    const SENT: Outcome = Outcome::Sent { bytes: 5, replaced: false, verified: Verified::Yes };

    fn wording(verbosity: Verbosity) -> Wording {
        Wording { verbosity, send: "upload", dry_run: false }
    }

    fn shown(wording: Wording, event: &Event<'_>) -> Option<(To, String)> {
        wording.line(event).map(|line| (line.to, format!("{} {}", line.word, line.rest)))
    }

    fn outcome(wording: Wording, outcome: &Outcome) -> Option<(To, String)> {
        shown(wording, &Event::Object { key: &Key::from("a\nb"), outcome })
    }

    #[test]
    fn outcomes_are_said_from_their_verbosity_on() {
        let failure = Failure::new(FailureKind::Denied, "access denied");
        let table = [
            (SENT, Verbosity::Verbose, To::Out, "upload a\\nb"),
            (Outcome::Deleted, Verbosity::Verbose, To::Out, "delete a\\nb"),
            (Outcome::InStep, Verbosity::VeryVerbose, To::Out, "in step a\\nb"),
            (Outcome::Withdrawn { reason: "gone".into() }, Verbosity::Verbose, To::Out, "withdrawn a\\nb: gone"),
            (Outcome::Unrepresentable { reason: "no".into() }, Verbosity::Quiet, To::Err, "failed: a\\nb: no"),
            (Outcome::Failed(failure), Verbosity::Quiet, To::Err, "failed: a\\nb: access denied"),
        ];
        let all = [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose, Verbosity::VeryVerbose];
        for (what, least, to, text) in table {
            for verbosity in all {
                let expected = (verbosity >= least).then(|| (to, text.to_owned()));
                assert_eq!(outcome(wording(verbosity), &what), expected, "{what:?} {verbosity:?}");
            }
        }
    }

    #[test]
    fn a_dry_run_names_what_it_would_do() {
        let dry = Wording { dry_run: true, ..wording(Verbosity::Normal) };
        assert_eq!(outcome(dry, &SENT), Some((To::Out, "would upload a\\nb".to_owned())));
        assert_eq!(outcome(dry, &Outcome::Deleted), Some((To::Out, "would delete a\\nb".to_owned())));
        assert_eq!(outcome(Wording { verbosity: Verbosity::Quiet, ..dry }, &SENT), None);
    }

    #[test]
    fn what_is_unknown_is_named_with_its_place() {
        let unknown = |key: &str, reason| Unknown { key: Key::from(key), extent: Extent::Below, reason };
        let unreadable = unknown("", UnknownReason::Unreadable("Permission denied".to_owned()));
        let fifo = unknown("pipe", UnknownReason::SpecialFile);
        assert_eq!(
            shown(wording(Verbosity::Quiet), &Event::Unknown { side: Side::Source, unknown: &unreadable }),
            Some((To::Err, "failed: . at the source: could not be read: Permission denied".to_owned()))
        );
        let event = Event::Unknown { side: Side::Dest, unknown: &fifo };
        assert_eq!(shown(wording(Verbosity::Normal), &event), None);
        let text = "skipped pipe at the destination: not a regular file (FIFO, socket or device)";
        assert_eq!(shown(wording(Verbosity::Verbose), &event), Some((To::Out, text.to_owned())));
    }

    #[test]
    fn a_surprising_order_is_noted_and_a_known_one_only_on_request() {
        let key = Key::from("a");
        let surprising = Event::Reordered { location: "s3://b", key: Some(&key) };
        let text = "note: s3://b lists its keys out of order, first at a; listing again, sorted";
        assert_eq!(shown(wording(Verbosity::Normal), &surprising), Some((To::Err, text.to_owned())));
        let known = Event::Reordered { location: "s3://b", key: None };
        assert_eq!(shown(wording(Verbosity::Normal), &known), None);
        let text = "note: s3://b is known to list its keys out of order; they are sorted first";
        assert_eq!(shown(wording(Verbosity::Verbose), &known), Some((To::Err, text.to_owned())));
    }

    #[test]
    fn warnings_are_not_for_the_quiet() {
        let event = Event::Warning { text: "the pattern \"x\" matched nothing".to_owned() };
        assert_eq!(shown(wording(Verbosity::Quiet), &event), None);
        let text = "warning: the pattern \"x\" matched nothing";
        assert_eq!(shown(wording(Verbosity::Normal), &event), Some((To::Err, text.to_owned())));
    }
}
