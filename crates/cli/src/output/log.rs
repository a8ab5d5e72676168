//! What the crates below say on the side, through `tracing`: warnings that are
//! no outcome of an object, and with `-vv` retries.
//!
//! Only events of this project's own crates are looked at. They are written to
//! be read by anybody, whereas nobody here knows what a dependency logs of the
//! headers and credentials that it handles.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::{Streams, To, Tone, lock};

/// What the targets of this project's events begin with: the names of its crates.
const OUR_CRATES: &str = "brigade";

/// Hands what is said from now on to `show`, if it is no more detailed than
/// `most`. Only the first call in a process counts.
pub(crate) fn listen(most: Level, show: impl Fn(Level, String) + Send + Sync + 'static) {
    // It fails if there was a call before this one.
    let _ = tracing::subscriber::set_global_default(Log { most, show });
}

/// Shares the streams with the warnings that are said from now on.
pub(crate) fn with_warnings(streams: Streams) -> Arc<Mutex<Streams>> {
    let streams = Arc::new(Mutex::new(streams));
    let log = Arc::clone(&streams);
    listen(Level::WARN, move |_, text| lock(&log).line(To::Err, Tone::Warning, "warning:", &text));
    streams
}

struct Log<S> {
    most: Level,
    show: S,
}

impl<S: Fn(Level, String) + 'static> Subscriber for Log<S> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with(OUR_CRATES) && *metadata.level() <= self.most
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::from_level(self.most))
    }

    fn event(&self, event: &Event<'_>) {
        let mut sentence = Sentence::default();
        event.record(&mut sentence);
        (self.show)(*event.metadata().level(), sentence.text());
    }

    // Spans are never enabled.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// An event as text: its message, then its fields.
#[derive(Default)]
struct Sentence {
    message: String,
    fields: Vec<String>,
}

impl Sentence {
    /// `message (name: value, name: value)`.
    fn text(self) -> String {
        let Self { mut message, fields } = self;
        if !fields.is_empty() {
            // Writing into a string can't fail.
            let _ = write!(message, " ({})", fields.join(", "));
        }
        message
    }
}

impl Visit for Sentence {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => self.fields.push(format!("{name}: {value:?}")),
        }
    }

    /// Without the quotes.
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What is shown of four events, one of them a stranger's.
    fn shown(most: Level) -> Vec<(Level, String)> {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&shown);
        let log = Log { most, show: move |level, text| lines.lock().unwrap().push((level, text)) };
        tracing::subscriber::with_default(log, || {
            tracing::warn!(target: "brigade_store::s3::upload", error = %"denied", parts = 2, "the parts remain");
            tracing::debug!(target: "brigade_s3::client", operation = "PutObject", "retrying: {}", 503);
            tracing::trace!(target: "brigade_s3::client", "connected");
            tracing::error!(target: "hyper::client", "authorization: a secret");
        });
        Arc::into_inner(shown).unwrap().into_inner().unwrap()
    }

    #[test]
    fn only_our_own_events_are_shown_and_only_as_detailed_as_asked_for() {
        let warning = (Level::WARN, "the parts remain (error: denied, parts: 2)".to_owned());
        let retry = (Level::DEBUG, "retrying: 503 (operation: PutObject)".to_owned());
        assert_eq!(shown(Level::WARN), std::slice::from_ref(&warning));
        assert_eq!(shown(Level::DEBUG), [warning, retry]);
    }
}
