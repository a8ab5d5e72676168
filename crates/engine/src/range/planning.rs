//! The planning of one range: pages go into the merge, triples come out and are
//! decided about, and batches of actions go to transfer, with the cursor behind them.

use std::sync::Arc;
use std::time::SystemTime;

use brigade_store::{ClockSkew, Key, Kind, Listed};
use tokio::sync::mpsc;

use super::proof::nothing_between;
use super::refusal::refusal;
use super::seen::{Seen, Sight};
use super::strips::Strips;
use super::{Extent, Orderings, RangeError, Stretch};
use crate::events::{Event, Side, Summary};
use crate::index::{IndexUse, taken_from_listing};
use crate::ledger::{Agreed, Change, Followed, Unseen};
use crate::listing::OrderedListing;
use crate::losses::Losses;
use crate::merge::{Merge, Presence, Strip, Triple};
use crate::plan::{Action, Decision, Phase, Planner};
use crate::transfer::{Actions, Halt, Transfers};

/// Actions in a batch at most.
const BATCH: usize = 256;

/// The planning of one range under way.
pub(super) struct Planning<'a> {
    transfers: &'a Arc<Transfers>,
    planner: &'a mut Planner,
    extent: &'a Extent,
    batches: mpsc::Sender<Actions>,
    merge: Merge,
    batch: Batch,
    losses: Losses,
    stretch: Stretch<'a>,
    /// The range, where its cursor moves; it does once both sides have answered.
    followed: Option<Followed>,
    /// Before anything of the range was listed.
    since: SystemTime,
    reached: Reached,
}

/// Up to where everything was planned.
enum Reached {
    Nothing,
    /// Up to this key.
    Key(Key),
    /// Up to the end of the range, which may be that of all keys.
    End(Option<Key>),
}

/// What was planned since the last batch was handed on.
#[derive(Default)]
struct Batch {
    actions: Vec<Action>,
    keys: u64,
    bytes: u64,
    in_step: u64,
    counts: Unseen,
    /// Those of `counts` that a run that is taken up doesn't see again.
    unseen: Unseen,
    changes: Vec<Change>,
    settled: Vec<Agreed>,
}

impl<'a> Planning<'a> {
    pub(super) fn new(
        transfers: &'a Arc<Transfers>,
        planner: &'a mut Planner,
        extent: &'a Extent,
        batches: mpsc::Sender<Actions>,
        stretch: Stretch<'a>,
    ) -> Self {
        let (merge, batch, losses) = (Merge::default(), Batch::default(), Losses::default());
        let since = transfers.recorder.now();
        let (followed, reached) = (None, Reached::Nothing);
        Self { transfers, planner, extent, batches, merge, batch, losses, stretch, followed, since, reached }
    }

    pub(super) async fn run(&mut self, orderings: Orderings) -> Result<(), RangeError> {
        let mut strips = Strips::start(self.transfers, &self.extent.range(), &self.stretch, orderings);
        while !self.merge.finished() {
            self.plan_what_is_known().await?;
            match self.merge.hungry() {
                Some(Strip::Left) => self.feed(&mut strips.source, Side::Source).await?,
                Some(Strip::Right) => self.feed_right(&mut strips).await?,
                Some(Strip::Settled) => self.feed_known(&mut strips).await?,
                None => {}
            }
        }
        let end = self.extent.close();
        if let (Stretch::Ahead(_), Some(end)) = (&self.stretch, &end) {
            self.prove_nothing_between(end).await?;
        }
        self.reached = Reached::End(end);
        self.hand_on().await?;
        self.transfers.losses().add(std::mem::take(&mut self.losses));
        Ok(())
    }

    /// Before the cursor says that all was seen up to the end: of our own walks that is known.
    async fn prove_nothing_between(&self, end: &Key) -> Result<(), RangeError> {
        let Transfers { source, dest, .. } = self.transfers.as_ref();
        for (store, side) in [(source, Side::Source), (dest, Side::Dest)] {
            if store.capabilities().kind == Kind::Remote && self.transfers.lists(side) {
                let last = self.extent.last_of(side);
                let proven = tokio::select! {
                    biased;
                    () = self.transfers.listing.cancelled() => return Err(RangeError::Interrupted),
                    proven = nothing_between(store.as_ref(), last.as_ref(), end) => proven,
                };
                proven.map_err(|broken| RangeError::Listing(side, broken))?;
            }
        }
        Ok(())
    }

