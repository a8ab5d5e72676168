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
    #[must_use]
    pub fn of_host(host: Option<&str>) -> Self {
        let Some(host) = host else { return Self::Aws };
        let host = host.to_ascii_lowercase();
        let is_under =
            |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        if is_under("amazonaws.com") || is_under("amazonaws.com.cn") {
            Self::Aws
        } else if is_under("storage.googleapis.com") {
            Self::Gcs
        } else if is_under("r2.cloudflarestorage.com") {
            Self::R2
        } else {
            Self::Unknown
        }
    }

    /// What it can.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        let unknown = Dialect {
            lists_by_bytes: Support::Unknown,
            put_if_absent: Support::Unknown,
            put_if_match: Support::Unknown,
            complete_conditions: Support::Unknown,
            delete_if_match: Support::Unknown,
            bulk_delete: Support::Unknown,
            crc64nvme: Support::Unknown,
        };
        match self {
            Self::Unknown => unknown,
            _ => unknown,
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
