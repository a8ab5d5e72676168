//! A connection: one request after the other, each answered whole.

use std::io;

use bytes::{Buf, BytesMut};
use md5::{Digest, Md5};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Server;
use super::answer::{Answer, answer};
use super::body::Body;
use super::head::Head;
use crate::content;

/// Bytes that are read at once.
const READ: usize = 256 << 10;

/// Bytes of content up to which it is written together with the head.
const TOGETHER: u64 = 64 << 10;

/// Serves the connection until the client ends it.
pub(super) async fn serve(server: &Server, mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(16 << 10);
    loop {
        let Some(head) = next_head(&mut stream, &mut buffer).await? else { return Ok(()) };
        if head.expects_continue {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        // Documents are short, and the only bodies that are sent with POST.
        let mut document = Vec::new();
        let mut md5 = Md5::new();
        let mut body = Body::of(&head);
        loop {
            let taken = body.take(&buffer, |content| {
                md5.update(content);
                if head.method == "POST" {
                    document.extend_from_slice(content);
                }
            });
            buffer.advance(taken);
            if body.is_over() {
                break;
            }
            more(&mut stream, &mut buffer, READ).await?;
        }
        let answer = answer(server, &head, md5.finalize().into(), &document);
        if !server.delay.is_zero() {
            tokio::time::sleep(server.delay).await;
        }
        write(server, &mut stream, &head, &answer).await?;
        if head.closes {
            return Ok(());
        }
    }
}

/// The next request's head; `None` where the client has ended the connection.
async fn next_head(stream: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<Option<Head>> {
    loop {
        if let Some((head, length)) = Head::read(buffer)? {
            buffer.advance(length);
            return Ok(Some(head));
        }
        buffer.reserve(8 << 10);
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

async fn more(stream: &mut TcpStream, buffer: &mut BytesMut, room: usize) -> io::Result<()> {
    buffer.reserve(room);
    match stream.read_buf(buffer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

async fn write(server: &Server, stream: &mut TcpStream, head: &Head, answer: &Answer) -> io::Result<()> {
    let length = answer.content.map_or(answer.body.len() as u64, |(start, end)| end - start);
    let mut start = format!(
        "HTTP/1.1 {}\r\nServer: null\r\nDate: {}\r\nx-amz-request-id: 0\r\n{}Content-Length: {length}\r\n\r\n",
        answer.status,
        server.date(),
        answer.headers
    )
    .into_bytes();
    if head.method == "HEAD" {
        return stream.write_all(&start).await;
    }
    start.extend_from_slice(answer.body.as_bytes());
    match answer.content {
        Some((from, to)) if to - from > TOGETHER => {
            stream.write_all(&start).await?;
            for piece in content::pieces(from, to) {
                stream.write_all(piece).await?;
            }
            Ok(())
        }
        content => {
            for piece in content.into_iter().flat_map(|(from, to)| content::pieces(from, to)) {
                start.extend_from_slice(piece);
            }
            stream.write_all(&start).await
        }
    }
}
