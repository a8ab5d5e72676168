//! Where a request goes: the host, and the path as it is signed and sent.

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::config::Addressing;
use crate::encoding::{Keep, encode_into};
use crate::error::ConfigError;

/// The service's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// AWS's own, one host for each region.
    Aws(AwsHosts),
    /// One that was given.
    Given {
        /// `http` or `https`.
        scheme: Scheme,
        /// Host, and port where it isn't the scheme's own: what `Host` says.
        authority: Authority,
        /// What stands before every path, without a `/` at its end.
        base: String,
    },
}

/// Which of AWS's own hosts are asked
/// (<https://docs.aws.amazon.com/general/latest/gr/s3.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AwsHosts {
    /// Those whose cryptography is validated by FIPS 140.
    pub(crate) fips: bool,
    /// Those that have IPv6 addresses too.
    pub(crate) dual_stack: bool,
}

impl AwsHosts {
    /// The host in a region.
    fn host(self, region: &str) -> String {
        let fips = if self.fips { "-fips" } else { "" };
        let dual_stack = if self.dual_stack { ".dualstack" } else { "" };
        let domain = if is_in_china(region) { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("s3{fips}{dual_stack}.{region}.{domain}")
    }
}

/// A request's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) scheme: Scheme,
    pub(crate) host: String,
    /// Percent-encoded, without a query.
    pub(crate) path: String,
}

impl Endpoint {
    /// The endpoint of this address, or AWS, whose other hosts are asked where
    /// that is wanted. Only AWS has such hosts, and none for FIPS in China.
    pub(crate) fn choose(url: Option<&str>, hosts: AwsHosts, region: &str) -> Result<Self, ConfigError> {
        let endpoint = url.map_or(Ok(Self::Aws(hosts)), Self::parse)?;
        match endpoint {
            Self::Aws(_) if hosts.fips && is_in_china(region) => Err(ConfigError::NoSuchHosts(region.to_owned())),
            Self::Aws(_) => Ok(Self::Aws(hosts)),
            Self::Given { authority, .. } if hosts != AwsHosts::default() => {
                Err(ConfigError::NoSuchHosts(authority.to_string()))
            }
            given @ Self::Given { .. } => Ok(given),
        }
    }

