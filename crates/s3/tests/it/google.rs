//! Google Cloud Storage: its own names in every request, and writes that generations guard.

use brigade_s3::{
    AccessKey, Bucket, Client, CompleteMultipartUpload, Condition, Config, CreateMultipartUpload, DeleteObject,
    ErrorKind, GetObject, HeadObject, ListObjectVersions, NewHeaders, Provider, PutObject, Stored, UploadPart,
    Verified,
};
use bytes::Bytes;

use crate::server::{Reaction, Received, Server, answer, head_answer, refusal};

/// `printf x | md5sum`, in both forms.
const MD5: &str = "ndTkYSaMgDT1yFZOFVxnpg==";
const MD5_HEX: &str = "9dd4e461268c8034f5c8564e155c67a6";

async fn bucket(server: &Server) -> Bucket {
    let access_key = AccessKey { id: "GOOG1ETEST".to_owned(), secret: "hush".to_owned(), session_token: None };
    let config = Config { provider: Some(Provider::Gcs), sign: true, access_key: Some(access_key), ..server.config() };
    Client::connect(config).await.unwrap().bucket("b")
}

/// What the server has of the object: `x`, of generation 7.
fn object() -> Reaction {
    let headers = format!(
        "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"e\"\r\nx-goog-generation: 7\r\n\
         x-goog-meta-mtime: 5\r\nx-goog-hash: crc32c=AAAAAA==\r\nx-goog-hash: md5={MD5}\r\nx-goog-stored-content-length: 1\r\n"
    );
    head_answer("200 OK", &headers, 1)
}

/// What was asked for: methods and what guards them.
fn asked(received: &[Received]) -> Vec<String> {
    let show = |request: &Received| {
        let method = request.line.split(' ').next().unwrap_or_default();
        let guard = request.header("x-goog-if-generation-match").map(|guard| format!(" {guard}"));
        format!("{method}{}", guard.unwrap_or_default())
    };
    received.iter().map(show).collect()
}

#[tokio::test]
async fn a_write_is_in_googles_names_signed_in_its_way_and_guarded_by_generation() {
    let headers = format!("ETag: \"{MD5_HEX}\"\r\nx-goog-generation: 8\r\nx-goog-hash: crc32c=AAAAAA==,md5={MD5}\r\n");
    let server = Server::start([answer("200 OK", &headers, "")]).await;
    let put = PutObject {
        key: "k",
        body: Bytes::from_static(b"x"),
        headers: NewHeaders { metadata: &[("mtime", "5")], ..NewHeaders::default() },
        condition: Condition::IfAbsent,
    };
    let stored = bucket(&server).await.put_object(put).await.unwrap();
    assert_eq!(stored, Stored { etag: MD5_HEX.into(), generation: Some("8".into()), verified: Verified::Yes });

    let [request]: [Received; 1] = server.finish().await.try_into().unwrap();
    assert!(request.names().all(|name| !name.starts_with("x-amz-")), "{request:?}");
    assert_eq!(request.header("x-goog-if-generation-match"), Some("0"));
    assert_eq!(request.header("x-goog-meta-mtime"), Some("5"));
    assert_eq!(request.header("content-md5"), Some(MD5));
    let authorization = request.header("authorization").unwrap();
    assert!(authorization.starts_with("GOOG4-HMAC-SHA256 Credential=GOOG1ETEST/"), "{authorization}");
    assert!(authorization.contains("/auto/storage/goog4_request,"), "{authorization}");
    assert!(authorization.contains(";x-goog-if-generation-match;"), "the guard is signed: {authorization}");
}

#[tokio::test]
async fn objects_are_asked_for_as_they_are_stored_which_is_not_signed() {
    let server = Server::start([object()]).await;
    let head = bucket(&server).await.head_object(HeadObject { key: "k", version_id: None }).await.unwrap();
    assert_eq!((head.size, head.generation.as_deref(), head.metadata("mtime")), (1, Some("7"), Some("5")));
    let [request]: [Received; 1] = server.finish().await.try_into().unwrap();
    assert_eq!(request.header("accept-encoding"), Some("gzip"));
    assert!(!request.header("authorization").unwrap().contains("accept-encoding"));
}

