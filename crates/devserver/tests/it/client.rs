//! A client that sends what it is told, and a server to send it to.

use brigade_devserver::{Config, Credentials, ListingOrder, Server};
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum, Sha256};
use tempfile::TempDir;
use tokio::net::TcpStream;

pub(crate) const ACCESS_KEY: &str = "brigade";
pub(crate) const SECRET_KEY: &str = "not much of a secret";

/// A server over a directory that goes with it, and its bucket `bucket`.
pub(crate) struct Running {
    pub(crate) server: Server,
    directory: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A server that lets everybody in, with an empty `bucket`.
pub(crate) async fn running() -> Running {
    running_with(|config| config.anonymous = true).await
}

/// A server with a configuration of its own.
pub(crate) async fn running_with(change: impl FnOnce(&mut Config)) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(&directory);
    change(&mut config);
    let anonymous = config.anonymous;
    let running = Running { server: Server::start(config).await.unwrap(), directory };
    if anonymous {
        assert_eq!(running.put("/bucket", "").await.status, 200);
        running.server.clear_requests();
    }
    running
}

/// A server that lists directory by directory.
pub(crate) async fn running_slash_first() -> Running {
    running_with(|config| {
        config.anonymous = true;
        config.listing_order = ListingOrder::SlashFirst;
    })
    .await
}

fn config(directory: &TempDir) -> Config {
    Config::new(directory.path(), Credentials::new(ACCESS_KEY, SECRET_KEY))
}

impl Running {
    /// The same directory under a new server.
    pub(crate) async fn restarted(self) -> Self {
        self.restarted_with(|config| config.anonymous = true).await
    }

    /// The same with a configuration of its own.
    pub(crate) async fn restarted_with(self, change: impl FnOnce(&mut Config)) -> Self {
        let directory = self.stopped().await;
        let mut config = config(&directory);
        change(&mut config);
        Self { server: Server::start(config).await.unwrap(), directory }
    }

    /// The directory without its server.
    pub(crate) async fn stopped(self) -> TempDir {
        self.server.stop().await;
        self.directory
    }

    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn head(&self, path: &str) -> Answer {
        self.send("HEAD", path, &[], "").await
    }

    pub(crate) async fn put(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send("PUT", path, &[], body).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send("POST", path, &[], body).await
    }

    /// `DeleteObjects`, with the digest that it must have.
    pub(crate) async fn delete_many(&self, list: &str) -> Answer {
        let mut hasher = ChecksumHasher { sha256: Some(Sha256::new()), ..ChecksumHasher::default() };
        hasher.update(list.as_bytes());
        let digest = hasher.finalize().checksum_sha256.unwrap();
        self.send("POST", "/bucket?delete", &[("x-amz-checksum-sha256", &digest)], list.to_owned()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "").await
    }

    /// Sends one request on a connection of its own.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.try_send(method, path, headers, body).await.unwrap()
    }

    /// As [`Self::send`], where the connection may break.
    pub(crate) async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> hyper::Result<Answer> {
        let address = self.server.address();
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = sender.send_request(request.body(Full::new(body.into())).unwrap()).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The text of every element of that name, as it stands in the XML.
    pub(crate) fn all(&self, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let found = self.text().split(&open).skip(1);
        found.map(|rest| rest.split(&close).next().unwrap().to_owned()).collect()
    }

    /// The text of the first element of that name; empty if there is none.
    pub(crate) fn first(&self, element: &str) -> String {
        self.all(element).into_iter().next().unwrap_or_default()
    }

    /// The status and the error's code.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.first("Code"))
    }
}

/// A key as it stands in a request's path: every byte escaped but letters,
/// digits, `/` and `.`, so that dot segments stay as they are.
pub(crate) fn escape(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
