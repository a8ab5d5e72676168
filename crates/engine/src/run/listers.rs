//! The listers: walk what lies ahead of the cursors, each a range, and cut the
//! longest one in two where one of them has nothing to do.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use brigade_store::{KeyRange, Kind};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::time::{MissedTickBehavior, interval};

use super::stretches::{Stretches, first_cause};
use crate::events::Side;
use crate::growth::Growth;
use crate::listing::Broken;
use crate::plan::Planner;
use crate::range::{Extent, Prospect, RangeError, Stretch, cut, run_range};

/// How often it is looked whether there is something to cut.
const LOOK: Duration = Duration::from_millis(50);

/// What a lister came to.
enum Ended {
    Range(Arc<Extent>, Result<Planner, RangeError>),
    Cut(Option<Extent>),
    /// A question about where to cut was answered as no store does that lists by bytes.
    OutOfOrder(RangeError),
}

/// The ranges of a stretch, and who is at them.
struct Ranges<'a> {
    stretches: Stretches<'a>,
    waiting: VecDeque<Extent>,
    open: Vec<Arc<Extent>>,
    /// Pages that came of ranges which have ended.
    pages: u64,
    working: FuturesUnordered<BoxFuture<'a, Ended>>,
    growth: Growth,
    /// Whether cursors are to be moved.
    are_followed: bool,
}

impl Stretches<'_> {
    /// Lists these ranges, and moves a cursor in each.
    pub(super) async fn go_ahead(&self, ranges: Vec<KeyRange>) -> Result<Planner, RangeError> {
        let pass = self.pass;
        let are_followed = pass.keeps_progress() && self.orderings.are_by_bytes();
        if !are_followed {
            self.transfers.recorder.stop_following();
        }
        let mut listed = Ranges {
            stretches: *self,
            waiting: ranges.into_iter().map(Extent::of).collect(),
            open: Vec::new(),
            pages: 0,
            working: FuturesUnordered::new(),
            growth: Growth::new(pass.options.listers),
            are_followed,
        };
        let mut all = Ok(self.planner());
        while let Some(range) = listed.next_ended().await {
            all = first_cause(all, range);
        }
        all
    }
}

impl Ranges<'_> {
    /// What the next range came to; `None` when all have ended. Nobody may be
    /// cutting then any more for anything to come of it.
    async fn next_ended(&mut self) -> Option<Result<Planner, RangeError>> {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.stretches.transfers.listing.is_cancelled() && !self.waiting.is_empty() {
                // Where there is no end to come to, there is no beginning either.
                self.waiting.clear();
                return Some(Err(RangeError::Interrupted));
            }
            self.set_to_work();
            if self.open.is_empty() && self.waiting.is_empty() {
                return None;
            }
            tokio::select! {
                biased;
                Some(ended) = self.working.next() => match ended {
                    Ended::Range(extent, ended) => {
                        self.pages += extent.pages();
                        self.open.retain(|open| !Arc::ptr_eq(open, &extent));
                        return Some(ended);
                    }
                    Ended::Cut(upper) => self.waiting.extend(upper),
                    Ended::OutOfOrder(error) => {
                        self.stretches.transfers.listing.cancel();
                        return Some(Err(error));
                    }
                },
                _ = looks.tick(), if self.may_cut() => {
                    let pages = self.pages + self.open.iter().map(|open| open.pages()).sum::<u64>();
                    self.growth.look(pages, self.open.len());
                }
            }
        }
    }

    fn set_to_work(&mut self) {
        while self.working.len() < self.growth.wanted() {
            if let Some(extent) = self.waiting.pop_front() {
                self.list(Arc::new(extent));
            } else if let Some((extent, prospect)) = self.longest() {
                self.cut(extent, prospect);
            } else {
                return;
            }
        }
    }

    fn list(&mut self, extent: Arc<Extent>) {
        self.open.push(Arc::clone(&extent));
        let (stretches, is_followed) = (self.stretches, self.are_followed);
        let listed = async move {
            let mut planner = stretches.planner_after(extent.range().after.as_ref()).await;
            let stretch = Stretch::Ahead(is_followed);
            let ended = run_range(stretches.transfers, &mut planner, &extent, stretch, stretches.orderings).await;
            Ended::Range(extent, ended.map(|()| planner))
        };
        self.working.push(listed.boxed());
    }

    fn cut(&mut self, extent: Arc<Extent>, prospect: Prospect) {
        extent.begin_cut();
        let transfers = self.stretches.transfers;
        let store = match prospect.side {
            Side::Source => &transfers.source,
            Side::Dest => &transfers.dest,
        };
        let cut = async move {
            let Prospect { side, read, end, .. } = prospect;
            let found = tokio::select! {
                biased;
                () = transfers.listing.cancelled() => Ok(None),
                found = cut::find(store.as_ref(), &read, end.as_ref()) => found,
            };
            match found {
                Err(broken @ Broken::OutOfOrder { .. }) => Ended::OutOfOrder(RangeError::Listing(side, broken)),
                // Where a question isn't answered, the range is listed as it is.
                found => Ended::Cut(extent.cut(found.ok().flatten())),
            }
        };
        self.working.push(cut.boxed());
    }

    /// The range of which most is still to come, if it is worth a cut.
    fn longest(&self) -> Option<(Arc<Extent>, Prospect)> {
        if !self.may_cut() {
            return None;
        }
        let sides: Vec<Side> = self.remote_sides().collect();
        let prospects = self.open.iter().filter_map(|extent| Some((Arc::clone(extent), extent.prospect(&sides)?)));
        prospects.max_by(|(_, one), (_, other)| one.pages.total_cmp(&other.pages))
    }

    /// Whether ranges may be cut: where both sides are known to list in byte
    /// order, and one of them keeps who lists it waiting.
    fn may_cut(&self) -> bool {
        let Stretches { transfers, orderings, .. } = self.stretches;
        orderings.are_by_bytes()
            && transfers.list_by_bytes()
            && !transfers.listing.is_cancelled()
            && self.remote_sides().next().is_some()
    }

    fn remote_sides(&self) -> impl Iterator<Item = Side> {
        let [source, dest] = self.stretches.transfers.kinds();
        let sides = [(source, Side::Source), (dest, Side::Dest)].into_iter();
        sides.filter(|&(kind, side)| kind == Kind::Remote && self.stretches.transfers.lists(side)).map(|(_, side)| side)
    }
}
