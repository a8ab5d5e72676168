//! A server that does what a test tells it to, byte by byte: it need not make
//! sense. It asks for no signature, and answers one request after the other on
//! as many connections as are opened.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{Credentials, Server};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Such as `GET`.
    pub(crate) method: String,
    /// The path and the query, escaped as they came.
    pub(crate) target: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

impl Asked {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value of a query parameter, escaped as it came.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(found, _)| *found == name))
            .map(|(_, value)| value)
    }

    /// Whether it is a listing.
    pub(crate) fn lists(&self) -> bool {
        self.query("list-type").is_some()
    }
}

/// What the server does about a request.
pub(crate) enum Reply {
    /// Sends this, and takes the connection's next request.
    Answer(Vec<u8>),
    /// Sends this, and closes the connection, without having said that it would.
    Last(Vec<u8>),
    /// Sends this before the request's body is read, and takes no more requests.
    Early(Vec<u8>),
    /// Sends the first, then the second again and again, until the client goes away.
    Endless(Vec<u8>, Vec<u8>),
    /// Closes the connection without a word.
    HangUp,
    /// Says nothing, for as long as the client waits.
    Silence,
}

impl Reply {
    /// An answer as HTTP has it; the headers each end in `\r\n`.
    pub(crate) fn of(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len()).into_bytes();
        answer.extend_from_slice(body);
        Self::Answer(answer)
    }

    /// S3's way of refusing.
    pub(crate) fn refusal(status: &str, code: &str) -> Self {
        Self::of(status, "", format!("<Error><Code>{code}</Code><Message>Because.</Message></Error>"))
    }

    /// The same, but the connection is closed after it without a word.
    pub(crate) fn then_closed(self) -> Self {
        match self {
            Self::Answer(bytes) => Self::Last(bytes),
            other => other,
        }
    }

    /// The same, but before the request's body is read.
    pub(crate) fn early(self) -> Self {
        match self {
            Self::Answer(bytes) => Self::Early(bytes),
            other => other,
        }
    }
}

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The server. It runs until the tests end.
pub(crate) struct Scripted {
    endpoint: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Starts one on a free port.
    pub(crate) fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, log): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&asked));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                // A client that goes away in the middle is none of a test's business.
                thread::spawn(move || connection.and_then(|connection| serve(&connection, script.as_ref(), &log)));
            }
        });
        Self { endpoint, asked }
    }

    /// How to reach it.
    pub(crate) fn server(&self) -> Server {
        let credentials = Credentials { access_key_id: "anybody".into(), secret_access_key: "anything".into() };
        Server { endpoint: self.endpoint.clone(), credentials }
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(connection: &TcpStream, script: &Script, log: &Mutex<Vec<Asked>>) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut writer = connection;
    while let Some(asked) = receive(&mut reader)? {
        let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
        log.lock().unwrap().push(asked.clone());
        let reply = script(&asked);
        if let Reply::Early(answer) = reply {
            writer.write_all(&answer)?;
            connection.shutdown(Shutdown::Write)?;
            // What is still on its way is taken, so that the answer isn't lost to a reset.
            return io::copy(&mut reader, &mut io::sink()).map(drop);
        }
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        match reply {
            Reply::Answer(answer) => writer.write_all(&answer)?,
            Reply::Endless(first, again) => {
                writer.write_all(&first)?;
                loop {
                    writer.write_all(&again)?;
                }
            }
            Reply::Last(answer) => return writer.write_all(&answer),
            Reply::Silence => return io::copy(&mut reader, &mut io::sink()).map(drop),
            Reply::Early(_) | Reply::HangUp => return Ok(()),
        }
    }
    Ok(())
}

/// The head of the next request; `None` where there is no other.
fn receive(reader: &mut impl io::BufRead) -> io::Result<Option<Asked>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines[0].split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let header =
        |line: &String| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    Ok(Some(Asked { method, target, headers: lines[1..].iter().filter_map(header).collect() }))
}
