//! A small HTTP proxy in this process: it hands on requests, lets through
//! connections, and keeps what it was asked for.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy, until the tests end.
pub(crate) struct Proxy {
    /// Where it is: `127.0.0.1:port`.
    pub(crate) address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Lets everybody through.
    pub(crate) fn open() -> Self {
        Self::start(None, None)
    }

    /// Lets through who says this in `Proxy-Authorization`.
    pub(crate) fn guarded(authorization: &'static str) -> Self {
        Self::start(Some(authorization), None)
    }

    /// Answers everything with this status.
    pub(crate) fn refusing(status: &'static str) -> Self {
        Self::start(None, Some(status))
    }

    fn start(authorization: Option<&'static str>, refusal: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heads);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let log = Arc::clone(&log);
                // How a connection ends concerns nobody.
                thread::spawn(move || _ = serve(connection.unwrap(), &log, authorization, refusal));
            }
        });
        Self { address, heads }
    }

    /// The heads of the requests so far, each with its request line first.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Serves one request: a connection is closed after it.
fn serve(
    mut client: TcpStream,
    log: &Mutex<Vec<String>>,
    authorization: Option<&str>,
    refusal: Option<&str>,
) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    log.lock().unwrap().push(head.clone());
    let admitted = authorization.is_none_or(|wanted| header(&head, "proxy-authorization") == Some(wanted));
    let refusal = refusal.or((!admitted).then_some("407 Proxy Authentication Required"));
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    if let Some(status) = refusal {
        let page = "<html>the proxy says no</html>";
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}", page.len());
        return client.write_all(answer.as_bytes());
    }
    if method == "CONNECT" {
        let server = TcpStream::connect(target)?;
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        let (mut back, mut forth) = (server.try_clone()?, server);
        let mut client_back = client.try_clone()?;
        let returning = thread::spawn(move || {
            _ = io::copy(&mut back, &mut client_back);
            _ = client_back.shutdown(Shutdown::Both);
        });
        _ = io::copy(&mut reader, &mut forth);
        _ = forth.shutdown(Shutdown::Both);
        _ = returning.join();
        return Ok(());
    }
    let (authority, path) = target.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut server = TcpStream::connect(authority)?;
    server.write_all(forwarded(&head, &format!("{method} /{path} HTTP/1.1")).as_bytes())?;
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    io::copy(&mut reader.take(length), &mut server)?;
    io::copy(&mut server, &mut client)?;
    Ok(())
}

/// The head as the server gets it: with a line of its own, and without what is for the proxy.
fn forwarded(head: &str, line: &str) -> String {
    let headers = head.split("\r\n").skip(1).filter(|header| {
        let name = header.split(':').next().unwrap().to_ascii_lowercase();
        !header.is_empty() && name != "proxy-authorization" && name != "connection"
    });
    format!("{line}\r\n{}\r\nConnection: close\r\n\r\n", headers.collect::<Vec<_>>().join("\r\n"))
}

/// A header of a request.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n").find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}
