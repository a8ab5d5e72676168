//! Ranges of bytes as HTTP writes them: `0-511`, `512-`, `-512` (RFC 9110, 14.1.1).

use std::ops::Range;
use std::str::FromStr;

/// A range of bytes of a content whose length is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// From the first to the last, both of them, counted from 0.
    Between(u64, u64),
    /// From this one on.
    From(u64),
    /// So many at the end.
    Last(u64),
}

/// What is no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a range of bytes; write 0-511, 512- or -512")]
pub(crate) struct NoByteRange;

impl FromStr for ByteRange {
    type Err = NoByteRange;

    fn from_str(text: &str) -> Result<Self, NoByteRange> {
        let (first, last) = text.split_once('-').ok_or(NoByteRange)?;
        let number = |digits: &str| {
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| is_number).ok_or(NoByteRange)
        };
        match (first, last) {
            ("", last) => number(last).map(Self::Last),
            (first, "") => number(first).map(Self::From),
            (first, last) => match (number(first)?, number(last)?) {
                (first, last) if first <= last => Ok(Self::Between(first, last)),
                _ => Err(NoByteRange),
            },
        }
    }
}

impl ByteRange {
    /// The bytes of a content of this length, as many of them as it has; `None` where it has none of them.
    pub(crate) fn of(self, length: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::Between(first, last) => first..length.min(last.saturating_add(1)),
            Self::From(first) => first..length,
            Self::Last(count) => length.saturating_sub(count)..length,
        };
        (!range.is_empty()).then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_writes_them() {
        use ByteRange::{Between, From, Last};
        let table = [
            ("0-0", Some(Between(0, 0))),
            ("0-511", Some(Between(0, 511))),
            ("512-", Some(From(512))),
            ("-512", Some(Last(512))),
            ("", None),
            ("-", None),
            ("5", None),
            ("5-4", None),
            ("a-b", None),
            ("+1-2", None),
            ("0-1-2", None),
            ("99999999999999999999-", None),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse().ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn as_many_bytes_as_there_are() {
        let table = [
            ("0-0", 10, Some(0..1)),
            ("2-5", 10, Some(2..6)),
            ("2-99", 10, Some(2..10)),
            ("0-18446744073709551615", 10, Some(0..10)),
            ("9-", 10, Some(9..10)),
            ("10-", 10, None),
            ("10-20", 10, None),
            ("-3", 10, Some(7..10)),
            ("-99", 10, Some(0..10)),
            ("-0", 10, None),
            ("0-", 0, None),
        ];
        for (text, length, expected) in table {
            assert_eq!(text.parse::<ByteRange>().unwrap().of(length), expected, "{text} of {length}");
        }
    }
}