    async fn feed_right(&mut self, strips: &mut Strips) -> Result<(), RangeError> {
        match &mut strips.dest {
            Some(listing) => self.feed(listing, Side::Dest).await,
            None => self.feed_known(strips).await,
        }
    }

    /// Gives the merge the next page of a listing, as far as it lies in the range.
    async fn feed(&mut self, listing: &mut OrderedListing, side: Side) -> Result<(), RangeError> {
        let page = self.next_page(listing, side).await?;
        let mut goes_on = page.is_some();
        let mut page = page.unwrap_or_default();
        if goes_on {
            goes_on = self.extent.admit_listed(side, &mut page);
        } else {
            self.extent.end_of(side);
        }
        self.tell_unknown(&page, side);
        let strip = match side {
            Side::Source => {
                self.merge.push_left(page);
                Strip::Left
            }
            Side::Dest => {
                self.merge.push_right(page);
                Strip::Right
            }
        };
        if !goes_on {
            self.merge.end(strip);
        }
        Ok(())
    }

    /// Gives the merge the next page of settled pairs, and of a destination that is not listed.
    async fn feed_known(&mut self, strips: &mut Strips) -> Result<(), RangeError> {
        let known = strips.known.next_page().await.map_err(Halt::from)?;
        let mut goes_on = known.is_some();
        let mut known = known.unwrap_or_default();
        goes_on &= self.extent.admit(&mut known.pairs) & self.extent.admit(&mut known.apart);
        if strips.dest.is_none() {
            self.transfers.look_into_doubts(&mut known).await;
            if self.transfers.listing.is_cancelled() {
                return Err(RangeError::Interrupted);
            }
            let listed = known.listed_at_dest();
            self.tell_unknown(&listed, Side::Dest);
            self.merge.push_right(listed);
        }
        self.merge.push_settled(known.pairs);
        self.merge.settled_through(known.reach);
        if !goes_on {
            if strips.dest.is_none() {
                self.merge.end(Strip::Right);
            }
            self.merge.end(Strip::Settled);
        }
        Ok(())
    }

    async fn next_page(&mut self, listing: &mut OrderedListing, side: Side) -> Result<Option<Vec<Listed>>, RangeError> {
        let given_up = self.transfers.listing.clone();
        tokio::select! {
            // In this order, so that the same run takes the same course again.
            biased;
            () = given_up.cancelled() => Err(RangeError::Interrupted),
            page = listing.next_page() => page.map_err(|broken| RangeError::Listing(side, broken)),
        }
    }

    fn tell_unknown(&mut self, page: &[Listed], side: Side) {
        for item in page {
            match item {
                // A place is told once, and not at all where the filters leave it out.
                Listed::Unknown(unknown) if unknown.is_reach_of_symlink() => {}
                Listed::Unknown(unknown) if self.planner.concerns(unknown) => {
                    self.transfers.tally.unknown(side, unknown);
                }
                Listed::Unknown(_) | Listed::Present(_) => {}
            }
        }
    }

    async fn plan_what_is_known(&mut self) -> Result<(), RangeError> {
        let skews = [&self.transfers.source, &self.transfers.dest].map(|store| store.clock_skew().unwrap_or_default());
        while let Some(triple) = self.merge.next_triple() {
            self.plan(triple, skews)?;
            if self.batch.actions.len() >= BATCH {
                self.hand_on().await?;
            }
        }
        self.hand_on().await
    }

