//! By what S3 bills its operations: the class of each.

use crate::operations::Operation;

/// Requests that have one price in S3's list of prices
/// (<https://aws.amazon.com/s3/pricing/>, "Requests & data retrievals").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestClass {
    /// PUT, COPY and POST requests.
    Write,
    /// LIST requests, which S3 charges as it does those that write.
    List,
    /// GET, SELECT and all other requests.
    Read,
    /// DELETE and CANCEL requests, which S3 doesn't charge for.
    Delete,
}

impl RequestClass {
    /// The class of the operation that S3 calls so; `None` for one that isn't sent here, and for
    /// `RestoreObject`, whose price depends on how fast it is to be.
    #[must_use]
    pub fn of(operation: &str) -> Option<Self> {
        Operation::ALL.into_iter().find(|known| known.name() == operation).and_then(class)
    }
}

/// `DeleteObjects` is a POST, and no request that writes: "DELETE and CANCEL requests are free".
const fn class(operation: Operation) -> Option<RequestClass> {
    Some(match operation {
        Operation::PutObject
        | Operation::CreateMultipartUpload
        | Operation::UploadPart
        | Operation::CompleteMultipartUpload
        | Operation::CreateBucket
        | Operation::CopyObject
        | Operation::UploadPartCopy
        | Operation::PutBucketVersioning => RequestClass::Write,
        Operation::ListObjectsV2
        | Operation::ListObjectVersions
        | Operation::ListParts
        | Operation::ListMultipartUploads
        | Operation::ListBuckets => RequestClass::List,
        Operation::GetObject
        | Operation::HeadObject
        | Operation::HeadBucket
        | Operation::GetBucketVersioning
        | Operation::GetObjectTagging
        | Operation::GetObjectAcl => RequestClass::Read,
        Operation::DeleteObject | Operation::DeleteObjects | Operation::AbortMultipartUpload => RequestClass::Delete,
        Operation::RestoreObject => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_known_by_s3s_own_names() {
        let table = [
            ("PutObject", Some(RequestClass::Write)),
            ("UploadPart", Some(RequestClass::Write)),
            ("ListObjectsV2", Some(RequestClass::List)),
            ("ListObjectVersions", Some(RequestClass::List)),
            ("GetBucketVersioning", Some(RequestClass::Read)),
            ("HeadObject", Some(RequestClass::Read)),
            ("GetObjectAcl", Some(RequestClass::Read)),
            ("DeleteObjects", Some(RequestClass::Delete)),
            ("AbortMultipartUpload", Some(RequestClass::Delete)),
            ("putobject", None),
            ("RestoreObject", None),
        ];
        for (operation, class) in table {
            assert_eq!(RequestClass::of(operation), class, "{operation}");
        }
    }
}
