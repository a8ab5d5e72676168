//! What was at each key at a time, from its versions and delete markers: pure.
//!
//! A version was there from when it was written until the one above it was. S3 dates an upload in parts with its
//! beginning, so that a version may be dated before one that lies under it: then it came after that one all the same,
//! since the order of the listing is the order in which they came to be
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>). Where a service doesn't list all of
//! a key's versions, or not in that order, nothing is concluded from what it lists: what seems to have been absent may
//! be deleted.

use std::time::SystemTime;

use crate::{Extent, KeptVersion, Key, Listed, Unknown, UnknownReason};

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
    /// None of its versions has come yet.
    #[default]
    Nothing,
    /// All so far were written later.
    Later,
    /// This was there, an object or a delete marker, unless one below was written later.
    There(KeptVersion),
    /// The versions that are listed, or their order, leave it open.
    Open,
    /// Something was written later that took the place of what it replaced: that may have been anything.
    Lost,
}

impl StateAt {
    /// At this time, by the store's clock. What was written in that very second was there: S3's times are whole
    /// seconds.
    pub(super) fn new(at: SystemTime) -> Self {
        Self { at, key: None, found: Found::Nothing }
    }

    /// Takes the next version; what was there at the key before it, if that one is at its end.
    pub(super) fn next(&mut self, version: KeptVersion) -> Option<Listed> {
        let ended = if self.key.as_ref() == Some(&version.key) { None } else { self.end() };
        self.key = Some(version.key.clone());
        let is_cut_off = version.is_cut_off;
        let found = match std::mem::take(&mut self.found) {
            found @ (Found::Lost | Found::Open) => found,
            // A version without an id of its own is replaced without a trace.
            _ if version.modified > self.at && version.may_be_replaced() => Found::Lost,
            _ if version.modified > self.at => Found::Later,
            // What replaced it isn't listed, nor when.
            Found::Nothing if !version.is_current => Found::Open,
            Found::Nothing | Found::Later => Found::There(version),
            Found::There(above) if may_be_newer(&version, &above) => Found::Open,
            found @ Found::There(_) => found,
        };
        self.found = match found {
            Found::There(newest) if is_cut_off && !is_later_than_all_below(&newest) => Found::Open,
            Found::Later if is_cut_off => Found::Open,
            found => found,
        };
        ended
    }

    /// There are no more versions: what was there at the last key.
    pub(super) fn end(&mut self) -> Option<Listed> {
        let (key, found) = (self.key.take()?, std::mem::take(&mut self.found));
        let unknown = |reason| Some(Listed::Unknown(Unknown { key, extent: Extent::Key, reason }));
        match found {
            Found::There(newest) => newest.entry().map(Listed::Present),
            Found::Lost => unknown(UnknownReason::NotKept),
            Found::Open => unknown(UnknownReason::NotTold),
            Found::Nothing | Found::Later => None,
        }
    }
}

/// Whether a version may have been written after the one that is listed above it. Among each other, objects stand in
/// the service's order, and so do delete markers.
fn may_be_newer(version: &KeptVersion, above: &KeptVersion) -> bool {
    if above.is_current || above.is_delete_marker() == version.is_delete_marker() {
        return false;
    }
    let is_dated_later = version.modified > above.modified && above.is_delete_marker();
    let order_is_open = version.modified == above.modified || (above.is_delete_marker() && may_be_in_parts(version));
    is_dated_later || (!version.is_placed && order_is_open)
}

/// Whether nothing under it can have been written later, seen or not.
fn is_later_than_all_below(version: &KeptVersion) -> bool {
    version.is_placed && !may_be_in_parts(version)
}

