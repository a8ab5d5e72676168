//! The planner of a one-way sync: from triples to actions. Pure: no I/O, no clock.

use brigade_store::{ClockSkew, Digest, Entry, Key, Kind, Unknown};

use crate::compare::{Comparer, Dated, Row, Verdict, by_pair};
use crate::filters::{Filters, Matched};
use crate::job::{Comparison, JobSpec};
use crate::ledger::SettledPair;
use crate::merge::Presence;
use crate::nesting::Nesting;

/// When an action runs. Only [`Phase::Now`] runs while listing; all others go
/// through the spool and run, in this order, when every range is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// As soon as it is planned.
    Now,
    /// Destination keys that the source lacks.
    Deletions,
    /// What a deletion must make room for: a file in the place of a directory, or the reverse.
    AfterDeletions,
}

impl Phase {
    /// How many phases there are.
    pub const COUNT: usize = 3;
}

/// Something to be done to the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Bring the source's version over.
    Send(Transfer),
    /// Remove this version, which the source lacks.
    Delete(Entry),
}

/// An object to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The version that the source lists.
    pub source: Entry,
    /// The version that the destination lists, which this one replaces.
    pub replaces: Option<Entry>,
    /// Whether to send it only if the contents turn out to differ. Where nothing
    /// is listed that it would replace, what is there is looked at first.
    pub if_content_differs: bool,
    /// A digest that the content of both sides had when they were last in
    /// step, where the destination has not changed since.
    pub settled: Option<Digest>,
    /// What was settled with this very version of the source, where the destination's
    /// listing doesn't show it: it may be there all the same, since listings may lag behind.
    pub unlisted: Option<Box<SettledPair>>,
}

impl Action {
    /// The key that it is about.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Send(transfer) => &transfer.source.key,
            Self::Delete(entry) => &entry.key,
        }
    }
}

/// What is to be done about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: both sides are the same. With the versions, where they are not yet remembered as such.
    InStep(Option<Box<Agreement>>),
    /// This, in its phase.
    Act(Phase, Action),
    /// Nothing: it is at the destination only, and deleting was not asked for.
    Extra,
    /// Nothing: the filters leave it out.
    Excluded,
    /// Nothing: one side can't tell what is there, and said so when it was listed.
    Held,
    /// Nothing, though the source has this: the destination can't tell what
    /// stands in its place.
    Blocked(Entry),
    /// Nothing, though the source has this: it also has an object whose name
    /// the directory would need that this one belongs in.
    Shadowed {
        /// The object.
        source: Entry,
        /// The other one's key.
        above: Key,
    },
    /// Nothing: neither side has it now.
    Gone,
}

/// Two versions that are in step by what is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The source's.
    pub source: Entry,
    /// The destination's.
    pub dest: Entry,
    /// Whether the rule that was chosen only takes them to be.
    pub assumed: bool,
}

/// What becomes of what only the destination has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extras {
    /// It stays.
    Stay,
    /// It is deleted, but for markers: they may stand for directories of the source.
    Go,
    /// It is deleted: the source holds nothing, and has no directories either.
    AllGo,
}

/// Plans a one-way sync.
#[derive(Clone, Debug)]
pub struct Planner {
    filters: Filters,
    matched: Matched,
    comparer: Comparer,
    extras: Extras,
    /// What the destination is: the listing of a bucket may lag behind what is there.
    dest: Kind,
    nesting: Nesting,
    /// Whether the keys that come lie behind the cursor of a run that is taken up.
    behind: bool,
    /// Whether the destination is not listed: there are no times of its objects.
    is_dest_timeless: bool,
}

impl Planner {
    /// The planner of a job towards such a destination.
    #[must_use]
    pub fn new(job: &JobSpec, dest: Kind) -> Self {
        Self {
            nesting: Nesting::new(dest),
            matched: job.filters.none_matched(),
            filters: job.filters.clone(),
            comparer: Comparer { comparison: job.comparison, fudge: job.clock_fudge_factor },
            extras: if job.delete.is_some() { Extras::Go } else { Extras::Stay },
            dest,
            behind: false,
            is_dest_timeless: false,
        }
    }

