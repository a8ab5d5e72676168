//! How far a check has come.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use brigade_engine::check::{CheckEvent, Found};

use crate::output::figures::{bytes, count, rate};

/// The sums so far. Counted from many tasks at once.
#[derive(Debug, Default)]
pub(super) struct Progress {
    keys: AtomicU64,
    to_verify: AtomicU64,
    verified: AtomicU64,
    wrong: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// Counts an event.
    pub(super) fn count(&self, event: &CheckEvent<'_>) {
        match event {
            CheckEvent::Listed { keys, to_verify } => {
                self.keys.fetch_add(*keys, Relaxed);
                self.to_verify.fetch_add(*to_verify, Relaxed);
            }
            CheckEvent::Read { bytes } => _ = self.bytes.fetch_add(*bytes, Relaxed),
            CheckEvent::Object { found: Found::Same(_), .. } => _ = self.verified.fetch_add(1, Relaxed),
            CheckEvent::Object { found: Found::Gone, .. } | CheckEvent::Warning { .. } => {}
            CheckEvent::Object { .. } | CheckEvent::Unknown { .. } => _ = self.wrong.fetch_add(1, Relaxed),
            CheckEvent::Reordered { .. } => {
                for sum in [&self.keys, &self.to_verify, &self.verified, &self.wrong] {
                    sum.store(0, Relaxed);
                }
            }
        }
    }

    /// `2 wrong`, `50 of 200 found good`, `10,000 compared`, `1.0 GiB read`, `10.0 MiB/s`.
    pub(super) fn parts(&self, elapsed: Duration) -> Vec<String> {
        let [keys, to_verify, verified, wrong, read] =
            [&self.keys, &self.to_verify, &self.verified, &self.wrong, &self.bytes].map(|sum| sum.load(Relaxed));
        let mut parts = Vec::new();
        if wrong > 0 {
            parts.push(format!("{} wrong", count(wrong)));
        }
        parts.push(format!("{} of {} found good", count(verified), count(to_verify)));
        parts.push(format!("{} compared", count(keys)));
        parts.push(format!("{} read", bytes(read)));
        parts.extend(rate(read, elapsed));
        parts
    }
}

#[cfg(test)]
mod tests {
    use brigade_engine::check::Evidence;
    use brigade_store::Key;

    use super::*;

    #[test]
    fn what_is_known_adds_up_and_starts_again_with_the_listing() {
        let progress = Progress::default();
        let key = Key::from("k");
        progress.count(&CheckEvent::Listed { keys: 10_000, to_verify: 200 });
        progress.count(&CheckEvent::Read { bytes: 2048 });
        progress.count(&CheckEvent::Object { key: &key, found: &Found::Same(Evidence::Bytes) });
        progress.count(&CheckEvent::Object { key: &key, found: &Found::Missing });
        progress.count(&CheckEvent::Object { key: &key, found: &Found::Gone });
        let expected = "1 wrong, 1 of 200 found good, 10,000 compared, 2.0 KiB read, 1.0 KiB/s";
        assert_eq!(progress.parts(Duration::from_secs(2)).join(", "), expected);
        progress.count(&CheckEvent::Reordered { location: "s3://b", key: None });
        assert_eq!(progress.parts(Duration::ZERO).join(", "), "0 of 0 found good, 0 compared, 2.0 KiB read");
    }
}
