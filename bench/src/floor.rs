//! The floor: a bare hyper client that sends from memory, unsigned and
//! unchecked, on one thread. No S3 client that is built on hyper can cost less.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::str::FromStr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::bucket::Bucket;
use crate::content;

/// Which way the objects go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Put,
    Get,
}

impl FromStr for Direction {
    type Err = io::Error;

    fn from_str(text: &str) -> Result<Self, io::Error> {
        match text {
            "put" => Ok(Self::Put),
            "get" => Ok(Self::Get),
            _ => Err(io::Error::other(format!("{text} is neither put nor get"))),
        }
    }
}

/// Sends a request for each object of the bucket to the server at `address` (`host:port`).
pub(crate) fn run(direction: Direction, address: &str, bucket: &Bucket, connections: usize) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let next = Rc::new(Cell::new(0));
    LocalSet::new().block_on(&runtime, async {
        let workers: Vec<_> = (0..connections)
            .map(|_| tokio::task::spawn_local(work(direction, address.to_owned(), *bucket, Rc::clone(&next))))
            .collect();
        for worker in workers {
            worker.await??;
        }
        Ok(())
    })
}

/// Sends, over one connection, as long as objects are left.
async fn work(direction: Direction, address: String, bucket: Bucket, next: Rc<Cell<u64>>) -> io::Result<()> {
    let stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::task::spawn_local(connection);
    let (method, body) = match direction {
        Direction::Put => (Method::PUT, content::pieces(0, bucket.size).flatten().copied().collect()),
        Direction::Get => (Method::GET, Bytes::new()),
    };
    let name = if direction == Direction::Put { "empty" } else { "flat" };
    while let Some(number) = Some(next.get()).filter(|number| *number < bucket.count) {
        next.set(number + 1);
        let path = match direction {
            Direction::Put => format!("/{name}/{}", bucket.key(number)),
            Direction::Get => format!("/{name}-{}-{}/{}", bucket.count, bucket.size, bucket.key(number)),
        };
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header(HOST, &address)
            .body(Full::new(body.clone()))
            .map_err(io::Error::other)?;
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        if !response.status().is_success() {
            return Err(io::Error::other(format!("the server answered {}", response.status())));
        }
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            frame.map_err(io::Error::other)?;
        }
    }
    Ok(())
}
