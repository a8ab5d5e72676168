//! One range: both listings merged, planned, and handed to transfer and spool.

pub(crate) mod cut;
mod extent;
mod planning;
mod proof;
mod refusal;
mod seen;
mod strips;

use std::sync::Arc;

use brigade_store::{Key, Store};
use tokio::sync::mpsc;

use crate::events::Side;
use crate::listing::{Broken, Ordering};
use crate::plan::{Phase, Planner};
use crate::transfer::{Halt, Transfers};
pub(crate) use extent::{Extent, Prospect};
use planning::Planning;
pub(crate) use refusal::refusal;
pub(crate) use seen::Sight;

/// Batches of actions that wait for transfer.
const BATCHES_AHEAD: usize = 2;

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

/// Where a range lies to the cursor of a run that is taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stretch<'a> {
    /// Ahead of it, or there is none: both sides are listed. Whether a cursor is to be moved.
    Ahead(bool),
    /// Behind it: what a bucket holds there is what was settled, and is not
    /// listed again. Trees are walked all the same. With the keys, in order,
    /// that failed there: each is looked at by itself.
    Behind(&'a [Key]),
    /// Around one key behind it that failed, which both sides list again.
    Again,
}

/// Lists, merges and plans a range, sends what is to be sent now, and spools
/// the rest. It may be done again any number of times, with the same end, and
/// beside other ranges: if it can't come to its end, no range is listed any further.
pub(crate) async fn run_range(
    transfers: &Arc<Transfers>,
    planner: &mut Planner,
    extent: &Extent,
    stretch: Stretch<'_>,
    orderings: Orderings,
) -> Result<(), RangeError> {
    planner.set_behind(matches!(stretch, Stretch::Behind(_)));
    let (batches, mut receiver) = mpsc::channel(BATCHES_AHEAD);
    let planning = async {
        let mut planning = Planning::new(transfers, planner, extent, batches, stretch);
        planning.run(orderings).await.inspect_err(|_| transfers.listing.cancel())
    };
    let carrying =
        async { transfers.carry_out(Phase::Now, &mut receiver).await.inspect_err(|_| transfers.listing.cancel()) };
    let (listed, carried) = tokio::join!(planning, carrying);
    carried?;
    listed
}

impl Orderings {
    /// What the stores say of themselves.
    pub(crate) fn of(source: &dyn Store, dest: &dyn Store) -> Self {
        Self { source: Ordering::of(source), dest: Ordering::of(dest) }
    }
}
