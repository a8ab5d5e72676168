//! What is sent again, what is mended first, and what is told at once.

use std::num::NonZeroUsize;

use brigade_s3::{
    AccessKey, Client, CompleteMultipartUpload, Condition, DeleteObject, ErrorKind, GetObject, HeadObject, PutObject,
    Stored, UploadPart, Verified,
};
use bytes::Bytes;

use crate::server::{Reaction, Server, answer, head_answer, refusal};

const CRC_OF_123456789: &str = "rosUhgp5mIg=";

fn put(condition: Condition<'_>) -> PutObject<'_> {
    PutObject { key: "k", body: Bytes::from_static(b"123456789"), condition, ..PutObject::default() }
}

fn whole(key: &str) -> GetObject<'_> {
    GetObject { key, range: None, if_match: None, limit: 1 << 20 }
}

/// An object of nine bytes, as the service sends it.
fn object() -> Reaction {
    let headers = "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"25f9e794323b453885f5181f1b624d0b\"\r\n";
    answer("200 OK", headers, "123456789")
}

#[tokio::test]
async fn what_passes_is_sent_again() {
    let passing = [
        refusal("503 Slow Down", "", "SlowDown"),
        refusal("500 Internal Server Error", "", "InternalError"),
        refusal("429 Too Many Requests", "", "TooManyRequests"),
        refusal("400 Bad Request", "", "RequestTimeout"),
        answer("502 Bad Gateway", "", "<html>"),
        Reaction::HangUp,
        Reaction::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234".to_vec()),
    ];
    let count = passing.len();
    let server = Server::start(passing.into_iter().chain([object()])).await;
    let bucket = server.bucket().await;
    let got = bucket.get_object(whole("k")).await.unwrap();
    assert_eq!((&got.body[..], got.verified), (&b"123456789"[..], Verified::Yes));
    assert_eq!(server.finish().await.len(), count + 1);
    let counts = bucket.client().request_counts();
    assert_eq!((counts[0].operation, counts[0].sent, counts[0].retries), ("GetObject", 8, 7));
}

#[tokio::test]
async fn what_does_not_pass_is_told_at_once() {
    let table = [
        (refusal("404 Not Found", "", "NoSuchKey"), ErrorKind::NotFound),
        (refusal("404 Not Found", "", "NoSuchBucket"), ErrorKind::NoSuchBucket),
        (refusal("403 Forbidden", "", "AccessDenied"), ErrorKind::AccessDenied),
        (refusal("403 Forbidden", "", "SignatureDoesNotMatch"), ErrorKind::Credentials),
        (refusal("412 Precondition Failed", "", "PreconditionFailed"), ErrorKind::PreconditionFailed),
        (refusal("400 Bad Request", "", "KeyTooLongError"), ErrorKind::KeyTooLong),
        (refusal("501 Not Implemented", "", "NotImplemented"), ErrorKind::NotImplemented),
        (answer("418 I'm a teapot", "", ""), ErrorKind::Other),
    ];
    for (reaction, kind) in table {
        let server = Server::start([reaction]).await;
        let error = server.bucket().await.get_object(whole("k")).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(server.finish().await.len(), 1);
    }
}

