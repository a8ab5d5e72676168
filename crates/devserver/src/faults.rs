//! Faults on order: rules that make chosen requests fail in a chosen way.

use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::watch;

/// A rule: which requests, which of them, and what befalls them. Only requests
/// that passed the check of their signature are looked at.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The operation as S3 names it, such as `PutObject`; `None` is any.
    pub operation: Option<String>,
    /// Which keys.
    pub key: KeyPattern,
    /// What the query contains, as it came, such as `continuation-token=`; empty for any.
    pub query: String,
    /// How the name of a header begins that the request has, in lower case, such as `x-amz-grant-`; empty for any.
    pub header: String,
    /// Which of the requests that match.
    pub occurrence: Occurrence,
    /// What befalls them.
    pub action: Action,
}

impl Fault {
    /// This action on every request.
    #[must_use]
    pub fn new(action: Action) -> Self {
        let (query, header) = (String::new(), String::new());
        Self { operation: None, key: KeyPattern::Any, query, header, occurrence: Occurrence::Every, action }
    }

    /// Only on requests of this operation, as S3 names it.
    #[must_use]
    pub fn on(self, operation: impl Into<String>) -> Self {
        Self { operation: Some(operation.into()), ..self }
    }

    /// Only on requests for such keys.
    #[must_use]
    pub fn key(self, key: KeyPattern) -> Self {
        Self { key, ..self }
    }

    /// Only on requests whose query contains this, as it comes.
    #[must_use]
    pub fn query(self, part: impl Into<String>) -> Self {
        Self { query: part.into(), ..self }
    }

    /// Only on requests with a header whose name, in lower case, begins so.
    #[must_use]
    pub fn header(self, beginning: impl Into<String>) -> Self {
        Self { header: beginning.into(), ..self }
    }

    /// Only on these of the requests that match.
    #[must_use]
    pub fn when(self, occurrence: Occurrence) -> Self {
        Self { occurrence, ..self }
    }

    fn matches(&self, operation: &str, key: Option<&str>) -> bool {
        self.operation.as_deref().is_none_or(|name| name == operation) && self.key.matches(key)
    }

    fn matches_rest(&self, query: &str, headers: &HeaderMap) -> bool {
        let has_header = || headers.keys().any(|name| name.as_str().starts_with(&self.header));
        query.contains(&self.query) && (self.header.is_empty() || has_header())
    }
}

/// Which keys a rule is for. A request that has no key (a listing) matches
/// only [`KeyPattern::Any`]. Of a `DeleteObjects`, each key that a rule for certain
/// keys matches is answered with the rule's error, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPattern {
    /// Any key, or none.
    Any,
    /// This key.
    Exact(String),
    /// Keys that contain this.
    Contains(String),
    /// Keys that end so.
    Suffix(String),
}

impl KeyPattern {
    fn matches(&self, key: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => key == Some(exact),
            Self::Contains(part) => key.is_some_and(|key| key.contains(part)),
            Self::Suffix(end) => key.is_some_and(|key| key.ends_with(end)),
        }
    }
}

/// Which of the requests that match a rule, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// All of them.
    Every,
    /// This one.
    Nth(u64),
    /// Every so many-th.
    EveryNth(u64),
    /// From this one to that one.
    Within(RangeInclusive<u64>),
}

impl Occurrence {
    fn includes(&self, count: u64) -> bool {
        match self {
            Self::Every => true,
            Self::Nth(nth) => count == *nth,
            Self::EveryNth(nth) => count.is_multiple_of((*nth).max(1)),
            Self::Within(range) => range.contains(&count),
        }
    }
}

/// What befalls a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Answered with an error, and not done.
    Status {
        /// The HTTP status: 400 to 599, or the 200 behind which S3 may hide the
        /// failure of an operation that takes long.
        status: u16,
        /// The error's code, such as `SlowDown`.
        code: String,
        /// The `Retry-After` header, in seconds.
        retry_after: Option<u64>,
    },
    /// The connection is closed without an answer, and the request not done.
    Reset,
    /// Never answered, and not done; the connection stays open until the client
    /// closes it or the server stops.
    Stall,
    /// Done when what is held is released or the rules are cleared, and not before.
    Hold,
    /// Done and answered, but the connection is closed after half of the body.
    TruncatedBody,
    /// Done and answered, but the byte in the middle of the body is another one.
    FlippedByte,
    /// Done and answered, but the `ETag` and the checksums in the answer's headers are
    /// those of something else.
    WrongDigests,
    /// Done so much later.
    Delay(Duration),
    /// Done, and then the connection is closed without an answer.
    ApplyThenReset,
}

impl Action {
    /// An error without `Retry-After`.
    #[must_use]
    pub fn status(status: u16, code: impl Into<String>) -> Self {
        Self::Status { status, code: code.into(), retry_after: None }
    }
}

/// The rules of a running server.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
    /// How often what is held was released.
    releases: watch::Sender<u64>,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    /// How many requests have matched.
    matched: u64,
}

impl Faults {
    /// Adds a rule, whose count begins now. Where several rules strike the same
    /// request, the one that was added first acts; all of them count it.
    pub fn add(&self, fault: Fault) {
        self.rules().push(Rule { fault, matched: 0 });
    }

    /// Removes all rules, and lets go on what is held. Requests that are stalled stay so.
    pub fn clear(&self) {
        self.rules().clear();
        self.release();
    }

    /// Lets go on what is held; the rules remain, and may hold what comes next.
    pub fn release(&self) {
        self.releases.send_modify(|releases| *releases += 1);
    }

