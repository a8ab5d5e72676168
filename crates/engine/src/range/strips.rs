//! The strips of a range, which the merge is fed from as it asks for more.

use std::sync::Arc;

use brigade_store::{KeyRange, Kind, Store};

use super::{Orderings, Stretch};
use crate::events::Side;
use crate::ledger::SettledStrip;
use crate::listing::{OrderedListing, Ordering};
use crate::transfer::Transfers;

/// Both listings, and the settled pairs.
pub(super) struct Strips {
    source: Option<OrderedListing>,
    dest: Option<OrderedListing>,
    pub(super) settled: SettledStrip,
}

impl Strips {
    /// Starts reading them. Behind a cursor a bucket is not listed: it has what its settled pairs say.
    pub(super) fn start(transfers: &Transfers, range: &KeyRange, stretch: Stretch, orderings: Orderings) -> Self {
        let listing = |store: &Arc<dyn Store>, ordering: Ordering| {
            let is_listed = stretch != Stretch::Behind || store.capabilities().kind == Kind::Local;
            is_listed.then(|| OrderedListing::start(store, range, ordering))
        };
        Self {
            source: listing(&transfers.source, orderings.source),
            dest: listing(&transfers.dest, orderings.dest),
            settled: SettledStrip::new(transfers.settled.clone(), range),
        }
    }

    /// The listing of a side, if it is listed.
    pub(super) fn listing(&mut self, side: Side) -> Option<&mut OrderedListing> {
        match side {
            Side::Source => self.source.as_mut(),
            Side::Dest => self.dest.as_mut(),
        }
    }
}
