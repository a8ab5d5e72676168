//! Who answers at an endpoint, and how that is told.

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

    /// Whether it goes by Google's names, and guards writes by generations.
    #[must_use]
    pub const fn is_google(self) -> bool {
        matches!(self, Self::Gcs)
    }

    /// Whether it is known to list versions and delete markers among each other, of each key the newest first.
    #[must_use]
    pub const fn lists_versions_in_order(self) -> bool {
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/list-obj-version-enabled-bucket.html
        matches!(self, Self::Aws | Self::BrigadeDev)
    }

    /// Whether it refuses too many requests of one prefix, and takes those of others all the same.
    #[must_use]
    pub const fn refuses_by_prefix(self) -> bool {
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html: so many requests
        // "per second per partitioned Amazon S3 prefix".
        matches!(self, Self::Aws)
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
}
