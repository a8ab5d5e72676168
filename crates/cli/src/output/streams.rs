//! Standard output and standard error, or what stands in for them.

use std::borrow::Cow;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use brigade_store::is_unprintable;
use rustix::termios::tcgetwinsize;

use crate::resolve::environment::Environment;

/// Where everything goes that a person or another program sees.
pub(crate) struct Streams {
    out: Stream,
    err: Stream,
    /// Whether progress can be drawn on standard error.
    pub(crate) can_draw: bool,
    /// Whether standard output is a terminal: then what is drawn on standard error is in its way.
    out_is_terminal: bool,
    /// What is drawn on standard error now, below all lines.
    drawn: Option<String>,
}

/// Takes away what is drawn, wherever on its line the cursor is. The cursor is
/// left at the beginning of what is drawn: a terminal that became narrower
/// meanwhile, and broke it into several lines, has all of them after the cursor.
const ERASE: &str = "\r\x1b[J";

/// Columns of a terminal that doesn't tell how many it has.
const USUAL_COLUMNS: u16 = 80;

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
            drawn: None,
        }
    }

    /// Others, without colour or drawing.
    #[cfg(test)]
    pub(crate) fn to_writers(out: impl Write + Send + 'static, err: impl Write + Send + 'static) -> Self {
        let [out, err] = [Stream::new(out, false), Stream::new(err, false)];
        Self { out, err, can_draw: false, out_is_terminal: false, drawn: None }
    }

    /// Writes a line whose first word has a tone. What a terminal may act upon
    /// is escaped in the rest: it may quote a path, or an answer of whatever server.
    pub(crate) fn line(&mut self, to: To, tone: Tone, word: &str, rest: &str) {
        let rest = printable(rest);
        let colour = match tone {
            _ if !self.has_colour(to) => None,
            Tone::Plain => None,
            Tone::Warning => Some("33"),
            Tone::Failure => Some("31"),
        };
        self.text(
            to,
            &match colour {
                Some(colour) => format!("\x1b[{colour}m{word}\x1b[0m {rest}\n"),
                None => format!("{word} {rest}\n"),
            },
        );
    }

    /// Writes whole lines as they are, above what is drawn.
    pub(crate) fn text(&mut self, to: To, text: &str) {
        let on_the_same_terminal = to == To::Err || self.out_is_terminal;
        let Some(drawn) = self.drawn.take_if(|_| on_the_same_terminal) else {
            return self.stream(to).write(text);
        };
        self.err.write(ERASE);
        self.stream(to).write(text);
        self.stream(to).flush();
        self.draw(Some(drawn));
    }

    /// Writes bytes as they are, whatever a terminal makes of them.
    pub(crate) fn bytes(&mut self, to: To, bytes: &[u8]) {
        self.stream(to).write_bytes(bytes);
    }

    /// Draws a line on standard error in place of what is drawn there, or
    /// takes that away. It must be shorter than [`Self::columns`].
    pub(crate) fn draw(&mut self, line: Option<String>) {
        if self.drawn.is_some() {
            self.err.write(ERASE);
        }
        if let Some(line) = &line {
            self.err.write(&format!("{line}\r"));
        }
        self.drawn = line;
    }

    /// How many columns the terminal has now that is drawn on.
    pub(crate) fn columns() -> usize {
        let told = tcgetwinsize(io::stderr()).map_or(0, |size| size.ws_col);
        usize::from(if told == 0 { USUAL_COLUMNS } else { told })
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

    /// Whether standard output takes more: nothing has gone wrong there so far.
    pub(crate) fn takes_more(&self) -> bool {
        self.out.broken.is_none()
    }

    /// Why results could not be written, if they could not. A reader that went
    /// away (`brigade ls | head`) is no error.
    pub(crate) fn write_error(&self) -> Option<&io::Error> {
        self.out.broken.as_ref().filter(|error| error.kind() != ErrorKind::BrokenPipe)
    }

    /// Whether colours may be written there.
    pub(crate) fn has_colour(&self, to: To) -> bool {
        match to {
            To::Out => self.out.colour,
            To::Err => self.err.colour,
        }
    }

    fn stream(&mut self, to: To) -> &mut Stream {
        match to {
            To::Out => &mut self.out,
            To::Err => &mut self.err,
        }
    }
}

/// The text with all that isn't printable escaped, so that it stays one line.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
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
        self.write_bytes(text.as_bytes());
    }

    fn write_bytes(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.broken = self.writer.write_all(bytes).err();
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
    fn lines_stand_above_what_is_drawn() {
        #[derive(Clone, Default)]
        struct Terminal(std::sync::Arc<std::sync::Mutex<String>>);
        impl Write for Terminal {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for (out_is_terminal, above) in [(true, "\r\x1b[Jout\nbar\r"), (false, "out\n")] {
            let terminal = Terminal::default();
            let streams = Streams::to_writers(terminal.clone(), terminal.clone());
            let mut streams = Streams { out_is_terminal, ..streams };
            streams.text(To::Err, "before\n");
            streams.draw(Some("bar".to_owned()));
            streams.line(To::Err, Tone::Failure, "failed:", "x");
            streams.text(To::Out, "out\n");
            streams.draw(Some("wider".to_owned()));
            streams.draw(None);
            streams.text(To::Err, "after\n");
            let drawn = format!("before\nbar\r\r\x1b[Jfailed: x\nbar\r{above}\r\x1b[Jwider\r\r\x1b[Jafter\n");
            assert_eq!(*terminal.0.lock().unwrap(), drawn);
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
