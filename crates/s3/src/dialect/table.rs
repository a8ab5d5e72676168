//! What each provider can and can't: one table.

use super::{Dialect, Provider, Support};

impl Provider {
    /// What it can. Every `Yes` and `No` has its source beside it.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        use Support::{No, Unknown, Yes};
        match self {
            // The development server does what AWS does: it is made and tested in this workspace.
            Self::Aws | Self::BrigadeDev => Dialect {
                // https://docs.aws.amazon.com/AmazonS3/latest/userguide/ListingKeysUsingAPIs.html:
                // "List results are always returned in UTF-8 binary order." General purpose buckets
                // only: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html.
                lists_by_bytes: Yes,
                // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html. `If-Match`
                // takes the permission to read the object too.
                put_if_absent: Yes,
                put_if_match: Yes,
                complete_conditions: Yes,
                // The same page: "before creating it or copying it".
                copy_conditions: Yes,
                // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html. This too
                // takes the permission to read.
                delete_if_match: Yes,
                // https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
                bulk_delete: Yes,
                // https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
                crc64nvme: Yes,
            },
            Self::Gcs => Dialect {
                // https://cloud.google.com/storage/docs/xml-api/get-bucket-list: "ordered lexicographically by
                // name". Names are Unicode, of which the lexicographical order is that of their UTF-8 bytes.
                lists_by_bytes: Yes,
                // https://cloud.google.com/storage/docs/request-preconditions: by generation. `If-Match` and
                // `If-None-Match` are for requests that retrieve data, and ignored by others.
                put_if_absent: Yes,
                put_if_match: Yes,
                // https://cloud.google.com/storage/docs/multipart-uploads: "Preconditions are not supported in the
                // requests." One that begins an upload is refused for them, one that ends it ignores them.
                complete_conditions: No,
                // https://cloud.google.com/storage/docs/xml-api/put-object-copy
                copy_conditions: Yes,
                delete_if_match: Yes,
                // https://cloud.google.com/storage/docs/xml-api/post-bucket: there is one, but it takes no
                // condition. One by one they cost nothing (https://cloud.google.com/storage/pricing).
                bulk_delete: No,
                // https://cloud.google.com/storage/docs/data-validation: CRC32C and MD5.
                crc64nvme: No,
            },
            Self::Minio => Dialect {
                // https://github.com/minio/minio-py/issues/775: as S3 does, by UTF-8.
                lists_by_bytes: Yes,
                // https://github.com/minio/minio-js/pull/1366. Up to May 2024 at least, `*` wasn't understood:
                // https://github.com/minio/minio/pull/19681.
                put_if_absent: Yes,
                // The same. Up to August 2025 it was let pass where nothing is there:
                // https://github.com/minio/minio/issues/21526.
                put_if_match: Yes,
                complete_conditions: Unknown,
                copy_conditions: Unknown,
                delete_if_match: Unknown,
                // https://github.com/minio/minio/blob/master/cmd/bucket-handlers.go: `DeleteMultipleObjectsHandler`.
                bulk_delete: Yes,
                // https://github.com/minio/minio/pull/20855, of January 2025.
                crc64nvme: Yes,
            },
            Self::Ceph => Dialect {
                // https://docs.ceph.com/en/latest/radosgw/s3/bucketops/: disorder has to be asked for, with
                // `allow-unordered`, a "Non-standard extension".
                lists_by_bytes: Yes,
                // Releases differ: https://github.com/ceph/ceph/pull/63348 mended writes and deletes in 2025,
                // https://github.com/ceph/ceph/pull/64830 completed uploads.
                put_if_absent: Unknown,
                put_if_match: Unknown,
                complete_conditions: Unknown,
                copy_conditions: Unknown,
                delete_if_match: Unknown,
                // https://www.ibm.com/docs/en/storage-ceph/9.9.1?topic=api-s3-object-operations
                bulk_delete: Yes,
                crc64nvme: Unknown,
            },
            Self::Garage => Dialect {
                // https://garagehq.deuxfleurs.fr/documentation/reference-manual/s3-compatibility/
                bulk_delete: Yes,
                ..Dialect::UNKNOWN
            },
            Self::SeaweedFs => Dialect {
                // Seen with release 4.48: a directory's name is sorted without its `/`, `a/x` comes before `a-b`.
                lists_by_bytes: No,
                // Releases differ. They ignored conditions (https://github.com/seaweedfs/seaweedfs/issues/7153),
                // then let racing writes pass (https://github.com/seaweedfs/seaweedfs/issues/8800); now
                // https://github.com/seaweedfs/seaweedfs/wiki/S3-Conditional-Operations promises all of them.
                put_if_absent: Unknown,
                put_if_match: Unknown,
                complete_conditions: Unknown,
                copy_conditions: Unknown,
                delete_if_match: Unknown,
                // https://github.com/seaweedfs/seaweedfs/blob/master/weed/s3api/s3api_object_handlers_delete.go
                bulk_delete: Yes,
                crc64nvme: Unknown,
            },
            Self::R2 => Dialect {
                // Promised of the Workers API alone, which differs from S3's:
                // https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
                lists_by_bytes: Unknown,
                // https://developers.cloudflare.com/r2/api/s3/extensions/
                put_if_absent: Yes,
                put_if_match: Yes,
                // https://developers.cloudflare.com/r2/api/s3/api/ names conditions for neither.
                complete_conditions: Unknown,
                copy_conditions: Unknown,
                delete_if_match: Unknown,
                // https://developers.cloudflare.com/r2/api/s3/api/
                bulk_delete: Yes,
                // The same page: of whole objects.
                crc64nvme: Yes,
            },
            Self::Unknown => Dialect::UNKNOWN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_counted_on_with_a_stranger() {
        assert_eq!(Provider::Unknown.dialect(), Dialect::UNKNOWN);
    }
}