    /// Whether the keys of its range lie behind the cursor of a run that is
    /// taken up: what that one settled is not judged again.
    pub(crate) fn set_behind(&mut self, behind: bool) {
        self.behind = behind;
    }

    /// Whether the destination is not listed, but known from the ledger.
    pub(crate) fn set_dest_timeless(&mut self, is_dest_timeless: bool) {
        self.is_dest_timeless = is_dest_timeless;
    }

    /// Whether the source holds nothing, not even directories.
    pub(crate) fn set_source_nothing(&mut self, is_source_nothing: bool) {
        if is_source_nothing && self.extras == Extras::Go {
            self.extras = Extras::AllGo;
        }
    }

    /// Whether this counts as an object of the destination: a marker does where it goes like any other.
    pub(crate) fn counts_at_dest(&self, entry: &Entry) -> bool {
        self.extras == Extras::AllGo || !entry.stands_for_directory()
    }

    /// Whether the filters let the key take part.
    pub fn includes(&mut self, key: &Key) -> bool {
        self.filters.includes(key, &mut self.matched)
    }

    /// Whether what a store could not tell of may be of something that takes part.
    pub fn concerns(&mut self, unknown: &Unknown) -> bool {
        self.filters.concerns(unknown, &mut self.matched)
    }

    /// Shows a key that the source has and that comes before all that will be
    /// decided about: those may have to lie below it.
    pub(crate) fn show(&mut self, key: &Key) {
        if self.includes(key) {
            self.nesting.file_above(key);
        }
    }

    /// Adds the patterns that have matched a key of another range.
    pub(crate) fn add_matched(&mut self, other: &Self) {
        self.matched.add(&other.matched);
    }

    /// Patterns that have matched no key so far.
    pub fn unmatched_patterns(&self) -> impl Iterator<Item = &str> {
        self.filters.unmatched(&self.matched)
    }

    /// Decides about one key, by what source and destination list and what
    /// is settled. The skews of both tell the stores' times by the local clock.
    pub fn decide(
        &mut self,
        key: &Key,
        listed: [Presence; 2],
        settled: Option<&SettledPair>,
        skews: [ClockSkew; 2],
    ) -> Decision {
        self.decide_by_row(key, listed, settled, skews).0
    }

    /// Decides about one key, and says by which row of the table, where two versions were compared.
    pub(crate) fn decide_by_row(
        &mut self,
        key: &Key,
        [left, right]: [Presence; 2],
        settled: Option<&SettledPair>,
        [source_skew, dest_skew]: [ClockSkew; 2],
    ) -> (Decision, Option<Row>) {
        if !self.includes(key) {
            return (Decision::Excluded, None);
        }
        if self.behind
            && settled.is_some_and(|pair| pair.lost)
            && let Presence::Present(source) = left
        {
            // It is back, and the deletion that an earlier run had planned may have been carried out since.
            let transfer = Transfer { source, replaces: None, if_content_differs: true, settled: None, unlisted: None };
            return (Decision::Act(Phase::Now, Action::Send(transfer)), None);
        }
        let mut applied = None;
        let above = match &left {
            Presence::Present(source) => self.nesting.file_above(&source.key),
            Presence::Absent | Presence::Unknown => None,
        };
        let decision = match (left, right) {
            (Presence::Present(source), Presence::Absent) if let Some(above) = above => {
                Decision::Shadowed { source, above }
            }
            (Presence::Present(source), Presence::Unknown) => Decision::Blocked(source),
            (Presence::Unknown, _) | (_, Presence::Unknown) => Decision::Held,
            (Presence::Absent, Presence::Absent) => Decision::Gone,
            // A tree lists no directories, and deletions may remove one that they empty:
            // whether a marker's is there is looked up when they are done.
            (Presence::Present(source), Presence::Absent) if source.stands_for_directory() => {
                Decision::Act(Phase::AfterDeletions, transfer(source, None, false))
            }
            (Presence::Present(source), Presence::Absent) => {
                let unlisted = self.unlisted(&source, settled);
                send(source, None, unlisted)
            }
            (Presence::Absent, Presence::Present(dest)) => self.only_at_dest(dest),
            (Presence::Present(source), Presence::Present(dest)) => {
                let (dated_source, dated_dest) = (Dated::new(&source, source_skew), Dated::new(&dest, dest_skew));
                let row = self.compare(dated_source, settled, dated_dest);
                applied = Some(row);
                match row.verdict() {
                    Verdict::InStep => in_step(source, settled, dest, row),
                    Verdict::Differs => {
                        let unlisted = self.unlisted(&source, settled.filter(|pair| !pair.right.shows_in(&dest)));
                        send(source, Some(dest), unlisted)
                    }
                    Verdict::AskContent => {
                        let settled = settled.filter(|_| self.behind || self.comparer.comparison == Comparison::Auto);
                        send_if_content_differs(source, settled, dest)
                    }
                }
            }
        };
        (decision, applied)
    }

