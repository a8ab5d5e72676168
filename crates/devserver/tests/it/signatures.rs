//! Signatures (`SigV4`), made here by hand.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use s3s::crypto::{Checksum, Sha256};
use s3s::dto::{Timestamp, TimestampFormat};

use crate::client::{ACCESS_KEY, Answer, Running, SECRET_KEY, running_with};

/// A request to be signed.
struct Signing<'a> {
    method: &'a str,
    path: &'a str,
    /// As it is signed: each parameter with its `=`.
    query: &'a str,
    access_key: &'a str,
    secret_key: &'a str,
    at: SystemTime,
    /// The value of `x-amz-content-sha256`.
    payload: String,
    /// Other headers, signed too, by name.
    headers: Vec<(&'a str, &'a str)>,
}

impl<'a> Signing<'a> {
    fn new(method: &'a str, path: &'a str, body: &str) -> Self {
        Self {
            method,
            path,
            query: "",
            access_key: ACCESS_KEY,
            secret_key: SECRET_KEY,
            at: SystemTime::now(),
            payload: hex(&Sha256::checksum(body.as_bytes())),
            headers: Vec::new(),
        }
    }

    /// The headers that sign the request.
    fn sign(&self, host: &str) -> Vec<(String, String)> {
        let date = date(self.at);
        let scope = format!("{}/us-east-1/s3/aws4_request", &date[..8]);
        let mut headers = vec![
            ("host".to_owned(), host.to_owned()),
            ("x-amz-content-sha256".to_owned(), self.payload.clone()),
            ("x-amz-date".to_owned(), date.clone()),
        ];
        headers.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let mut canonical = format!("{}\n{}\n{}\n", self.method, self.path, self.query);
        for (name, value) in &headers {
            writeln!(canonical, "{name}:{value}").unwrap();
        }
        write!(canonical, "\n{names}\n{}", self.payload).unwrap();
        let digest = hex(&Sha256::checksum(canonical.as_bytes()));
        let signature = hex(&hmac(&self.key(&date), &format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}")));
        let credential = format!("{}/{scope}", self.access_key);
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
        headers.push(("authorization".to_owned(), authorization));
        headers
    }

    fn key(&self, date: &str) -> [u8; 32] {
        let mut key = hmac(format!("AWS4{}", self.secret_key).as_bytes(), &date[..8]);
        for part in ["us-east-1", "s3", "aws4_request"] {
            key = hmac(&key, part);
        }
        key
    }

    async fn send(&self, running: &Running, body: &str) -> Answer {
        let headers = self.sign(&running.server.address().to_string());
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        running.send(self.method, &format!("{}?{}", self.path, self.query), &headers, body.to_owned()).await
    }
}

/// HMAC-SHA256 (RFC 2104).
fn hmac(key: &[u8], message: &str) -> [u8; 32] {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let digest = |pad: u8, message: &[u8]| {
        let padded: Vec<u8> = block.iter().map(|byte| byte ^ pad).chain(message.iter().copied()).collect();
        Sha256::checksum(&padded)
    };
    digest(0x5c, &digest(0x36, message.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// As `x-amz-date` has it.
fn date(at: SystemTime) -> String {
    let mut text = Vec::new();
    Timestamp::from(at).format(TimestampFormat::DateTime, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    format!("{}Z", text[..19].replace(['-', ':'], ""))
}

async fn with_bucket() -> Running {
    let running = running_with(|_| ()).await;
    assert_eq!(Signing::new("PUT", "/bucket", "").send(&running, "").await.status, 200);
    running
}

#[tokio::test]
async fn a_right_signature_passes_for_any_path() {
    let running = with_bucket().await;
    for path in ["/bucket/key", "/bucket/a//b", "/bucket/../x", "/bucket/.", "/bucket/%2B%20%C3%A4%01", "/bucket//"] {
        assert_eq!(Signing::new("PUT", path, "hello").send(&running, "hello").await.status, 200, "{path}");
        assert_eq!(Signing::new("GET", path, "").send(&running, "").await.text(), "hello");
    }
}

#[tokio::test]
async fn who_is_not_known_does_not_pass() {
    let running = with_bucket().await;
    let error = async |signing: Signing<'_>| signing.send(&running, "").await.error();
    let signing = || Signing::new("GET", "/bucket", "");
    let wrong = Signing { secret_key: "wrong", ..signing() };
    assert_eq!(error(wrong).await, (403, "SignatureDoesNotMatch".into()));
    let unknown = Signing { access_key: "unknown", ..signing() };
    assert_eq!(error(unknown).await, (403, "InvalidAccessKeyId".into()));
    let skew = Duration::from_secs(1000);
    for at in [SystemTime::now() - skew, SystemTime::now() + skew] {
        assert_eq!(error(Signing { at, ..signing() }).await, (403, "RequestTimeTooSkewed".into()));
    }
    assert_eq!(running.get("/bucket").await.error(), (403, "AccessDenied".into()));
    let refused = running.server.requests().into_iter().filter(|record| record.status == Some(403));
    // What is asked for is known once the signature is found right, be it made at the wrong time or missing.
    assert_eq!(refused.map(|record| record.operation.is_none()).collect::<Vec<_>>(), [true, true, false, false, false]);
}

#[tokio::test]
async fn a_signed_body_is_compared() {
    let running = with_bucket().await;
    let other = Signing::new("PUT", "/bucket/key", "hello").send(&running, "hallo").await;
    assert_eq!(other.error(), (400, "XAmzContentSHA256Mismatch".into()));
    assert_eq!(Signing::new("GET", "/bucket/key", "").send(&running, "").await.status, 404);
    let list = "<Delete><Object><Key>a</Key></Object></Delete>";
    let signing = Signing { query: "delete=", ..Signing::new("POST", "/bucket", "another list") };
    assert_eq!(signing.send(&running, list).await.error(), (400, "XAmzContentSHA256Mismatch".into()));
    let unsigned = Signing { payload: "UNSIGNED-PAYLOAD".into(), ..Signing::new("PUT", "/bucket/key", "") };
    assert_eq!(unsigned.send(&running, "anything").await.status, 200);
}

#[tokio::test]
async fn checksums_in_trailers_are_verified() {
    let running = with_bucket().await;
    let signing = |checksum: &str| {
        let body = format!("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n");
        let headers = vec![
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "5"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
        ];
        let payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned();
        (Signing { payload, headers, ..Signing::new("PUT", "/bucket/key", "") }, body)
    };
    let (request, body) = signing("AAAAAA==");
    assert_eq!(request.send(&running, &body).await.error(), (400, "BadDigest".into()));
    let (request, _) = signing("");
    let without = request.send(&running, "5\r\nhello\r\n0\r\n\r\n").await;
    assert_eq!(without.error(), (400, "InvalidRequest".into()), "it was announced");
    let (request, body) = signing("NhCmhg==");
    let put = request.send(&running, &body).await;
    assert_eq!((put.status, put.header("x-amz-checksum-crc32")), (200, "NhCmhg=="));
    let got = Signing::new("GET", "/bucket/key", "").send(&running, "").await;
    assert_eq!((got.text(), got.header("content-encoding")), ("hello", ""));
}
