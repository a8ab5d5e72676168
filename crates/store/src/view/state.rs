//! What was at each key at a time, from its versions and delete markers: pure.
//!
//! A version was there from when it was written until the one above it was. S3 dates an upload in parts with its
//! beginning, so that a version may be dated before one that lies under it: then it came after that one all the same,
//! since the order of the listing is the order in which they came to be
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>).

use std::time::SystemTime;

use crate::{Entry, Extent, KeptVersion, Key, Listed, Unknown, UnknownReason};

/// Folds versions, in the order of their listing, into what was there at a time.
#[derive(Debug)]
pub(super) struct StateAt {
    at: SystemTime,
    key: Option<Key>,
    found: Found,
}

/// What is known so far of the key whose versions come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Found {
    /// All so far were written later.
    #[default]
    Nothing,
    /// This was there, unless one below was written later.
    Object(Entry),
    /// A delete marker was.
    Marker,
    /// Something was written later that took the place of what it replaced: that may have been anything.
    Lost,
}

impl StateAt {
    /// At this time, by the store's clock. What was written in that very second was there: S3's times are whole seconds.
    pub(super) fn new(at: SystemTime) -> Self {
        Self { at, key: None, found: Found::Nothing }
    }

    /// Takes the next version; what was there at the key before it, if that one is at its end.
    pub(super) fn next(&mut self, version: KeptVersion) -> Option<Listed> {
        let ended = if self.key.as_ref() == Some(&version.key) { None } else { self.end() };
        self.found = match std::mem::take(&mut self.found) {
            Found::Lost => Found::Lost,
            // A version without an id of its own is replaced without a trace.
            _ if version.modified > self.at && version.may_be_replaced() => Found::Lost,
            _ if version.modified > self.at => Found::Nothing,
            Found::Nothing => version.entry().map_or(Found::Marker, Found::Object),
            found => found,
        };
        self.key = Some(version.key);
        ended
    }

