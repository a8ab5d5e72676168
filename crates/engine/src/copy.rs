//! Copying one object by itself, by the same parts that a run is made of.

use std::sync::Arc;

use brigade_store::{Entry, Store};
use tokio_util::sync::CancellationToken;

use crate::error::Why;
use crate::events::{Event, Observer, Outcome};
use crate::job::{AtOnce, RunOptions};
use crate::ledger::Recorder;
use crate::plan::Transfer;
use crate::tally::Tally;
use crate::transfer::{Allowance, Left, Surroundings, Transfers};

/// Bytes of content that are held in memory at once, and requests in flight.
const BOUNDS: (u64, usize) = (64 << 20, 8);

/// Copies this version of the source to the same key of the destination, which
/// must still hold what it replaces, or nothing; in parts, if it is large.
pub async fn copy(
    source: Arc<dyn Store>,
    dest: Arc<dyn Store>,
    version: Entry,
    replaces: Option<Entry>,
) -> Result<Outcome, Why> {
    let (memory, jobs) = BOUNDS;
    let options = RunOptions {
        jobs: AtOnce::Exactly(jobs),
        listers: AtOnce::Exactly(1),
        memory,
        limit: None,
        dry_run: false,
        server_side_copy: true,
        restore_request: None,
        allow_empty_source: false,
    };
    let around = Surroundings {
        source,
        dest,
        tally: Arc::new(Tally::new(Arc::new(Nobody))),
        recorder: Arc::new(Recorder::none()),
        settled: None,
        cancel: CancellationToken::new(),
        locked_out: Arc::default(),
        between: Arc::default(),
    };
    let transfers = Transfers::new(&options, around, Allowance::new(None), Left::nothing());
    let transfer = Transfer { source: version, replaces, if_content_differs: false, settled: None, unlisted: None };
    Ok(transfers.carry(&transfer).await?)
}

/// Nobody watches.
struct Nobody;

impl Observer for Nobody {
    fn event(&self, _: Event<'_>) {}
}
