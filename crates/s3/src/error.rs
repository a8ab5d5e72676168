//! Why an operation failed, told so that a person knows what to do.

mod advice;

use std::fmt;

use http::StatusCode;

pub use crate::config_error::ConfigError;
pub use crate::error_kind::ErrorKind;
use crate::operations::Operation;
use crate::retry::says_they_ended;

/// Why an operation failed.
#[derive(Clone)]
pub struct Error(Box<Details>);

/// What is known of a failed operation.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Details {
    kind: ErrorKind,
    operation: Operation,
    bucket: Option<String>,
    key: Option<String>,
    refusal: Option<Box<Refusal>>,
    message: String,
    /// Whether an earlier attempt of the same request may have been carried
    /// out without its answer reaching us.
    after_lost_reply: bool,
    /// Whether the requests of this client are not signed.
    unsigned: bool,
    /// Whether the request named a version.
    of_version: bool,
    /// Whether the request brought an access control list.
    brought_acl: bool,
}

/// What the service said when it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: Option<String>,
    pub(crate) request_id: Option<String>,
}

impl Error {
    /// A failure found on this side, before or after the service answered.
    pub(crate) fn local(kind: ErrorKind, operation: Operation, message: impl Into<String>) -> Self {
        Self::new(kind, operation, None, message.into())
    }

    /// A refusal by the service, or with `None` a failure found on this side.
    pub(crate) fn new(kind: ErrorKind, operation: Operation, refusal: Option<Box<Refusal>>, message: String) -> Self {
        Self(Box::new(Details {
            kind,
            operation,
            bucket: None,
            key: None,
            refusal,
            message,
            after_lost_reply: false,
            unsigned: false,
            of_version: false,
            brought_acl: false,
        }))
    }

    /// The same, with what it was about.
    pub(crate) fn about(mut self, bucket: Option<&str>, key: Option<&str>) -> Self {
        self.0.bucket = bucket.map(str::to_owned);
        self.0.key = key.map(str::to_owned);
        self
    }

    /// The same, after an attempt whose answer was lost.
    pub(crate) fn after_lost_reply(mut self, lost: bool) -> Self {
        self.0.after_lost_reply = lost;
        self
    }

    /// The same, of a client that doesn't sign.
    pub(crate) fn unsigned(mut self, unsigned: bool) -> Self {
        self.0.unsigned = unsigned;
        self
    }

    /// The same, of a request that named a version, or none.
    pub(crate) fn of_version(mut self, of_version: bool) -> Self {
        self.0.of_version = of_version;
        self
    }

    /// The same, of a request that brought an access control list, or none.
    pub(crate) fn brought_acl(mut self, brought: bool) -> Self {
        self.0.brought_acl = brought;
        self
    }

    /// Whether an earlier attempt may have been carried out.
    pub(crate) fn is_after_lost_reply(&self) -> bool {
        self.0.after_lost_reply
    }

    /// What a caller decides on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// S3's name of the operation.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation.name()
    }

    /// The bucket, if the operation was about one.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        self.0.bucket.as_deref()
    }

    /// The key, if the operation was about one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.refusal.as_ref().map(|refusal| refusal.status.as_u16())
    }

    /// S3's error code, if the answer had one: `NoSuchKey`, `SlowDown`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.refusal.as_ref()?.code.as_deref()
    }

    /// Whether no request will go better: the credentials have ended, or are unknown, and there are no others.
    #[must_use]
    pub fn is_locked_out(&self) -> bool {
        let is_for_all = match &self.0.refusal {
            // A HEAD's refusal has no code, and its status says as much.
            Some(refusal) => {
                refusal.code.as_deref().map_or(refusal.status == StatusCode::UNAUTHORIZED, says_they_ended)
            }
            // There was nothing to sign with.
            None => true,
        };
        self.0.kind == ErrorKind::Credentials && is_for_all && !self.0.unsigned
    }

    /// What the service said, or what was found on this side.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The service's own name of the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.refusal.as_ref()?.request_id.as_deref()
    }

    /// What went wrong, why, and what to do about it, without bucket and key.
    #[must_use]
    pub fn reason(&self) -> String {
        let mut reason = self.operation().to_owned();
        if let Some(refusal) = &self.0.refusal {
            reason.push_str(" was answered ");
            reason.push_str(refusal.status.as_str());
            if let Some(code) = &refusal.code {
                reason.push(' ');
                reason.push_str(&printable(code));
            }
        } else {
            reason.push_str(" failed");
        }
        if !self.0.message.is_empty() {
            reason.push_str(": ");
            reason.push_str(printable(&self.0.message).trim_end_matches('.'));
        }
        if let Some(advice) = self.advice() {
            reason.push_str("; ");
            reason.push_str(&advice);
        }
        if let Some(request_id) = self.request_id() {
            reason.push_str(" (request id ");
            reason.push_str(&printable(request_id));
            reason.push(')');
        }
        reason
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(bucket) = self.bucket() {
            write!(f, "s3://{bucket}")?;
            if let Some(key) = self.key() {
                write!(f, "/{}", key.escape_debug())?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.reason())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}

/// A text from elsewhere as it may be shown: what would move a terminal's
/// cursor, change its colours or turn its text around is escaped.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

/// An error and what caused it, outermost first, each said once.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_does_not_command_the_terminal() {
        let refusal = Refusal {
            status: StatusCode::IM_A_TEAPOT,
            code: Some("\u{1b}[2J".to_owned()),
            request_id: Some("R\r1".to_owned()),
        };
        let message = "it's \"\u{e9}\"\u{9b}0m\u{202e}\n".to_owned();
        let error = Error::new(ErrorKind::Other, Operation::HeadBucket, Some(Box::new(refusal)), message);
        let shown = "HeadBucket was answered 418 \\u{1b}[2J: it's \"\u{e9}\"\\u{9b}0m\\u{202e}\\n (request id R\\r1)";
        assert_eq!(error.to_string(), shown);
    }
}