    fn compare(&self, source: Dated<'_>, settled: Option<&SettledPair>, dest: Dated<'_>) -> Row {
        if self.behind {
            let comparer = Comparer { comparison: Comparison::Auto, ..self.comparer };
            return comparer.compare_again(source, settled, dest);
        }
        if self.is_dest_timeless && self.comparer.comparison == Comparison::Mtime {
            return by_pair(source.entry(), settled, dest.entry());
        }
        self.comparer.compare(source, settled, dest)
    }

    /// The pair, if the source has not changed since: then it is the destination that differs from it.
    fn unlisted(&self, source: &Entry, settled: Option<&SettledPair>) -> Option<Box<SettledPair>> {
        let is_to_believe = |pair: &&SettledPair| !pair.assumed && pair.left.shows_in(source);
        let may_lag = self.dest == Kind::Remote && self.comparer.comparison == Comparison::Auto;
        settled.filter(is_to_believe).filter(|_| may_lag).cloned().map(Box::new)
    }

    fn only_at_dest(&self, dest: Entry) -> Decision {
        // A marker of no bytes stands for a directory, and a listing of objects
        // doesn't show whether that directory is there at the source.
        if self.extras != Extras::Stay && self.counts_at_dest(&dest) {
            Decision::Act(Phase::Deletions, Action::Delete(dest))
        } else {
            Decision::Extra
        }
    }
}

fn in_step(source: Entry, settled: Option<&SettledPair>, dest: Entry, row: Row) -> Decision {
    // What was only taken to be in step is no better proven where it has not changed.
    let assumed = row.proves_nothing() || (row == Row::Unchanged && settled.is_some_and(|pair| pair.assumed));
    let is_remembered = settled
        .is_some_and(|pair| pair.shows_in(&source, &dest) && !pair.lost && (assumed || !(pair.assumed || pair.unsure)));
    Decision::InStep((!is_remembered).then(|| Box::new(Agreement { source, dest, assumed })))
}

fn send_if_content_differs(source: Entry, settled: Option<&SettledPair>, dest: Entry) -> Decision {
    let settled = settled.filter(|pair| pair.right.shows_in(&dest) && !pair.assumed).and_then(|pair| pair.digest);
    let transfer = Transfer { source, replaces: Some(dest), if_content_differs: true, settled, unlisted: None };
    Decision::Act(Phase::Now, Action::Send(transfer))
}

fn send(source: Entry, replaces: Option<Entry>, unlisted: Option<Box<SettledPair>>) -> Decision {
    let transfer = Transfer { source, replaces, if_content_differs: false, settled: None, unlisted };
    Decision::Act(Phase::Now, Action::Send(transfer))
}

