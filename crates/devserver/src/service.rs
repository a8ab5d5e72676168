//! The operations that are answered, each handed on to its own module.
//! `s3s` answers all others with `NotImplemented`.

use std::sync::Arc;

use async_trait::async_trait;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CopyObjectInput, CopyObjectOutput, CreateBucketInput, CreateBucketOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, DeleteBucketInput, DeleteBucketOutput, DeleteObjectInput, DeleteObjectOutput,
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, DeleteObjectsInput, DeleteObjectsOutput,
    GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput, GetBucketVersioningOutput,
    GetObjectAclInput, GetObjectAclOutput, GetObjectInput, GetObjectLegalHoldInput, GetObjectLegalHoldOutput,
    GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput, GetObjectOutput, GetObjectRetentionInput,
    GetObjectRetentionOutput, GetObjectTaggingInput, GetObjectTaggingOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, PutBucketVersioningInput,
    PutBucketVersioningOutput, PutObjectAclInput, PutObjectAclOutput, PutObjectInput, PutObjectLegalHoldInput,
    PutObjectLegalHoldOutput, PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput, PutObjectOutput,
    PutObjectRetentionInput, PutObjectRetentionOutput, PutObjectTaggingInput, PutObjectTaggingOutput,
    RestoreObjectInput, RestoreObjectOutput, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::operations::{
    acl, buckets, complete_upload, copy_object, delete_objects, get_object, list_objects, list_uploads, list_versions,
    object_lock, put_object, restore_object, tagging, uploads, versioning,
};
use crate::storage::Storage;

/// S3 over a [`Storage`].
pub(crate) struct Service {
    pub(crate) storage: Arc<Storage>,
}

/// Each operation's name, input, output, and the function that does it: at once
/// from the index, or with bodies and files, for which it waits; or with a response that
/// says more than the output.
macro_rules! operations {
    (
        at_once { $($quick:ident($quick_input:ty) -> $quick_output:ty = $look:path;)+ }
        with_files { $($name:ident($input:ty) -> $output:ty = $function:path;)+ }
        with_responses_of_their_own { $($own:ident($own_input:ty) -> $own_output:ty = $respond:path;)+ }
    ) => {
        #[async_trait]
        impl S3 for Service {
            $(
                async fn $quick(&self, request: S3Request<$quick_input>) -> S3Result<S3Response<$quick_output>> {
                    Ok(S3Response::new($look(&self.storage, request)?))
                }
            )+
            $(
                async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    Ok(S3Response::new($function(&self.storage, request).await?))
                }
            )+
            $(
                async fn $own(&self, request: S3Request<$own_input>) -> S3Result<S3Response<$own_output>> {
                    $respond(&self.storage, request).await
                }
            )+
        }
    };
}

operations! {
    at_once {
        list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
        head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
        get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;
        get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = versioning::get;
        get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get;
        get_object_acl(GetObjectAclInput) -> GetObjectAclOutput = acl::get;
        get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput
            = object_lock::configuration;
        get_object_retention(GetObjectRetentionInput) -> GetObjectRetentionOutput = object_lock::retention;
        get_object_legal_hold(GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = object_lock::legal_hold;
        list_objects(ListObjectsInput) -> ListObjectsOutput = list_objects::first_version;
        list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list_objects::second_version;
        list_parts(ListPartsInput) -> ListPartsOutput = list_uploads::parts;
        list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = list_uploads::uploads;
    }
    with_files {
        create_bucket(CreateBucketInput) -> CreateBucketOutput = buckets::create;
        delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete;
        put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = versioning::put;
        get_object(GetObjectInput) -> GetObjectOutput = get_object::get;
        put_object(PutObjectInput) -> PutObjectOutput = put_object::put;
        put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put;
        delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete;
        put_object_acl(PutObjectAclInput) -> PutObjectAclOutput = acl::put;
        put_object_lock_configuration(PutObjectLockConfigurationInput) -> PutObjectLockConfigurationOutput
            = object_lock::configure;
        put_object_retention(PutObjectRetentionInput) -> PutObjectRetentionOutput = object_lock::retain;
        put_object_legal_hold(PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = object_lock::hold;
        copy_object(CopyObjectInput) -> CopyObjectOutput = copy_object::copy;
        delete_object(DeleteObjectInput) -> DeleteObjectOutput = delete_objects::one;
        delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = delete_objects::many;
        create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = uploads::create;
        upload_part(UploadPartInput) -> UploadPartOutput = uploads::part;
        upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = copy_object::part;
        abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = uploads::abort;
        complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput
            = complete_upload::complete;
    }
    with_responses_of_their_own {
        head_object(HeadObjectInput) -> HeadObjectOutput = get_object::head;
        list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = list_versions::list;
        restore_object(RestoreObjectInput) -> RestoreObjectOutput = restore_object::restore;
    }
}