#[tokio::test]
async fn attempts_are_limited() {
    let server =
        Server::start([refusal("503 Slow Down", "", "SlowDown"), refusal("503 Slow Down", "", "SlowDown")]).await;
    let mut config = server.config();
    config.max_attempts = 2;
    let bucket = Client::connect(config).await.unwrap().bucket("b");
    let error = bucket.get_object(whole("k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(server.finish().await.len(), 2);
}

#[tokio::test]
async fn a_silent_server_is_a_failure() {
    let server = Server::start([Reaction::Silence]).await;
    let mut config = server.config();
    config.max_attempts = 1;
    config.stall_timeout = std::time::Duration::from_millis(10);
    let bucket = Client::connect(config).await.unwrap().bucket("b");
    let error = bucket.put_object(put(Condition::Always)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}

#[tokio::test]
async fn a_refused_connection_names_the_endpoint() {
    let server = Server::start([]).await;
    let (url, config) = (server.url.clone(), server.config());
    server.finish().await;
    let error = Client::connect(config).await.unwrap().bucket("b").head_bucket().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let host = url.strip_prefix("http://").unwrap();
    assert!(
        error.to_string().starts_with(&format!("s3://b: HeadBucket failed: cannot connect to {host}: ")),
        "{error}"
    );
    assert!(error.to_string().ends_with("check the endpoint, the network and whether the service is up"), "{error}");
}

#[tokio::test]
async fn a_redirect_to_another_region_is_followed_and_remembered() {
    let server = Server::start([
        answer("301 Moved Permanently", "x-amz-bucket-region: eu-west-1\r\n", ""),
        answer("200 OK", "", ""),
        answer("200 OK", "", ""),
    ])
    .await;
    let bucket = signing_client(&server).await.bucket("b");
    bucket.head_bucket().await.unwrap();
    bucket.head_bucket().await.unwrap();
    let regions: Vec<String> = server.finish().await.iter().map(|request| credential_part(request, 2)).collect();
    assert_eq!(regions, ["us-east-1", "eu-west-1", "eu-west-1"]);
}

#[tokio::test]
async fn a_redirect_without_a_region_is_told_with_where_it_points() {
    let table = [
        ("301 Moved Permanently", "Location: https://b.elsewhere/\r\n", "Because. It points to https://b.elsewhere/; "),
        ("307 Temporary Redirect", "", "Because; "),
    ];
    for (status, location, shown) in table {
        let server = Server::start([refusal(status, location, "PermanentRedirect")]).await;
        let error = server.bucket().await.get_object(whole("k")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Elsewhere, "{error}");
        let advice = "the bucket is in another region or at another endpoint: give --region or --endpoint-url";
        assert!(error.to_string().ends_with(&format!(" PermanentRedirect: {shown}{advice}")), "{error}");
        assert_eq!(server.finish().await.len(), 1);
    }
}

#[tokio::test]
async fn a_region_in_an_error_is_followed_once_only() {
    let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>garage</Region></Error>";
    let server = Server::start([answer("400 Bad Request", "", body), answer("400 Bad Request", "", body)]).await;
    let bucket = signing_client(&server).await.bucket("b");
    let error = bucket.delete_object(DeleteObject { key: "k", if_match: None }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    let regions: Vec<String> = server.finish().await.iter().map(|request| credential_part(request, 2)).collect();
    assert_eq!(regions, ["us-east-1", "garage"]);
}

/// The second refusal is a HEAD's: it has no body to say what is wrong, but it says the time.
#[tokio::test]
async fn a_clock_that_is_off_is_corrected_and_remembered() {
    let date = "Date: Fri, 24 May 2013 00:00:00 GMT\r\n";
    let refusals = [
        (false, refusal("403 Forbidden", date, "RequestTimeTooSkewed")),
        (true, head_answer("403 Forbidden", date, 9)),
    ];
    for (is_head, refused) in refusals {
        let server = Server::start([refused, answer("204 No Content", date, ""), answer("200 OK", date, "")]).await;
        let client = signing_client(&server).await;
        let bucket = client.bucket("b");
        if is_head {
            bucket.head_bucket().await.unwrap();
        } else {
            bucket.abort_multipart_upload("k", "u").await.unwrap();
        }
        bucket.head_bucket().await.unwrap();
        let days: Vec<String> = server.finish().await.iter().map(|request| credential_part(request, 1)).collect();
        assert_eq!(days[1..], ["20130524", "20130524"]);
        assert_ne!(days[0], "20130524");
        let skew = client.clock_skew();
        assert!(!skew.service_ahead && skew.by > std::time::Duration::from_hours(24 * 365 * 10), "{skew:?}");
    }
}

/// `AKID/20130524/us-east-1/s3/aws4_request`, cut at its slashes.
fn credential_part(request: &crate::server::Received, part: usize) -> String {
    let authorization = request.header("authorization").unwrap();
    let credential = authorization.split_once("Credential=").unwrap().1.split_once(',').unwrap().0;
    credential.split('/').nth(part).unwrap().to_owned()
}

async fn signing_client(server: &Server) -> Client {
    let mut config = server.config();
    config.sign = true;
    config.access_key = Some(AccessKey { id: "AKID".to_owned(), secret: "secret".to_owned(), session_token: None });
    Client::connect(config).await.unwrap()
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_is_recognised() {
    let head = format!(
        "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"e\"\r\nx-amz-checksum-crc64nvme: {CRC_OF_123456789}\r\n"
    );
    let server = Server::start([
        Reaction::HangUp,
        refusal("412 Precondition Failed", "", "PreconditionFailed"),
        head_answer("200 OK", &head, 9),
    ])
    .await;
    let stored = server.bucket().await.put_object(put(Condition::IfAbsent)).await.unwrap();
    assert_eq!(stored, Stored { etag: "e".to_owned(), verified: Verified::Yes });
    assert_eq!(server.finish().await.len(), 3);
}

#[tokio::test]
async fn another_writer_is_not_taken_for_a_lost_answer() {
    let head =
        "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"e\"\r\nx-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\n";
    let lost = [Reaction::HangUp, refusal("412 Precondition Failed", "", ""), head_answer("200 OK", head, 9)];
    let never_lost = [refusal("412 Precondition Failed", "", "PreconditionFailed")];
    for script in [lost.to_vec(), never_lost.to_vec()] {
        let requests = script.len();
        let server = Server::start(script).await;
        let error = server.bucket().await.put_object(put(Condition::IfMatch("old"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
        assert_eq!(server.finish().await.len(), requests);
    }
}

#[tokio::test]
async fn a_delete_whose_answer_was_lost_is_recognised() {
    let server = Server::start([
        Reaction::HangUp,
        refusal("412 Precondition Failed", "", "PreconditionFailed"),
        head_answer("404 Not Found", "", 0),
    ])
    .await;
    server.bucket().await.delete_object(DeleteObject { key: "k", if_match: Some("e") }).await.unwrap();
    assert_eq!(server.finish().await.len(), 3);
}

#[tokio::test]
async fn a_bulk_delete_whose_answer_was_lost_is_recognised() {
    let refused = |key: &str, code: &str| format!("<Error><Key>{key}</Key><Code>{code}</Code></Error>");
    let failed = |key: &str| refused(key, "PreconditionFailed");
    let body = format!("<DeleteResult>{}{}{}</DeleteResult>", failed("a"), failed("b"), refused("c", "InternalError"));
    let gone = head_answer("404 Not Found", "", 0);
    let head = "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"other\"\r\n";
    let lost = vec![
        Reaction::HangUp,
        answer("200 OK", "", &body),
        gone.clone(),
        head_answer("200 OK", head, 9),
        refusal("412 Precondition Failed", "", "PreconditionFailed"),
        gone,
    ];
    let refused_again = refusal("412 Precondition Failed", "", "PreconditionFailed");
    let never_lost = vec![answer("200 OK", "", &body), refused_again];
    let precondition = Some(ErrorKind::PreconditionFailed);
    for (script, expected) in [(lost, [None, precondition, None]), (never_lost, [precondition; 3])] {
        let requests = script.len();
        let server = Server::start(script).await;
        let keys = ["a", "b", "c"].map(|key| DeleteObject { key, if_match: Some("e") });
        let results = server.bucket().await.delete_many(&keys, NonZeroUsize::MIN).await;
        let kinds: Vec<Option<ErrorKind>> =
            results.iter().map(|result| result.as_ref().err().map(brigade_s3::Error::kind)).collect();
        assert_eq!(kinds, expected);
        assert_eq!(server.finish().await.len(), requests);
    }
}

fn uploaded() -> Reaction {
    answer("200 OK", &format!("ETag: \"p\"\r\nx-amz-checksum-crc64nvme: {CRC_OF_123456789}\r\n"), "")
}

/// Uploads one part and completes.
async fn complete(server: &Server) -> Result<Stored, brigade_s3::Error> {
    let bucket = server.bucket().await;
    let part = UploadPart { key: "k", upload_id: "u", number: 1, body: Bytes::from_static(b"123456789") };
    let parts = [bucket.upload_part(part).await?];
    let condition = Condition::IfAbsent;
    bucket
        .complete_multipart_upload(CompleteMultipartUpload { key: "k", upload_id: "u", parts: &parts, condition })
        .await
}

fn completed(crc: &str) -> Reaction {
    let body = format!(
        "<CompleteMultipartUploadResult><ETag>&quot;e-1&quot;</ETag><ChecksumCRC64NVME>{crc}</ChecksumCRC64NVME>\
         </CompleteMultipartUploadResult>"
    );
    answer("200 OK", "", &body)
}

#[tokio::test]
async fn a_complete_that_fails_within_its_200_is_sent_again() {
    let failed = answer("200 OK", "", "  \n<Error><Code>InternalError</Code></Error>");
    let server = Server::start([uploaded(), failed, completed(CRC_OF_123456789)]).await;
    let stored = complete(&server).await.unwrap();
    assert_eq!(stored, Stored { etag: "e-1".to_owned(), verified: Verified::Yes });
    let sent = server.finish().await;
    assert_eq!(sent[1].line, "POST /b/k?uploadId=u HTTP/1.1");
    assert_eq!(sent[1].header("x-amz-checksum-crc64nvme"), Some(CRC_OF_123456789));
    assert_eq!(sent[1].header("if-none-match"), Some("*"));
    assert_eq!(sent[1].body, sent[2].body);
}

#[tokio::test]
async fn a_complete_whose_answer_was_lost_is_recognised() {
    let head = format!(
        "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"e-1\"\r\nx-amz-checksum-crc64nvme: {CRC_OF_123456789}\r\n"
    );
    let gone = refusal("404 Not Found", "", "NoSuchUpload");
    let server = Server::start([uploaded(), Reaction::HangUp, gone.clone(), head_answer("200 OK", &head, 9)]).await;
    let stored = complete(&server).await.unwrap();
    assert_eq!(stored, Stored { etag: "e-1".to_owned(), verified: Verified::Yes });
    server.finish().await;

    let server = Server::start([uploaded(), gone]).await;
    assert_eq!(complete(&server).await.unwrap_err().kind(), ErrorKind::NoSuchUpload);
    server.finish().await;
}

#[tokio::test]
async fn a_complete_that_made_something_else_is_an_error() {
    let server = Server::start([uploaded(), completed("AAAAAAAAAAA=")]).await;
    assert_eq!(complete(&server).await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(server.finish().await.len(), 2);
}

#[tokio::test]
async fn a_complete_that_conflicts_is_told_at_once() {
    let server = Server::start([uploaded(), refusal("409 Conflict", "", "ConditionalRequestConflict")]).await;
    assert_eq!(complete(&server).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(server.finish().await.len(), 2);
}

#[tokio::test]
async fn a_head_says_why_by_its_status_alone() {
    let table = [("404 Not Found", ErrorKind::NotFound), ("403 Forbidden", ErrorKind::AccessDenied)];
    for (status, kind) in table {
        let server = Server::start([head_answer(status, "", 200)]).await;
        let error = server.bucket().await.head_object(HeadObject { key: "k" }).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        server.finish().await;
    }
}
