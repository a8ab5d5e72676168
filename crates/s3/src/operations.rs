//! S3's operations, one file each: what goes in, what comes out, and what is
//! special about it.

mod abort_multipart_upload;
mod complete_multipart_upload;
mod continuation;
mod copy_object;
mod create_bucket;
mod create_multipart_upload;
mod delete_many;
mod delete_object;
pub(crate) mod delete_objects;
mod delete_versions;
mod get_bucket_versioning;
mod get_object;
mod get_object_acl;
mod get_object_tagging;
mod guard;
mod head_bucket;
mod head_object;
mod list_buckets;
pub(crate) mod list_multipart_uploads;
pub(crate) mod list_object_versions;
pub(crate) mod list_objects_v2;
pub(crate) mod list_parts;
mod object_headers;
mod put_bucket_versioning;
mod put_object;
mod recognise_copy;
mod restore_object;
mod upload_part;
mod upload_part_copy;

use std::time::Duration;

pub use complete_multipart_upload::CompleteMultipartUpload;
pub use continuation::{Continuation, Endless};
pub use copy_object::{CopyObject, CopySource};
pub use create_multipart_upload::{CreateMultipartUpload, MultipartUpload};
pub use delete_object::DeleteObject;
pub use delete_versions::VersionName;
pub use get_bucket_versioning::Versioning;
pub use get_object::{GetObject, GotObject};
pub use head_object::{HeadObject, NOTED_MD5, ObjectHead, USUAL_CLASS};
pub use list_multipart_uploads::{ListMultipartUploads, ListedUpload, UploadsContinuation, UploadsMarker, UploadsPage};
pub use list_object_versions::{
    ListObjectVersions, ListedVersion, VersionContent, VersionsContinuation, VersionsMarker, VersionsPage,
};
pub use list_objects_v2::{ListObjectsV2, ListedObject, ListedPage};
pub use list_parts::{ListParts, PartsPage};
pub use object_headers::NewHeaders;
pub use put_object::{Condition, PutObject, Stored};
pub use restore_object::{RestoreObject, Restoring, RetrievalTier};
pub use upload_part::{UploadPart, UploadedPart};
pub use upload_part_copy::UploadPartCopy;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub(crate) enum Operation {
    ListObjectsV2,
    GetObject,
    HeadObject,
    PutObject,
    DeleteObject,
    DeleteObjects,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListParts,
    ListMultipartUploads,
    ListBuckets,
    CreateBucket,
    HeadBucket,
    CopyObject,
    UploadPartCopy,
    GetObjectTagging,
    GetObjectAcl,
    ListObjectVersions,
    GetBucketVersioning,
    PutBucketVersioning,
    RestoreObject,
}

impl Operation {
    /// Every operation, in the order of their numbers.
    pub(crate) const ALL: [Self; 23] = [
        Self::ListObjectsV2,
        Self::GetObject,
        Self::HeadObject,
        Self::PutObject,
        Self::DeleteObject,
        Self::DeleteObjects,
        Self::CreateMultipartUpload,
        Self::UploadPart,
        Self::CompleteMultipartUpload,
        Self::AbortMultipartUpload,
        Self::ListParts,
        Self::ListMultipartUploads,
        Self::ListBuckets,
        Self::CreateBucket,
        Self::HeadBucket,
        Self::CopyObject,
        Self::UploadPartCopy,
        Self::GetObjectTagging,
        Self::GetObjectAcl,
        Self::ListObjectVersions,
        Self::GetBucketVersioning,
        Self::PutBucketVersioning,
        Self::RestoreObject,
    ];

    /// S3's name of it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::PutObject => "PutObject",
            Self::DeleteObject => "DeleteObject",
            Self::DeleteObjects => "DeleteObjects",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListParts => "ListParts",
            Self::ListMultipartUploads => "ListMultipartUploads",
            Self::ListBuckets => "ListBuckets",
            Self::CreateBucket => "CreateBucket",
            Self::HeadBucket => "HeadBucket",
            Self::CopyObject => "CopyObject",
            Self::UploadPartCopy => "UploadPartCopy",
            Self::GetObjectTagging => "GetObjectTagging",
            Self::GetObjectAcl => "GetObjectAcl",
            Self::ListObjectVersions => "ListObjectVersions",
            Self::GetBucketVersioning => "GetBucketVersioning",
            Self::PutBucketVersioning => "PutBucketVersioning",
            Self::RestoreObject => "RestoreObject",
        }
    }

    /// The permission that it needs
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>).
    pub(crate) const fn permission(self) -> &'static str {
        match self {
            Self::ListObjectsV2 | Self::HeadBucket => "s3:ListBucket",
            Self::GetObject | Self::HeadObject => "s3:GetObject",
            Self::PutObject | Self::CreateMultipartUpload | Self::UploadPart | Self::CompleteMultipartUpload => {
                "s3:PutObject"
            }
            // Copies read the source, and its tags, too.
            Self::CopyObject => "s3:GetObject, s3:GetObjectTagging, s3:PutObject and s3:PutObjectTagging",
            Self::UploadPartCopy => "s3:GetObject and s3:PutObject",
            Self::GetObjectTagging => "s3:GetObjectTagging",
            Self::GetObjectAcl => "s3:GetObjectAcl",
            Self::DeleteObject | Self::DeleteObjects => "s3:DeleteObject",
            Self::AbortMultipartUpload => "s3:AbortMultipartUpload",
            Self::ListParts => "s3:ListMultipartUploadParts",
            Self::ListMultipartUploads => "s3:ListBucketMultipartUploads",
            Self::ListBuckets => "s3:ListAllMyBuckets",
            Self::CreateBucket => "s3:CreateBucket",
            Self::ListObjectVersions => "s3:ListBucketVersions",
            Self::GetBucketVersioning => "s3:GetBucketVersioning",
            Self::PutBucketVersioning => "s3:PutBucketVersioning",
            Self::RestoreObject => "s3:RestoreObject",
        }
    }

    /// The permission that it needs where it names a version.
    pub(crate) const fn permission_of_version(self) -> &'static str {
        match self {
            Self::GetObject | Self::HeadObject => "s3:GetObjectVersion",
            Self::GetObjectAcl => "s3:GetObjectVersionAcl",
            Self::DeleteObject | Self::DeleteObjects => "s3:DeleteObjectVersion",
            other => other.permission(),
        }
    }

    /// Whether it makes an object appear, so that it can't be taken back.
    pub(crate) const fn makes_visible(self) -> bool {
        matches!(self, Self::PutObject | Self::CompleteMultipartUpload | Self::CopyObject)
    }

    /// How long it goes on once the program is to end. Whatever only brings
    /// the work on ends at once; what cleans up is worth a moment.
    pub(crate) const fn time_after_abandoning(self) -> Duration {
        match self {
            Self::AbortMultipartUpload => Duration::from_millis(600),
            _ => Duration::ZERO,
        }
    }

    /// Whether it reads or writes content, which a customer's key may have to go with.
    pub(crate) const fn takes_customer_key(self) -> bool {
        matches!(
            self,
            Self::GetObject
                | Self::HeadObject
                | Self::PutObject
                | Self::CreateMultipartUpload
                | Self::UploadPart
                | Self::CopyObject
                | Self::UploadPartCopy
                // These two where the upload has checksums.
                | Self::CompleteMultipartUpload
                | Self::ListParts
        )
    }

    /// Whether the service may work on it for minutes before it answers.
    pub(crate) const fn is_long(self) -> bool {
        matches!(self, Self::CompleteMultipartUpload | Self::CopyObject | Self::UploadPartCopy)
    }
}
