//! What becomes of requests that may have been carried out without our knowing,
//! and of completions, which may fail within their 200.

use std::num::NonZeroUsize;

use brigade_s3::{
    Client, CompleteMultipartUpload, Condition, Config, CopyObject, CopySource, DeleteObject, Encryption, ErrorKind,
    PutObject, Stored, UploadPart, Verified, Writing,
};
use bytes::Bytes;

use crate::server::{Reaction, Server, answer, head_answer, refusal};

const CRC_OF_123456789: &str = "rosUhgp5mIg=";

fn put(condition: Condition<'_>) -> PutObject<'_> {
    PutObject { key: "k", body: Bytes::from_static(b"123456789"), condition, ..PutObject::default() }
}

/// The answer is lost, the request is refused when it is sent again, and what stands there has this content.
fn lost_and_found() -> [Reaction; 3] {
    let head = format!(
        "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"e\"\r\nx-amz-checksum-crc64nvme: {CRC_OF_123456789}\r\n"
    );
    let refused = refusal("412 Precondition Failed", "", "PreconditionFailed");
    [Reaction::HangUp, refused, head_answer("200 OK", &head, 9)]
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_is_recognised() {
    let server = Server::start(lost_and_found()).await;
    let stored = server.bucket().await.put_object(put(Condition::IfAbsent)).await.unwrap();
    assert_eq!(stored, Stored { etag: "e".to_owned(), generation: None, verified: Verified::Yes });
    assert_eq!(server.finish().await.len(), 3);
}

/// No answer tells whether the object got it.
#[tokio::test]
async fn a_put_that_asks_for_what_no_answer_tells_is_not_recognised() {
    let acl = Writing { acl: Some("private".to_owned()), ..Writing::default() };
    let encryption = Writing { encryption: Some(Encryption::Aes256), ..Writing::default() };
    for writing in [acl, encryption] {
        let server = Server::start(lost_and_found()).await;
        let bucket = Client::connect(Config { writing, ..server.config() }).await.unwrap().bucket("b");
        let error = bucket.put_object(put(Condition::IfAbsent)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    }
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
    server
        .bucket()
        .await
        .delete_object(DeleteObject { key: "k", if_match: Some("e"), ..DeleteObject::default() })
        .await
        .unwrap();
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
        let keys = ["a", "b", "c"].map(|key| DeleteObject { key, if_match: Some("e"), ..DeleteObject::default() });
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
        .complete_multipart_upload(CompleteMultipartUpload {
            key: "k",
            upload_id: "u",
            parts: &parts,
            condition,
            resumed: false,
        })
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
    assert_eq!(stored, Stored { etag: "e-1".to_owned(), generation: None, verified: Verified::Yes });
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
    assert_eq!(stored, Stored { etag: "e-1".to_owned(), generation: None, verified: Verified::Yes });
    server.finish().await;

    let server = Server::start([uploaded(), gone]).await;
    assert_eq!(complete(&server).await.unwrap_err().kind(), ErrorKind::NoSuchUpload);
    server.finish().await;
}

#[tokio::test]
async fn a_complete_that_is_refused_by_its_own_condition_is_recognised() {
    let head = |crc: &str| {
        let headers = format!(
            "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"e-1\"\r\nx-amz-checksum-crc64nvme: {crc}\r\n"
        );
        head_answer("200 OK", &headers, 9)
    };
    let refused = refusal("412 Precondition Failed", "", "PreconditionFailed");
    let ours = Ok(Stored { etag: "e-1".to_owned(), generation: None, verified: Verified::Yes });
    let table = [
        (vec![Reaction::HangUp, refused.clone(), head(CRC_OF_123456789)], ours),
        (vec![Reaction::HangUp, refused.clone(), head("AAAAAAAAAAA=")], Err(ErrorKind::PreconditionFailed)),
        (vec![refused], Err(ErrorKind::PreconditionFailed)),
    ];
    for (script, expected) in table {
        let requests = script.len() + 1;
        let server = Server::start([uploaded()].into_iter().chain(script)).await;
        assert_eq!(complete(&server).await.map_err(|error| error.kind()), expected);
        assert_eq!(server.finish().await.len(), requests);
    }
}

#[tokio::test]
async fn a_complete_that_made_something_else_is_an_error() {
    let head = |crc: &str| {
        let headers = format!(
            "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"e-1\"\r\nx-amz-checksum-crc64nvme: {crc}\r\n"
        );
        head_answer("200 OK", &headers, 9)
    };
    let ours = Ok(Stored { etag: "e-1".to_owned(), generation: None, verified: Verified::Yes });
    // Only what stands there tells whether the object is wrong, or no more than the answer.
    for (crc, expected) in [("AAAAAAAAAAA=", Err(ErrorKind::Corrupt)), (CRC_OF_123456789, ours)] {
        let server = Server::start([uploaded(), completed("AAAAAAAAAAA="), head(crc)]).await;
        assert_eq!(complete(&server).await.map_err(|error| error.kind()), expected);
        assert_eq!(server.finish().await.len(), 3);
    }
}

#[tokio::test]
async fn a_complete_that_conflicts_is_told_at_once() {
    let server = Server::start([uploaded(), refusal("409 Conflict", "", "ConditionalRequestConflict")]).await;
    assert_eq!(complete(&server).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(server.finish().await.len(), 2);
}

/// Of parts at the source, and by itself at the destination: both have the CRC.
#[tokio::test]
async fn a_copy_whose_answer_was_lost_is_recognised_though_its_etag_is_another_one() {
    let head = |etag: &str, more: &str| {
        let headers = format!(
            "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"{etag}\"\r\nContent-Type: text/x\r\n{more}\
             x-amz-checksum-crc64nvme: {CRC_OF_123456789}\r\n"
        );
        head_answer("200 OK", &headers, 9)
    };
    let (other, mtime) = (Err(ErrorKind::PreconditionFailed), "x-amz-meta-mtime: 1\r\n");
    // What is there by now of the source and of the copy.
    let table = [
        (head("p-2", mtime), head("plain", mtime), Ok("plain")),
        (head("p-2", mtime), head("plain", ""), other),
        (head("later", mtime), head("plain", mtime), other),
        (head_answer("404 Not Found", "", 0), head("plain", mtime), other),
    ];
    for (source, copy, expected) in table {
        let is_gone = matches!(&source, Reaction::Answer(bytes) if bytes.starts_with(b"HTTP/1.1 404"));
        let refused = refusal("412 Precondition Failed", "", "PreconditionFailed");
        let mut script = vec![Reaction::HangUp, refused, source];
        script.extend(Some(copy).filter(|_| !is_gone));
        let requests = script.len();
        let server = Server::start(script).await;
        let bucket = server.bucket().await;
        let from = bucket.client().bucket("a");
        let source = CopySource { bucket: &from, key: "from", version_id: None, if_match: Some("p-2") };
        let condition = Condition::IfAbsent;
        let copy = CopyObject { key: "k", source, storage_class: None, without_tags: false, grants: None, condition };
        let outcome = bucket.copy_object(copy).await.map_err(|error| error.kind());
        assert_eq!(outcome.as_ref().map(|stored| stored.etag.as_str()).map_err(|kind| *kind), expected);
        let sent = server.finish().await;
        assert_eq!(sent.len(), requests);
        assert_eq!(sent[2].line, "HEAD /a/from HTTP/1.1");
    }
}
