//! A pair of stores, how they are checked, and what a check found.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use brigade_engine::check::sampling::Sampling;
use brigade_engine::check::{Check, CheckError, CheckEvent, CheckOptions, CheckSummary, Found, Proof, Watcher, check};
use brigade_engine::filters::{Filters, Rule};
use brigade_engine::job::{AtOnce, Clock};
use brigade_engine::ledger::Checks;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_store::memory::MemoryStore;
use tokio_util::sync::CancellationToken;

/// A source, a copy, and how they are checked.
#[derive(Clone)]
pub(crate) struct Checked {
    pub(crate) source: MemoryStore,
    pub(crate) dest: MemoryStore,
    pub(crate) options: CheckOptions,
    pub(crate) ledger: Option<MemoryLedger>,
    pub(crate) clock: Clock,
    pub(crate) cancel: CancellationToken,
    log: Arc<Log>,
}

/// Is called when keys were listed, or content read.
type Hook = Box<dyn Fn() + Send + Sync>;

/// What was told in the last check.
#[derive(Default)]
struct Log {
    found: Mutex<BTreeMap<String, Found>>,
    warnings: Mutex<Vec<String>>,
    reordered: Mutex<Vec<String>>,
    when_listed: Mutex<Option<Hook>>,
    when_read: Mutex<Option<Hook>>,
}

impl Watcher for Log {
    fn event(&self, event: CheckEvent<'_>) {
        match event {
            CheckEvent::Object { key, found } => {
                self.found.lock().unwrap().insert(key.to_string(), found.clone());
            }
            CheckEvent::Warning { text } => self.warnings.lock().unwrap().push(text),
            CheckEvent::Reordered { location, .. } => self.reordered.lock().unwrap().push(location.to_owned()),
            CheckEvent::Listed { .. } => {
                if let Some(hook) = self.when_listed.lock().unwrap().take() {
                    hook();
                }
            }
            CheckEvent::Read { .. } => {
                if let Some(hook) = self.when_read.lock().unwrap().take() {
                    hook();
                }
            }
            CheckEvent::Unknown { .. } => {}
        }
    }
}

impl Checked {
    pub(crate) fn new(source: MemoryStore, dest: MemoryStore) -> Self {
        let options = CheckOptions {
            filters: Filters::default(),
            proof: Proof::Content,
            metadata: false,
            sampling: Sampling::All,
            seed: 1,
            jobs: AtOnce::Exactly(4),
            memory: 64 << 20,
        };
        let clock: Clock = Arc::new(SystemTime::now);
        Self { source, dest, options, ledger: None, clock, cancel: CancellationToken::new(), log: Arc::default() }
    }

    pub(crate) fn excluding(mut self, pattern: &str) -> Self {
        self.options.filters = Filters::new(&[Rule::Exclude(pattern.into())]).unwrap();
        self
    }

    /// Calls this once the first keys of the next check were listed, before anything else is done about them.
    pub(crate) fn when_listed(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self.log.when_listed.lock().unwrap() = Some(Box::new(hook));
    }

    /// Calls this once the first content of the next check was read.
    pub(crate) fn when_read(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self.log.when_read.lock().unwrap() = Some(Box::new(hook));
    }

    pub(crate) async fn run(&self) -> Result<CheckSummary, CheckError> {
        self.log.found.lock().unwrap().clear();
        self.log.warnings.lock().unwrap().clear();
        check(Check {
            options: self.options.clone(),
            source: Arc::new(self.source.clone()),
            dest: Arc::new(self.dest.clone()),
            checks: self.ledger.clone().map(|ledger| Arc::new(ledger) as Arc<dyn Checks>),
            clock: Arc::clone(&self.clock),
            watcher: Arc::clone(&self.log) as Arc<dyn Watcher>,
            cancel: self.cancel.clone(),
        })
        .await
    }

    /// What the last check found of this key.
    pub(crate) fn found(&self, key: &str) -> Option<Found> {
        self.log.found.lock().unwrap().get(key).cloned()
    }

    /// How many keys it told of.
    pub(crate) fn count(&self) -> usize {
        self.log.found.lock().unwrap().len()
    }

    /// The keys that it told of.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.log.found.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.log.warnings.lock().unwrap().clone()
    }

    pub(crate) fn reordered(&self) -> Vec<String> {
        self.log.reordered.lock().unwrap().clone()
    }
}
