//! What arrives is what was sent, or an error.

use std::num::NonZeroUsize;

use brigade_s3::{
    Client, Condition, Config, DeleteObject, ErrorKind, GetObject, Provider, PutObject, Support, Verified,
};
use bytes::Bytes;

use crate::server::{Reaction, Server, answer, head_answer};

const MODIFIED: &str = "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\n";
const MD5_OF_123456789: &str = "25f9e794323b453885f5181f1b624d0b";
const CRC_OF_123456789: &str = "rosUhgp5mIg=";

fn object(headers: &str, body: &str) -> Reaction {
    answer("200 OK", &format!("{MODIFIED}{headers}"), body)
}

fn whole() -> GetObject<'static> {
    GetObject { key: "k", version_id: None, range: None, if_match: None, limit: 100 }
}

#[tokio::test]
async fn a_download_that_is_not_what_its_checksum_says_is_asked_for_again() {
    let crc = format!("x-amz-checksum-crc64nvme: {CRC_OF_123456789}\r\nx-amz-checksum-type: FULL_OBJECT\r\n");
    let server = Server::start([object(&crc, "123456780"), object(&crc, "123456789")]).await;
    let got = server.bucket().await.get_object(whole()).await.unwrap();
    assert_eq!((&got.body[..], got.verified), (&b"123456789"[..], Verified::Yes));
    let sent = server.finish().await;
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].header("x-amz-checksum-mode"), Some("ENABLED"));
}

#[tokio::test]
async fn a_range_that_nobody_asked_for_is_no_way_around_the_check() {
    let headers = format!("{MODIFIED}ETag: \"{MD5_OF_123456789}\"\r\nContent-Range: bytes 0-8/1000\r\n");
    for status in ["200 OK", "206 Partial Content"] {
        let reactions = ["123456780", "123456789"].map(|body| answer(status, &headers, body));
        let server = Server::start(reactions).await;
        let got = server.bucket().await.get_object(whole()).await.unwrap();
        assert_eq!((&got.body[..], got.verified), (&b"123456789"[..], Verified::Yes));
        assert_eq!(server.finish().await.len(), 2, "the first answer was taken");
    }
}

#[tokio::test]
async fn an_answer_for_which_there_is_no_room_is_refused_whether_it_comes_or_is_only_announced() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let comes = Reaction::Answer(format!("{chunked}65\r\n{:101}\r\n0\r\n\r\n", "").into_bytes());
    for answer in [head_answer("200 OK", MODIFIED, 1 << 60), comes] {
        let server = Server::start([answer]).await;
        let mut config = server.config();
        config.max_attempts = 1;
        let bucket = Client::connect(config).await.unwrap().bucket("b");
        let error = bucket.get_object(whole()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadAnswer);
        assert!(error.to_string().contains("longer than 100 bytes"), "{error}");
        server.finish().await;
    }
}

#[tokio::test]
async fn a_download_that_stays_corrupt_is_an_error() {
    let etag = format!("ETag: \"{MD5_OF_123456789}\"\r\n");
    let server = Server::start([object(&etag, "123456780"), object(&etag, "123456780")]).await;
    let mut config = server.config();
    config.max_attempts = 2;
    let bucket = Client::connect(config).await.unwrap().bucket("b");
    let error = bucket.get_object(whole()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(MD5_OF_123456789), "{error}");
    server.finish().await;
}

#[tokio::test]
async fn what_cannot_be_checked_is_said_to_be_so() {
    let headers = [
        String::new(),
        format!("ETag: \"{MD5_OF_123456789}-2\"\r\n"),
        format!("ETag: \"{}\"\r\nx-amz-server-side-encryption: aws:kms\r\n", "0".repeat(32)),
        format!("ETag: \"{}\"\r\nx-amz-server-side-encryption-customer-algorithm: AES256\r\n", "0".repeat(32)),
        "x-amz-checksum-crc64nvme: AAAAAAAAAAA=-2\r\n".to_owned(),
        format!("ETag: \"{MD5_OF_123456789}-2\"\r\nx-amz-checksum-crc32c: AAAAAA==\r\n"),
        "x-amz-checksum-crc32c: AAAAAA==\r\nx-amz-checksum-type: COMPOSITE\r\n".to_owned(),
        "x-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\nx-amz-checksum-type: COMPOSITE\r\n".to_owned(),
    ];
    for headers in headers {
        let server = Server::start([object(&headers, "123456789")]).await;
        let got = server.bucket().await.get_object(whole()).await.unwrap();
        assert_eq!(got.verified, Verified::Unverifiable, "{headers}");
        server.finish().await;
    }
}

#[tokio::test]
async fn a_range_carries_its_etag_and_comes_whole() {
    let part =
        |range: &str, body: &str| answer("206 Partial Content", &format!("{MODIFIED}Content-Range: {range}\r\n"), body);
    let wanted = || GetObject { range: Some(2..5), if_match: Some("e"), ..whole() };

    let server = Server::start([part("bytes 2-4/9", "345")]).await;
    let got = server.bucket().await.get_object(wanted()).await.unwrap();
    assert_eq!((&got.body[..], got.head.size, got.verified), (&b"345"[..], 9, Verified::Unverifiable));
    let sent = server.finish().await.remove(0);
    assert_eq!((sent.header("range"), sent.header("if-match")), (Some("bytes=2-4"), Some("\"e\"")));

    let wrong = [part("bytes 1-3/9", "234"), object("", "123456789"), part("bytes 2-3/9", "34")];
    let server = Server::start(wrong).await;
    let error = server.bucket().await.get_object(wanted()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer, "{error}");
    server.finish().await;
}

