//! The index (`--index`): what the ledger knows of a destination stands for a listing of it. Pure.

use brigade_store::{Entry, Key};

use crate::job::{Indexing, JobDigest};
use crate::ledger::{Apart, Change, Index, SettledPair};
use crate::merge::Presence;
use crate::plan::Decision;

/// What a run has to do with the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IndexUse {
    /// Nothing: the destination is listed.
    #[default]
    None,
    /// The destination is listed, and the ledger takes note of all that it holds.
    Made,
    /// The destination is not listed.
    Trusted,
}

impl IndexUse {
    /// What an index that was found, or none, is good for with these filters.
    pub(crate) fn of(indexing: Indexing, found: Option<Index>, filters: JobDigest) -> Self {
        let holds = found.is_some_and(|index| index.is_whole && !index.in_use && index.filters == filters);
        match indexing {
            Indexing::Off => Self::None,
            Indexing::Use if holds => Self::Trusted,
            Indexing::Use | Indexing::Rebuild => Self::Made,
        }
    }

    /// What a person should know who has asked for the index, and waits for a listing.
    pub(crate) fn why_listed(indexing: Indexing, found: Option<Index>, filters: JobDigest) -> Option<&'static str> {
        match found {
            _ if indexing != Indexing::Use => None,
            Some(Index { is_whole: false, in_use: false, .. }) | None => {
                Some("the destination is listed this time: there is no index of it yet")
            }
            Some(index) if index.filters != filters => {
                Some("the destination is listed this time: the index was made with other filters")
            }
            Some(index) if index.in_use => {
                Some("the destination is listed this time: the last run with the index was killed")
            }
            Some(_) => None,
        }
    }

    /// Whether the ledger has to know all that the destination holds.
    pub(crate) fn is_kept(self) -> bool {
        self != Self::None
    }

    /// Whether the destination is not listed.
    pub(crate) fn is_trusted(self) -> bool {
        self == Self::Trusted
    }
}

/// What an index has to take note of where the destination lists this of a key,
/// before anything is done about it: an action may fail, and leaves it so.
pub(crate) fn taken_from_listing(
    key: &Key,
    settled: Option<&SettledPair>,
    listed: &Presence,
    decision: &Decision,
) -> Option<Change> {
    match listed {
        _ if *decision == Decision::Excluded => None,
        Presence::Present(entry) if is_to_be_settled(entry, decision) => None,
        Presence::Present(entry) if settled.is_some_and(|pair| pair.right.shows_in(entry)) => None,
        Presence::Present(entry) => Some(Change::Apart(Apart::found(key, Some(entry)))),
        Presence::Absent => settled.map(|_| Change::Apart(Apart::found(key, None))),
        Presence::Unknown => None,
    }
}

/// Nothing is settled with what stands for a directory.
fn is_to_be_settled(entry: &Entry, decision: &Decision) -> bool {
    matches!(decision, Decision::InStep(Some(_))) && !entry.stands_for_directory()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use brigade_store::Version;

    use super::*;
    use crate::ledger::Fingerprint;
    use crate::plan::{Action, Agreement, Phase};

    #[test]
    fn an_index_is_trusted_only_where_it_is_whole_and_nobody_was_killed_at_it() {
        let [filters, others] = [JobDigest([1; 16]), JobDigest([2; 16])];
        let index = |filters, in_use| Some(Index { filters, is_whole: true, in_use });
        let begun = Some(Index { filters, is_whole: false, in_use: false });
        let table = [
            (Indexing::Off, index(filters, false), IndexUse::None),
            (Indexing::Use, None, IndexUse::Made),
            (Indexing::Use, begun, IndexUse::Made),
            (Indexing::Use, index(filters, false), IndexUse::Trusted),
            (Indexing::Use, index(filters, true), IndexUse::Made),
            (Indexing::Use, index(others, false), IndexUse::Made),
            (Indexing::Rebuild, index(filters, false), IndexUse::Made),
        ];
        for (indexing, found, expected) in table {
            assert_eq!(IndexUse::of(indexing, found, filters), expected, "{indexing:?} {found:?}");
        }
    }

    #[test]
    fn the_ledger_follows_the_listing_whatever_becomes_of_the_actions() {
        let version = |etag: &str| Version::object(etag);
        let entry = |key: &str, etag: &str| Entry {
            key: Key::from(key),
            size: 0,
            modified: SystemTime::UNIX_EPOCH,
            version: version(etag),
        };
        let (one, other) = (entry("k", "1"), entry("k", "2"));
        let side = Fingerprint::of(&one);
        let (left, right, key) = (side.clone(), side, Key::from("k"));
        let pair = SettledPair { key, left, right, digest: None, unsure: false, assumed: false, lost: false };
        let send = || {
            let transfer = crate::plan::Transfer {
                source: one.clone(),
                replaces: None,
                if_content_differs: false,
                settled: None,
                unlisted: None,
            };
            Decision::Act(Phase::Now, Action::Send(transfer))
        };
        let agree = |entry: &Entry| {
            let agreement = Agreement { source: entry.clone(), dest: entry.clone(), assumed: false };
            Decision::InStep(Some(Box::new(agreement)))
        };
        let present = |entry: &Entry| Presence::Present(entry.clone());
        let apart = |entry: &Entry| Some(Change::Apart(Apart::found(&entry.key, Some(entry))));
        let nothing = Some(Change::Apart(Apart::found(&one.key, None)));
        let marker = entry("k/", "1");
        let table = [
            ("new there", None, present(&one), Decision::Extra, apart(&one)),
            ("left out", None, present(&one), Decision::Excluded, None),
            ("as it was settled", Some(&pair), present(&one), send(), None),
            ("another version", Some(&pair), present(&other), send(), apart(&other)),
            ("it is settled anyway", None, present(&other), agree(&other), None),
            ("a marker never is", None, present(&marker), agree(&marker), apart(&marker)),
            ("gone from there", Some(&pair), Presence::Absent, send(), nothing),
            ("not there before either", None, Presence::Absent, send(), None),
            ("can't be told", Some(&pair), Presence::Unknown, Decision::Held, None),
        ];
        for (row, settled, listed, decision, expected) in table {
            let key = if row == "a marker never is" { &marker.key } else { &one.key };
            assert_eq!(taken_from_listing(key, settled, &listed, &decision), expected, "{row}");
        }
    }
}
