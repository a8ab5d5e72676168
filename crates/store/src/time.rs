//! Times as the system gives them: seconds since the epoch, and nanoseconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The moment this many seconds after the epoch (before it, if negative),
/// and this many nanoseconds later.
#[must_use]
pub fn at(seconds: i64, nanoseconds: u32) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let start = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    start
        .and_then(|start| start.checked_add(Duration::from_nanos(nanoseconds.into())))
        // A file system can give no time that the system's own clock type can't hold.
        .unwrap_or(UNIX_EPOCH)
}

/// The reverse of [`at`]: whole seconds, rounded down, and nanoseconds from 0
/// to 999,999,999.
#[must_use]
pub fn since_epoch(moment: SystemTime) -> (i64, u32) {
    match moment.duration_since(UNIX_EPOCH) {
        Ok(after) => (signed(after.as_secs()), after.subsec_nanos()),
        Err(error) => {
            let before = error.duration();
            match before.subsec_nanos() {
                0 => (-signed(before.as_secs()), 0),
                part => (-signed(before.as_secs()) - 1, 1_000_000_000 - part),
            }
        }
    }
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_before_and_after_the_epoch() {
        for (seconds, nanoseconds) in
            [(0, 0), (0, 1), (-1, 0), (-1, 999_999_999), (-2, 1), (1_700_000_000, 123_456_789)]
        {
            let moment = at(seconds, nanoseconds);
            assert_eq!(since_epoch(moment), (seconds, nanoseconds));
        }
        assert_eq!(at(-1, 750_000_000), UNIX_EPOCH - Duration::from_millis(250));
    }
}
