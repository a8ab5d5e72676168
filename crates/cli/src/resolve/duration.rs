//! Spans of time as people write them: `90s`, `15m`, `36h`, `7d`.

use std::str::FromStr;
use std::time::Duration;

/// A span of time in whole seconds, which may be none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

/// What isn't a span of time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpanError {
    /// No number, or a unit that there isn't.
    #[error("not a duration; write a number with s, m, h or d: 90s, 15m, 36h, 7d")]
    NotASpan,
    /// It doesn't fit 64 bits.
    #[error("too long")]
    TooLong,
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        if number.is_empty() {
            return Err(SpanError::NotASpan);
        }
        let factor = seconds_in(unit).ok_or(SpanError::NotASpan)?;
        let number: u64 = number.parse().map_err(|_| SpanError::TooLong)?;
        number.checked_mul(factor).map(|seconds| Self(Duration::from_secs(seconds))).ok_or(SpanError::TooLong)
    }
}

/// How many seconds a unit has. It must be there: of a bare number nobody
/// knows whether it was meant to be seconds or days. A capital `M` is a month elsewhere.
fn seconds_in(unit: &str) -> Option<u64> {
    Some(match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_written() {
        let table = [
            ("90s", Ok(90)),
            ("15m", Ok(900)),
            ("36h", Ok(129_600)),
            ("7d", Ok(604_800)),
            ("0s", Ok(0)),
            ("0d", Ok(0)),
            ("007d", Ok(604_800)),
            ("18446744073709551615s", Ok(u64::MAX)),
            ("18446744073709551616s", Err(SpanError::TooLong)),
            ("213503982334602d", Err(SpanError::TooLong)),
            ("", Err(SpanError::NotASpan)),
            ("7", Err(SpanError::NotASpan)),
            ("d", Err(SpanError::NotASpan)),
            ("-1d", Err(SpanError::NotASpan)),
            ("+1d", Err(SpanError::NotASpan)),
            ("1.5h", Err(SpanError::NotASpan)),
            ("7D", Err(SpanError::NotASpan)),
            ("1M", Err(SpanError::NotASpan)),
            ("1w", Err(SpanError::NotASpan)),
            ("7 d", Err(SpanError::NotASpan)),
            (" 7d", Err(SpanError::NotASpan)),
            ("1h30m", Err(SpanError::NotASpan)),
        ];
        for (text, seconds) in table {
            assert_eq!(text.parse().map(|Span(span)| span.as_secs()), seconds, "{text:?}");
        }
    }
}
