//! What a server is started with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// What a server is started with. Start from [`Config::new`] and change what
/// differs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the buckets are kept, each a directory. Made if missing; no other
    /// server can use it at the same time.
    pub directory: PathBuf,
    /// Buckets that are made if missing. Default: none.
    pub buckets: Vec<String>,
    /// Where to listen; port 0 takes any free port. Default: `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// Whether it listens at another free port too, as Google Cloud Storage: the same
    /// buckets, in its manners. Default: no.
    pub google: bool,
    /// The one account, against which signatures are checked.
    pub credentials: Credentials,
    /// Whether requests without a signature are let in. Default: no.
    pub anonymous: bool,
    /// The order of listings. Default: by bytes, as S3 has it.
    pub listing_order: ListingOrder,
    /// The most elements in a page of a listing, however many are asked for.
    /// Default: 1000, as S3 has it.
    pub page_limit: usize,
    /// Whether requests are kept in the log, which grows with each of them.
    /// Default: yes; a server that runs for long turns it off.
    pub record_requests: bool,
}

impl Config {
    /// A server over `directory` for one account, on a free port of 127.0.0.1.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, credentials: Credentials) -> Self {
        Self {
            directory: directory.into(),
            buckets: Vec::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            google: false,
            credentials,
            anonymous: false,
            listing_order: ListingOrder::default(),
            page_limit: 1000,
            record_requests: true,
        }
    }
}

/// An access key and its secret.
#[derive(Clone)]
pub struct Credentials {
    /// The access key's id, which requests name.
    pub access_key: String,
    /// The secret that signs; never shown.
    pub secret_key: String,
}

impl Credentials {
    /// The pair of an access key and its secret.
    #[must_use]
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// The order in which listings come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListingOrder {
    /// By the bytes of the keys, as S3 lists.
    #[default]
    Bytes,
    /// Directory by directory: `a/x` before `a+b`, because the directory `a`
    /// comes before the name `a+b`. So list stores that keep directories, of
    /// which `SeaweedFS` is one.
    SlashFirst,
}

impl ListingOrder {
    /// The bytes by which `key` is ordered. Byte for byte and one to one, so
    /// that a prefix of a key is a prefix of its sort key too.
    pub(crate) fn sort_key(self, key: &str) -> Vec<u8> {
        match self {
            Self::Bytes => key.as_bytes().to_vec(),
            Self::SlashFirst => key.bytes().map(slash_first).collect(),
        }
    }

    /// The key (or prefix of one) that has this sort key.
    pub(crate) fn restore(self, sort_key: &[u8]) -> String {
        let bytes = match self {
            Self::Bytes => sort_key.to_vec(),
            Self::SlashFirst => sort_key.iter().copied().map(slash_restored).collect(),
        };
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// `/` becomes the lowest byte; those below it move up by one.
fn slash_first(byte: u8) -> u8 {
    match byte {
        b'/' => 0,
        lower if lower < b'/' => lower + 1,
        higher => higher,
    }
}

fn slash_restored(byte: u8) -> u8 {
    match byte {
        0 => b'/',
        lower if lower <= b'/' => lower - 1,
        higher => higher,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(order: ListingOrder) -> Vec<String> {
        let mut keys = ["a", "a/x", "a-b", "a.b", "a+b", "a0", "a/x/y", "a\u{1}"].map(|key| order.sort_key(key));
        keys.sort();
        keys.iter().map(|key| order.restore(key)).collect()
    }

    #[test]
    fn keys_come_by_bytes_or_directory_by_directory() {
        assert_eq!(sorted(ListingOrder::Bytes), ["a", "a\u{1}", "a+b", "a-b", "a.b", "a/x", "a/x/y", "a0"]);
        assert_eq!(sorted(ListingOrder::SlashFirst), ["a", "a/x", "a/x/y", "a\u{1}", "a+b", "a-b", "a.b", "a0"]);
    }

    #[test]
    fn the_secret_is_not_shown() {
        let shown = format!("{:?}", Credentials::new("name", "hunter2"));
        assert!(shown.contains("name") && !shown.contains("hunter2"));
    }
}
