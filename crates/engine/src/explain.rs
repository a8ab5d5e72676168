//! Explaining: what a run would do about one key, and why, found out by the
//! same parts that a run is made of, as in a dry run of this key alone.

use std::sync::{Arc, Mutex, PoisonError};

use brigade_store::{Key, KeyRange, Kind, Listed, Store};
use tokio_util::sync::CancellationToken;

use crate::compare::{Content, Row};
use crate::error::Why;
use crate::events::{Event, Observer, Outcome, Side};
use crate::filters::{Filters, Judgement};
use crate::job::{AtOnce, JobSpec, RunOptions};
use crate::ledger::{Ledger, Recorder, SettledPair};
use crate::merge::Presence;
use crate::plan::{Action, Decision, Phase, Planner, Transfer};
use crate::range::{RangeError, refusal};
pub use crate::sighting::Sighting;
use crate::sighting::sight;
use crate::tally::Tally;
use crate::transfer::between::Between;
use crate::transfer::{Allowance, Left, Surroundings, Transfers};

/// What a run would do about one key, and why.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What the filters say.
    pub judgement: Judgement,
    /// What the source lists.
    pub source: Sighting,
    /// What the destination lists.
    pub dest: Sighting,
    /// What both sides were when they were last in step, if that is remembered.
    pub settled: Option<SettledPair>,
    /// The row of the table that applied, where two versions were compared.
    pub row: Option<Row>,
    /// What the content told, where the row says that it must be asked and it could be.
    pub content: Option<Content>,
    /// What the planner decides.
    pub decision: Decision,
    /// What comes of it, where there is something to do, or no place for it.
    pub prospect: Option<Prospect>,
}

/// What comes of an action, as a dry run would tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prospect {
    /// When the action runs.
    pub phase: Phase,
    /// What comes of it.
    pub outcome: Outcome,
}

/// Explains what a run of the job would do about the key. Nothing is changed.
pub async fn explain(
    job: &JobSpec,
    source: Arc<dyn Store>,
    dest: Arc<dyn Store>,
    ledger: Option<Arc<dyn Ledger>>,
    key: &Key,
) -> Result<Explanation, Why> {
    let (at_source, at_dest) =
        tokio::try_join!(sight_at(source.as_ref(), Side::Source, key), sight_at(dest.as_ref(), Side::Dest, key))?;
    let mut planner = Planner::new(job, dest.capabilities().kind);
    if dest.capabilities().kind == Kind::Local {
        pass_what_is_above(&mut planner, source.as_ref(), key).await?;
    }
    let (left, right) = (at_source.presence(), at_dest.presence());
    let settled = match &ledger {
        Some(ledger) => ledger.pair(key).await?,
        None => None,
    };
    let skews = [source.clock_skew(), dest.clock_skew()].map(Option::unwrap_or_default);
    let (decision, row) = planner.decide_by_row(key, [left, right], settled.as_ref(), skews);
    let decision = match decision {
        // As a run counts it: a marker is in step with a directory, and of that the source lists what is in it.
        Decision::Extra if stands_for_directory(&at_dest) && has_below(source.as_ref(), key).await? => {
            Decision::InStep(None)
        }
        decision => decision,
    };
    let refused = refusal(&decision, dest.as_ref());
    let mut trial = Trial::new(job, source, dest, ledger);
    let prospect = match &decision {
        Decision::Act(phase, action) => trial.run(*phase, action.clone()).await?,
        _ => refused.map(|outcome| Prospect { phase: Phase::Now, outcome }),
    };
    let judgement = job.filters.judge(key, &mut job.filters.none_matched());
    Ok(Explanation {
        judgement,
        source: at_source,
        dest: at_dest,
        settled,
        row,
        content: trial.content,
        decision,
        prospect,
    })
}

/// Lets the planner decide about the source's objects that bear the names of
/// directories above the key: in a tree, one of them leaves no room for it.
async fn pass_what_is_above(planner: &mut Planner, source: &dyn Store, key: &Key) -> Result<(), Why> {
    let bytes = key.as_bytes();
    for (slash, _) in bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'/') {
        let key = Key::new(&bytes[..slash]);
        let left = sight_at(source, Side::Source, &key).await?.presence();
        // What the destination has there makes no difference to this one.
        planner.decide(&key, [left, Presence::Absent], None, Default::default());
    }
    Ok(())
}

