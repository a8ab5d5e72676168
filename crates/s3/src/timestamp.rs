//! The three ways in which S3 writes a moment.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

/// The two of `SigV4`: `20130524` and `20130524T000000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SigningTime([u8; 16]);

impl SigningTime {
    /// The moment to sign for, cut to seconds.
    pub(crate) fn of(moment: SystemTime) -> Self {
        let moment = Timestamp::try_from(moment).unwrap_or_default();
        let civil = TimeZone::UTC.to_datetime(moment);
        let year = civil.year().unsigned_abs();
        let mut text = *b"00000000T000000Z";
        let [century, year] = [year / 100, year % 100].map(|number| u8::try_from(number).unwrap_or_default());
        let numbers = [century, year, unsigned(civil.month()), unsigned(civil.day())];
        let times = [civil.hour(), civil.minute(), civil.second()].map(unsigned);
        for (place, number) in [0, 2, 4, 6].into_iter().zip(numbers).chain([9, 11, 13].into_iter().zip(times)) {
            text[place] = b'0' + number / 10;
            text[place + 1] = b'0' + number % 10;
        }
        Self(text)
    }

    /// `20130524T000000Z`.
    pub(crate) fn full(&self) -> &str {
        // Digits and letters are text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// `20130524`.
    pub(crate) fn day(&self) -> &str {
        self.full().get(..8).unwrap_or_default()
    }
}

/// A field of a date, which is from 0 to 99.
fn unsigned(field: i8) -> u8 {
    field.unsigned_abs() % 100
}

/// A listing's `LastModified`: `2009-10-12T17:50:30.000Z`.
#[must_use]
pub fn parse_iso8601(text: &str) -> Option<SystemTime> {
    text.parse::<Timestamp>().ok().map(SystemTime::from)
}

/// A header's date: `Sun, 06 Nov 1994 08:49:37 GMT`
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>).
pub(crate) fn parse_http_date(text: &str) -> Option<SystemTime> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seconds(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn moments_are_signed_in_utc_to_the_second() {
        let time = SigningTime::of(seconds(1_369_353_600) + Duration::from_millis(999));
        assert_eq!((time.full(), time.day()), ("20130524T000000Z", "20130524"));
    }

    #[test]
    fn listings_and_headers_are_read() {
        assert_eq!(parse_iso8601("2013-05-24T00:00:00.000Z"), Some(seconds(1_369_353_600)));
        assert_eq!(
            parse_iso8601("2013-05-24T00:00:00.250Z"),
            Some(seconds(1_369_353_600) + Duration::from_millis(250))
        );
        assert_eq!(parse_iso8601("2013-05-24T00:00:00Z"), Some(seconds(1_369_353_600)));
        assert_eq!(parse_iso8601("yesterday"), None);
        assert_eq!(parse_http_date("Fri, 24 May 2013 00:00:00 GMT"), Some(seconds(1_369_353_600)));
        assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(seconds(784_111_777)));
        assert_eq!(parse_http_date("now"), None);
    }
}