    /// Reads an endpoint's address. AWS's own hosts are [`Endpoint::Aws`]: they change with the region.
    fn parse(url: &str) -> Result<Self, ConfigError> {
        let bad = || ConfigError::Endpoint(without_user(url));
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let scheme = uri.scheme().filter(|scheme| **scheme == Scheme::HTTP || **scheme == Scheme::HTTPS);
        let (Some(scheme), Some(authority)) = (scheme.cloned(), uri.authority()) else { return Err(bad()) };
        if authority.as_str().contains('@') || uri.query().is_some() || authority.host().is_empty() {
            return Err(bad());
        }
        // What isn't would be sent otherwise than it is signed.
        if !uri.path().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(bad());
        }
        if scheme == Scheme::HTTPS && authority.port().is_none() && is_aws_host(authority.host()) {
            return Ok(Self::Aws(AwsHosts::default()));
        }
        let own_port = if scheme == Scheme::HTTPS { 443 } else { 80 };
        let authority = match authority.port_u16() {
            Some(port) if port == own_port => Authority::try_from(authority.host()).map_err(|_| bad())?,
            _ => authority.clone(),
        };
        Ok(Self::Given { scheme, authority, base: uri.path().trim_end_matches('/').to_owned() })
    }

    /// What tells the service from any other: its address, or that it is AWS,
    /// whose hosts all lead to the same buckets.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Aws(_) => "AWS".to_owned(),
            Self::Given { scheme, authority, base } => format!("{scheme}://{authority}{base}"),
        }
    }

    /// The host's name, for telling the provider; `None` for AWS.
    pub(crate) fn host(&self) -> Option<&str> {
        match self {
            Self::Aws(_) => None,
            Self::Given { authority, .. } => Some(authority.host()),
        }
    }

    /// Whether connections are encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        match self {
            Self::Aws(_) => true,
            Self::Given { scheme, .. } => *scheme == Scheme::HTTPS,
        }
    }

    /// The port that connections are made to.
    pub(crate) fn port(&self) -> u16 {
        let own_port = if self.is_encrypted() { 443 } else { 80 };
        match self {
            Self::Aws(_) => own_port,
            Self::Given { authority, .. } => authority.port_u16().unwrap_or(own_port),
        }
    }

    /// The address of a bucket or an object.
    pub(crate) fn address(
        &self,
        addressing: Addressing,
        region: &str,
        bucket: Option<&str>,
        key: Option<&str>,
    ) -> Address {
        let (scheme, authority, base) = match self {
            Self::Aws(hosts) => (Scheme::HTTPS, hosts.host(region), ""),
            Self::Given { scheme, authority, base } => (scheme.clone(), authority.to_string(), base.as_str()),
        };
        let room = base.len() + bucket.map_or(0, str::len) + key.map_or(0, str::len) + 2;
        let mut path = String::with_capacity(room);
        path.push_str(base);
        path.push('/');
        let in_host = bucket.filter(|bucket| self.puts_in_host(addressing, bucket));
        let host = if let Some(bucket) = in_host { format!("{bucket}.{authority}") } else { authority };
        if let Some(bucket) = bucket.filter(|_| in_host.is_none()) {
            encode_into(&mut path, bucket.as_bytes(), Keep::Unreserved);
            if key.is_some() {
                path.push('/');
            }
        }
        if let Some(key) = key {
            encode_into(&mut path, key.as_bytes(), Keep::UnreservedAndSlash);
        }
        Address { scheme, host, path }
    }

    /// Whether the bucket's name goes in the host's name.
    fn puts_in_host(&self, addressing: Addressing, bucket: &str) -> bool {
        match addressing {
            Addressing::Path => false,
            // A dot would be outside the service's certificate.
            Addressing::Auto => matches!(self, Self::Aws(_)) && is_label(bucket),
            Addressing::Virtual => bucket.split('.').all(is_label),
        }
    }
}

/// What may be shown of an address that may not even be an address: nothing
/// that could be a user's name or password.
pub(crate) fn without_user(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else { return url.to_owned() };
    let scheme = before.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
    format!("{scheme}...@{host}")
}

/// Whether the name can be a part of a host's name.
fn is_label(name: &str) -> bool {
    let bytes = name.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn is_in_china(region: &str) -> bool {
    region.starts_with("cn-")
}

fn is_aws_host(host: &str) -> bool {
    host == "s3.amazonaws.com" || aws_region(host).is_some()
}

/// The region in the name of S3's own host, `s3.eu-west-1.amazonaws.com`;
/// `None` for any other host, dual-stack and access points among them.
fn aws_region(host: &str) -> Option<&str> {
    let rest = host.strip_prefix("s3.")?;
    let region = rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))?;
    is_label(region).then_some(region)
}