fn stands_for_directory(sighting: &Sighting) -> bool {
    matches!(sighting, Sighting::Present(entry) if entry.stands_for_directory())
}

/// Whether the source lists anything below a marker.
async fn has_below(source: &dyn Store, marker: &Key) -> Result<bool, Why> {
    let through = Key::new([marker.as_bytes(), &[u8::MAX]].concat());
    let mut listing = source.list(&KeyRange { after: Some(marker.clone()), through: Some(through) });
    let is_below = |item: &Listed| item.key().as_bytes().starts_with(marker.as_bytes());
    while let Some(page) = listing.next_page().await.map_err(|error| RangeError::Listing(Side::Source, error.into()))? {
        if page.iter().any(is_below) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn sight_at(store: &dyn Store, side: Side, key: &Key) -> Result<Sighting, Why> {
    Ok(sight(store, key).await.map_err(|error| RangeError::Listing(side, error.into()))?)
}

/// A dry run of one action.
struct Trial {
    /// By what deletions are judged, if there are any.
    deletes_by: Option<Filters>,
    transfers: Arc<Transfers>,
    seen: Arc<Seen>,
    content: Option<Content>,
}

/// Keeps what came of the object.
#[derive(Default)]
struct Seen(Mutex<Option<Outcome>>);

impl Observer for Seen {
    fn event(&self, event: Event<'_>) {
        if let Event::Object { outcome, .. } = event {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.clone());
        }
    }
}

impl Trial {
    fn new(job: &JobSpec, source: Arc<dyn Store>, dest: Arc<dyn Store>, settled: Option<Arc<dyn Ledger>>) -> Self {
        let seen = Arc::new(Seen::default());
        let options = RunOptions {
            jobs: AtOnce::Exactly(1),
            listers: AtOnce::Exactly(1),
            memory: 0,
            limit: None,
            dry_run: true,
            server_side_copy: true,
            restore_request: None,
            allow_empty_source: false,
        };
        let tally = Arc::new(Tally::new(Arc::clone(&seen) as Arc<dyn Observer>));
        let (recorder, cancel) = (Arc::new(Recorder::none()), CancellationToken::new());
        let between = Arc::new(Between::of(job, &options, source.as_ref(), dest.as_ref()));
        let locked_out = Arc::default();
        let around = Surroundings { source, dest, tally, recorder, settled, cancel, locked_out, between };
        let transfers = Transfers::new(&options, around, Allowance::new(options.limit), Left::nothing());
        let deletes_by = job.delete.is_some().then(|| job.filters.clone());
        Self { deletes_by, transfers: Arc::new(transfers), seen, content: None }
    }

    /// What comes of the action, and in which phase.
    async fn run(&mut self, planned: Phase, action: Action) -> Result<Option<Prospect>, Why> {
        let mut phase = planned;
        match action {
            Action::Delete(entry) => self.transfers.delete(vec![entry]).await,
            Action::Send(transfer) => {
                self.content = self.transfers.content_tells(&transfer).await;
                // What was answered is not asked again; a failure to answer is met again, and told.
                let ask = transfer.if_content_differs && self.content.is_none();
                let transfer = Transfer { if_content_differs: ask, ..transfer };
                if self.content.is_some_and(Content::is_enough) {
                    return Ok(Some(Prospect { phase, outcome: Outcome::InStep }));
                }
                if phase == Phase::Now {
                    self.transfers.send(phase, transfer.clone()).await?;
                    // Something stands in its way, and may be gone after the deletions.
                    if self.transfers.spool().waiting(Phase::AfterDeletions) > 0 {
                        phase = Phase::AfterDeletions;
                    }
                }
                if phase == Phase::AfterDeletions {
                    if let Some(filters) = &self.deletes_by {
                        self.transfers.count_deletions_as_done(filters);
                    }
                    self.transfers.send(phase, transfer).await?;
                }
            }
        }
        let outcome = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(outcome.map(|outcome| Prospect { phase, outcome }))
    }
}
