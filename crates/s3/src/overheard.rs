//! What whoever hears it could use is sent encrypted only, or not beyond this machine: tokens of Google's, and
//! customers' keys.

use std::net::IpAddr;

use http::Uri;

use crate::address::Endpoint;
use crate::config::{Addressing, Config};
use crate::error::ConfigError;
use crate::identity::Identity;
use crate::proxy::{Proxies, Proxy};

/// Refuses a client that would send such a thing where others may hear it.
pub(crate) fn check(
    config: &Config,
    identity: &Identity,
    endpoint: &Endpoint,
    proxies: Option<&Proxies>,
) -> Result<(), ConfigError> {
    match overheard(endpoint, config.addressing, proxies) {
        Some(way) if matches!(identity, Identity::Google(_)) => Err(ConfigError::OverheardToken(way)),
        Some(way) if config.customer_key.is_some() => Err(ConfigError::OverheardKey(way)),
        Some(_) | None => Ok(()),
    }
}

/// The way on which others may hear what is sent: it isn't encrypted, and leads to another machine, or through a
/// proxy, wherever that is. `None` where there is no such way.
fn overheard(endpoint: &Endpoint, addressing: Addressing, proxies: Option<&Proxies>) -> Option<String> {
    let host = endpoint.host().filter(|_| !endpoint.is_encrypted())?;
    let proxy = proxies.and_then(|proxies| proxy_of(endpoint, addressing, proxies));
    let address = endpoint.identity();
    match proxy {
        Some(proxy) => Some(format!("{address}, reached through {proxy},")),
        None => (!is_here(host)).then_some(address),
    }
}

/// The proxy for the endpoint itself, or for a bucket's own host there.
fn proxy_of(endpoint: &Endpoint, addressing: Addressing, proxies: &Proxies) -> Option<Proxy> {
    [None, Some("bucket")].into_iter().find_map(|bucket| {
        let address = endpoint.address(addressing, "", bucket, None);
        let uri: Uri = format!("{}://{}/", address.scheme, address.host).parse().ok()?;
        proxies.of(&uri)
    })
}

/// Whether the host is this machine.
fn is_here(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::AwsHosts;
    use crate::proxy::{ProxySettings, Setting};

    #[test]
    fn what_is_not_encrypted_is_heard_elsewhere_and_by_any_proxy() {
        let (path, host) = (Addressing::Auto, Addressing::Virtual);
        let through = Some("http://localhost:9, reached through the proxy http://p:1 (which http_proxy names),");
        // The endpoint, where buckets' names go, the proxy, what is reached without it, and what is overheard.
        let table = [
            ("https://host", path, "", "", None),
            ("https://host", path, "http://p:1", "", None),
            ("http://host:9/base", path, "", "", Some("http://host:9/base")),
            ("http://localhost:9", path, "", "", None),
            ("http://127.0.0.1:9", path, "", "", None),
            ("http://[::1]:9", path, "", "", None),
            ("http://localhost:9", path, "http://p:1", "", through),
            ("http://localhost:9", path, "https://p:1", "", Some("the proxy https://p:1")),
            ("http://localhost:9", path, "http://me:hush@p:1", "", through),
            ("http://[::1]:9", path, "http://p:1", "", Some("http://[::1]:9, reached through the proxy http://p:1")),
            ("http://localhost:9", path, "http://p:1", "localhost", None),
            ("http://localhost:9", path, "http://p:1", "*", None),
            ("http://127.0.0.1:9", path, "http://p:1", "127.0.0.1", None),
            ("http://127.0.0.1:9", host, "http://p:1", "127.0.0.1", Some("reached through the proxy http://p:1")),
            ("http://host:9", path, "http://p:1", "host", Some("http://host:9")),
        ];
        for (url, addressing, proxy, none_for, expected) in table {
            let endpoint = Endpoint::choose(Some(url), AwsHosts::default(), "r").unwrap();
            let http = Some(Setting { variable: "http_proxy", value: proxy.to_owned() });
            let https = Some(Setting { variable: "https_proxy", value: proxy.to_owned() });
            let none_for = none_for.to_owned();
            let settings = ProxySettings { http, https, none_for };
            let proxies = if proxy.is_empty() { None } else { Proxies::choose(&settings, &endpoint).unwrap() };
            let way = overheard(&endpoint, addressing, proxies.as_ref());
            assert_eq!(way.is_some(), expected.is_some(), "{url} {proxy} {none_for:?}", none_for = settings.none_for);
            assert!(way.unwrap_or_default().contains(expected.unwrap_or_default()), "{url} {proxy}");
        }
        let aws = Endpoint::choose(None, AwsHosts::default(), "eu-west-1").unwrap();
        assert_eq!(overheard(&aws, path, None), None);
    }
}
