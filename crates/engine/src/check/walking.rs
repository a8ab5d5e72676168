//! The walk of a check: both listings are merged, what they tell of each key is
//! judged, and what has to be looked at or read is handed on.

use std::sync::Arc;
use std::time::SystemTime;

use brigade_store::{Entry, Key, KeyRange, Listed};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::remembering::{Remembering, Strip as Memory};
use super::sampling::{Reservoir, Sampling, Turn, lies_within, lot};
use super::{CheckEvent, Checking, Proof};
use crate::events::Side;
use crate::filters::Matched;
use crate::ledger::{Checked, Proven, VersionsDigest};
use crate::listing::OrderedListing;
use crate::merge::{Merge, Presence, Strip, Triple};
use crate::range::{Orderings, RangeError};
use crate::transfer::Halt;

/// Keys in a batch at most.
const BATCH: usize = 256;

/// Batches that wait for their turn.
const BATCHES_AHEAD: usize = 2;

/// What is to be looked at: what both sides list at one key; at least one of them lists something.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) source: Option<Entry>,
    pub(super) dest: Option<Entry>,
    /// Whether the sample has it: both list it with one size. What isn't in the sample
    /// differs by what is listed.
    pub(super) is_sampled: bool,
}

impl Checking {
    /// Goes over both sides once.
    pub(super) async fn once(self: &Arc<Self>, orderings: Orderings) -> Result<(), RangeError> {
        let (sender, mut batches) = mpsc::channel(BATCHES_AHEAD);
        let walking = async { Walk::new(self, sender).run(orderings).await };
        let (walked, judged) = tokio::join!(walking, self.judge_all(&mut batches));
        judged?;
        walked
    }

    /// Judges what comes, many at once; what is in flight is brought to its end.
    async fn judge_all(self: &Arc<Self>, batches: &mut mpsc::Receiver<Vec<Pair>>) -> Result<(), RangeError> {
        let mut in_flight = JoinSet::new();
        let mut judged = tokio::select! {
            biased;
            judged = self.dispatch(batches, &mut in_flight) => judged,
            never = self.permits.adapt() => match never {},
        };
        // Who walks must not wait for a place that will never be free.
        batches.close();
        while let Some(ended) = in_flight.join_next().await {
            judged = judged.and(ended.unwrap_or_else(|error| Err(Halt::from(error))));
        }
        judged.map_err(RangeError::Halt)
    }

    async fn dispatch(
        self: &Arc<Self>,
        batches: &mut mpsc::Receiver<Vec<Pair>>,
        in_flight: &mut JoinSet<Result<(), Halt>>,
    ) -> Result<(), Halt> {
        while let Some(batch) = batches.recv().await {
            for pair in batch {
                let place = self.permits.object().await;
                if self.cancel.is_cancelled() {
                    return Ok(());
                }
                let this = Arc::clone(self);
                in_flight.spawn(async move {
                    let _place = place;
                    this.judge(pair).await
                });
            }
            while let Some(ended) = in_flight.try_join_next() {
                ended??;
            }
        }
        Ok(())
    }
}

/// The walk under way.
struct Walk<'a> {
    checking: &'a Checking,
    merge: Merge,
    matched: Matched,
    /// What was drawn so far, where so many are to be.
    reservoir: Option<Reservoir<Pair>>,
    memory: Option<Memory>,
    batch: Vec<Pair>,
    keys: u64,
    sender: mpsc::Sender<Vec<Pair>>,
}

impl<'a> Walk<'a> {
    fn new(checking: &'a Checking, sender: mpsc::Sender<Vec<Pair>>) -> Self {
        let mut merge = Merge::default();
        merge.end(Strip::Settled);
        let reservoir = match checking.options.sampling {
            Sampling::Number(most) => Some(Reservoir::of(most)),
            Sampling::All | Sampling::Percent(_) => None,
        };
        let matched = checking.options.filters.none_matched();
        let memory = checking.remembering.as_ref().map(Remembering::strip);
        Self { checking, merge, matched, reservoir, memory, batch: Vec::new(), keys: 0, sender }
    }

    async fn run(&mut self, orderings: Orderings) -> Result<(), RangeError> {
        let Checking { source, dest, .. } = self.checking;
        let everything = KeyRange::everything();
        let mut source = OrderedListing::start(source, &everything, orderings.source);
        let mut dest = OrderedListing::start(dest, &everything, orderings.dest);
        while !self.merge.finished() {
            while let Some(triple) = self.merge.next_triple() {
                self.see(triple).await?;
                if self.batch.len() >= BATCH {
                    self.hand_on().await?;
                }
            }
            self.hand_on().await?;
            match self.merge.hungry() {
                Some(Strip::Left) => self.feed(&mut source, Side::Source).await?,
                Some(Strip::Right) => self.feed(&mut dest, Side::Dest).await?,
                Some(Strip::Settled) | None => {}
            }
        }
        self.forget_the_rest().await?;
        for pair in self.reservoir.take().into_iter().flat_map(Reservoir::into_turns) {
            self.batch.push(pair);
            if self.batch.len() >= BATCH {
                self.hand_on().await?;
            }
        }
        self.hand_on().await?;
        self.warn_of_patterns();
        Ok(())
    }

    async fn feed(&mut self, listing: &mut OrderedListing, side: Side) -> Result<(), RangeError> {
        let page = tokio::select! {
            biased;
            () = self.checking.cancel.cancelled() => return Err(RangeError::Interrupted),
            page = listing.next_page() => page.map_err(|broken| RangeError::Listing(side, broken))?,
        };
        let strip = if side == Side::Source { Strip::Left } else { Strip::Right };
        let Some(page) = page else {
            self.merge.end(strip);
            return Ok(());
        };
        for item in &page {
            if let Listed::Unknown(unknown) = item
                && !unknown.is_reach_of_symlink()
                && !unknown.key.is_reserved()
                && self.checking.options.filters.concerns(unknown, &mut self.matched)
            {
                self.checking.tally.unknown(side, unknown);
            }
        }
        match side {
            Side::Source => self.merge.push_left(page),
            Side::Dest => self.merge.push_right(page),
        }
        Ok(())
    }