/// Also of a service that is known as Google by its address alone.
#[tokio::test]
async fn versions_are_not_listed_and_not_asked_for() {
    let server = Server::start([]).await;
    let error = bucket(&server).await.list_object_versions(ListObjectVersions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotImplemented);
    assert!(error.message().contains("nothing is done with them"), "{error}");
    assert!(server.finish().await.is_empty());
}

#[tokio::test]
async fn what_was_decompressed_on_its_way_is_not_taken_for_the_object() {
    let headers = "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nx-goog-stored-content-length: 9\r\n";
    let server = Server::start([(); 3].map(|()| answer("200 OK", headers, "x"))).await;
    let wanted = GetObject { key: "k", version_id: None, range: None, if_match: None, limit: 100 };
    let error = bucket(&server).await.get_object(wanted).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
    assert!(error.message().contains("stored as 9: it was decompressed"), "{error}");
}

#[tokio::test]
async fn content_is_verified_by_the_digest_that_is_told_and_never_by_an_etag() {
    let wanted = || GetObject { key: "k", version_id: None, range: None, if_match: None, limit: 100 };
    let date = "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\n";
    // Of parts: an ETag that happens to look like an MD5, and no digest of that kind.
    let of_parts = format!("{date}ETag: \"00000000000000000000000000000000\"\r\nx-goog-hash: crc32c=qTxfkw==\r\n");
    let told = format!("{date}x-goog-hash: md5={MD5}\r\n");
    let both = format!("{date}x-goog-hash: crc32c=AAAAAA==,md5={MD5}\r\n");
    let table = [
        (of_parts.clone(), "x", Ok(Verified::Yes)),
        (of_parts, "y", Err(())),
        (told.clone(), "x", Ok(Verified::Yes)),
        (told, "y", Err(())),
        (both, "x", Ok(Verified::Yes)),
        (format!("{date}x-goog-hash: crc32c=AAAA\r\n"), "x", Ok(Verified::Unverifiable)),
    ];
    for (headers, body, expected) in table {
        let server = Server::start([(); 3].map(|()| answer("200 OK", &headers, body))).await;
        let got = bucket(&server).await.get_object(wanted()).await;
        assert_eq!(got.map(|got| got.verified).map_err(|error| assert_eq!(error.kind(), ErrorKind::Corrupt)), expected);
    }
}

#[tokio::test]
async fn where_only_the_etag_is_known_a_look_tells_the_generation_that_guards() {
    let server = Server::start([object(), answer("204 No Content", "", "")]).await;
    let delete = DeleteObject { key: "k", if_match: Some("e"), ..DeleteObject::default() };
    bucket(&server).await.delete_object(delete).await.unwrap();
    assert_eq!(asked(&server.finish().await), ["HEAD", "DELETE 7"]);

    let server = Server::start([object()]).await;
    let stale = DeleteObject { key: "k", if_match: Some("other"), ..DeleteObject::default() };
    let error = bucket(&server).await.delete_object(stale).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert_eq!(asked(&server.finish().await), ["HEAD"]);
}

#[tokio::test]
async fn a_generation_that_is_gone_is_looked_for_before_its_removal_is_a_failure() {
    let refused = || refusal("412 Precondition Failed", "", "PreconditionFailed");
    let table = [(head_answer("404 Not Found", "", 0), Ok(())), (object(), Err(ErrorKind::PreconditionFailed))];
    for (there, expected) in table {
        let server = Server::start([refused(), there]).await;
        let delete = DeleteObject { key: "k", generation: Some("6"), ..DeleteObject::default() };
        let outcome = bucket(&server).await.delete_object(delete).await;
        assert_eq!(outcome.map_err(|error| error.kind()), expected);
        assert_eq!(asked(&server.finish().await), ["DELETE 6", "HEAD"]);
    }
}