/// The region that an endpoint's address itself names.
pub(crate) fn region_of_url(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    aws_region(uri.host()?).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str, addressing: Addressing, bucket: &str, key: &str) -> String {
        let endpoint = Endpoint::parse(url).unwrap();
        let address = endpoint.address(addressing, "eu-west-1", Some(bucket), Some(key));
        format!("{}://{}{}", address.scheme, address.host, address.path)
    }

    #[test]
    fn buckets_go_where_they_should() {
        use Addressing::{Auto, Path, Virtual};
        let aws = "https://s3.amazonaws.com";
        let local = "http://127.0.0.1:9000";
        let table = [
            (aws, Auto, "b", "k", "https://b.s3.eu-west-1.amazonaws.com/k"),
            (aws, Auto, "b.c", "k", "https://s3.eu-west-1.amazonaws.com/b.c/k"),
            (aws, Auto, "B_c", "k", "https://s3.eu-west-1.amazonaws.com/B_c/k"),
            (aws, Path, "b", "k", "https://s3.eu-west-1.amazonaws.com/b/k"),
            (aws, Virtual, "b.c", "k", "https://b.c.s3.eu-west-1.amazonaws.com/k"),
            (local, Auto, "b", "/a//b", "http://127.0.0.1:9000/b//a//b"),
            (local, Virtual, "b", "/../x", "http://b.127.0.0.1:9000//../x"),
            ("https://host:443", Auto, "b", ".", "https://host/b/."),
            ("http://host:80/", Auto, "b", "..", "http://host/b/.."),
            ("https://host/storage/v1/s3/", Auto, "b", "k", "https://host/storage/v1/s3/b/k"),
            ("http://[::1]:9000", Auto, "b", "k", "http://[::1]:9000/b/k"),
        ];
        for (url, addressing, bucket, key, expected) in table {
            assert_eq!(shown(url, addressing, bucket, key), expected);
        }
    }

    #[test]
    fn the_service_itself_and_a_bucket_have_addresses() {
        let endpoint = Endpoint::parse("http://host:1").unwrap();
        assert_eq!(endpoint.address(Addressing::Auto, "r", None, None).path, "/");
        assert_eq!(endpoint.address(Addressing::Auto, "r", Some("b"), None).path, "/b");
        assert_eq!(endpoint.address(Addressing::Virtual, "r", Some("b"), None).path, "/");
        assert_eq!(
            Endpoint::Aws(AwsHosts::default()).address(Addressing::Auto, "cn-north-1", None, None).host,
            "s3.cn-north-1.amazonaws.com.cn"
        );
    }

    #[test]
    fn other_hosts_are_asked_where_aws_has_them() {
        let table = [
            (None, false, false, "us-east-1", Some("s3.us-east-1.amazonaws.com")),
            (None, true, false, "us-east-1", Some("s3-fips.us-east-1.amazonaws.com")),
            (None, false, true, "us-east-1", Some("s3.dualstack.us-east-1.amazonaws.com")),
            (None, true, true, "us-gov-west-1", Some("s3-fips.dualstack.us-gov-west-1.amazonaws.com")),
            (None, false, true, "cn-north-1", Some("s3.dualstack.cn-north-1.amazonaws.com.cn")),
            (None, true, false, "cn-north-1", None),
            (Some("https://s3.amazonaws.com"), true, false, "us-west-2", Some("s3-fips.us-west-2.amazonaws.com")),
            (Some("http://host:1"), false, false, "us-east-1", Some("host:1")),
            (Some("http://host:1"), true, false, "us-east-1", None),
            (Some("http://host:1"), false, true, "us-east-1", None),
        ];
        for (url, fips, dual_stack, region, expected) in table {
            let endpoint = Endpoint::choose(url, AwsHosts { fips, dual_stack }, region);
            let host = endpoint.ok().map(|endpoint| endpoint.address(Addressing::Auto, region, None, None).host);
            assert_eq!(host.as_deref(), expected, "{url:?}");
        }
    }

    #[test]
    fn only_addresses_are_taken() {
        for url in ["", "host", "host:9000", "ftp://host", "http://", "http://user:secret@host", "http://host/?a=b"] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let table = [
            ("http://user:topsecret@host", "http://...@host"),
            ("https://user:top/secret@x@host/?a", "https://...@host/?a"),
            ("user:topsecret@host", "...@host"),
        ];
        for (url, shown) in table {
            let error = Endpoint::parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
            assert!(error.to_string().contains(&format!("the endpoint {shown:?} is not an address")), "{error}");
        }
    }

    #[test]
    fn the_region_is_read_from_s3s_own_hosts() {
        assert_eq!(region_of_url("https://s3.eu-west-1.amazonaws.com").as_deref(), Some("eu-west-1"));
        assert_eq!(region_of_url("https://s3.cn-north-1.amazonaws.com.cn/").as_deref(), Some("cn-north-1"));
        assert_eq!(region_of_url("https://s3.dualstack.eu-west-1.amazonaws.com"), None);
        assert_eq!(region_of_url("https://s3.amazonaws.com"), None);
        assert_eq!(region_of_url("http://127.0.0.1:9000"), None);
    }
}
