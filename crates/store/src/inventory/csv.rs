//! Records of comma-separated values, as RFC 4180 has them: fields may be quoted, and hold commas,
//! line breaks and doubled quotes then.

use std::io::{self, BufRead};

/// Bytes that a record may have.
const LONGEST: usize = 1 << 20;

/// The fields of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// One after the other, without quotes.
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Record {
    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field, counted from 0; empty where there is none.
    pub(crate) fn field(&self, number: usize) -> &[u8] {
        let Some(&end) = self.ends.get(number) else { return &[] };
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start..end]
    }

    /// Reads the next record in place of this one; `false` at the end. Empty lines are no records. Fails
    /// with [`io::ErrorKind::InvalidData`] where a quote isn't closed, something follows one that is, or
    /// the record is longer than 1 MiB.
    pub(crate) fn read(&mut self, input: &mut impl BufRead) -> io::Result<bool> {
        loop {
            self.bytes.clear();
            self.ends.clear();
            if !self.read_line(input)? {
                return Ok(false);
            }
            if self.ends != [0] {
                return Ok(true);
            }
        }
    }

    fn read_line(&mut self, input: &mut impl BufRead) -> io::Result<bool> {
        let (mut state, mut began) = (State::Start, false);
        loop {
            let Some(byte) = next(input)? else {
                return match state {
                    State::Quoted => Err(invalid("it ends within a quoted field")),
                    _ if began => {
                        self.ends.push(self.bytes.len());
                        Ok(true)
                    }
                    _ => Ok(false),
                };
            };
            began = true;
            state = match (state, byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Start, b'"') => State::Quoted,
                (State::Quote, b'"') => self.take(byte, State::Quoted)?,
                (State::Quoted, byte) => self.take(byte, State::Quoted)?,
                (_, b',') => {
                    self.ends.push(self.bytes.len());
                    State::Start
                }
                (_, b'\n') => {
                    self.ends.push(self.bytes.len());
                    return Ok(true);
                }
                // Of a line that ends in CR and LF.
                (State::Start | State::Quote | State::Plain, b'\r') if peek(input)? == Some(b'\n') => state,
                (State::Quote, _) => return Err(invalid("something follows a quoted field")),
                (State::Start | State::Plain, byte) => self.take(byte, State::Plain)?,
            };
        }
    }

    fn take(&mut self, byte: u8, then: State) -> io::Result<State> {
        self.bytes.push(byte);
        if self.bytes.len() + self.ends.len() > LONGEST { Err(invalid("a record is too long")) } else { Ok(then) }
    }
}

/// Where in a field the reading is.
#[derive(Clone, Copy)]
enum State {
    Start,
    Plain,
    Quoted,
    /// After a quote in a quoted field: its end, or the first of two.
    Quote,
}

fn next(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    let byte = peek(input)?;
    if byte.is_some() {
        input.consume(1);
    }
    Ok(byte)
}

fn peek(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    Ok(input.fill_buf()?.first().copied())
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
        let (mut input, mut record, mut records) = (text.as_bytes(), Record::default(), Vec::new());
        while record.read(&mut input).map_err(|error| error.to_string())? {
            let field = |number| String::from_utf8(record.field(number).to_vec()).unwrap();
            records.push((0..record.len()).map(field).collect());
        }
        Ok(records)
    }

    #[test]
    fn fields_are_told_apart() {
        let table: [(&str, &[&[&str]]); 10] = [
            ("", &[]),
            ("\n\r\n\n", &[]),
            ("a,b\nc,d\n", &[&["a", "b"], &["c", "d"]]),
            ("a,b\r\nc,d", &[&["a", "b"], &["c", "d"]]),
            ("\"b\",\"k%2C+x\",\"12\",\"\"\n", &[&["b", "k%2C+x", "12", ""]]),
            ("\"a\"\"b\",\"c,d\",\"e\nf\"\n", &[&["a\"b", "c,d", "e\nf"]]),
            (",\n", &[&["", ""]]),
            ("a,", &[&["a", ""]]),
            ("a\rb,c\r", &[&["a\rb", "c\r"]]),
            ("a\"b", &[&["a\"b"]]),
        ];
        for (text, expected) in table {
            assert_eq!(records(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_breaks_off_or_never_ends_is_refused() {
        assert_eq!(records("\"a\",\"b"), Err("it ends within a quoted field".to_owned()));
        assert_eq!(records("\"a\"b,c"), Err("something follows a quoted field".to_owned()));
        assert_eq!(records(&"x".repeat(LONGEST + 1)), Err("a record is too long".to_owned()));
        assert_eq!(records(&format!("\"{}", "\n".repeat(LONGEST + 1))), Err("a record is too long".to_owned()));
    }
}