    fn plan(&mut self, triple: Triple, skews: [ClockSkew; 2]) -> Result<(), Halt> {
        let Triple { key, left, settled, right } = triple;
        if let Stretch::Behind(failed) = self.stretch
            && failed.binary_search(&key).is_ok()
        {
            self.losses.see(&key, settled.is_some(), Sight::Unknown, &Decision::Held);
            self.reached = Reached::Key(key);
            return Ok(());
        }
        let seen = Seen { source: Sight::of(&left), dest: Sight::of(&right) };
        let was_present = seen.source == Sight::Present || seen.dest == Sight::Present;
        // A marker is in step with a directory, and of that the source lists what is in it.
        let has_directory = is_marker(&right) && self.merge.source_goes_on_below(&key);
        let dest_objects = u64::from(matches!(&right, Presence::Present(entry) if self.planner.counts_at_dest(entry)));
        let mut counts = Unseen { source_objects: holds_object(&left), dest_objects, ..Unseen::default() };
        let listed = (self.transfers.index == IndexUse::Made).then(|| right.clone());
        let decision = self.planner.decide(&key, [left, right], settled.as_ref(), skews);
        match &decision {
            // What is excluded vouches for nothing: neither that the source is
            // there, nor that the destination holds so much that a share of it may go.
            Decision::Excluded => {
                let excluded = u64::from(seen.source != Sight::Absent || seen.dest != Sight::Absent);
                counts = Unseen { excluded, ..Unseen::default() };
            }
            Decision::Extra if has_directory => {}
            Decision::Extra => counts.extra = 1,
            Decision::Held => counts.held = u64::from(was_present),
            _ => {}
        }
        let batch = &mut self.batch;
        batch.keys += u64::from(was_present);
        batch.counts += counts;
        batch.in_step += u64::from(decision == Decision::Extra && has_directory);
        // What is left out is not in the index.
        let is_known = settled.is_some() || (self.transfers.index.is_kept() && decision != Decision::Excluded);
        if seen.is_not_seen_again(&decision, is_known, self.transfers.kinds()) {
            batch.unseen += counts;
        }
        batch.changes.extend(seen.outdates(&key, settled.as_ref(), &decision));
        batch.changes.extend(listed.and_then(|listed| taken_from_listing(&key, settled.as_ref(), &listed, &decision)));
        if self.stretch != Stretch::Again {
            self.losses.see(&key, settled.is_some(), seen.source, &decision);
        }
        self.reached = Reached::Key(key);
        self.carry(decision)
    }

    fn carry(&mut self, decision: Decision) -> Result<(), Halt> {
        let batch = &mut self.batch;
        match decision {
            Decision::InStep(agreement) => {
                batch.in_step += 1;
                batch.settled.extend(agreement.map(|agreement| Agreed::listed(*agreement)));
            }
            Decision::Blocked(ref source) | Decision::Shadowed { ref source, .. } => {
                if let Some(outcome) = refusal(&decision, self.transfers.dest.as_ref()) {
                    self.transfers.conclude(Phase::Now, &source.key, &outcome);
                }
            }
            Decision::Extra | Decision::Excluded | Decision::Held | Decision::Gone => {}
            Decision::Act(Phase::Now, action) => {
                if let Action::Send(transfer) = &action {
                    batch.bytes += transfer.source.size;
                }
                batch.actions.push(action);
            }
            Decision::Act(phase, action) => self.transfers.spool().push(phase, action).map_err(Halt::from)?,
        }
        Ok(())
    }

    /// Hands what was planned to transfer, and tells of it.
    async fn hand_on(&mut self) -> Result<(), RangeError> {
        let batch = std::mem::take(&mut self.batch);
        let tally = &self.transfers.tally;
        tally.count(|summary| *summary += Summary { in_step: batch.in_step, ..batch.counts.into() });
        if batch.keys > 0 {
            let objects = batch.actions.len() as u64;
            tally.tell(Event::Planned { keys: batch.keys, objects, bytes: batch.bytes });
        }
        let recorder = &self.transfers.recorder;
        if !matches!(self.reached, Reached::Nothing)
            && let Stretch::Ahead(is_to_be_followed @ true) = &mut self.stretch
        {
            *is_to_be_followed = false;
            // By now both sides have answered, and it is known what stores they are.
            if self.transfers.list_by_bytes() {
                self.followed = recorder.follow(self.extent.range().after.as_ref());
            } else {
                recorder.stop_following();
            }
        }
        recorder.note(batch.changes);
        batch.settled.into_iter().for_each(|agreed| recorder.settle(agreed, self.since));
        let (actions, unseen) = (batch.actions.len(), batch.unseen);
        let number = self.followed.and_then(|range| match &self.reached {
            Reached::Nothing => None,
            Reached::Key(key) => recorder.planned(range, Some(key), actions, unseen),
            Reached::End(through) => recorder.planned(range, through.as_ref(), actions, unseen),
        });
        recorder.keep_pace().await;
        // Nobody takes it any more only where transfer has stopped with an error of its own, or was cancelled.
        if !batch.actions.is_empty() && self.batches.send(Actions { number, actions: batch.actions }).await.is_err() {
            return Err(RangeError::Interrupted);
        }
        Ok(())
    }
}

/// Whether there is an object with content of its own, or an empty file: a
/// marker of no bytes only stands for a directory.
fn holds_object(presence: &Presence) -> u64 {
    u64::from(matches!(presence, Presence::Present(entry) if !entry.stands_for_directory()))
}

fn is_marker(presence: &Presence) -> bool {
    matches!(presence, Presence::Present(entry) if entry.stands_for_directory())
}
