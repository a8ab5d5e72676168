//! `--bandwidth`: a rate, or a timetable of rates.

use std::num::NonZeroU64;
use std::str::FromStr;

use jiff::Zoned;

use super::size::{Size, SizeError};

/// How many bytes may pass a second, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timetable(
    /// From which minute of the day on how many, by the minute; `None`: as many as can. At least one.
    Vec<(u16, Option<NonZeroU64>)>,
);

/// What is no bandwidth.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BandwidthError {
    /// The rate isn't one.
    #[error("{0:?}: {1}")]
    Rate(String, SizeError),
    /// The time of day isn't one, or isn't there.
    #[error("{0:?} is no time and rate; write one rate (10MiB), or a timetable: 08:00=1MiB,18:30=off")]
    Time(String),
    /// Two rates for one time.
    #[error("{0} is there twice")]
    Twice(String),
}

impl Timetable {
    /// The rate by the local clock.
    pub(crate) fn now(&self) -> Option<NonZeroU64> {
        if let [(_, rate)] = self.0[..] {
            return rate;
        }
        let time = Zoned::now().time();
        let minutes = i16::from(time.hour()) * 60 + i16::from(time.minute());
        self.at(minutes.unsigned_abs())
    }

    /// Before the first time of the day, the last one of the day before holds.
    fn at(&self, minute: u16) -> Option<NonZeroU64> {
        let begun = self.0.iter().rev().find(|(from, _)| *from <= minute);
        begun.or(self.0.last()).and_then(|(_, rate)| *rate)
    }
}

impl FromStr for Timetable {
    type Err = BandwidthError;

    fn from_str(text: &str) -> Result<Self, BandwidthError> {
        if !text.contains(['=', ',']) {
            return Ok(Self(vec![(0, rate(text)?)]));
        }
        let mut times = Vec::new();
        for entry in text.split(',').map(str::trim) {
            let no_time = || BandwidthError::Time(entry.to_owned());
            let (time, wanted) = entry.split_once('=').ok_or_else(no_time)?;
            let minute = minute(time).ok_or_else(no_time)?;
            if times.iter().any(|(from, _)| *from == minute) {
                return Err(BandwidthError::Twice(time.to_owned()));
            }
            times.push((minute, rate(wanted)?));
        }
        times.sort_unstable();
        Ok(Self(times))
    }
}

fn rate(text: &str) -> Result<Option<NonZeroU64>, BandwidthError> {
    if text == "off" {
        return Ok(None);
    }
    let size = text.strip_suffix("/s").unwrap_or(text);
    let Size(bytes) = size.parse().map_err(|error| BandwidthError::Rate(text.to_owned(), error))?;
    Ok(NonZeroU64::new(bytes))
}

/// The minute of the day that `08:30` is.
fn minute(time: &str) -> Option<u16> {
    let (hour, minute) = time.split_once(':')?;
    let is_number = |text: &str| matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_holds_all_day_and_a_timetable_from_time_to_time() {
        let at = |text: &str, minute| text.parse::<Timetable>().unwrap().at(minute).map(NonZeroU64::get);
        let table = [
            ("10M", 0, Some(10 << 20)),
            ("1MB/s", 1439, Some(1_000_000)),
            ("off", 700, None),
            ("08:00=1K, 18:30=off", 0, None),
            ("08:00=1K, 18:30=off", 479, None),
            ("08:00=1K, 18:30=off", 480, Some(1024)),
            ("08:00=1K, 18:30=off", 1109, Some(1024)),
            ("08:00=1K, 18:30=off", 1110, None),
            ("18:30=2K,8:00=1K", 100, Some(2048)),
        ];
        for (text, minute, expected) in table {
            assert_eq!(at(text, minute), expected, "{text} at {minute}");
        }
        assert_eq!("10M".parse::<Timetable>().unwrap().now(), NonZeroU64::new(10 << 20));
        "00:00=1M,12:00=1M".parse::<Timetable>().unwrap().now().unwrap();
    }

    #[test]
    fn what_is_neither_is_refused() {
        let wrong =
            ["", "fast", "0", "08:00", "08:00=", "08:00=x", "24:00=1M", "8=1M", "-1:00=1M", "1M,2M", "08:00=1M,"];
        for text in wrong {
            assert!(text.parse::<Timetable>().is_err(), "{text:?}");
        }
        let twice = "08:00=1M,8:00=2M".parse::<Timetable>().unwrap_err();
        assert_eq!(twice, BandwidthError::Twice("8:00".into()));
    }
}
