//! The planner of a one-way sync: from triples to actions. Pure: no I/O, no clock.

mod actions;

use brigade_store::{ClockSkew, Entry, Key, Kind, Unknown};

pub use self::actions::{Action, Agreement, Decision, Phase, Transfer};
use crate::compare::{Comparer, Dated, Row, Verdict, by_pair};
use crate::filters::{Filters, Matched};
use crate::job::{Comparison, JobSpec};
use crate::ledger::SettledPair;
use crate::merge::Presence;
use crate::nesting::Nesting;

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
mod tests;
