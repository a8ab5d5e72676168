//! The embedded server in this process: its log can be read, and it fails on order.

use brigade_devserver::{
    self as devserver, Action, ChangeRecord, Config, Fault, KeyPattern, Occurrence, RequestRecord,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Credentials, Server, wait_until};

/// The embedded server in this process. It ends when this is dropped.
pub(crate) struct Embedded {
    server: devserver::Server,
    credentials: Credentials,
    _runtime: Runtime,
    _directory: TempDir,
}

impl Embedded {
    /// Starts one on a free port, with nothing in it.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// Starts one that lets everybody in, and lists so many objects in a page at most.
    pub(crate) fn start_public(page_limit: usize) -> Self {
        Self::start_with(|config| {
            config.anonymous = true;
            config.page_limit = page_limit;
        })
    }

    /// Starts one that lets everybody in, and answers as Google too, but not everybody.
    pub(crate) fn start_google() -> Self {
        Self::start_with(|config| {
            config.anonymous = true;
            config.google = true;
        })
    }

    /// How to reach it as Google.
    pub(crate) fn google(&self) -> Server {
        let key = Credentials {
            access_key_id: format!("GOOG{}", self.credentials.access_key_id),
            ..self.credentials.clone()
        };
        Server { endpoint: self.server.google_url().unwrap(), credentials: key }
    }

    /// What requests to Google must bring.
    pub(crate) fn google_terms(&self) -> &devserver::GoogleTerms {
        self.server.google_terms()
    }

    fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let credentials =
            Credentials { access_key_id: "embedded-test".into(), secret_access_key: "embedded-test-secret".into() };
        let account = devserver::Credentials::new(&credentials.access_key_id, &credentials.secret_access_key);
        let runtime = Runtime::new().unwrap();
        let mut config = Config::new(directory.path(), account);
        change(&mut config);
        let server = runtime.block_on(devserver::Server::start(config)).unwrap();
        Self { server, credentials, _runtime: runtime, _directory: directory }
    }

    /// How to reach it.
    pub(crate) fn server(&self) -> Server {
        Server { endpoint: self.server.url(), credentials: self.credentials.clone() }
    }

    /// The requests since it forgot them, in the order in which they came.
    pub(crate) fn records(&self) -> Vec<RequestRecord> {
        self.server.requests()
    }

    /// How many requests of any kind it got since it forgot them.
    pub(crate) fn requests(&self) -> usize {
        self.server.requests().len()
    }

    /// How many requests of this operation it got since it forgot them.
    pub(crate) fn received(&self, operation: &str) -> u64 {
        self.server.count(operation) as u64
    }

    /// What it answered the requests of this operation since it forgot them: their statuses, in the order in which they
    /// came.
    pub(crate) fn answers(&self, operation: &str) -> Vec<u16> {
        self.those_of(operation).filter_map(|request| request.status).collect()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget_requests(&self) {
        self.server.clear_requests();
    }

    /// Asserts that no request since it forgot them could have changed anything.
    #[track_caller]
    pub(crate) fn assert_only_read(&self) {
        let requests = self.server.requests();
        assert!(!requests.is_empty(), "there was no request at all");
        for request in requests {
            let operation = request.operation.unwrap();
            assert!(["Get", "Head", "List"].iter().any(|verb| operation.starts_with(verb)), "{operation} was sent");
        }
    }

    /// Waits until a request of this operation has come for the key.
    pub(crate) fn wait_for(&self, operation: &str, key: &str) {
        wait_until(&format!("no {operation} of {key} came"), || {
            let mut those = self.those_of(operation);
            those.any(|request| request.key.as_deref() == Some(key)).then_some(())
        });
    }

    /// Waits until a request of this operation for the key was answered.
    pub(crate) fn wait_for_answer(&self, operation: &str, key: &str) {
        wait_until(&format!("no {operation} of {key} was answered"), || {
            let mut those = self.those_of(operation);
            those.any(|request| request.key.as_deref() == Some(key) && request.status.is_some()).then_some(())
        });
    }

    /// From now on: denies this operation on the key.
    pub(crate) fn refuse(&self, operation: &str, key: &str) {
        self.order(Action::status(403, "AccessDenied"), operation, key);
    }

    /// From now on: denies this operation on everything.
    pub(crate) fn refuse_all(&self, operation: &str) {
        self.server.faults().add(Fault::new(Action::status(403, "AccessDenied")).on(operation));
    }

    /// From now on: denies whatever brings a header whose name, in lower case, begins so.
    pub(crate) fn refuse_header(&self, beginning: &str) {
        self.server.faults().add(Fault::new(Action::status(403, "AccessDenied")).header(beginning));
    }

    /// From now on: finds every session ended.
    pub(crate) fn end_sessions(&self) {
        self.server.faults().add(Fault::new(Action::status(400, "ExpiredToken")));
    }

    /// From now on: never answers this operation on the key.
    pub(crate) fn stall(&self, operation: &str, key: &str) {
        self.order(Action::Stall, operation, key);
    }

    /// From now on: lets this operation on the key wait until [`Self::heal`].
    pub(crate) fn hold(&self, operation: &str, key: &str) {
        self.order(Action::Hold, operation, key);
    }

    /// From now on: lets the requests of this operation that come as these, counted from 1, wait until they are let go.
    pub(crate) fn hold_the(&self, operation: &str, numbers: &[u64]) {
        for number in numbers {
            self.server.faults().add(Fault::new(Action::Hold).on(operation).when(Occurrence::Nth(*number)));
        }
    }

    /// Waits until so many requests of this operation have come since it forgot them; the key of the last one.
    pub(crate) fn wait_for_number(&self, operation: &str, number: usize) -> String {
        let last =
            wait_until(&format!("{number} of {operation} didn't come"), || self.those_of(operation).nth(number - 1));
        last.key.unwrap_or_default()
    }

    /// Lets go on what is held; what comes next may be held again.
    pub(crate) fn release(&self) {
        self.server.faults().release();
    }

    /// From now on: denies this page, counted from 1, of the next listing.
    pub(crate) fn refuse_page(&self, page: u64) {
        let refusal = Fault::new(Action::status(403, "AccessDenied")).on("ListObjectsV2");
        self.server.faults().add(refusal.when(Occurrence::Nth(page)));
    }

    /// From now on: lets this page, counted from 1, of the next listing below the prefix wait until [`Self::heal`].
    pub(crate) fn hold_page(&self, prefix: &str, page: u64) {
        let hold = Fault::new(Action::Hold).on("ListObjectsV2").query(below(prefix));
        self.server.faults().add(hold.when(Occurrence::Nth(page)));
    }

    /// Waits until so many pages of listings below the prefix were asked for since it forgot them.
    pub(crate) fn wait_for_page(&self, prefix: &str, page: u64) {
        wait_until(&format!("page {page} of {prefix} was not asked for"), || {
            let listings = self.those_of("ListObjectsV2").filter(|request| request.query.contains(&below(prefix)));
            (listings.count() as u64 >= page).then_some(())
        });
    }

    /// How many requests to delete something it got since it forgot them.
    pub(crate) fn deletions(&self) -> u64 {
        self.received("DeleteObject") + self.received("DeleteObjects")
    }

    /// From now on: is too busy for every other request of this operation.
    pub(crate) fn be_busy_every_other_time(&self, operation: &str) {
        let busy = Fault::new(Action::status(503, "SlowDown")).on(operation);
        self.server.faults().add(busy.when(Occurrence::EveryNth(2)));
    }

    /// What its signatures must be like.
    pub(crate) fn terms(&self) -> &devserver::Terms {
        self.server.terms()
    }

    /// How many requests it refused (4xx) since it forgot them.
    pub(crate) fn refused(&self) -> usize {
        let refused = |status: Option<u16>| status.is_some_and(|status| (400..500).contains(&status));
        self.server.requests().into_iter().filter(|request| refused(request.status)).count()
    }

    /// From now on: this befalls these requests of the operation.
    pub(crate) fn befall(&self, action: Action, operation: &str, occurrence: Occurrence) {
        self.server.faults().add(Fault::new(action).on(operation).when(occurrence));
    }

    /// From now on: this befalls these requests of the operation on the key.
    pub(crate) fn befall_key(&self, action: Action, operation: &str, key: &str, occurrence: Occurrence) {
        let fault = Fault::new(action).on(operation).key(KeyPattern::Exact(key.into()));
        self.server.faults().add(fault.when(occurrence));
    }

    /// From now on: its listings show what is there now, whatever is written later; with `false`, what is there.
    pub(crate) fn let_listings_lag(&self, lag: bool) {
        self.server.let_listings_lag(lag);
    }

    /// The objects that were put or removed since it forgot them, in the order in which that was done.
    pub(crate) fn changes(&self) -> Vec<ChangeRecord> {
        self.server.changes()
    }

    /// From now on: knows its own continuation tokens no more, in these of the requests that bring one.
    pub(crate) fn refuse_tokens(&self, occurrence: Occurrence) {
        let refusal = Fault::new(Action::status(400, "InvalidArgument")).query("continuation-token=");
        self.server.faults().add(refusal.when(occurrence));
    }

    /// From now on: never answers this operation on anything.
    pub(crate) fn stall_all(&self, operation: &str) {
        self.server.faults().add(Fault::new(Action::Stall).on(operation));
    }

    /// From now on: is too busy for this operation.
    pub(crate) fn be_busy(&self, operation: &str) {
        self.server.faults().add(Fault::new(Action::status(503, "SlowDown")).on(operation));
    }

    /// Waits until this many requests of the operation have come since it forgot them.
    pub(crate) fn wait_until_received(&self, operation: &str, count: u64) {
        wait_until(&format!("too few of {operation} came"), || (self.received(operation) >= count).then_some(()));
    }

    /// Waits until this many requests of any kind have come since it forgot them.
    pub(crate) fn wait_until_requested(&self, count: usize) {
        wait_until("too few requests came", || (self.requests() >= count).then_some(()));
    }

    /// From now on: nothing of that any more.
    pub(crate) fn heal(&self) {
        self.server.faults().clear();
        self.server.terms().clear();
    }

    fn those_of(&self, operation: &str) -> impl Iterator<Item = RequestRecord> {
        self.server.requests().into_iter().filter(move |request| request.operation.as_deref() == Some(operation))
    }

    fn order(&self, action: Action, operation: &str, key: &str) {
        self.server.faults().add(Fault::new(action).on(operation).key(KeyPattern::Exact(key.into())));
    }
}

/// What the query of a listing below the prefix has.
fn below(prefix: &str) -> String {
    format!("prefix={prefix}%2F")
}
