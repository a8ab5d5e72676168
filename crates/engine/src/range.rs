//! One range: both listings merged, planned, and handed to transfer and spool.

use std::sync::Arc;

use brigade_store::{ClockSkew, Failure, FailureKind, KeyRange, Listed, Store};
use tokio::sync::mpsc;

use crate::events::{Event, Outcome, Side, Summary};
use crate::listing::{Broken, OrderedListing, Ordering};
use crate::merge::{Merge, Presence, Strip, Triple};
use crate::plan::{Action, Decision, Phase, Planner};
use crate::transfer::{Halt, Transfers};

/// Batches of actions that wait for transfer.
const BATCHES_AHEAD: usize = 2;

/// Actions in a batch at most.
const BATCH: usize = 256;

/// How both listings of a range come into order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Orderings {
    pub(crate) source: Ordering,
    pub(crate) dest: Ordering,
}

/// Why a range didn't come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RangeError {
    #[error("a listing broke off")]
    Listing(Side, #[source] Broken),
    #[error(transparent)]
    Halt(#[from] Halt),
    #[error("interrupted")]
    Interrupted,
}

/// Lists, merges and plans a range, sends what is to be sent now, and spools
/// the rest. It may be done again any number of times, with the same end.
pub(crate) async fn run_range(
    transfers: &Arc<Transfers>,
    planner: &mut Planner,
    range: &KeyRange,
    orderings: Orderings,
) -> Result<(), RangeError> {
    let (batches, mut receiver) = mpsc::channel(BATCHES_AHEAD);
    let planning = async {
        let mut planning = Planning { transfers, planner, batches, merge: Merge::default(), batch: Batch::default() };
        planning.run(range, orderings).await
    };
    let (listed, carried) = tokio::join!(planning, transfers.carry_out(Phase::Now, &mut receiver));
    carried?;
    listed
}

/// The planning of one range under way.
struct Planning<'a> {
    transfers: &'a Arc<Transfers>,
    planner: &'a mut Planner,
    batches: mpsc::Sender<Vec<Action>>,
    merge: Merge,
    batch: Batch,
}

/// What was planned since the last batch was handed on.
#[derive(Default)]
struct Batch {
    actions: Vec<Action>,
    keys: u64,
    bytes: u64,
    counts: Summary,
}

