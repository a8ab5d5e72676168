//! A server that isn't S3: it answers every request as it was told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server that isn't S3, until the tests end.
pub(crate) struct Stranger {
    /// Where it is.
    pub(crate) url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Stranger {
    /// Answers each request with what this makes of its head, or with nothing, and then waits for ever.
    pub(crate) fn answering(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&heads), Arc::new(answer));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || serve(connection.unwrap(), &log, &*answer));
            }
        });
        Self { url, heads }
    }

    /// The same page to everybody, with this status.
    pub(crate) fn page(status: &'static str, page: &'static str) -> Self {
        Self::answering(move |_| Some(answer(status, page)))
    }

    /// Takes connections, and never says a word.
    pub(crate) fn silent() -> Self {
        Self::answering(|_| None)
    }

    /// The requests so far, each as far as its empty line.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// An answer of this status and body.
pub(crate) fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn serve(mut connection: TcpStream, log: &Mutex<Vec<String>>, answer: &dyn Fn(&str) -> Option<String>) {
    let mut head = String::new();
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    while !head.ends_with("\r\n\r\n") {
        // What isn't HTTP at all (a TLS handshake) is left without an answer.
        if !reader.read_line(&mut head).is_ok_and(|read| read > 0) {
            return;
        }
    }
    log.lock().unwrap().push(head.clone());
    match answer(&head) {
        // The client may have gone away.
        Some(answer) => _ = connection.write_all(answer.as_bytes()),
        None => _ = reader.read_line(&mut head),
    }
}