    /// There are no more versions: what was there at the last key.
    pub(super) fn end(&mut self) -> Option<Listed> {
        let (key, found) = (self.key.take()?, std::mem::take(&mut self.found));
        match found {
            Found::Object(entry) => Some(Listed::Present(entry)),
            Found::Lost => Some(Listed::Unknown(Unknown { key, extent: Extent::Key, reason: UnknownReason::NotKept })),
            Found::Nothing | Found::Marker => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::{KeptContent, VersionId};

    fn moment(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// A version of the key; without a size, a delete marker.
    fn version(key: &str, id: &str, written: u64, size: Option<u64>) -> KeptVersion {
        let content = size.map(|size| KeptContent { size, etag: format!("e{id}"), storage_class: None });
        let (id, modified) = (VersionId::from(id), moment(written));
        KeptVersion { key: key.into(), id, modified, is_current: false, is_placed: true, is_cut_off: false, content }
    }

    /// What was at each key: its version, or `?`.
    fn at(at: u64, versions: &[KeptVersion]) -> Vec<(String, String)> {
        let mut state = StateAt::new(moment(at));
        let mut listed: Vec<Listed> = versions.iter().filter_map(|version| state.next(version.clone())).collect();
        listed.extend(state.end());
        let shown = |listed: Listed| match listed {
            Listed::Present(entry) => (entry.key.to_string(), entry.version_id().unwrap().to_owned()),
            Listed::Unknown(unknown) => (unknown.key.to_string(), "?".to_owned()),
        };
        listed.into_iter().map(shown).collect()
    }

    #[test]
    fn the_newest_that_was_there_counts() {
        let kept = [
            version("a", "v3", 30, Some(3)),
            version("a", "v2", 20, Some(2)),
            version("a", "v1", 10, Some(1)),
            version("deleted", "m2", 30, None),
            version("deleted", "v1", 10, Some(1)),
            version("only-marker", "m1", 10, None),
            version("young", "v1", 40, Some(1)),
        ];
        let table: [(u64, &[(&str, &str)]); 6] = [
            (9, &[]),
            (10, &[("a", "v1"), ("deleted", "v1")]),
            (29, &[("a", "v2"), ("deleted", "v1")]),
            (30, &[("a", "v3")]),
            (39, &[("a", "v3")]),
            (40, &[("a", "v3"), ("young", "v1")]),
        ];
        for (moment, expected) in table {
            let expected: Vec<_> = expected.iter().map(|(key, id)| ((*key).to_owned(), (*id).to_owned())).collect();
            assert_eq!(at(moment, &kept), expected, "at {moment}");
        }
    }

    #[test]
    fn in_one_second_the_order_of_the_listing_decides() {
        let kept = [
            version("a", "v2", 10, Some(2)),
            version("a", "v1", 10, Some(1)),
            version("b", "m2", 10, None),
            version("b", "v1", 10, Some(1)),
            version("c", "v2", 10, Some(1)),
            version("c", "m1", 10, None),
        ];
        assert_eq!(at(10, &kept), [("a".to_owned(), "v2".to_owned()), ("c".to_owned(), "v2".to_owned())]);
    }

    /// An upload in parts that was begun at 10 and ended after 20: at 15 it can't have been there.
    #[test]
    fn what_lies_above_a_later_one_came_after_it() {
        let kept =
            [version("a", "parts", 10, Some(9)), version("a", "v2", 20, Some(2)), version("a", "v1", 5, Some(1))];
        for (moment, expected) in [(4, None), (5, Some("v1")), (15, Some("v1")), (20, Some("parts"))] {
            let found = at(moment, &kept).pop().map(|(_, id)| id);
            assert_eq!(found.as_deref(), expected, "at {moment}");
        }
    }

    #[test]
    fn what_was_replaced_without_a_version_is_not_known() {
        let kept = [
            version("before", "v2", 30, Some(2)),
            version("before", "null", 10, Some(1)),
            version("suspended", "null", 30, Some(2)),
            version("suspended", "v1", 10, Some(1)),
            version("suspended-marker", "null", 30, None),
            version("suspended-marker", "v1", 10, Some(1)),
        ];
        let known = |moment| at(moment, &kept).into_iter().map(|(_, id)| id).collect::<Vec<_>>();
        // Before 10 there may have been something else at `before`, without a version.
        assert_eq!(known(9), ["?", "?", "?"]);
        assert_eq!(known(10), ["null", "?", "?"]);
        assert_eq!(known(30), ["v2", "null"]);
    }

    proptest! {
        /// Beside a model that replays all that happened up to the time.
        #[test]
        fn it_is_what_a_replay_gives(
            writes in proptest::collection::vec((0..4_usize, 0..3_u64, any::<bool>()), 0..40),
            wanted in 0..60_u64,
        ) {
            let (mut kept, mut expected, mut now) = (vec![Vec::new(); 4], vec![None; 4], 0);
            for (number, (key, later, is_marker)) in writes.into_iter().enumerate() {
                now += later;
                let id = format!("v{number}");
                kept[key].insert(0, version(&key.to_string(), &id, now, (!is_marker).then_some(1)));
                if now <= wanted {
                    expected[key] = (!is_marker).then_some(id);
                }
            }
            let model: Vec<(String, String)> =
                expected.into_iter().enumerate().filter_map(|(key, id)| Some((key.to_string(), id?))).collect();
            prop_assert_eq!(at(wanted, &kept.concat()), model);
        }

        /// Whatever the times, a later moment never shows an older version.
        #[test]
        fn time_runs_forwards(times in proptest::collection::vec(0..20_u64, 1..8)) {
            let newest = times.len();
            let kept: Vec<KeptVersion> = times
                .iter()
                .enumerate()
                .map(|(place, time)| version("k", &(newest - place).to_string(), *time, Some(1)))
                .collect();
            let shown: Vec<usize> =
                (0..25).filter_map(|moment| at(moment, &kept).pop()?.1.parse().ok()).collect();
            prop_assert!(shown.is_sorted(), "{:?}", shown);
            prop_assert_eq!(shown.last(), Some(&newest));
        }
    }
}
