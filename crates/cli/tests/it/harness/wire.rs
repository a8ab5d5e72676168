//! A client that names every key exactly, byte for byte on the wire: others
//! normalise what they are given, or can't say it. It signs nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::Scene;

impl Scene {
    /// Makes the scene's bucket.
    pub(super) fn make_bucket_unsigned(&self) {
        self.ask("PUT", &format!("/{}", self.bucket), b"");
    }

    /// Puts an object under exactly this key. The server must let everybody in: [`Scene::public`].
    #[track_caller]
    pub(crate) fn put_exactly(&self, key: &str, content: &[u8]) {
        self.ask("PUT", &format!("/{}/{}", self.bucket, escape(key)), content);
    }

    /// The same, with its CRC-32C, in base64.
    #[track_caller]
    pub(crate) fn put_exactly_with_crc32c(&self, key: &str, content: &[u8], crc32c: &str) {
        let headers = [("x-amz-checksum-crc32c", crc32c)];
        self.ask_with("PUT", &format!("/{}/{}", self.bucket, escape(key)), &headers, content);
    }

    /// Removes the object that has exactly this key.
    #[track_caller]
    pub(crate) fn remove_exactly(&self, key: &str) {
        self.ask("DELETE", &format!("/{}/{}", self.bucket, escape(key)), b"");
    }

    /// These objects of the bucket, whatever is listed.
    #[track_caller]
    pub(crate) fn objects_by_key<const N: usize>(&self, keys: [&str; N]) -> BTreeMap<String, Vec<u8>> {
        let get = |key: &str| (key.to_owned(), self.ask("GET", &format!("/{}/{}", self.bucket, escape(key)), b""));
        keys.into_iter().map(get).collect()
    }

    /// Every object of the bucket, with its content.
    #[track_caller]
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        let mut after = String::new();
        loop {
            let page = self.ask("GET", &format!("/{}?list-type=2&encoding-type=url{after}", self.bucket), b"");
            let page = String::from_utf8(page).unwrap();
            for key in texts(&page, "Key").into_iter().map(unescape) {
                let content = self.ask("GET", &format!("/{}/{}", self.bucket, escape(&key)), b"");
                objects.insert(key, content);
            }
            match texts(&page, "NextContinuationToken").first() {
                Some(token) => after = format!("&continuation-token={}", escape(token)),
                None => return objects,
            }
        }
    }

    /// The ids of the multipart uploads that are under way, or were left behind.
    #[track_caller]
    pub(crate) fn upload_ids(&self) -> Vec<String> {
        let listed = self.ask("GET", &format!("/{}?uploads", self.bucket), b"");
        texts(&String::from_utf8(listed).unwrap(), "UploadId").into_iter().map(str::to_owned).collect()
    }

    /// How many multipart uploads are under way, or were left behind.
    #[track_caller]
    pub(crate) fn uploads(&self) -> usize {
        self.upload_ids().len()
    }

    /// Puts an object with these headers. The server must let everybody in.
    #[track_caller]
    pub(crate) fn put_with(&self, key: &str, content: &[u8], headers: &[(&str, &str)]) {
        self.ask_with("PUT", &format!("/{}/{}", self.bucket, escape(key)), headers, content);
    }

    /// An object's access control list, as the service answers it: its owner's id, and what it grants.
    #[track_caller]
    pub(crate) fn access_control(&self, key: &str) -> (String, String) {
        let answer = String::from_utf8(self.ask("GET", &format!("/{}/{}?acl", self.bucket, escape(key)), b"")).unwrap();
        (texts(&answer, "ID")[0].to_owned(), texts(&answer, "AccessControlList")[0].to_owned())
    }

    /// Sends a request, which must succeed; the body of its answer.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, target: &str, body: &[u8]) -> Vec<u8> {
        self.ask_with(method, target, &[], body)
    }

    /// The same, with these headers.
    #[track_caller]
    fn ask_with(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let host = self.server.endpoint.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(host).unwrap();
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
        // moto lets everybody in who says who they are, whatever they sign with.
        let named = ("Authorization", "AWS4-HMAC-SHA256 Credential=moto-test/20260101/us-east-1/s3/aws4_request");
        for (name, value) in headers.iter().copied().chain(self.is_moto().then_some(named)) {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head.push_str("Connection: close\r\n\r\n");
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(body).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 2"), "{method} {target}: {}", String::from_utf8_lossy(&answer));
        if head.contains("transfer-encoding: chunked") { unchunked(&answer[end..]) } else { answer[end..].to_vec() }
    }
}

/// What stands in each element of this name.
fn texts<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap()).collect()
}

fn escape(key: &str) -> String {
    key.bytes().fold(String::new(), |mut escaped, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => escaped.push(byte.into()),
            _ => write!(escaped, "%{byte:02X}").unwrap(),
        }
        escaped
    })
}

fn unescape(escaped: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// The body that comes in chunks (RFC 9112, 7.1).
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
}
