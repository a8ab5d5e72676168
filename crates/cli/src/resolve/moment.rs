//! Moments as people write them: `2026-11-20T10:00:00Z`, `2026-11-20 10:00`, `2026-11-20`, `2d`.

use std::str::FromStr;
use std::time::SystemTime;

use brigade_store::Moment;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::duration::Span;

/// A moment that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant(pub(crate) Moment);

/// What names no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a time; write 2026-11-20T10:00:00Z, or by local time 2026-11-20T10:00 or 2026-11-20 (its beginning), or how \
     long ago it was: 36h, 2d"
)]
pub(crate) struct NoMoment;

impl FromStr for Instant {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        in_zone(text, &TimeZone::system())
    }
}

fn in_zone(text: &str, zone: &TimeZone) -> Result<Instant, NoMoment> {
    let ago = text.strip_suffix(" ago").unwrap_or(text);
    if let Ok(Span(ago)) = ago.parse() {
        return Ok(Instant(Moment::Ago(ago)));
    }
    let stamp = match text.parse::<Timestamp>() {
        Ok(stamp) => stamp,
        Err(_) => civil(text).ok_or(NoMoment)?.to_zoned(zone.clone()).map_err(|_| NoMoment)?.timestamp(),
    };
    Ok(Instant(Moment::At(SystemTime::from(stamp))))
}

/// A time of day without a zone, which is never read as one that has one; of a date alone, its beginning.
fn civil(text: &str) -> Option<DateTime> {
    let is_date = text.len() == "2026-11-20".len();
    if is_date { text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)) } else { text.parse::<DateTime>().ok() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_are_read_as_written() {
        let at = |seconds| Some(Moment::At(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)));
        let ago = |seconds| Some(Moment::Ago(Duration::from_secs(seconds)));
        let table = [
            ("2026-11-20T10:00:00Z", at(1_795_168_800)),
            ("2026-11-20T10:00:00+01:00", at(1_795_165_200)),
            ("2026-11-20 10:00:00Z", at(1_795_168_800)),
            (
                "2026-11-20T10:00:00.5Z",
                Some(Moment::At(SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_168_800_500))),
            ),
            // By local time, which is two hours ahead.
            ("2026-11-20T10:00:00", at(1_795_161_600)),
            ("2026-11-20T10:00", at(1_795_161_600)),
            ("2026-11-20 10:00", at(1_795_161_600)),
            ("2026-11-20", at(1_795_125_600)),
            ("2d", ago(172_800)),
            ("36h ago", ago(129_600)),
            ("", None),
            ("now", None),
            ("2", None),
            ("10:00", None),
            ("2026-11", None),
            ("2026-13-01", None),
            ("20.11.2026", None),
            ("2026-11-20T25:00", None),
        ];
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (text, expected) in table {
            assert_eq!(in_zone(text, &zone).map(|instant| instant.0).ok(), expected, "{text:?}");
        }
    }
}
