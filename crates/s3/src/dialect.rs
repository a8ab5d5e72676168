//! What each provider can and can't: one table.

use std::fmt;
use std::str::FromStr;

/// Who answers at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Amazon S3, general purpose buckets.
    Aws,
    /// Google Cloud Storage through its XML API.
    Gcs,
    /// `MinIO`.
    Minio,
    /// Ceph's object gateway.
    Ceph,
    /// Garage.
    Garage,
    /// `SeaweedFS`.
    SeaweedFs,
    /// Cloudflare R2.
    R2,
    /// Brigade's own development server.
    BrigadeDev,
    /// Anybody else: nothing is counted on.
    Unknown,
}

impl Provider {
    /// Every provider, in the order in which they are offered.
    pub const ALL: [Self; 9] = [
        Self::Aws,
        Self::Gcs,
        Self::Minio,
        Self::Ceph,
        Self::Garage,
        Self::SeaweedFs,
        Self::R2,
        Self::BrigadeDev,
        Self::Unknown,
    ];

    /// The name by which `--provider` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcs => "gcs",
            Self::Minio => "minio",
            Self::Ceph => "ceph",
            Self::Garage => "garage",
            Self::SeaweedFs => "seaweedfs",
            Self::R2 => "r2",
            Self::BrigadeDev => "brigade-dev",
            Self::Unknown => "unknown",
        }
    }

    /// Tells a provider by its endpoint's host name; `None` of the name is AWS's default.
    ///
    /// A zonal endpoint of AWS serves directory buckets, which differ: they list out of order.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
    #[must_use]
    pub fn of_host(host: Option<&str>) -> Self {
        let Some(host) = host else { return Self::Aws };
        let host = host.to_ascii_lowercase();
        let is_under =
            |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        if host.split('.').any(|label| label.starts_with("s3express-")) {
            Self::Unknown
        } else if is_under("amazonaws.com") || is_under("amazonaws.com.cn") {
            Self::Aws
        } else if is_under("storage.googleapis.com") {
            Self::Gcs
        } else if is_under("r2.cloudflarestorage.com") {
            Self::R2
        } else {
            Self::Unknown
        }
    }

    /// Tells a provider by the `Server` header of its answers. A proxy may have
    /// written it, so it is good for more caution only.
    #[must_use]
    pub fn of_server(header: &str) -> Option<Self> {
        // `SeaweedFS 8000GB 4.48`, as its releases answer.
        header.starts_with("SeaweedFS").then_some(Self::SeaweedFs)
    }

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
                // https://cloud.google.com/storage/docs/request-preconditions: writes are guarded by
                // generation; `If-Match` and `If-None-Match` are for requests that retrieve data.
                put_if_absent: No,
                put_if_match: No,
                complete_conditions: No,
                delete_if_match: No,
                // https://cloud.google.com/storage/docs/xml-api/post-bucket
                bulk_delete: Yes,
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

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A provider's name that nobody has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no provider is called {0:?}; it is one of {list}", list = Provider::ALL.map(Provider::name).join(", "))]
pub struct UnknownProvider(String);

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|provider| provider.name() == name).ok_or_else(|| UnknownProvider(name.to_owned()))
    }
}

/// Whether a provider has something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Support {
    /// It has.
    Yes,
    /// It hasn't, or it is wrong there.
    No,
    /// Nobody has said so: not counted on.
    Unknown,
}

impl Support {
    /// Whether it may be counted on.
    #[must_use]
    pub const fn is_certain(self) -> bool {
        matches!(self, Self::Yes)
    }
}

/// What a provider can and can't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// `ListObjectsV2` gives keys in the order of their bytes.
    pub lists_by_bytes: Support,
    /// `PutObject` honours `If-None-Match: *`.
    pub put_if_absent: Support,
    /// `PutObject` honours `If-Match`.
    pub put_if_match: Support,
    /// `CompleteMultipartUpload` honours both.
    pub complete_conditions: Support,
    /// `DeleteObject` honours `If-Match`, and `DeleteObjects` an `ETag` with a key.
    pub delete_if_match: Support,
    /// There is a `DeleteObjects`.
    pub bulk_delete: Support,
    /// `x-amz-checksum-crc64nvme` is checked on the way in and given back.
    pub crc64nvme: Support,
}

impl Dialect {
    /// Nothing may be counted on.
    const UNKNOWN: Self = Self {
        lists_by_bytes: Support::Unknown,
        put_if_absent: Support::Unknown,
        put_if_match: Support::Unknown,
        complete_conditions: Support::Unknown,
        delete_if_match: Support::Unknown,
        bulk_delete: Support::Unknown,
        crc64nvme: Support::Unknown,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_told_by_their_hosts() {
        let table = [
            (None, Provider::Aws),
            (Some("s3.eu-west-1.amazonaws.com"), Provider::Aws),
            (Some("s3.cn-north-1.amazonaws.com.cn"), Provider::Aws),
            (Some("s3express-usw2-az1.us-west-2.amazonaws.com"), Provider::Unknown),
            (Some("bucket--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com"), Provider::Unknown),
            (Some("storage.googleapis.com"), Provider::Gcs),
            (Some("Storage.GoogleAPIs.com"), Provider::Gcs),
            (Some("account.r2.cloudflarestorage.com"), Provider::R2),
            (Some("notamazonaws.com"), Provider::Unknown),
            (Some("amazonaws.com.example.org"), Provider::Unknown),
            (Some("127.0.0.1"), Provider::Unknown),
        ];
        for (host, provider) in table {
            assert_eq!(Provider::of_host(host), provider, "{host:?}");
        }
    }

    #[test]
    fn every_name_is_read_and_others_are_refused_with_the_list() {
        for provider in Provider::ALL {
            assert_eq!(provider.to_string().parse(), Ok(provider));
        }
        let error = "amazon".parse::<Provider>().unwrap_err().to_string();
        assert_eq!(
            error,
            "no provider is called \"amazon\"; it is one of aws, gcs, minio, ceph, garage, seaweedfs, r2, brigade-dev, unknown"
        );
    }

    #[test]
    fn nothing_is_counted_on_with_a_stranger() {
        assert_eq!(Provider::Unknown.dialect(), Dialect::UNKNOWN);
        assert!(!Support::Unknown.is_certain() && !Support::No.is_certain() && Support::Yes.is_certain());
    }
}