#[tokio::test]
async fn an_upload_in_parts_takes_no_guard_and_is_completed_after_a_look() {
    // No MD5 of the parts' MD5s, though it looks like one.
    let etag = "00000000000000000000000000000000-1";
    let done = format!("<CompleteMultipartUploadResult><ETag>\"{etag}\"</ETag></CompleteMultipartUploadResult>");
    let part_taken = || answer("200 OK", &format!("ETag: \"{MD5_HEX}\"\r\nx-goog-hash: md5={MD5}\r\n"), "");
    let complete = async |bucket: Bucket, condition| {
        let part = UploadPart { key: "k", upload_id: "u", number: 1, body: Bytes::from_static(b"x") };
        let parts = [bucket.upload_part(part).await.unwrap()];
        let upload = CompleteMultipartUpload { key: "k", upload_id: "u", parts: &parts, condition, resumed: false };
        bucket.complete_multipart_upload(upload).await
    };
    let server = Server::start([part_taken(), object(), answer("200 OK", "x-goog-generation: 8\r\n", &done)]).await;
    let stored = complete(bucket(&server).await, Condition::IfGeneration("7")).await;
    assert_eq!(stored.unwrap(), Stored { etag: etag.into(), generation: Some("8".into()), verified: Verified::Yes });
    assert_eq!(asked(&server.finish().await), ["PUT", "HEAD", "POST"]);

    for condition in [Condition::IfAbsent, Condition::IfMatch("other"), Condition::IfGeneration("6")] {
        let server = Server::start([part_taken(), object()]).await;
        let error = complete(bucket(&server).await, condition).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{condition:?}");
        assert_eq!(asked(&server.finish().await), ["PUT", "HEAD"]);
    }
}

/// Its ETag says nothing, and the upload is gone.
#[tokio::test]
async fn a_complete_whose_answer_was_lost_is_recognised_by_its_crc32c() {
    let nothing = || head_answer("404 Not Found", "", 0);
    let there = |crc32c: &str| {
        let headers = format!(
            "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"opaque\"\r\nx-goog-generation: 8\r\n\
             x-goog-hash: crc32c={crc32c}\r\n"
        );
        head_answer("200 OK", &headers, 9)
    };
    let stored = Stored { etag: "opaque".into(), generation: Some("8".into()), verified: Verified::Yes };
    // Of `123456789`, and of something else.
    for (crc32c, expected) in [("4waSgw==", Ok(stored)), ("AAAAAA==", Err(ErrorKind::PreconditionFailed))] {
        let taken = answer("200 OK", "ETag: \"p\"\r\n", "");
        let script = [taken, nothing(), Reaction::HangUp, there(crc32c), there(crc32c)];
        let server = Server::start(script).await;
        let bucket = bucket(&server).await;
        let part = UploadPart { key: "k", upload_id: "u", number: 1, body: Bytes::from_static(b"123456789") };
        let parts = [bucket.upload_part(part).await.unwrap()];
        let condition = Condition::IfAbsent;
        let upload = CompleteMultipartUpload { key: "k", upload_id: "u", parts: &parts, condition, resumed: false };
        let outcome = bucket.complete_multipart_upload(upload).await.map_err(|error| error.kind());
        assert_eq!(outcome, expected);
        assert_eq!(asked(&server.finish().await), ["PUT", "HEAD", "POST", "HEAD", "HEAD"]);
    }
}

#[tokio::test]
async fn a_version_is_a_number_or_is_not_asked_for() {
    let server = Server::start([object()]).await;
    let bucket = bucket(&server).await;
    let head = async |version_id| bucket.head_object(HeadObject { key: "k", version_id: Some(version_id) }).await;
    for no_number in ["3sL4kqtJlcpXroDTDmJ", "null", "-7", ""] {
        let error = head(no_number).await.unwrap_err();
        assert!(error.to_string().contains("Google Cloud Storage numbers them"), "{error}");
    }
    assert_eq!(head("7").await.unwrap().generation.as_deref(), Some("7"));
    let [request]: [Received; 1] = server.finish().await.try_into().unwrap();
    assert_eq!(request.line, "HEAD /b/k?generation=7 HTTP/1.1");
}

/// Google answers 411 to a POST without one.
#[tokio::test]
async fn a_request_without_a_body_says_so() {
    let begun = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
    let server = Server::start([answer("200 OK", "", begun)]).await;
    let upload = CreateMultipartUpload { key: "k", ..CreateMultipartUpload::default() };
    bucket(&server).await.create_multipart_upload(upload).await.unwrap();
    let [request]: [Received; 1] = server.finish().await.try_into().unwrap();
    assert_eq!(request.header("content-length"), Some("0"));
}
