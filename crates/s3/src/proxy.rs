//! The proxies that the environment names: which one a request goes through.

use std::fmt;

use http::uri::Scheme;
use http::{HeaderValue, StatusCode, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::address::{Endpoint, without_user};
use crate::error::ConfigError;

/// What stands between the hosts of `NO_PROXY`: many programs take spaces for commas.
const SEPARATORS: [char; 3] = [',', ' ', '\t'];

/// What the environment says of proxies.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProxySettings {
    /// For requests without encryption.
    pub(crate) http: Option<Setting>,
    /// For requests with it.
    pub(crate) https: Option<Setting>,
    /// Hosts that are asked without a proxy, with commas or spaces between them.
    pub(crate) none_for: String,
}

/// A variable of the environment, and what it says.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) variable: &'static str,
    pub(crate) value: String,
}

/// Without a password that it may hold.
impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.variable, without_user(&self.value))
    }
}

/// Which proxy requests to an endpoint go through.
#[derive(Debug)]
pub(crate) struct Proxies {
    matcher: Matcher,
    variable: &'static str,
    is_encrypted: bool,
}

impl Proxies {
    /// The proxy for an endpoint; `None` where the environment names none.
    pub(crate) fn choose(settings: &ProxySettings, endpoint: &Endpoint) -> Result<Option<Self>, ConfigError> {
        // The matcher knows `*` for names alone, and not for addresses.
        if settings.none_for.split(SEPARATORS).any(|entry| entry == "*") {
            return Ok(None);
        }
        let setting = if endpoint.is_encrypted() { &settings.https } else { &settings.http };
        let Some(Setting { variable, value }) = setting else { return Ok(None) };
        // Without exceptions it is there for every host, unless it can't be read.
        let every_host = Uri::from_static("http://host");
        let proxy = Matcher::builder().all(value).build().intercept(&every_host);
        let proxy = proxy
            .filter(|proxy| is_http(proxy.uri()))
            .ok_or_else(|| ConfigError::Proxy { variable, value: without_user(value) })?;
        let matcher = Matcher::builder().all(value).no(exceptions(&settings.none_for, endpoint.port())).build();
        Ok(Some(Self { matcher, variable, is_encrypted: proxy.uri().scheme() == Some(&Scheme::HTTPS) }))
    }

    /// Whether connections to the proxy itself are encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// The proxy for an address; `None` for one that is asked without.
    pub(crate) fn of(&self, address: &Uri) -> Option<Proxy> {
        let intercept = self.matcher.intercept(address)?;
        Some(Proxy { intercept, variable: self.variable })
    }
}

fn is_http(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTP) || uri.scheme() == Some(&Scheme::HTTPS)
}

/// What `NO_PROXY` says, as far as it is about this port, which many programs
/// take there after a host (curl doesn't).
fn exceptions(none_for: &str, port: u16) -> String {
    let hosts = none_for.split(SEPARATORS).filter_map(|entry| match entry.rsplit_once(':') {
        Some((host, number)) if !host.contains(':') || host.ends_with(']') => {
            (number.parse() == Ok(port)).then(|| host.trim_matches(['[', ']']))
        }
        _ => Some(entry.trim_matches(['[', ']'])),
    });
    hosts.collect::<Vec<_>>().join(",")
}

/// The proxy of one request.
#[derive(Clone)]
pub(crate) struct Proxy {
    intercept: Intercept,
    variable: &'static str,
}

impl Proxy {
    /// Where it is.
    pub(crate) fn uri(&self) -> &Uri {
        self.intercept.uri()
    }

    /// What lets us in, where its address names a user.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.intercept.basic_auth()
    }
}

/// Without its user and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.uri().to_string();
        write!(f, "the proxy {} (which {} names)", text.trim_end_matches('/'), self.variable)
    }
}

/// Why there is no way through a proxy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    /// No connection to it could be made.
    #[error("{proxy} could not be reached")]
    Unreachable {
        /// The proxy, without its password.
        proxy: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It broke off before it had answered.
    #[error("{proxy} gave no answer that can be understood")]
    Broken {
        /// The proxy, without its password.
        proxy: String,
        /// What happened.
        source: hyper::Error,
    },
    /// It refused to let us through.
    #[error("{proxy} answered {status}")]
    Refused {
        /// The proxy, without its password.
        proxy: String,
        /// What it answered.
        status: StatusCode,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::AwsHosts;

    fn proxies(url: &str, http: &str, https: &str, none_for: &str) -> Result<Option<Proxies>, String> {
        let setting = |variable, value: &str| {
            Some(Setting { variable, value: value.to_owned() }).filter(|setting| !setting.value.is_empty())
        };
        let settings = ProxySettings {
            http: setting("http_proxy", http),
            https: setting("HTTPS_PROXY", https),
            none_for: none_for.to_owned(),
        };
        let endpoint = Endpoint::choose(Some(url), AwsHosts::default(), "r").unwrap();
        Proxies::choose(&settings, &endpoint).map_err(|error| error.to_string())
    }

    #[test]
    fn each_scheme_has_its_proxy_and_some_hosts_none() {
        let (one, other) = ("http://one:1", "other:2");
        let table = [
            ("http://host", one, other, "", Some("the proxy http://one:1 (which http_proxy names)")),
            ("https://host", one, other, "", Some("the proxy http://other:2 (which HTTPS_PROXY names)")),
            ("https://host", one, "", "", None),
            ("http://host", one, "", "*", None),
            ("http://10.1.2.3", one, "", "other,*", None),
            ("http://host", one, "", "other, host", None),
            ("http://a.host", one, "", "other host", None),
            ("http://a.host", one, "", ".host", None),
            ("http://ahost", one, "", "host,.host", Some("the proxy http://one:1 (which http_proxy names)")),
            ("http://10.1.2.3:9000", one, "", "10.0.0.0/8", None),
            ("http://10.1.2.3:9000", one, "", "10.1.2.3:9000", None),
            ("http://10.1.2.3:9000", one, "", "10.1.2.3:80", Some("the proxy http://one:1 (which http_proxy names)")),
            ("http://[::1]:9000", one, "", "::1", None),
            ("http://[::1]:9000", one, "", "[::1]:9000", None),
            ("http://[fd00::1]:9000", one, "", "fd00::/8", None),
            ("http://host", one, "", "host:80", None),
            ("https://host", "", other, "host:443", None),
        ];
        for (url, http, https, none_for, expected) in table {
            let proxies = proxies(url, http, https, none_for).unwrap();
            let proxy = proxies.and_then(|proxies| proxies.of(&url.parse().unwrap()));
            assert_eq!(proxy.map(|proxy| proxy.to_string()).as_deref(), expected, "{url} {none_for}");
        }
    }

    #[test]
    fn what_is_no_http_proxy_is_told_without_its_password() {
        for value in ["ftp://user:hush@proxy", "socks5://user:hush@proxy", "user:hush@", "http://user:hush@"] {
            let error = proxies("http://host", value, "", "host").unwrap_err();
            assert!(error.contains("http_proxy") && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn the_password_is_sent_and_never_shown() {
        let proxies = proxies("http://host", "http://me:s%40cret@proxy:3128", "", "").unwrap().unwrap();
        let proxy = proxies.of(&Uri::from_static("http://host/")).unwrap();
        // `me:s@cret`
        assert_eq!(proxy.authorization().unwrap(), "Basic bWU6c0BjcmV0");
        let shown = format!("{proxy} {proxies:?} {:?}", proxy.authorization());
        assert!(!shown.contains("cret") && !shown.contains("bWU6"), "{shown}");
    }
}
