//! The strips of a range, which the merge is fed from as it asks for more.

use std::sync::Arc;

use brigade_store::{KeyRange, Kind, Store};

use super::{Orderings, Stretch};
use crate::ledger::{KnownStrip, SettledSource};
use crate::listing::OrderedListing;
use crate::transfer::Transfers;

/// Both listings, and the settled pairs.
pub(super) struct Strips {
    pub(super) source: OrderedListing,
    /// `None` where the destination is not listed: it has what is known of it.
    pub(super) dest: Option<OrderedListing>,
    pub(super) known: KnownStrip,
}

impl Strips {
    /// Starts reading them. Behind a cursor no bucket is listed, nor is a destination of which there is an index.
    pub(super) fn start(transfers: &Transfers, range: &KeyRange, stretch: &Stretch<'_>, orderings: Orderings) -> Self {
        let Transfers { source, dest, settled, index, .. } = transfers;
        let is_listed =
            |store: &dyn Store| !matches!(stretch, Stretch::Behind(_)) || store.capabilities().kind == Kind::Local;
        let source = match settled {
            Some(ledger) if !is_listed(source.as_ref()) => {
                let listing = SettledSource::new(Arc::clone(ledger), source.location(), range);
                OrderedListing::of(source, range, Box::new(listing), orderings.source)
            }
            _ => OrderedListing::start(source, range, orderings.source),
        };
        let is_dest_listed = is_listed(dest.as_ref()) && !index.is_trusted();
        let dest = is_dest_listed.then(|| OrderedListing::start(dest, range, orderings.dest));
        Self { source, dest, known: KnownStrip::new(settled.clone(), range, !is_dest_listed) }
    }
}
