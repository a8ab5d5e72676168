//! Buckets in the name of the host: `bucket.localhost:9000`.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// The domain whose subdomains are buckets. It stands for this machine
/// everywhere (RFC 6761, section 6.3); under any other name of the server,
/// buckets are addressed by path.
const DOMAIN: &str = "localhost";

/// Takes buckets from below `localhost`, on whatever port.
pub(crate) struct Localhost;

impl S3Host for Localhost {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.split_once(':').map_or(host, |(name, _)| name);
        let bucket = name.strip_suffix(DOMAIN).and_then(|rest| rest.strip_suffix('.'));
        Ok(match bucket {
            Some(bucket) => VirtualHost::new(DOMAIN).with_bucket(bucket),
            None => VirtualHost::new(host),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_below_localhost_are_buckets() {
        let bucket = |host| Localhost.parse_host_header(host).unwrap().bucket().map(str::to_owned);
        assert_eq!(bucket("photos.localhost:9000").as_deref(), Some("photos"));
        assert_eq!(bucket("my.photos.localhost").as_deref(), Some("my.photos"));
        for host in ["localhost", "localhost:9000", "mylocalhost", "example.com", "build-7:9000", "[::1]:9000"] {
            assert_eq!(bucket(host), None, "{host}");
        }
    }
}