/// Whether it may have been an upload in parts, which is dated before it was there.
fn may_be_in_parts(version: &KeptVersion) -> bool {
    version.content.as_ref().is_some_and(|content| content.etag.is_empty() || content.etag.contains('-'))
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
        let mut versions = versions.to_vec();
        for same in versions.chunk_by_mut(|one, other| one.key == other.key) {
            same[0].is_current = true;
        }
        as_listed(at, versions)
    }

    /// The same, where the service itself says which are the current ones.
    fn as_listed(at: u64, versions: Vec<KeptVersion>) -> Vec<(String, String)> {
        let mut state = StateAt::new(moment(at));
        let mut listed: Vec<Listed> = versions.into_iter().filter_map(|version| state.next(version)).collect();
        listed.extend(state.end());
        let shown = |listed: Listed| match listed {
            Listed::Present(entry) => (entry.key.to_string(), entry.version_id().unwrap().to_owned()),
            Listed::Unknown(unknown) if unknown.reason == UnknownReason::NotTold => {
                (unknown.key.to_string(), "not told".to_owned())
            }
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

    /// A version that is not shown may have been there: without it, the key is not absent.
    #[test]
    fn versions_that_are_not_all_listed_leave_it_open() {
        let cut_off = |version: KeptVersion| KeptVersion { is_cut_off: true, ..version };
        let parts = |version: KeptVersion| {
            let content = version.content.map(|content| KeptContent { etag: "e-2".into(), ..content });
            KeptVersion { content, ..version }
        };
        let kept = [
            cut_off(version("later", "v9", 30, Some(1))),
            cut_off(version("marker", "m9", 10, None)),
            cut_off(version("object", "v9", 10, Some(1))),
            // What it replaced may have been written while its parts were.
            cut_off(parts(version("parts", "v9", 10, Some(1)))),
        ];
        let told = at(20, &kept).into_iter().map(|(key, found)| format!("{key} {found}")).collect::<Vec<_>>();
        assert_eq!(told, ["later not told", "object v9", "parts not told"]);
        let headless = [version("k", "m2", 20, None), version("k", "v1", 10, Some(1))];
        let found = |at| as_listed(at, headless.to_vec()).pop().map(|(_, found)| found);
        assert_eq!(found(15).as_deref(), Some("v1"), "what is missing was written later");
        assert_eq!(found(20).as_deref(), Some("not told"), "it may have been there again by then");
    }

    /// A service that lists delete markers apart from versions says nothing of their order but times, in whole seconds.
    #[test]
    fn what_cannot_be_put_in_order_leaves_it_open() {
        let apart = |version: KeptVersion| KeptVersion { is_placed: false, ..version };
        let in_parts = |mut version: KeptVersion| {
            version.content = version.content.map(|content| KeptContent { etag: "e-2".into(), ..content });
            version
        };
        let table = [
            (
                "a tie",
                vec![version("k", "v3", 30, Some(1)), version("k", "m", 10, None), version("k", "v1", 10, Some(1))],
                Some("not told"),
            ),
            ("a tie with the current one", vec![version("k", "m", 10, None), version("k", "v1", 10, Some(1))], None),
            (
                "no tie",
                vec![version("k", "v3", 30, Some(1)), version("k", "m", 11, None), version("k", "v1", 10, Some(1))],
                None,
            ),
            (
                "parts",
                vec![
                    version("k", "v3", 30, Some(1)),
                    version("k", "m", 11, None),
                    in_parts(version("k", "v1", 10, Some(1))),
                ],
                Some("not told"),
            ),
            (
                "among objects",
                vec![version("k", "v3", 30, Some(1)), version("k", "v2", 10, Some(1)), version("k", "v1", 10, Some(1))],
                Some("v2"),
            ),
        ];
        for (what, kept, expected) in table {
            let kept: Vec<KeptVersion> = kept.into_iter().map(apart).collect();
            assert_eq!(at(20, &kept).pop().map(|(_, found)| found).as_deref(), expected, "{what}");
        }
        // All markers in one page, and all versions in the next: each looks like the whole, but the times belie it.
        let split = [version("k", "m9", 30, None), version("k", "m2", 10, None), version("k", "v1", 15, Some(1))];
        assert_eq!(at(20, &split), [("k".to_owned(), "not told".to_owned())]);
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
