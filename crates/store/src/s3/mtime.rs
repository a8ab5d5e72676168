//! `x-amz-meta-mtime`, the content's own time: rclone's convention, seconds
//! since the epoch as a decimal fraction
//! (<https://rclone.org/s3/#modification-times-and-hashes>). At Google it is in RFC 3339, and beside it, in
//! whole seconds, what Google's own tools read (<https://rclone.org/googlecloudstorage/#modification-times>).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brigade_s3::{Bucket, ObjectHead};
use jiff::Timestamp;

/// The name of the user metadata, without `x-amz-meta-`.
const NAME: &str = "mtime";

/// That of Google's own tools, without `x-goog-meta-`.
const GOOGLE_NAME: &str = "goog-reserved-file-mtime";

const NANOSECONDS: usize = 9;

/// All names that the time may be stored by.
pub(super) const NAMES: [&str; 2] = [NAME, GOOGLE_NAME];

/// What is stored of the time in this bucket: names and values.
pub(super) fn metadata(bucket: &Bucket, modified: Option<SystemTime>) -> Vec<(&'static str, String)> {
    let Some(modified) = modified else { return Vec::new() };
    match Timestamp::try_from(modified) {
        Ok(moment) if bucket.client().provider().is_google() => {
            vec![(NAME, moment.to_string()), (GOOGLE_NAME, whole_seconds(modified))]
        }
        _ => vec![(NAME, format(modified))],
    }
}

/// What an object's metadata says, whoever wrote it.
pub(super) fn of(head: &ObjectHead) -> Option<SystemTime> {
    let ours = head.metadata(NAME).and_then(|stored| parse(stored).or_else(|| parse_rfc3339(stored)));
    ours.or_else(|| head.metadata(GOOGLE_NAME).and_then(parse))
}

fn parse_rfc3339(stored: &str) -> Option<SystemTime> {
    stored.parse::<Timestamp>().ok().map(SystemTime::from)
}

fn whole_seconds(modified: SystemTime) -> String {
    let text = format(modified);
    text.split_once('.').map_or(text.as_str(), |(seconds, _)| seconds).to_owned()
}

/// As it is stored: exact to the nanosecond, without zeros at the end of the fraction.
pub(crate) fn format(modified: SystemTime) -> String {
    let (sign, distance) = match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => ("", after),
        Err(before) => ("-", before.duration()),
    };
    let fraction = format!("{:09}", distance.subsec_nanos());
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{}", distance.as_secs()),
        fraction => format!("{sign}{}.{fraction}", distance.as_secs()),
    }
}

/// Reads what was stored; digits beyond the nanosecond are dropped. `None`
/// where it is no such number, or no time that the system can hold.
pub(crate) fn parse(stored: &str) -> Option<SystemTime> {
    let (is_before, distance) = stored.strip_prefix('-').map_or((false, stored), |distance| (true, distance));
    let (seconds, fraction) = distance.split_once('.').unwrap_or((distance, ""));
    if !is_digits(seconds) || !(fraction.is_empty() || is_digits(fraction)) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<NANOSECONDS$}").get(..NANOSECONDS)?.parse().ok()?;
    let distance = Duration::new(seconds.parse().ok()?, nanoseconds);
    if is_before { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_as_rclone_writes_them() {
        let table = [
            (0, 0, "0"),
            (1_622_715_932, 123_456_789, "1622715932.123456789"),
            (1_622_715_932, 100_000_000, "1622715932.1"),
            (1, 1, "1.000000001"),
        ];
        for (seconds, nanoseconds, text) in table {
            let after = Duration::new(seconds, nanoseconds);
            assert_eq!(format(UNIX_EPOCH + after), text);
            assert_eq!(parse(text), Some(UNIX_EPOCH + after));
            if !after.is_zero() {
                assert_eq!(format(UNIX_EPOCH - after), format!("-{text}"));
                assert_eq!(parse(&format!("-{text}")), Some(UNIX_EPOCH - after));
            }
        }
    }

    #[test]
    fn what_google_has_is_read_in_either_form() {
        let moment = UNIX_EPOCH + Duration::new(1_622_715_932, 123_456_789);
        assert_eq!(Timestamp::try_from(moment).unwrap().to_string(), "2021-06-03T10:25:32.123456789Z");
        for written in ["2021-06-03T10:25:32.123456789Z", "2021-06-03T12:25:32.123456789+02:00"] {
            assert_eq!(parse_rfc3339(written), Some(moment), "{written}");
        }
        assert_eq!(whole_seconds(moment), "1622715932");
    }

    #[test]
    fn what_others_write_is_read_if_it_is_a_number() {
        assert_eq!(parse("5.0"), parse("5"));
        assert_eq!(parse("5."), parse("5"));
        assert_eq!(parse("5.1234567899"), Some(UNIX_EPOCH + Duration::new(5, 123_456_789)));
        for no_time in ["", "-", ".", ".5", "+5", "5e3", "5.x", "5.-1", "--5", "yesterday", "99999999999999999999"] {
            assert_eq!(parse(no_time), None, "{no_time}");
        }
    }

    proptest! {
        #[test]
        fn every_time_comes_back(seconds in 0..1_u64 << 40, nanoseconds in 0..1_000_000_000_u32, is_before: bool) {
            let distance = Duration::new(seconds, nanoseconds);
            let modified = if is_before { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance };
            prop_assert_eq!(parse(&format(modified)), Some(modified));
        }
    }
}
