//! A request's head: what of it decides the answer.

use std::io;

/// Headers that a request may have.
const MOST_HEADERS: usize = 64;

/// What a request asks for.
#[derive(Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a header that is there or not")]
pub(super) struct Head {
    pub(super) method: String,
    /// As sent, without the query.
    pub(super) path: String,
    /// As sent.
    pub(super) query: String,
    /// Bytes of the body as it is sent, where they are known.
    pub(super) content_length: u64,
    /// `Transfer-Encoding: chunked`.
    pub(super) is_chunked: bool,
    /// AWS's own chunks, within the body
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>).
    pub(super) is_aws_chunked: bool,
    /// `Expect: 100-continue`.
    pub(super) expects_continue: bool,
    /// The first byte asked for, and the last one if it is named.
    pub(super) range: Option<(u64, Option<u64>)>,
    /// `Connection: close`.
    pub(super) closes: bool,
    /// The bucket that a copy is made from.
    pub(super) copy_source: Option<String>,
}

impl Head {
    /// Reads a head from the beginning of what came, and says how long it is; `None` if it isn't there whole.
    pub(super) fn read(bytes: &[u8]) -> io::Result<Option<(Self, usize)>> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(length) = request.parse(bytes).map_err(io::Error::other)? else {
            return Ok(None);
        };
        let target = request.path.unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let method = request.method.unwrap_or_default().to_owned();
        let mut head = Self { method, path: path.to_owned(), query: query.to_owned(), ..Self::default() };
        for header in request.headers.iter() {
            head.take(header.name, std::str::from_utf8(header.value).unwrap_or_default());
        }
        Ok(Some((head, length)))
    }

    fn take(&mut self, name: &str, value: &str) {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("content-length") {
            self.content_length = value.parse().unwrap_or_default();
        } else if is("transfer-encoding") {
            self.is_chunked = value.eq_ignore_ascii_case("chunked");
        } else if is("x-amz-content-sha256") {
            self.is_aws_chunked = value.starts_with("STREAMING-");
        } else if is("expect") {
            self.expects_continue = true;
        } else if is("connection") {
            self.closes = value.eq_ignore_ascii_case("close");
        } else if is("x-amz-copy-source") {
            self.copy_source = value.trim_start_matches('/').split('/').next().map(str::to_owned);
        } else if is("range") {
            let range = value.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
            self.range = range.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok())));
        }
    }

    /// The decoded value of a parameter; empty where it has none.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
            (found == name).then(|| decode(value))
        })
    }

    /// The bucket and the key, as they are; empty where the path names none.
    pub(super) fn bucket_and_key(&self) -> (&str, String) {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        (bucket, decode(key))
    }
}

fn decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => digit(bytes.next()).unwrap_or_default() << 4 | digit(bytes.next()).unwrap_or_default(),
            other => other,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_the_answer_is_read() {
        let request = b"PUT /b/a%20b?partNumber=2&uploadId=u HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\
            X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nExpect: 100-continue\r\nRange: bytes=3-9\r\n\r\nbody";
        assert_eq!(Head::read(&request[..40]).unwrap(), None);
        let (head, length) = Head::read(request).unwrap().unwrap();
        assert_eq!(&request[length..], b"body");
        assert_eq!(head.bucket_and_key(), ("b", "a b".to_owned()));
        assert_eq!(head.parameter("partNumber").as_deref(), Some("2"));
        assert_eq!((head.parameter("uploads"), head.content_length), (None, 5));
        assert!(head.is_aws_chunked && head.expects_continue && !head.is_chunked && !head.closes);
        assert_eq!(head.range, Some((3, Some(9))));
    }
}