    /// Tells when what is held is released from now on.
    pub(crate) fn releases(&self) -> watch::Receiver<u64> {
        self.releases.subscribe()
    }

    /// What befalls this request, which is counted.
    pub(crate) fn strike(
        &self,
        operation: &str,
        key: Option<&str>,
        query: &str,
        headers: &HeaderMap,
    ) -> Option<Action> {
        let mut action = None;
        let matches = |fault: &Fault| fault.matches(operation, key) && fault.matches_rest(query, headers);
        for rule in self.rules().iter_mut().filter(|rule| matches(&rule.fault)) {
            rule.matched += 1;
            if action.is_none() && rule.fault.occurrence.includes(rule.matched) {
                action = Some(rule.fault.action.clone());
            }
        }
        action
    }

    /// The error that befalls one key of a request for several, such as
    /// `DeleteObjects`: that of a rule which is for certain keys, and counts them.
    pub(crate) fn strike_key(&self, operation: &str, key: &str) -> Option<String> {
        let mut struck = None;
        for rule in self.rules().iter_mut() {
            let is_for_it = rule.fault.key != KeyPattern::Any && rule.fault.matches(operation, Some(key));
            if let (true, Action::Status { code, .. }) = (is_for_it, &rule.fault.action) {
                rule.matched += 1;
                let strikes = struck.is_none() && rule.fault.occurrence.includes(rule.matched);
                struck = if strikes { Some(code.clone()) } else { struck };
            }
        }
        struck
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strike(faults: &Faults, operation: &str, key: Option<&str>, query: &str) -> Option<Action> {
        faults.strike(operation, key, query, &HeaderMap::new())
    }

    /// Which of the first six requests for `key` are struck.
    fn struck(fault: Fault, key: Option<&str>) -> Vec<u64> {
        let faults = Faults::default();
        faults.add(fault);
        (1..=6).filter(|_| strike(&faults, "PutObject", key, "").is_some()).collect()
    }

    #[test]
    fn occurrences_are_counted() {
        let fault = |occurrence| Fault::new(Action::Reset).on("PutObject").when(occurrence);
        assert_eq!(struck(fault(Occurrence::Every), None), [1, 2, 3, 4, 5, 6]);
        assert_eq!(struck(fault(Occurrence::Nth(2)), None), [2]);
        assert_eq!(struck(fault(Occurrence::EveryNth(3)), None), [3, 6]);
        assert_eq!(struck(fault(Occurrence::Within(2..=4)), None), [2, 3, 4]);
    }

    #[test]
    fn operations_and_keys_are_matched() {
        let strikes = |fault: Fault, key| !struck(fault, key).is_empty();
        let reset = || Fault::new(Action::Reset);
        assert!(strikes(reset(), None));
        assert!(!strikes(reset().on("GetObject"), Some("a/b.txt")));
        assert!(strikes(reset().key(KeyPattern::Exact("a/b.txt".into())), Some("a/b.txt")));
        assert!(!strikes(reset().key(KeyPattern::Exact("b.txt".into())), Some("a/b.txt")));
        assert!(strikes(reset().key(KeyPattern::Contains("/b".into())), Some("a/b.txt")));
        assert!(!strikes(reset().key(KeyPattern::Contains("/b".into())), None));
        assert!(strikes(reset().key(KeyPattern::Suffix(".txt".into())), Some("a/b.txt")));
        assert!(!strikes(reset().key(KeyPattern::Suffix("a".into())), Some("a/b.txt")));
    }

    #[test]
    fn queries_are_matched() {
        let faults = Faults::default();
        faults.add(Fault::new(Action::Reset).query("continuation-token="));
        assert_eq!(strike(&faults, "ListObjectsV2", None, "list-type=2&prefix="), None);
        assert!(strike(&faults, "ListObjectsV2", None, "continuation-token=t&list-type=2").is_some());
    }

    #[test]
    fn headers_are_matched_by_how_they_begin() {
        let faults = Faults::default();
        faults.add(Fault::new(Action::Reset).header("x-amz-grant-"));
        let strikes = |name| {
            let headers = HeaderMap::from_iter([(http::HeaderName::from_static(name), "id=1".parse().unwrap())]);
            faults.strike("PutObject", None, "", &headers).is_some()
        };
        assert!(strikes("x-amz-grant-read") && strikes("x-amz-grant-full-control"));
        assert!(!strikes("x-amz-acl") && strike(&faults, "PutObject", None, "").is_none());
    }

    #[test]
    fn the_first_rule_acts_and_all_count() {
        let faults = Faults::default();
        faults.add(Fault::new(Action::Reset).when(Occurrence::Nth(1)));
        faults.add(Fault::new(Action::Stall).when(Occurrence::Within(1..=2)));
        assert_eq!(strike(&faults, "GetObject", None, ""), Some(Action::Reset));
        assert_eq!(strike(&faults, "GetObject", None, ""), Some(Action::Stall));
        assert_eq!(strike(&faults, "GetObject", None, ""), None);
        let denied = Fault::new(Action::status(403, "AccessDenied")).key(KeyPattern::Exact("k".into()));
        faults.add(denied.when(Occurrence::Nth(2)));
        let struck = ["k", "other", "k", "k"].map(|key| faults.strike_key("DeleteObjects", key));
        assert_eq!(struck, [None, None, Some("AccessDenied".to_owned()), None], "only keys of its own");
        faults.add(Fault::new(Action::Stall));
        faults.clear();
        assert_eq!(strike(&faults, "GetObject", None, ""), None);
    }
}