    fn takes_part(&mut self, key: &Key) -> bool {
        self.checking.options.filters.includes(key, &mut self.matched) && !key.is_reserved()
    }

    async fn see(&mut self, triple: Triple) -> Result<(), RangeError> {
        let Triple { key, left, right, .. } = triple;
        let remembered = self.recall(&key).await?;
        let tally = &self.checking.tally;
        let is_there = [&left, &right].map(|side| matches!(side, Presence::Present(_)));
        if !self.takes_part(&key) {
            tally.count(|summary| summary.excluded += 1);
            return Ok(());
        }
        self.keys += u64::from(is_there.contains(&true));
        tally.count(|summary| {
            summary.source_objects += u64::from(is_there[0]);
            summary.dest_objects += u64::from(is_there[1]);
        });
        match (left, right) {
            (Presence::Unknown, other) | (other, Presence::Unknown) => {
                let is_held = matches!(other, Presence::Present(_));
                tally.count(|summary| summary.held += u64::from(is_held));
            }
            (Presence::Absent, Presence::Absent) => {}
            (Presence::Present(source), Presence::Present(dest)) if source.size == dest.size => {
                tally.count(|summary| summary.comparable += 1);
                let last = remembered.filter(|checked| self.is_enough(checked, &source, &dest));
                let last = last.map(|checked| checked.at);
                self.draw(source, dest, last);
            }
            (left, right) => {
                let [source, dest] = [left, right].map(|side| match side {
                    Presence::Present(entry) => Some(entry),
                    Presence::Absent | Presence::Unknown => None,
                });
                self.batch.push(Pair { source, dest, is_sampled: false });
            }
        }
        Ok(())
    }

    /// Whether it was of these versions, and proves no less than this check would.
    fn is_enough(&self, checked: &Checked, source: &Entry, dest: &Entry) -> bool {
        let options = &self.checking.options;
        let asked = Proven { is_read: options.proof == Proof::Content, has_metadata: options.metadata };
        asked.or_more().any(|proven| checked.versions == VersionsDigest::of(source, dest, proven))
    }

    /// When the key was last found good, and in which versions. What was remembered of keys that
    /// neither side has any more is forgotten, unless something could not be listed.
    async fn recall(&mut self, key: &Key) -> Result<Option<Checked>, RangeError> {
        let Some(memory) = &mut self.memory else { return Ok(None) };
        let (checked, passed) = memory.of(key).await.map_err(Halt::from)?;
        self.forget(passed).await?;
        Ok(checked)
    }

    async fn forget_the_rest(&mut self) -> Result<(), RangeError> {
        while let Some(memory) = &mut self.memory {
            let rest = memory.rest().await.map_err(Halt::from)?;
            if rest.is_empty() {
                break;
            }
            self.forget(rest).await?;
        }
        Ok(())
    }

    async fn forget(&self, keys: Vec<Key>) -> Result<(), RangeError> {
        if keys.is_empty() {
            return Ok(());
        }
        let summary = self.checking.tally.summary();
        if let Some(remembering) = &self.checking.remembering
            && summary.unlisted + summary.skipped == 0
        {
            for key in keys {
                remembering.forget(key).await.map_err(Halt::from)?;
            }
        }
        Ok(())
    }

    /// Takes what both sides have with one size into the sample, or leaves it out.
    fn draw(&mut self, source: Entry, dest: Entry, last_checked: Option<SystemTime>) {
        let Checking { options, tally, .. } = self.checking;
        let lot = |source: &Entry| lot(options.seed, &source.key);
        let pair = |source, dest| Pair { source: Some(source), dest: Some(dest), is_sampled: true };
        match options.sampling {
            Sampling::All => self.batch.push(pair(source, dest)),
            Sampling::Percent(percent) if lies_within(lot(&source), percent) => self.batch.push(pair(source, dest)),
            Sampling::Percent(_) => {}
            Sampling::Number(_) => {
                let turn = Turn { last_checked, lot: lot(&source) };
                let reservoir = self.reservoir.as_mut();
                let left_out = reservoir.map_or(Some(turn), |reservoir| reservoir.offer(turn, || pair(source, dest)));
                if let Some(earlier) = left_out.and_then(|turn| turn.last_checked) {
                    tally.count(|summary| {
                        summary.earlier += 1;
                        summary.earliest = Some(summary.earliest.map_or(earlier, |earliest| earliest.min(earlier)));
                    });
                }
            }
        }
    }

    /// Hands what has come together to whoever judges it, and tells of it.
    async fn hand_on(&mut self) -> Result<(), RangeError> {
        let batch = std::mem::take(&mut self.batch);
        let to_verify = batch.iter().filter(|pair| pair.is_sampled).count() as u64;
        let keys = std::mem::take(&mut self.keys);
        if keys > 0 || to_verify > 0 {
            self.checking.tally.tell(CheckEvent::Listed { keys, to_verify });
        }
        // Nobody takes it any more only where the check was cancelled, or has stopped with an error of its own.
        if !batch.is_empty() && self.sender.send(batch).await.is_err() {
            return Err(RangeError::Interrupted);
        }
        Ok(())
    }

    fn warn_of_patterns(&self) {
        for pattern in self.checking.options.filters.unmatched(&self.matched) {
            let text = format!("the pattern {pattern:?} matches no key");
            self.checking.tally.tell(CheckEvent::Warning { text });
        }
    }
}