fn transfer(source: Entry, replaces: Option<Entry>, if_content_differs: bool) -> Action {
    Action::Send(Transfer { source, replaces, if_content_differs, settled: None, unlisted: None })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use brigade_store::{Symlinks, Version};

    use super::*;
    use crate::filters::Rule;
    use crate::job::{DeleteLimit, Indexing};
    use crate::ledger::Fingerprint;

    fn entry(key: &str, size: u64) -> Entry {
        let version = Version::object(format!("{size}"));
        Entry { key: Key::from(key), size, modified: SystemTime::UNIX_EPOCH, version }
    }

    fn decide(delete: bool, key: &str, left: Presence, right: Presence) -> Decision {
        let job = JobSpec {
            filters: Filters::new(&[Rule::Exclude("*.tmp".into())]).unwrap(),
            comparison: Comparison::Size,
            clock_fudge_factor: Duration::ZERO,
            delete: delete.then_some(DeleteLimit::Unlimited),
            symlinks: Symlinks::Follow,
            indexing: Indexing::Off,
            carries_tags: true,
            carries_grants: false,
            source_inventory: None,
        };
        Planner::new(&job, Kind::Local).decide(&Key::from(key), [left, right], None, Default::default())
    }

    fn in_step_now(entry: Entry, assumed: bool) -> Decision {
        Decision::InStep(Some(Box::new(Agreement { source: entry.clone(), dest: entry, assumed })))
    }

    #[test]
    fn only_proven_absence_deletes_and_filters_judge_the_triple() {
        use Presence::{Absent, Present, Unknown};
        let here = |size| Present(entry("k", size));
        let deletion = Decision::Act(Phase::Deletions, Action::Delete(entry("k", 1)));
        let table = [
            ("new", true, "k", here(1), Absent, send(entry("k", 1), None, None)),
            ("changed", true, "k", here(1), here(2), send(entry("k", 1), Some(entry("k", 2)), None)),
            ("same", true, "k", here(1), here(1), in_step_now(entry("k", 1), true)),
            ("gone from the source", true, "k", Absent, here(1), deletion),
            ("gone, without --delete", false, "k", Absent, here(1), Decision::Extra),
            ("the source can't tell", true, "k", Unknown, here(1), Decision::Held),
            ("the destination can't tell", true, "k", here(1), Unknown, Decision::Blocked(entry("k", 1))),
            ("the destination can't tell of nothing", true, "k", Absent, Unknown, Decision::Held),
            ("excluded at the destination", true, "k.tmp", Absent, here(1), Decision::Excluded),
            ("excluded at the source", true, "k.tmp", here(1), Absent, Decision::Excluded),
            ("nowhere", true, "k", Absent, Absent, Decision::Gone),
            ("a marker at the destination", true, "d/", Absent, Present(entry("d/", 0)), Decision::Extra),
            (
                "a marker at the source",
                true,
                "d/",
                Present(entry("d/", 0)),
                Absent,
                Decision::Act(Phase::AfterDeletions, transfer(entry("d/", 0), None, false)),
            ),
        ];
        for (row, delete, key, left, right, expected) in table {
            assert_eq!(decide(delete, key, left, right), expected, "{row}");
        }
    }

    #[test]
    fn a_source_that_holds_nothing_lacks_directories_too() {
        let job = |delete| JobSpec {
            filters: Filters::default(),
            comparison: Comparison::Size,
            clock_fudge_factor: Duration::ZERO,
            delete,
            symlinks: Symlinks::Follow,
            indexing: Indexing::Off,
            carries_tags: true,
            carries_grants: false,
            source_inventory: None,
        };
        let deletion = Decision::Act(Phase::Deletions, Action::Delete(entry("d/", 0)));
        for (delete, expected) in [(None, Decision::Extra), (Some(DeleteLimit::Unlimited), deletion)] {
            let mut planner = Planner::new(&job(delete), Kind::Remote);
            planner.set_source_nothing(true);
            let listed = [Presence::Absent, Presence::Present(entry("d/", 0))];
            assert_eq!(planner.decide(&Key::from("d/"), listed, None, Default::default()), expected);
            assert_eq!(planner.counts_at_dest(&entry("d/", 0)), delete.is_some(), "it is counted as what it is");
        }
    }

    #[test]
    fn what_is_settled_is_no_better_known_because_a_run_is_taken_up() {
        let (key, here) = (Key::from("k"), entry("k", 1));
        let job = JobSpec {
            filters: Filters::default(),
            comparison: Comparison::Size,
            clock_fudge_factor: Duration::ZERO,
            delete: None,
            symlinks: Symlinks::Follow,
            indexing: Indexing::Off,
            carries_tags: true,
            carries_grants: false,
            source_inventory: None,
        };
        let side = Fingerprint::of(&here);
        let pair = |unsure, assumed, lost| {
            let (key, left, right) = (key.clone(), side.clone(), side.clone());
            SettledPair { key, left, right, digest: None, unsure, assumed, lost }
        };
        // A deletion that was planned may have been carried out.
        let looked_at_first = Decision::Act(Phase::Now, transfer(here.clone(), None, true));
        let table = [
            ("proven", pair(false, false, false), Decision::InStep(None)),
            ("assumed", pair(false, true, false), Decision::InStep(None)),
            ("assumed and fresh", pair(true, true, false), Decision::InStep(None)),
            ("assumed, and back", pair(false, true, true), looked_at_first.clone()),
            ("proven, and back", pair(false, false, true), looked_at_first),
            ("an edit could hide", pair(true, false, false), send_if_content_differs(here.clone(), None, here.clone())),
        ];
        for (row, pair, expected) in table {
            let mut planner = Planner::new(&job, Kind::Remote);
            planner.set_behind(true);
            let listed = [Presence::Present(here.clone()), Presence::Present(here.clone())];
            assert_eq!(planner.decide(&key, listed, Some(&pair), Default::default()), expected, "{row}");
        }
    }

    #[test]
    fn what_a_bucket_may_have_unlisted_is_told() {
        let [source, older, newer] = [1, 2, 3].map(|size| entry("k", size));
        let pair = SettledPair {
            key: Key::from("k"),
            left: Fingerprint::of(&source),
            right: Fingerprint::of(&entry("k", 1)),
            digest: None,
            unsure: false,
            assumed: false,
            lost: false,
        };
        let told = Some(Box::new(pair.clone()));
        let assumed = SettledPair { assumed: true, ..pair.clone() };
        let table = [
            ("not listed", Kind::Remote, Comparison::Auto, &source, None, &pair, told.clone()),
            ("listed as before", Kind::Remote, Comparison::Auto, &source, Some(&older), &pair, told),
            ("a tree lists what is there", Kind::Local, Comparison::Auto, &source, None, &pair, None),
            ("changed since", Kind::Remote, Comparison::Auto, &newer, None, &pair, None),
            ("no pair counts", Kind::Remote, Comparison::Always, &source, None, &pair, None),
            ("only taken to be in step", Kind::Remote, Comparison::Auto, &source, None, &assumed, None),
        ];
        for (row, dest, comparison, source, listed, pair, unlisted) in table {
            let job = JobSpec {
                filters: Filters::new(&[]).unwrap(),
                comparison,
                clock_fudge_factor: Duration::ZERO,
                delete: None,
                symlinks: Symlinks::Follow,
                indexing: Indexing::Off,
                carries_tags: true,
                carries_grants: false,
                source_inventory: None,
            };
            let there = listed.map_or(Presence::Absent, |entry| Presence::Present(entry.clone()));
            let listed_both = [Presence::Present(source.clone()), there];
            let decision =
                Planner::new(&job, dest).decide(&Key::from("k"), listed_both, Some(pair), Default::default());
            assert_eq!(decision, send(source.clone(), listed.cloned(), unlisted), "{row}");
        }
    }
}
