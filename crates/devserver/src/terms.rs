//! What a signature must be like beyond being right: made for the server's
//! region, by the server's clock, in a session that hasn't ended. And whether
//! writes and deletions keep to the conditions that come with them, and whether
//! there are access control lists.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Uri};
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use crate::clock::Clock;

/// How far a signature's time may be from the server's
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>, `RequestTimeTooSkewed`).
const TOLERATED_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// The terms of a running server, which can be changed.
#[derive(Debug, Default)]
pub struct Terms {
    region: Mutex<Option<String>>,
    /// Seconds that the server's clock is ahead of the machine's.
    clock_offset: AtomicI64,
    /// What is written is dated with it.
    pub(crate) written: Arc<Clock>,
    slow_restores: AtomicBool,
    without_acls: AtomicBool,
    expired: Mutex<Vec<String>>,
    conditions: Mutex<Conditions>,
    /// Requests that have come while conditions were kept only every other time.
    turns: AtomicU64,
}

/// Whether writes and deletions keep to `If-Match`, `If-None-Match`, and the
/// `ETag` of a key that is to be deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conditions {
    /// As S3 does.
    #[default]
    Kept,
    /// They are done in any case, and answered with a success.
    Ignored,
    /// A `PUT` that has one is done in any case, and answered with 412.
    DoneAndRefused,
    /// Every other request ignores them, as if two servers took turns of which one does.
    IgnoredEveryOtherTime,
}

impl Terms {
    /// From now on the server's buckets are in this region, and a signature for
    /// another one is refused with the region's name. Before that any will do.
    pub fn be_in(&self, region: impl Into<String>) {
        *lock(&self.region) = Some(region.into());
    }

    /// From now on the server's clock, by which signatures are judged and
    /// answers dated, is ahead of the machine's by so many seconds, or behind.
    /// When objects were written is told by another one: see [`Self::write_at`].
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.clock_offset.store(seconds, Ordering::Relaxed);
    }

    /// From now on what is written is dated with this time, in whole seconds, as if it
    /// were written then; with `None` by the machine's clock again.
    pub fn write_at(&self, time: Option<SystemTime>) {
        self.written.stand_at(time);
    }

    /// From now on what is restored from an archive isn't there yet, or with `false` it is
    /// there at once, also what was restored before.
    pub fn let_restores_take_long(&self, long: bool) {
        self.slow_restores.store(long, Ordering::Relaxed);
    }

    pub(crate) fn restores_take_long(&self) -> bool {
        self.slow_restores.load(Ordering::Relaxed)
    }

    /// From now on no bucket has access control lists, as where S3 enforces that the bucket's owner owns everything
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>): a request that brings
    /// one is refused. With `false` they are there.
    pub fn switch_acls_off(&self, off: bool) {
        self.without_acls.store(off, Ordering::Relaxed);
    }

    /// From now on conditions are dealt with so.
    pub fn treat_conditions(&self, conditions: Conditions) {
        *lock(&self.conditions) = conditions;
    }

    /// Whether the request that has just come ignores conditions.
    pub(crate) fn ignores_conditions(&self) -> bool {
        match *lock(&self.conditions) {
            Conditions::Kept => false,
            Conditions::Ignored | Conditions::DoneAndRefused => true,
            Conditions::IgnoredEveryOtherTime => self.turns.fetch_add(1, Ordering::Relaxed).is_multiple_of(2),
        }
    }

    /// Whether a `PUT` with a condition is answered with 412, whatever became of it.
    pub(crate) fn refuses_conditions(&self) -> bool {
        *lock(&self.conditions) == Conditions::DoneAndRefused
    }

    /// From now on the session of this token has ended.
    pub fn expire(&self, token: impl Into<String>) {
        lock(&self.expired).push(token.into());
    }

    /// As it was at the start: any region, the machine's clock, no session ended, conditions kept,
    /// access control lists.
    pub fn clear(&self) {
        *lock(&self.region) = None;
        lock(&self.expired).clear();
        self.set_clock_ahead(0);
        self.write_at(None);
        self.let_restores_take_long(false);
        self.switch_acls_off(false);
        self.treat_conditions(Conditions::Kept);
    }

    /// The `Date` of an answer.
    pub(crate) fn date(&self) -> Option<HeaderValue> {
        let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&self.now()).ok()?;
        HeaderValue::try_from(date).ok()
    }

    /// Refuses a request whose signature, though right, doesn't keep to them.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> S3Result<()> {
        let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let behind = signing_time(uri, header("x-amz-date")).map(|time| self.now().duration_since(time));
        if behind.is_some_and(|behind| behind.abs() > TOLERATED_SKEW && !(is_presigned(uri) && behind.is_positive())) {
            return Err(s3_error!(
                RequestTimeTooSkewed,
                "The difference between the request time and the current time is too large."
            ));
        }
        if header("x-amz-security-token").is_some_and(|token| lock(&self.expired).iter().any(|ended| ended == token)) {
            return Err(s3_error!(ExpiredToken, "The provided token has expired."));
        }
        if self.without_acls.load(Ordering::Relaxed) && brings_acl(headers) {
            return Err(s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs"));
        }
        match (lock(&self.region).as_deref(), header(AUTHORIZATION.as_str()).and_then(signed_region)) {
            (Some(region), Some(signed)) if signed != region => Err(elsewhere(signed, region)),
            _ => Ok(()),
        }
    }

    fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_secs(self.clock_offset.load(Ordering::Relaxed));
        let now = Timestamp::now();
        now.checked_add(offset).unwrap_or(now)
    }
}