#[tokio::test]
async fn a_range_beyond_the_end_gives_what_there_is() {
    let headers = format!("{MODIFIED}Content-Range: bytes 0-8/9\r\nETag: \"{MD5_OF_123456789}\"\r\n");
    let server = Server::start([answer("206 Partial Content", &headers, "123456789")]).await;
    let got = server.bucket().await.get_object(GetObject { range: Some(0..50), ..whole() }).await.unwrap();
    assert_eq!((got.body.len(), got.head.size, got.verified), (9, 9, Verified::Yes));
    server.finish().await;
}

#[tokio::test]
async fn more_than_the_limit_is_not_taken() {
    let body = "x".repeat(101);
    let server = Server::start([object("", &body), object("", &body), object("", &body)]).await;
    let error = server.bucket().await.get_object(whole()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer, "{error}");
    server.finish().await;
}

/// Against a stranger: nothing but `Content-MD5` and the ETag.
#[tokio::test]
async fn an_upload_to_a_stranger_is_confirmed_by_its_md5() {
    let table = [
        (format!("ETag: \"{MD5_OF_123456789}\"\r\n"), Some(Verified::Yes)),
        ("ETag: \"opaque\"\r\n".to_owned(), Some(Verified::Unverifiable)),
        (format!("ETag: \"{}\"\r\n", "0".repeat(32)), None),
    ];
    for (headers, verified) in table {
        let server = Server::start([answer("200 OK", &headers, "")]).await;
        let mut config = server.config();
        (config.provider, config.max_attempts) = (None, 1);
        let bucket = Client::connect(config).await.unwrap().bucket("b");
        let object = PutObject {
            key: "k",
            body: Bytes::from_static(b"123456789"),
            condition: Condition::IfAbsent,
            ..PutObject::default()
        };
        let result = bucket.put_object(object).await;
        match verified {
            Some(verified) => assert_eq!(result.unwrap().verified, verified),
            None => assert_eq!(result.unwrap_err().kind(), ErrorKind::Corrupt),
        }
        let sent = server.finish().await.remove(0);
        assert_eq!(sent.header("content-md5"), Some("JfnnlDI7RTiF9RgfG2JNCw=="));
        assert_eq!((sent.header("x-amz-checksum-crc64nvme"), sent.header("if-none-match")), (None, None));
    }
}

#[tokio::test]
async fn a_stranger_whose_answers_say_what_it_is_is_not_trusted_with_the_order() {
    for (header, expected) in [("SeaweedFS 8000GB 4.48", Support::No), ("nginx", Support::Unknown)] {
        let server = Server::start([object(&format!("Server: {header}\r\n"), "123456789")]).await;
        let config = Config { provider: None, ..server.config() };
        let bucket = Client::connect(config).await.unwrap().bucket("b");
        assert_eq!(bucket.dialect().lists_by_bytes, Support::Unknown);
        bucket.get_object(whole()).await.unwrap();
        assert_eq!(bucket.dialect().lists_by_bytes, expected, "{header}");
    }
}

#[tokio::test]
async fn a_bulk_delete_accounts_for_every_key() {
    let answered = "<DeleteResult><Deleted><Key>a</Key></Deleted>\
        <Error><Key>b</Key><Code>AccessDenied</Code><Message>No.</Message></Error>\
        <Error><Key>c</Key><Code>InternalError</Code></Error></DeleteResult>";
    let removed = || answer("204 No Content", "", "");
    let server = Server::start([answer("200 OK", "", answered), removed(), removed(), removed()]).await;
    let bucket = server.bucket().await;
    let keys = ["a", "b", "c", "forgotten", "line\rend"].map(|key| DeleteObject {
        key,
        if_match: None,
        ..DeleteObject::default()
    });
    let results = bucket.delete_many(&keys, NonZeroUsize::MIN).await;
    let kinds: Vec<Option<ErrorKind>> =
        results.iter().map(|result| result.as_ref().err().map(brigade_s3::Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::AccessDenied), None, None, None]);
    assert!(results[1].as_ref().unwrap_err().to_string().contains("s3:DeleteObject"));
    let mut lines: Vec<String> = server.finish().await.into_iter().map(|request| request.line).collect();
    lines.sort();
    let expected = [
        "DELETE /b/c HTTP/1.1",
        "DELETE /b/forgotten HTTP/1.1",
        "DELETE /b/line%0Dend HTTP/1.1",
        "POST /b?delete= HTTP/1.1",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_stranger_is_asked_to_delete_one_by_one() {
    let server = Server::start([answer("204 No Content", "", ""), answer("204 No Content", "", "")]).await;
    let mut config = server.config();
    config.provider = Some(Provider::Unknown);
    let bucket = Client::connect(config).await.unwrap().bucket("b");
    let keys = ["a", "b"].map(|key| DeleteObject { key, if_match: Some("e"), ..DeleteObject::default() });
    assert!(bucket.delete_many(&keys, NonZeroUsize::MIN).await.iter().all(Result::is_ok));
    let sent = server.finish().await;
    assert!(sent.iter().all(|request| request.line.starts_with("DELETE ") && request.header("if-match").is_none()));
}
