//! Encryption as requests ask for it and answers say it.

use s3s::crypto::{Checksum, Md5};

use crate::client::{Running, running};

/// The MD5 of `hello`.
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

const SERVICE: &str = "x-amz-server-side-encryption";

/// The headers that bring a customer's key, of the source of a copy or not.
fn customer(of: &str, byte: u8) -> [(String, String); 3] {
    let (key, md5) = (base64(&[byte; 32]), base64(&Md5::checksum(&[byte; 32])));
    let name = |end: &str| format!("x-amz-{of}server-side-encryption-customer-{end}");
    [(name("algorithm"), "AES256".to_owned()), (name("key"), key), (name("key-MD5"), md5)]
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, place| bits << 8 | usize::from(*group.get(place).unwrap_or(&0)));
        for place in 0..4 {
            let digit = char::from(DIGITS[bits >> (18 - 6 * place) & 63]);
            text.push(if place <= group.len() { digit } else { '=' });
        }
    }
    text
}

fn plain(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test]
async fn what_the_service_encrypts_is_read_by_all_and_says_how() {
    let running = running().await;
    let put = running.send("PUT", "/bucket/s3", &[(SERVICE, "AES256")], "hello").await;
    assert_eq!((put.header(SERVICE), put.header("etag")), ("AES256", HELLO));
    let key = ("x-amz-server-side-encryption-aws-kms-key-id", "my-key");
    let put = running.send("PUT", "/bucket/kms", &[(SERVICE, "aws:kms"), key], "hello").await;
    assert_eq!((put.header(SERVICE), put.header(key.0)), ("aws:kms", "my-key"));
    assert!(put.header("etag") != HELLO && put.header("etag").len() == HELLO.len());
    let read = running.get("/bucket/kms").await;
    assert_eq!((read.text(), read.header("etag"), read.header(key.0)), ("hello", put.header("etag"), "my-key"));
    assert_eq!(running.head("/bucket/s3").await.header(SERVICE), "AES256");
    let copy = running.send("PUT", "/bucket/copy", &[("x-amz-copy-source", "/bucket/kms")], "").await;
    assert_eq!((copy.header(SERVICE), copy.first("ETag")), ("", HELLO.to_owned()), "a copy is encrypted as it asks");
    let refused = running.send("PUT", "/bucket/key", &[(SERVICE, "rot13")], "hello").await;
    assert_eq!(refused.error(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn what_a_customer_encrypts_is_read_with_the_key() {
    let running = running().await;
    let (right, wrong) = (customer("", 1), customer("", 2));
    let put = running.send("PUT", "/bucket/key", &plain(&right), "hello").await;
    assert_eq!((put.status, put.header("x-amz-server-side-encryption-customer-algorithm")), (200, "AES256"));
    assert_ne!(put.header("etag"), HELLO);
    let running = running.restarted().await;
    for method in ["GET", "HEAD"] {
        let read = async |headers: &[(String, String)]| running.send(method, "/bucket/key", &plain(headers), "").await;
        let read_right = read(&right).await;
        assert_eq!((read_right.status, read_right.header("etag")), (200, put.header("etag")));
        assert_eq!((read(&[]).await.status, read(&wrong).await.status), (400, 403));
    }
    running.put("/bucket/plain", "hello").await;
    let needless = running.send("GET", "/bucket/plain", &plain(&right), "").await;
    assert_eq!(needless.error(), (400, "InvalidRequest".into()));
    let copy = async |headers: &[(String, String)]| {
        let headers = [vec![("x-amz-copy-source", "/bucket/key")], plain(headers)].concat();
        running.send("PUT", "/bucket/copy", &headers, "").await.status
    };
    assert_eq!((copy(&[]).await, copy(&customer("copy-source-", 2)).await), (400, 403));
    assert_eq!(copy(&[customer("copy-source-", 1), wrong.clone()].concat()).await, 200);
    assert_eq!(running.send("GET", "/bucket/copy", &plain(&wrong), "").await.text(), "hello");
}

/// Uploads one part to an upload that is begun with some headers, and says what came of it.
async fn upload(running: &Running, begun: &[(&str, &str)], part: &[(&str, &str)]) -> (u16, String) {
    let id = running.send("POST", "/bucket/parts?uploads", begun, "").await.first("UploadId");
    let part = running.send("PUT", &format!("/bucket/parts?partNumber=1&uploadId={id}"), part, "hello").await;
    if part.status != 200 {
        return part.error();
    }
    let list = format!("<Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>", part.header("etag"));
    let list = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
    let done = running.post(&format!("/bucket/parts?uploadId={id}"), list).await;
    (done.status, done.first("ETag"))
}

#[tokio::test]
async fn parts_are_encrypted_as_their_upload() {
    let running = running().await;
    let (_, unsaid) = upload(&running, &[], &[]).await;
    assert_eq!(upload(&running, &[(SERVICE, "AES256")], &[]).await, (200, unsaid.clone()));
    assert_eq!(running.head("/bucket/parts").await.header(SERVICE), "AES256");
    let (status, etag) = upload(&running, &[(SERVICE, "aws:kms")], &[]).await;
    assert!(status == 200 && etag != unsaid && etag.ends_with("-1\""), "{etag}");
    let (one, two) = (customer("", 1), customer("", 2));
    let (one, two) = (plain(&one), plain(&two));
    let refused = (400, "InvalidRequest".to_owned());
    assert_eq!(upload(&running, &one, &[]).await, refused);
    assert_eq!(upload(&running, &one, &two).await, refused);
    assert_eq!(upload(&running, &[], &one).await, refused);
    assert_eq!(upload(&running, &one, &one).await.0, 200);
    assert_eq!(running.send("GET", "/bucket/parts", &one, "").await.text(), "hello");
}
