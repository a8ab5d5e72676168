//! Standard output and standard error, or what stands in for them.

use std::borrow::Cow;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use brigade_store::is_unprintable;

use crate::resolve::environment::Environment;

/// Where everything goes that a person or another program sees.
pub(crate) struct Streams {
    out: Stream,
    err: Stream,
    /// Whether progress can be drawn on standard error.
    pub(crate) can_draw: bool,
    /// Whether standard output is a terminal: then what is drawn on standard error is in its way.
    pub(crate) out_is_terminal: bool,
}

/// Which of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// Standard output: results and events.
    Out,
    /// Standard error: everything else.
    Err,
}

/// How the first word of a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Plain,
    /// Worth knowing.
    Warning,
    /// Went wrong.
    Failure,
}

struct Stream {
    writer: Box<dyn Write + Send>,
    colour: bool,
    /// The first error that a write met; nothing is written after it.
    broken: Option<io::Error>,
}

impl Streams {
    /// The process's own.
    pub(crate) fn of_process(environment: Environment) -> Self {
        let colour_allowed = !environment.no_color && !environment.dumb_terminal;
        let (out, err) = (io::stdout(), io::stderr());
        let (out_is_terminal, err_is_terminal) = (out.is_terminal(), err.is_terminal());
        Self {
            out: Stream::new(BufWriter::new(out), colour_allowed && out_is_terminal),
            err: Stream::new(err, colour_allowed && err_is_terminal),
            can_draw: err_is_terminal && !environment.dumb_terminal,
            out_is_terminal,
        }
    }

    /// Others, without colour or drawing.
    #[cfg(test)]
    pub(crate) fn to_writers(out: impl Write + Send + 'static, err: impl Write + Send + 'static) -> Self {
        Self { out: Stream::new(out, false), err: Stream::new(err, false), can_draw: false, out_is_terminal: false }
    }

    /// Writes a line whose first word has a tone. What a terminal may act upon
    /// is escaped in the rest: it may quote a path, or an answer of whatever server.
    pub(crate) fn line(&mut self, to: To, tone: Tone, word: &str, rest: &str) {
        let rest = printable(rest);
        let stream = self.stream(to);
        let colour = match tone {
            _ if !stream.colour => None,
            Tone::Plain => None,
            Tone::Warning => Some("33"),
            Tone::Failure => Some("31"),
        };
        stream.write(&match colour {
            Some(colour) => format!("\x1b[{colour}m{word}\x1b[0m {rest}\n"),
            None => format!("{word} {rest}\n"),
        });
    }

    /// Writes text as it is.
    pub(crate) fn text(&mut self, to: To, text: &str) {
        self.stream(to).write(text);
    }

    /// Sends on what is still buffered.
    pub(crate) fn flush(&mut self) {
        self.out.flush();
        self.err.flush();
    }

    /// Whether whoever read standard output has gone away.
    pub(crate) fn reader_gone(&self) -> bool {
        self.out.broken.as_ref().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    }

    /// Why results could not be written, if they could not. A reader that went
    /// away (`brigade ls | head`) is no error.
    pub(crate) fn write_error(&self) -> Option<&io::Error> {
        self.out.broken.as_ref().filter(|error| error.kind() != ErrorKind::BrokenPipe)
    }

    fn stream(&mut self, to: To) -> &mut Stream {
        match to {
            To::Out => &mut self.out,
            To::Err => &mut self.err,
        }
    }
}

/// The text with all that isn't printable escaped, so that it stays one line.
fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|character| {
        if is_unprintable(character) { character.escape_default().to_string() } else { character.to_string() }
    });
    Cow::Owned(escaped.collect())
}

impl Stream {
    fn new(writer: impl Write + Send + 'static, colour: bool) -> Self {
        Self { writer: Box::new(writer), colour, broken: None }
    }

    fn write(&mut self, text: &str) {
        if self.broken.is_none() {
            self.broken = self.writer.write_all(text.as_bytes()).err();
        }
    }

    fn flush(&mut self) {
        if self.broken.is_none() {
            self.broken = self.writer.flush().err();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let mut streams = Streams::to_writers(Broken(ErrorKind::BrokenPipe), io::sink());
        assert!(!streams.reader_gone());
        streams.text(To::Out, "a");
        assert!(streams.reader_gone());
        assert!(streams.write_error().is_none());
    }

    #[test]
    fn what_a_terminal_may_act_upon_is_escaped() {
        let table = [
            ("caf\u{e9}: a\\b", "caf\u{e9}: a\\b"),
            ("a\u{1b}[2Jb\nerror: c", "a\\u{1b}[2Jb\\nerror: c"),
            ("\u{9b}0m \u{7f}\u{202e}", "\\u{9b}0m \\u{7f}\\u{202e}"),
        ];
        for (text, expected) in table {
            assert_eq!(printable(text), expected);
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut streams = Streams::to_writers(Broken(ErrorKind::StorageFull), io::sink());
        streams.text(To::Out, "a");
        assert!(!streams.reader_gone());
        assert_eq!(streams.write_error().unwrap().kind(), ErrorKind::StorageFull);
    }
}
