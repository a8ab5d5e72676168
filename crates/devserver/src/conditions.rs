//! Conditions of requests (RFC 9110, section 13, as far as S3 has them): pure.

use http::{Extensions, HeaderMap, HeaderValue, header};
use s3s::dto::{ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Result, s3_error};

use crate::errors;
use crate::google;
use crate::storage::Record;

/// The conditions of a request that reads, under the names of their headers.
#[derive(Default)]
#[expect(clippy::struct_field_names, reason = "they are the headers' names")]
pub(crate) struct Reading {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

impl Reading {
    /// Whether `record` may be read: else 412, or 304 with its validators. An
    /// ETag, where one is given, counts instead of the time
    /// (RFC 9110, section 13.2.2).
    pub(crate) fn check(&self, record: &Record) -> S3Result<()> {
        let refused = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => !matches(condition, record),
            (None, Some(time)) => record.modified > *time,
            (None, None) => false,
        };
        if refused {
            return Err(errors::precondition_failed());
        }
        let unchanged = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => matches(condition, record),
            (None, Some(time)) => record.modified <= *time,
            (None, None) => false,
        };
        if unchanged { Err(not_modified(record)) } else { Ok(()) }
    }

    /// The same for the source of a copy, which is refused where a read would
    /// be told that nothing changed.
    pub(crate) fn check_source(&self, record: &Record) -> S3Result<()> {
        let refusal = |_| errors::precondition_failed();
        self.check(record).map_err(refusal)
    }
}

fn not_modified(record: &Record) -> s3s::S3Error {
    let mut headers = HeaderMap::new();
    if let Ok(etag) = HeaderValue::try_from(format!("\"{}\"", record.etag)) {
        headers.insert(header::ETAG, etag);
    }
    let mut date = Vec::new();
    if record.modified.format(TimestampFormat::HttpDate, &mut date).is_ok()
        && let Ok(date) = HeaderValue::from_bytes(&date)
    {
        headers.insert(header::LAST_MODIFIED, date);
    }
    let mut error = s3_error!(NotModified, "Not Modified");
    error.set_headers(headers);
    error
}

/// The conditions of a request that writes.
#[derive(Clone, Default)]
pub(crate) struct Writing {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    /// Google's: the generation that must be there, 0 for none.
    pub(crate) generation: Option<u64>,
}

/// In a request's extensions: its conditions are ignored.
#[derive(Clone, Copy)]
pub(crate) struct Unconditional;

impl Writing {
    /// Those of a request with these extensions.
    pub(crate) fn of(
        extensions: &Extensions,
        if_match: Option<ETagCondition>,
        if_none_match: Option<ETagCondition>,
    ) -> Self {
        if extensions.get::<Unconditional>().is_some() {
            return Self::default();
        }
        Self { if_match, if_none_match, generation: google::guard(extensions) }
    }

    /// Whether what is there (`None`: nothing) may be replaced or removed.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    pub(crate) fn check(&self, current: Option<&Record>) -> S3Result<()> {
        let there = current.map_or(0, google::generation);
        if self.generation.is_some_and(|generation| generation != there) {
            return Err(errors::precondition_failed());
        }
        let holds = match (&self.if_match, &self.if_none_match, current) {
            (_, Some(ETagCondition::ETag(_)), _) => {
                return Err(s3_error!(NotImplemented, "If-None-Match takes only * when writing."));
            }
            (Some(_), _, None) => return Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
            (_, Some(ETagCondition::Any), Some(_)) => false,
            (Some(condition), _, Some(record)) => matches(condition, record),
            (None, _, _) => true,
        };
        if holds { Ok(()) } else { Err(errors::precondition_failed()) }
    }
}

fn matches(condition: &ETagCondition, record: &Record) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == record.etag,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use s3s::S3ErrorCode;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    fn etag(text: &str) -> Option<ETagCondition> {
        text.parse().ok()
    }

    fn record() -> Record {
        Record { etag: "abc".to_owned(), modified: at(1000), ..Record::default() }
    }

    #[test]
    fn reading() {
        let code = |conditions: Reading| conditions.check(&record()).err().map(|error| error.code().clone());
        let failed = Some(S3ErrorCode::PreconditionFailed);
        let unchanged = Some(S3ErrorCode::NotModified);
        let none = Reading::default;
        assert_eq!(code(none()), None);
        assert_eq!(code(Reading { if_match: etag("\"abc\""), ..none() }), None);
        assert_eq!(code(Reading { if_match: etag("*"), ..none() }), None);
        assert_eq!(code(Reading { if_match: etag("\"abd\""), ..none() }), failed);
        assert_eq!(code(Reading { if_none_match: etag("\"abc\""), ..none() }), unchanged);
        assert_eq!(code(Reading { if_none_match: etag("\"abd\""), ..none() }), None);
        assert_eq!(code(Reading { if_unmodified_since: Some(at(999)), ..none() }), failed);
        assert_eq!(code(Reading { if_unmodified_since: Some(at(1000)), ..none() }), None);
        assert_eq!(code(Reading { if_modified_since: Some(at(1000)), ..none() }), unchanged);
        assert_eq!(code(Reading { if_modified_since: Some(at(999)), ..none() }), None);
        let both = Reading { if_match: etag("\"abc\""), if_unmodified_since: Some(at(999)), ..none() };
        assert_eq!(code(both), None, "the ETag counts instead of the time");
        let both = Reading { if_none_match: etag("\"abd\""), if_modified_since: Some(at(1000)), ..none() };
        assert_eq!(code(both), None, "the ETag counts instead of the time");
    }

    #[test]
    fn writing() {
        let code = |if_match, if_none_match, current: Option<&Record>| {
            Writing { if_match, if_none_match, generation: None }.check(current).err().map(|error| error.code().clone())
        };
        let record = record();
        assert_eq!(code(None, None, Some(&record)), None);
        assert_eq!(code(None, etag("*"), None), None);
        assert_eq!(code(None, etag("*"), Some(&record)), Some(S3ErrorCode::PreconditionFailed));
        assert_eq!(code(None, etag("\"abc\""), None), Some(S3ErrorCode::NotImplemented));
        assert_eq!(code(etag("\"abc\""), None, Some(&record)), None);
        assert_eq!(code(etag("\"abd\""), None, Some(&record)), Some(S3ErrorCode::PreconditionFailed));
        assert_eq!(code(etag("\"abc\""), None, None), Some(S3ErrorCode::NoSuchKey));
    }
}
