//! Why an operation failed, told so that a person knows what to do.

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

    /// What to do about it.
    fn advice(&self) -> Option<String> {
        let advice = match self.0.kind {
            ErrorKind::AccessDenied if self.0.unsigned => {
                "requests are not signed, and not everybody may do this here: leave out --no-sign-request"
            }
            ErrorKind::AccessDenied => {
                return Some(self.permission_advice());
            }
            ErrorKind::NoSuchBucket => "check the bucket's name and the endpoint, or create the bucket first",
            ErrorKind::Elsewhere => {
                "the bucket is in another region or at another endpoint: give --region or --endpoint-url"
            }
            ErrorKind::Credentials => match self.code() {
                Some("SignatureDoesNotMatch") => "check the secret access key",
                Some("InvalidAccessKeyId") => "check the access key id, and that it belongs to this endpoint",
                Some("ExpiredToken" | "TokenRefreshRequired" | "AuthenticationRequired") => {
                    "the credentials have expired: log in again, or set new ones"
                }
                _ => "check the credentials, or choose a profile with --profile",
            },
            ErrorKind::Clock => "set this machine's clock",
            ErrorKind::Throttled => "use fewer --jobs",
            ErrorKind::Unreachable => "check the endpoint, the network and whether the service is up",
            ErrorKind::Certificate => {
                "give the service's certificates with --ca-bundle, and use a name that they are for"
            }
            ErrorKind::Proxy => {
                "check the address, user and password of the proxy in HTTPS_PROXY or HTTP_PROXY, \
                 or name the host in NO_PROXY"
            }
            ErrorKind::BadAnswer => {
                "this is not how S3 answers: check the endpoint, also whether it is http:// or https://, and \
                 what stands in between"
            }
            ErrorKind::Other if self.code() == Some("InvalidBucketName") => "check the bucket's name",
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
            ErrorKind::Other if self.code() == Some("AccessControlListNotSupported") => {
                "access control lists are switched off for the bucket (Object Ownership: bucket owner enforced): leave \
                 out --acl, or have it take them"
            }
            ErrorKind::KeyTooLong => "S3 takes keys of up to 1024 bytes",
            ErrorKind::NotImplemented if self.0.brought_acl => {
                "it may be that the service takes no access control lists: leave out --acl"
            }
            ErrorKind::NotImplemented => {
                "say who the service is with --provider, so that nothing is asked that it lacks; where \
                 `brigade probe` found that it has it, probe again, or use --no-ledger"
            }
            _ => return None,
        };
        Some(advice.to_owned())
    }

    /// Which permission is missing, for what.
    fn permission_advice(&self) -> String {
        let (operation, of_version) = (self.0.operation, self.0.of_version);
        let permission = if of_version { operation.permission_of_version() } else { operation.permission() };
        let place = match (self.bucket(), self.key()) {
            (Some(bucket), Some(_)) => format!("for this key of the bucket {bucket}"),
            (Some(bucket), None) => format!("for the bucket {bucket}"),
            (None, _) => "for the account".to_owned(),
        };
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
        let otherwise = match operation {
            Operation::HeadObject | Operation::GetObject => {
                " (without s3:ListBucket S3 answers so for a key that is not there, too)"
            }
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
            Operation::DeleteObject | Operation::DeleteObjects if of_version => {
                " (S3 answers so for a version under an object lock, too)"
            }
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
            _ if self.0.brought_acl => " (where public access is blocked S3 answers so for a public list, too)",
            _ => "",
        };
        let besides = if self.0.brought_acl { ", and s3:PutObjectAcl for its access control list," } else { "" };
        format!(
            "the credentials need {permission}{besides} {place}{otherwise}: allow it in their policy or the bucket's, \
             or use others"
        )
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
    use crate::error_kind::kind_of;

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

    fn refused(operation: Operation, status: u16, code: &str, message: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        let code = Some(code.to_owned()).filter(|code| !code.is_empty());
        let kind = kind_of(status, code.as_deref(), operation != Operation::ListObjectsV2);
        let refusal = Refusal { status, code, request_id: Some("R1".to_owned()) };
        Error::new(kind, operation, Some(Box::new(refusal)), message.to_owned()).about(Some("b"), Some("k\n"))
    }

    #[test]
    fn errors_say_what_why_and_what_to_do() {
        let table = [
            (
                refused(Operation::PutObject, 403, "AccessDenied", "Access Denied."),
                "s3://b/k\\n: PutObject was answered 403 AccessDenied: Access Denied; the credentials need s3:PutObject \
                 for this key of the bucket b: allow it in their policy or the bucket's, or use others (request id R1)",
            ),
            (
                refused(Operation::PutObject, 403, "AccessDenied", "").brought_acl(true),
                "s3://b/k\\n: PutObject was answered 403 AccessDenied; the credentials need s3:PutObject, and \
                 s3:PutObjectAcl for its access control list, for this key of the bucket b (where public access is blocked \
                 S3 answers so for a public list, too): allow it in their policy or the bucket's, or use others (request \
                 id R1)",
            ),
            (
                refused(Operation::PutObject, 501, "NotImplemented", "").brought_acl(true),
                "s3://b/k\\n: PutObject was answered 501 NotImplemented; it may be that the service takes no access control \
                 lists: leave out --acl (request id R1)",
            ),
            (
                refused(Operation::PutObject, 400, "AccessControlListNotSupported", "The bucket does not allow ACLs"),
                "s3://b/k\\n: PutObject was answered 400 AccessControlListNotSupported: The bucket does not allow ACLs; \
                 access control lists are switched off for the bucket (Object Ownership: bucket owner enforced): leave \
                 out --acl, or have it take them (request id R1)",
            ),
            (
                refused(Operation::ListObjectsV2, 403, "SignatureDoesNotMatch", "It does not match."),
                "s3://b/k\\n: ListObjectsV2 was answered 403 SignatureDoesNotMatch: It does not match; \
                 check the secret access key (request id R1)",
            ),
            (
                refused(Operation::ListObjectsV2, 403, "AccessDenied", "").unsigned(true),
                "s3://b/k\\n: ListObjectsV2 was answered 403 AccessDenied; requests are not signed, and not everybody \
                 may do this here: leave out --no-sign-request (request id R1)",
            ),
            (refused(Operation::HeadObject, 404, "", ""), "s3://b/k\\n: HeadObject was answered 404 (request id R1)"),
            (
                refused(Operation::GetObject, 403, "RequestTimeTooSkewed", "Too far."),
                "s3://b/k\\n: GetObject was answered 403 RequestTimeTooSkewed: Too far; set this machine's clock (request id R1)",
            ),
            (
                Error::local(ErrorKind::TimedOut, Operation::HeadBucket, "host was silent for 60 s")
                    .about(Some("b"), None),
                "s3://b: HeadBucket failed: host was silent for 60 s",
            ),
        ];
        for (error, shown) in table {
            assert_eq!(error.to_string(), shown);
            assert!(shown.contains(&error.reason()));
        }
    }
}
