//! What to do about a failed operation: which option, which permission, which part of the surroundings.

use super::{Error, ErrorKind};
use crate::operations::Operation;

impl Error {
    /// What to do about it.
    pub(super) fn advice(&self) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::error::Refusal;
    use crate::error_kind::kind_of;

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