impl Planning<'_> {
    async fn run(&mut self, range: &KeyRange, orderings: Orderings) -> Result<(), RangeError> {
        let mut source = OrderedListing::start(&self.transfers.source, range, orderings.source);
        let mut dest = OrderedListing::start(&self.transfers.dest, range, orderings.dest);
        // There is no ledger yet: nothing is settled.
        self.merge.end(Strip::Settled);
        while !self.merge.finished() {
            self.plan_what_is_known().await?;
            match self.merge.hungry() {
                Some(Strip::Left) => match self.next_page(&mut source, Side::Source).await? {
                    Some(page) => self.merge.push_left(page),
                    None => self.merge.end(Strip::Left),
                },
                Some(Strip::Right) => match self.next_page(&mut dest, Side::Dest).await? {
                    Some(page) => self.merge.push_right(page),
                    None => self.merge.end(Strip::Right),
                },
                Some(Strip::Settled) | None => {}
            }
        }
        self.hand_on().await
    }

    async fn next_page(&mut self, listing: &mut OrderedListing, side: Side) -> Result<Option<Vec<Listed>>, RangeError> {
        let cancel = self.transfers.cancel.clone();
        let page = tokio::select! {
            // In this order, so that the same run takes the same course again.
            biased;
            () = cancel.cancelled() => return Err(RangeError::Interrupted),
            page = listing.next_page() => page.map_err(|broken| RangeError::Listing(side, broken))?,
        };
        for item in page.iter().flatten() {
            match item {
                // A place is told once, and not at all where the filters leave it out.
                Listed::Unknown(unknown) if unknown.is_reach_of_symlink() => {}
                Listed::Unknown(unknown) if self.planner.includes(&unknown.key) => {
                    self.transfers.tally.unknown(side, unknown);
                }
                Listed::Unknown(_) | Listed::Present(_) => {}
            }
        }
        Ok(page)
    }

    async fn plan_what_is_known(&mut self) -> Result<(), RangeError> {
        let (source_skew, dest_skew) = self.skews();
        while let Some(triple) = self.merge.next_triple() {
            self.plan(triple, source_skew, dest_skew)?;
            if self.batch.actions.len() >= BATCH {
                self.hand_on().await?;
            }
        }
        self.hand_on().await
    }

    fn plan(&mut self, triple: Triple, source_skew: ClockSkew, dest_skew: ClockSkew) -> Result<(), Halt> {
        let was_present = matches!(triple.left, Presence::Present(_)) || matches!(triple.right, Presence::Present(_));
        let (at_source, at_dest) = (holds_object(&triple.left), holds_object(&triple.right));
        // A marker is in step with a directory, and of that the source lists what is in it.
        let has_directory = is_marker(&triple.right) && self.merge.source_goes_on_below(&triple.key);
        let batch = &mut self.batch;
        batch.keys += u64::from(was_present);
        let decision = self.planner.decide(triple, source_skew, dest_skew);
        // What is excluded vouches for nothing: neither that the source is
        // there, nor that the destination holds so much that a share of it may go.
        if decision != Decision::Excluded {
            batch.counts.source_objects += u64::from(at_source);
            batch.counts.dest_objects += u64::from(at_dest);
        }
        match decision {
            Decision::InStep => batch.counts.in_step += 1,
            Decision::Extra if has_directory => batch.counts.in_step += 1,
            Decision::Extra => batch.counts.extra += 1,
            Decision::Excluded => batch.counts.excluded += 1,
            Decision::Held => batch.counts.held += u64::from(was_present),
            Decision::Blocked(ref source) | Decision::Shadowed { ref source, .. } => {
                if let Some(outcome) = refusal(&decision, self.transfers.dest.as_ref()) {
                    self.transfers.tally.object(&source.key, &outcome);
                }
            }
            Decision::Gone => {}
            Decision::Act(Phase::Now, action) => {
                if let Action::Send(transfer) = &action {
                    batch.bytes += transfer.source.size;
                }
                batch.actions.push(action);
            }
            Decision::Act(phase, action) => self.transfers.spool().push(phase, &action).map_err(Halt::from)?,
        }
        Ok(())
    }

    /// Hands what was planned to transfer, and tells of it.
    async fn hand_on(&mut self) -> Result<(), RangeError> {
        let batch = std::mem::take(&mut self.batch);
        let tally = &self.transfers.tally;
        tally.count(|summary| *summary += batch.counts);
        if batch.keys > 0 {
            let objects = batch.actions.len() as u64;
            tally.tell(Event::Planned { keys: batch.keys, objects, bytes: batch.bytes });
        }
        // Nobody takes it any more only where transfer has stopped with an error of its own, or was cancelled.
        if !batch.actions.is_empty() && self.batches.send(batch.actions).await.is_err() {
            return Err(RangeError::Interrupted);
        }
        Ok(())
    }

    fn skews(&self) -> (ClockSkew, ClockSkew) {
        (self.transfers.source.clock_skew(), self.transfers.dest.clock_skew())
    }
}

/// What becomes of an object that the destination has no place for, if that is what was decided.
pub(crate) fn refusal(decision: &Decision, dest: &dyn Store) -> Option<Outcome> {
    let failed = |kind, reason: String| Some(Outcome::Failed(Failure::new(kind, reason)));
    match decision {
        Decision::Blocked(_) => failed(
            FailureKind::Failed,
            "the destination can't tell what stands there: a symlink, something that is no regular \
             file, or a place that could not be read; mend that, or exclude this key"
                .to_owned(),
        ),
        Decision::Shadowed { source, above } => match dest.could_hold(source) {
            Err(Failure { reason, .. }) => Some(Outcome::Unrepresentable { reason }),
            Ok(()) => failed(
                FailureKind::Obstructed,
                format!(
                    "{above} is an object too, and a tree can't hold a file and a directory of one name; \
                     rename or exclude one of them"
                ),
            ),
        },
        _ => None,
    }
}

/// Whether there is an object with content of its own, or an empty file: a
/// marker of no bytes only stands for a directory.
fn holds_object(presence: &Presence) -> bool {
    matches!(presence, Presence::Present(entry) if !entry.stands_for_directory())
}

fn is_marker(presence: &Presence) -> bool {
    matches!(presence, Presence::Present(entry) if entry.stands_for_directory())
}

impl Orderings {
    /// What the stores say of themselves.
    pub(crate) fn of(source: &dyn Store, dest: &dyn Store) -> Self {
        Self { source: Ordering::of(source), dest: Ordering::of(dest) }
    }
}
