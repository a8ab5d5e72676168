//! A pair of stores, a job, and what a run between them did.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use brigade_engine::error::RunError;
use brigade_engine::events::{Event, Observer, Outcome, Summary};
use brigade_engine::filters::{Filters, Rule};
use brigade_engine::job::{AtOnce, Clock, Comparison, DeleteLimit, Indexing, JobSpec, RunOptions};
use brigade_engine::ledger::Ledger;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_engine::run::{Run, run};
use brigade_store::Symlinks;
use brigade_store::memory::MemoryStore;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// A source, a destination, and how they are synced.
pub(crate) struct Fixture {
    pub(crate) source: MemoryStore,
    pub(crate) dest: MemoryStore,
    pub(crate) job: JobSpec,
    pub(crate) options: RunOptions,
    pub(crate) ledger: Option<MemoryLedger>,
    pub(crate) clock: Clock,
    pub(crate) log: Arc<Log>,
    pub(crate) cancel: CancellationToken,
}

/// The events that the tests look at.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) outcomes: Mutex<Vec<(String, Outcome)>>,
    pub(crate) warnings: Mutex<Vec<String>>,
    pub(crate) reordered: Mutex<Vec<String>>,
    /// Cancelled with the first outcome.
    pub(crate) cancel_at_first: Mutex<Option<CancellationToken>>,
}

impl Observer for Log {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Object { key, outcome } => {
                if let Some(cancel) = &*self.cancel_at_first.lock().unwrap() {
                    cancel.cancel();
                }
                self.outcomes.lock().unwrap().push((key.to_string(), outcome.clone()));
            }
            Event::Warning { text } => self.warnings.lock().unwrap().push(text),
            Event::Reordered { location, .. } => self.reordered.lock().unwrap().push(location.to_owned()),
            _ => {}
        }
    }
}

impl Fixture {
    pub(crate) fn new(source: MemoryStore, dest: MemoryStore) -> Self {
        let job = JobSpec {
            filters: Filters::default(),
            comparison: Comparison::Auto,
            clock_fudge_factor: Duration::from_mins(20),
            delete: None,
            symlinks: Symlinks::Follow,
            indexing: Indexing::Off,
            carries_tags: true,
            carries_grants: false,
            source_inventory: None,
        };
        let options = RunOptions {
            jobs: AtOnce::Exactly(4),
            listers: AtOnce::Exactly(1),
            memory: 64 << 20,
            limit: None,
            dry_run: false,
            server_side_copy: true,
            restore_request: None,
            allow_empty_source: false,
        };
        let (log, cancel) = (Arc::default(), CancellationToken::new());
        Self { source, dest, job, options, ledger: None, clock: Arc::new(SystemTime::now), log, cancel }
    }

    /// From a local tree to a bucket.
    pub(crate) fn up() -> Self {
        Self::new(MemoryStore::local(), MemoryStore::remote())
    }

    /// From a bucket to a local tree.
    pub(crate) fn down() -> Self {
        Self::new(MemoryStore::remote(), MemoryStore::local())
    }

    pub(crate) fn deleting(mut self) -> Self {
        self.job.delete = Some(DeleteLimit::Unlimited);
        self
    }

    pub(crate) fn excluding(mut self, pattern: &str) -> Self {
        self.job.filters = Filters::new(&[Rule::Exclude(pattern.into())]).unwrap();
        self
    }

    /// Runs the job on a runtime of its own.
    pub(crate) fn run(&self) -> Result<Summary, RunError> {
        self.run_on(&tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
    }

    /// Runs the job in time that stands still but for what is waited for: what
    /// takes its time does so in the same order again and again.
    pub(crate) fn run_in_still_time(&self) -> Result<Summary, RunError> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        self.run_on(&builder.enable_all().start_paused(true).build().unwrap())
    }

    fn run_on(&self, runtime: &Runtime) -> Result<Summary, RunError> {
        runtime.block_on(self.running(self.cancel.clone()))
    }

    /// The job being run, which whoever has it may drop.
    pub(crate) fn running(&self, cancel: CancellationToken) -> impl Future<Output = Result<Summary, RunError>> + use<> {
        run(Run {
            job: self.job.clone(),
            options: self.options.clone(),
            source: Arc::new(self.source.clone()),
            dest: Arc::new(self.dest.clone()),
            ledger: self.ledger.clone().map(|ledger| Arc::new(ledger) as Arc<dyn Ledger>),
            clock: self.clock.clone(),
            observer: self.log.clone(),
            cancel,
        })
    }

    pub(crate) fn outcomes(&self) -> Vec<(String, Outcome)> {
        let mut outcomes = self.log.outcomes.lock().unwrap().clone();
        outcomes.sort_by(|a, b| a.0.cmp(&b.0));
        outcomes
    }
}

/// The keys of a store, as text.
pub(crate) fn keys(store: &MemoryStore) -> Vec<String> {
    store.contents().keys().map(ToString::to_string).collect()
}
