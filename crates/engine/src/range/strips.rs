//! The strips of a range, which the merge is fed from as it asks for more.

use std::sync::Arc;

use brigade_store::{KeyRange, Kind, Store};

use super::{Orderings, Stretch};
use crate::ledger::{SettledSource, SettledStrip};
use crate::listing::OrderedListing;
use crate::transfer::Transfers;

/// Both listings, and the settled pairs.
pub(super) struct Strips {
    pub(super) source: OrderedListing,
    /// `None` where the destination is not listed: it has what the settled pairs say.
    pub(super) dest: Option<OrderedListing>,
    pub(super) settled: SettledStrip,
}

impl Strips {
    /// Starts reading them. Behind a cursor no bucket is listed.
    pub(super) fn start(transfers: &Transfers, range: &KeyRange, stretch: &Stretch<'_>, orderings: Orderings) -> Self {
        let Transfers { source, dest, settled, .. } = transfers;
        let is_listed =
            |store: &dyn Store| !matches!(stretch, Stretch::Behind(_)) || store.capabilities().kind == Kind::Local;
        let source = match settled {
            Some(ledger) if !is_listed(source.as_ref()) => {
                let listing = SettledSource::new(Arc::clone(ledger), source.location(), range);
                OrderedListing::of(source, range, Box::new(listing), orderings.source)
            }
            _ => OrderedListing::start(source, range, orderings.source),
        };
        let dest = is_listed(dest.as_ref()).then(|| OrderedListing::start(dest, range, orderings.dest));
        Self { source, dest, settled: SettledStrip::new(settled.clone(), range) }
    }
}
