//! What is sent again, what is mended first, and what is told at once.

use brigade_s3::{AccessKey, Client, Condition, DeleteObject, ErrorKind, GetObject, HeadObject, PutObject, Verified};
use bytes::Bytes;

use crate::server::{Reaction, Server, answer, head_answer, refusal};

fn put(condition: Condition<'_>) -> PutObject<'_> {
    PutObject { key: "k", body: Bytes::from_static(b"123456789"), condition, ..PutObject::default() }
}

fn whole(key: &str) -> GetObject<'_> {
    GetObject { key, version_id: None, range: None, if_match: None, limit: 1 << 20 }
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
    let error =
        bucket.delete_object(DeleteObject { key: "k", if_match: None, ..DeleteObject::default() }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    let regions: Vec<String> = server.finish().await.iter().map(|request| credential_part(request, 2)).collect();
    assert_eq!(regions, ["us-east-1", "garage"]);
}

#[tokio::test]
async fn a_session_that_has_ended_is_renewed_once() {
    let ended = || refusal("400 Bad Request", "", "ExpiredToken");
    let server = Server::start([ended(), object()]).await;
    signing_client(&server).await.bucket("b").get_object(whole("k")).await.unwrap();
    assert_eq!(server.finish().await.len(), 2);

    let server = Server::start([ended(), ended()]).await;
    let error = signing_client(&server).await.bucket("b").get_object(whole("k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.to_string().ends_with("the credentials have expired: log in again, or set new ones"), "{error}");
    assert_eq!(server.finish().await.len(), 2);
}

#[tokio::test]
async fn a_head_that_may_be_of_an_ended_session_asks_why() {
    let (mute, ended) = (|| head_answer("400 Bad Request", "", 9), || refusal("400 Bad Request", "", "ExpiredToken"));
    let head = |script: Vec<Reaction>| async move {
        let server = Server::start(script).await;
        let error = signing_client(&server)
            .await
            .bucket("b")
            .head_object(HeadObject { key: "k", ..HeadObject::default() })
            .await
            .unwrap_err();
        (error, server.finish().await.len())
    };
    let (error, requests) = head(vec![mute(), ended(), ended()]).await;
    assert!(error.is_locked_out() && requests == 3, "{error}, {requests}");
    // Another reason is that of one object.
    let (error, requests) = head(vec![mute(), refusal("400 Bad Request", "", "InvalidRequest")]).await;
    assert!(!error.is_locked_out() && requests == 2, "{error}, {requests}");
    assert_eq!(error.operation(), "HeadObject");
    // New credentials were had meanwhile.
    let (error, requests) =
        head(vec![mute(), ended(), refusal("404 Not Found", "", "NoSuchKey"), head_answer("404 Not Found", "", 9)])
            .await;
    assert!(error.kind() == ErrorKind::NotFound && requests == 4, "{error}, {requests}");
}

#[tokio::test]
async fn a_key_that_was_taken_back_is_fetched_anew_only_if_it_was_good() {
    let unknown = || refusal("403 Forbidden", "", "InvalidAccessKeyId");
    let server = Server::start([unknown(), object(), unknown(), unknown()]).await;
    let bucket = signing_client(&server).await.bucket("b");
    let first = bucket.get_object(whole("k")).await.unwrap_err();
    bucket.get_object(whole("k")).await.unwrap();
    let later = bucket.get_object(whole("k")).await.unwrap_err();
    assert!(first.is_locked_out() && later.is_locked_out());
    assert_eq!(server.finish().await.len(), 4);
    // A signature is one request's.
    let server = Server::start([refusal("403 Forbidden", "", "SignatureDoesNotMatch")]).await;
    let error = signing_client(&server).await.bucket("b").get_object(whole("k")).await.unwrap_err();
    assert!(!error.is_locked_out(), "{error}");
    assert_eq!(server.finish().await.len(), 1);
}

#[tokio::test]
async fn a_service_may_say_when_to_ask_again() {
    let busy = |when: &str| answer("503 Service Unavailable", &format!("Retry-After: {when}\r\n"), "");
    let long_ago = "Fri, 24 May 2013 00:00:00 GMT";
    let server = Server::start([busy("0"), busy(long_ago), busy("some time"), object()]).await;
    server.bucket().await.get_object(whole("k")).await.unwrap();
    assert_eq!(server.finish().await.len(), 4);
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
        let skew = client.clock_skew().unwrap();
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
async fn a_head_says_why_by_its_status_alone() {
    let table = [("404 Not Found", ErrorKind::NotFound), ("403 Forbidden", ErrorKind::AccessDenied)];
    for (status, kind) in table {
        let server = Server::start([head_answer(status, "", 200)]).await;
        let error =
            server.bucket().await.head_object(HeadObject { key: "k", ..HeadObject::default() }).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        server.finish().await;
    }
}

#[tokio::test]
async fn a_new_connection_that_cannot_be_made_is_not_made_elsewhere() {
    let server = Server::start([]).await;
    let bucket = server.bucket().await;
    server.finish().await;
    for (bucket, sent) in [(bucket.on_new_connections(), 1), (bucket.clone(), 1 + 3)] {
        let error = bucket.get_object(whole("k")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        assert_eq!(bucket.client().request_counts()[0].sent, sent);
    }
}
