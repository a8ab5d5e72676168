//! A scripted server: takes one request after the other, keeps it, and answers
//! as it was told, byte by byte.

use std::sync::{Arc, Mutex};

use brigade_s3::{Bucket, Client, Config, Provider};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    /// Sends these bytes and closes the connection.
    Answer(Vec<u8>),
    /// Closes the connection without a word.
    HangUp,
    /// Says nothing, and keeps the connection open until the client gives up.
    Silence,
}

/// An answer with headers (each ending in `\r\n`) and a body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Reaction {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}");
    Reaction::Answer(text.into_bytes())
}

/// An answer to a HEAD: without a body, but with the length that one would have.
pub(crate) fn head_answer(status: &str, headers: &str, length: usize) -> Reaction {
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    Reaction::Answer(text.into_bytes())
}

/// S3's way of refusing.
pub(crate) fn refusal(status: &str, headers: &str, code: &str) -> Reaction {
    answer(status, headers, &format!("<Error><Code>{code}</Code><Message>Because.</Message></Error>"))
}

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// Method, target and version.
    pub(crate) line: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// The server: it goes through its script and then takes no more.
pub(crate) struct Server {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// A server without encryption.
    pub(crate) async fn start(script: impl IntoIterator<Item = Reaction>) -> Self {
        Self::start_with(script, None).await
    }

    /// A server that encrypts, if it has something to do it with. A connection
    /// that the client gives up while it is being encrypted takes its turn.
    pub(crate) async fn start_with(script: impl IntoIterator<Item = Reaction>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let script: Vec<Reaction> = script.into_iter().collect();
        let log = received.clone();
        let task = tokio::spawn(async move {
            for reaction in script {
                let (connection, _) = listener.accept().await.unwrap();
                match &tls {
                    None => serve(connection, reaction, &log).await,
                    Some(tls) => {
                        if let Ok(connection) = tls.accept(connection).await {
                            serve(connection, reaction, &log).await;
                        }
                    }
                }
            }
        });
        Self { url, received, task }
    }

    /// Everything received, once the script has been played to its end.
    pub(crate) async fn finish(self) -> Vec<Received> {
        self.task.await.unwrap();
        self.received.lock().unwrap().clone()
    }

    /// What a client for this server is made from; nothing of it comes from the environment.
    pub(crate) fn config(&self) -> Config {
        Config {
            endpoint_url: Some(self.url.clone()),
            region: Some("us-east-1".to_owned()),
            sign: false,
            provider: Some(Provider::Aws),
            retry_pause: std::time::Duration::ZERO,
            ..Config::default()
        }
    }

    /// The bucket `b` of a client for this server.
    pub(crate) async fn bucket(&self) -> Bucket {
        Client::connect(self.config()).await.unwrap().bucket("b")
    }
}

async fn serve(mut connection: impl AsyncRead + AsyncWrite + Unpin, reaction: Reaction, log: &Mutex<Vec<Received>>) {
    let request = receive(&mut connection).await;
    log.lock().unwrap().push(request);
    match reaction {
        Reaction::Answer(bytes) => {
            connection.write_all(&bytes).await.unwrap();
            connection.shutdown().await.unwrap();
        }
        Reaction::HangUp => {}
        Reaction::Silence => assert_eq!(connection.read(&mut [0]).await.unwrap(), 0),
    }
}

async fn receive(connection: &mut (impl AsyncRead + Unpin)) -> Received {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        assert!(connection.read_buf(&mut bytes).await.unwrap() > 0, "the request ended early");
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        assert!(connection.read_buf(&mut body).await.unwrap() > 0, "the body ended early");
    }
    Received { line, headers, body }
}
