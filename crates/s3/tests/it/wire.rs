//! Requests as they go over the wire: no byte of a key is changed on its way.

use brigade_s3::{Addressing, Client, Config, DeleteObject, ListObjectsV2, PutObject};
use bytes::Bytes;

use crate::server::{Server, answer};

/// Keys that other clients have changed on their way, and how they must stand in a path.
const HOSTILE: [(&str, &str); 15] = [
    (".", "."),
    ("..", ".."),
    ("./", "./"),
    ("../x", "../x"),
    ("a/../b", "a/../b"),
    ("a/./b", "a/./b"),
    ("a//b", "a//b"),
    ("/a", "/a"),
    ("//", "//"),
    ("a/", "a/"),
    ("a b+c%20", "a%20b%2Bc%2520"),
    ("a?b#c&d=e", "a%3Fb%23c%26d%3De"),
    ("é\u{2028}\u{1f600}", "%C3%A9%E2%80%A8%F0%9F%98%80"),
    ("a\\b\"<>^`{|}", "a%5Cb%22%3C%3E%5E%60%7B%7C%7D"),
    ("http://x@y:1/z", "http%3A//x%40y%3A1/z"),
];

async fn sent_for(config: Config, server: Server, keys: &[&str]) -> Vec<String> {
    let bucket = Client::connect(config).await.unwrap().bucket("b");
    for key in keys {
        bucket.delete_object(DeleteObject { key, if_match: None, ..DeleteObject::default() }).await.unwrap();
    }
    server.finish().await.into_iter().map(|request| request.line).collect()
}

#[tokio::test]
async fn hostile_keys_stand_in_the_path_as_they_are() {
    let server = Server::start(HOSTILE.map(|_| answer("204 No Content", "", ""))).await;
    let sent = sent_for(server.config(), server, &HOSTILE.map(|(key, _)| key)).await;
    let expected = HOSTILE.map(|(_, path)| format!("DELETE /b/{path} HTTP/1.1"));
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn hostile_keys_stand_below_the_buckets_host_as_they_are() {
    let server = Server::start(HOSTILE.map(|_| answer("204 No Content", "", ""))).await;
    let mut config = server.config();
    config.addressing = Addressing::Virtual;
    config.endpoint_url = Some(server.url.replace("127.0.0.1", "localhost"));
    let sent = sent_for(config, server, &HOSTILE.map(|(key, _)| key)).await;
    let expected = HOSTILE.map(|(_, path)| format!("DELETE /{path} HTTP/1.1"));
    assert_eq!(sent, expected);
}

/// Every character that one byte can make, and the ends of UTF-8's ranges.
#[tokio::test]
async fn every_byte_that_s3_takes_reaches_the_server() {
    let key: String =
        (0..=0x7f).chain([0x80, 0x7ff, 0x800, 0xffff, 0x1_0000, 0x10_ffff]).filter_map(char::from_u32).collect();
    let long = "é".repeat(512);
    let server = Server::start([answer("204 No Content", "", ""), answer("204 No Content", "", "")]).await;
    let sent = sent_for(server.config(), server, &[&key, &long]).await;
    for (line, key) in sent.iter().zip([key, long]) {
        let path = line.strip_prefix("DELETE /b/").unwrap().strip_suffix(" HTTP/1.1").unwrap();
        let decoded: Vec<u8> = percent_decoded(path);
        assert_eq!(decoded, key.as_bytes());
    }
}

fn percent_decoded(path: &str) -> Vec<u8> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            decoded.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            decoded.push(byte);
        }
    }
    decoded
}

#[tokio::test]
async fn a_listing_asks_for_what_it_was_told() {
    let page = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    let server = Server::start([answer("200 OK", "", page), answer("200 OK", "", page)]).await;
    let bucket = server.bucket().await;
    let first = ListObjectsV2 {
        prefix: "a+b/é",
        start_after: Some("a+b/é /\r"),
        delimiter: Some("/"),
        max_keys: Some(7),
        continuation_token: None,
    };
    bucket.list_objects_v2(first).await.unwrap();
    let next = ListObjectsV2 { continuation_token: Some("1/+="), ..first };
    bucket.list_objects_v2(next).await.unwrap();
    let sent: Vec<String> = server.finish().await.into_iter().map(|request| request.line).collect();
    let expected = [
        "GET /b?delimiter=%2F&encoding-type=url&list-type=2&max-keys=7&prefix=a%2Bb%2F%C3%A9\
         &start-after=a%2Bb%2F%C3%A9%20%2F%0D HTTP/1.1",
        "GET /b?continuation-token=1%2F%2B%3D&delimiter=%2F&encoding-type=url&list-type=2&max-keys=7\
         &prefix=a%2Bb%2F%C3%A9 HTTP/1.1",
    ];
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_put_carries_what_goes_with_the_content() {
    let server =
        Server::start([answer("200 OK", "ETag: \"e\"\r\nx-amz-checksum-crc64nvme: rosUhgp5mIg=\r\n", "")]).await;
    let mut config = server.config();
    config.request_payer = true;
    let bucket = Client::connect(config).await.unwrap().bucket("b");
    let object = PutObject {
        key: "k",
        body: Bytes::from_static(b"123456789"),
        headers: brigade_s3::NewHeaders {
            content_type: Some("text/plain"),
            metadata: &[("mtime", "1.5")],
            ..Default::default()
        },
        condition: brigade_s3::Condition::IfMatch("old"),
    };
    let stored = bucket.put_object(object).await.unwrap();
    assert_eq!((stored.etag.as_str(), stored.verified), ("e", brigade_s3::Verified::Yes));
    let sent = server.finish().await.remove(0);
    let expected = [
        ("content-type", "text/plain"),
        ("x-amz-meta-mtime", "1.5"),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
        ("x-amz-request-payer", "requester"),
        ("if-match", "\"old\""),
        ("content-length", "9"),
    ];
    for (name, value) in expected {
        assert_eq!(sent.header(name), Some(value), "{name}");
    }
    assert_eq!(sent.header("authorization"), None);
    assert_eq!(sent.body, b"123456789");
}