/// Whether the request says who is granted what, other than that all is the bucket owner's.
fn brings_acl(headers: &HeaderMap) -> bool {
    let canned = headers.get("x-amz-acl").is_some_and(|canned| canned != "bucket-owner-full-control");
    canned || headers.keys().any(|name| name.as_str().starts_with("x-amz-grant-"))
}

/// When a request was signed: `20130524T000000Z`, in a header or in the query.
fn signing_time(uri: &Uri, header: Option<&str>) -> Option<Timestamp> {
    let in_query = || uri.query()?.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Date="));
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", header.or_else(in_query)?).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// Whether the signature is in the query: it counts for as long as it says.
fn is_presigned(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.contains("X-Amz-Signature="))
}

/// `eu-west-1` of `AWS4-HMAC-SHA256 Credential=AKID/20130524/eu-west-1/s3/aws4_request, ...`.
fn signed_region(authorization: &str) -> Option<&str> {
    authorization.split_once("Credential=")?.1.split('/').nth(2)
}

fn elsewhere(signed: &str, region: &str) -> S3Error {
    let message =
        format!("The authorization header is malformed; the region '{signed}' is wrong; expecting '{region}'");
    let mut error = s3_error!(AuthorizationHeaderMalformed, "{message}");
    if let Ok(region) = HeaderValue::try_from(region) {
        let mut headers = HeaderMap::from_iter([(http::HeaderName::from_static("x-amz-bucket-region"), region)]);
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        error.set_headers(headers);
    }
    error
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(terms: &Terms, uri: &str, headers: &[(&'static str, &str)]) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::try_from(*value).unwrap()))
            .collect();
        let checked = terms.check(&uri.parse().unwrap(), &headers);
        checked.map_or_else(|error| error.code().as_str().to_owned(), |()| "ok".to_owned())
    }

    fn signed(seconds_ahead: i64) -> String {
        let time = Timestamp::now() + SignedDuration::from_secs(seconds_ahead);
        time.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    #[test]
    fn signatures_keep_to_the_terms() {
        let terms = Terms::default();
        let authorization = "AWS4-HMAC-SHA256 Credential=AKID/20130524/us-east-1/s3/aws4_request, SignedHeaders=host";
        let late = format!("/?X-Amz-Date={}&X-Amz-Signature=s", signed(-3600));
        let early = format!("/?X-Amz-Date={}&X-Amz-Signature=s", signed(3600));
        assert_eq!(check(&terms, "/", &[("authorization", authorization), ("x-amz-security-token", "a")]), "ok");
        assert_eq!(check(&terms, "/", &[("x-amz-date", &signed(-3600))]), "RequestTimeTooSkewed");
        assert_eq!(check(&terms, "/", &[("x-amz-date", &signed(3600))]), "RequestTimeTooSkewed");
        assert_eq!(check(&terms, &late, &[]), "ok");
        assert_eq!(check(&terms, &early, &[]), "RequestTimeTooSkewed");

        terms.be_in("eu-west-1");
        terms.expire("a");
        terms.set_clock_ahead(3600);
        assert_eq!(check(&terms, "/", &[("authorization", authorization)]), "AuthorizationHeaderMalformed");
        assert_eq!(check(&terms, "/", &[("x-amz-security-token", "a")]), "ExpiredToken");
        assert_eq!(check(&terms, "/", &[("x-amz-security-token", "b")]), "ok");
        assert_eq!(check(&terms, "/", &[("x-amz-date", &signed(3600))]), "ok");
        assert_eq!(check(&terms, "/", &[("x-amz-date", &signed(0))]), "RequestTimeTooSkewed");

        terms.clear();
        assert_eq!(check(&terms, "/", &[("authorization", authorization), ("x-amz-security-token", "a")]), "ok");
    }

    #[test]
    fn without_access_control_lists_none_is_taken() {
        let terms = Terms::default();
        let bring = |name, value| check(&terms, "/", &[(name, value)]);
        assert_eq!(bring("x-amz-acl", "public-read"), "ok");
        terms.switch_acls_off(true);
        for (name, value) in [("x-amz-acl", "public-read"), ("x-amz-acl", "private"), ("x-amz-grant-read", "id=1")] {
            assert_eq!(bring(name, value), "AccessControlListNotSupported", "{name}: {value}");
        }
        assert_eq!(bring("x-amz-acl", "bucket-owner-full-control"), "ok");
        terms.clear();
        assert_eq!(bring("x-amz-acl", "public-read"), "ok");
    }

    #[test]
    fn conditions_are_kept_ignored_or_both_in_turns() {
        let terms = Terms::default();
        let turns = |conditions| {
            terms.treat_conditions(conditions);
            [terms.ignores_conditions(), terms.ignores_conditions(), terms.ignores_conditions()]
        };
        assert_eq!(turns(Conditions::Kept), [false; 3]);
        assert_eq!(turns(Conditions::Ignored), [true; 3]);
        assert!(!terms.refuses_conditions());
        assert_eq!(turns(Conditions::DoneAndRefused), [true; 3]);
        assert!(terms.refuses_conditions());
        assert_eq!(turns(Conditions::IgnoredEveryOtherTime), [true, false, true]);
        terms.clear();
        assert!(!terms.ignores_conditions());
    }
}
