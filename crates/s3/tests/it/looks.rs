//! Writes that nothing guards at a service that guards others: what is there is looked at just before each time that
//! they are sent.

use brigade_s3::{
    Bucket, Client, CompleteMultipartUpload, Condition, Config, CopyObject, CopySource, CustomerKey, Error, ErrorKind,
    Provider, Stored, UploadPart,
};
use bytes::Bytes;

use crate::server::{Reaction, Server, answer, head_answer, refusal};

/// A service that guards whole writes by the ETag, and nothing else.
const GUARDS_PUTS: [Provider; 2] = [Provider::Minio, Provider::R2];

async fn bucket(server: &Server, provider: Provider) -> Bucket {
    Client::connect(Config { provider: Some(provider), ..server.config() }).await.unwrap().bucket("b")
}

fn there(etag: &str) -> Reaction {
    let headers = format!("Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"{etag}\"\r\n");
    head_answer("200 OK", &headers, 1)
}

fn nothing_there() -> Reaction {
    head_answer("404 Not Found", "", 0)
}

fn busy() -> Reaction {
    refusal("503 Slow Down", "", "SlowDown")
}

async fn copy(bucket: &Bucket, condition: Condition<'_>) -> Result<Stored, Error> {
    let from = bucket.client().bucket("a");
    let source = CopySource { bucket: &from, key: "k", version_id: None, if_match: Some("e") };
    bucket
        .copy_object(CopyObject { key: "k", source, storage_class: None, without_tags: false, grants: None, condition })
        .await
}

fn copied() -> Reaction {
    answer("200 OK", "", "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>")
}

/// Writes a part, and completes.
async fn complete(bucket: &Bucket, condition: Condition<'_>) -> Result<Stored, Error> {
    let part = UploadPart { key: "k", upload_id: "u", number: 1, body: Bytes::from_static(b"x") };
    let parts = [bucket.upload_part(part).await.unwrap()];
    let upload = CompleteMultipartUpload { key: "k", upload_id: "u", parts: &parts, condition, resumed: false };
    bucket.complete_multipart_upload(upload).await
}

fn part_taken() -> Reaction {
    answer("200 OK", "ETag: \"p\"\r\n", "")
}

fn completed() -> Reaction {
    answer("200 OK", "", "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>")
}

async fn methods(server: Server) -> Vec<String> {
    let received = server.finish().await;
    received.iter().map(|request| request.line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_copy_that_nothing_guards_is_sent_again_only_after_another_look() {
    let table = [
        (Condition::IfAbsent, vec![nothing_there(), busy(), nothing_there(), copied()], None),
        (Condition::IfMatch("old"), vec![there("old"), busy(), there("old"), copied()], None),
        (Condition::IfAbsent, vec![nothing_there(), busy(), there("other")], Some(ErrorKind::PreconditionFailed)),
        (Condition::IfMatch("old"), vec![there("old"), busy(), there("x")], Some(ErrorKind::PreconditionFailed)),
        (Condition::IfMatch("old"), vec![there("old"), busy(), nothing_there()], Some(ErrorKind::NotFound)),
        (Condition::IfAbsent, vec![there("other")], Some(ErrorKind::PreconditionFailed)),
        (Condition::Always, vec![busy(), copied()], None),
    ];
    for provider in GUARDS_PUTS {
        for (condition, script, expected) in table.clone() {
            let requests = script.len();
            let server = Server::start(script).await;
            let outcome = copy(&bucket(&server, provider).await, condition).await;
            assert_eq!(outcome.err().map(|error| error.kind()), expected, "{provider} {condition:?}");
            assert_eq!(methods(server).await.len(), requests);
        }
    }
}

#[tokio::test]
async fn an_upload_that_nothing_guards_is_completed_again_only_after_another_look() {
    for provider in [Provider::Minio, Provider::R2, Provider::Gcs] {
        let server = Server::start([part_taken(), nothing_there(), busy(), nothing_there(), completed()]).await;
        complete(&bucket(&server, provider).await, Condition::IfAbsent).await.unwrap();
        assert_eq!(methods(server).await, ["PUT", "HEAD", "POST", "HEAD", "POST"], "{provider}");

        let server = Server::start([part_taken(), nothing_there(), busy(), there("other")]).await;
        let error = complete(&bucket(&server, provider).await, Condition::IfAbsent).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{provider}");
        assert_eq!(methods(server).await, ["PUT", "HEAD", "POST", "HEAD"], "{provider}");
    }
}

/// An object that is there without the customer's key, or with another one, is refused to a look that brings it.
#[tokio::test]
async fn what_a_customers_key_keeps_from_a_look_is_found_in_a_listing() {
    let listed = |etag: &str| {
        let object = "<Key>k</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified><Size>1</Size>";
        let page = format!("<ListBucketResult><Contents>{object}<ETag>\"{etag}\"</ETag></Contents></ListBucketResult>");
        answer("200 OK", "", &page)
    };
    let refused = || head_answer("400 Bad Request", "", 0);
    // What a HEAD can't say, a GET is asked.
    let why = || refusal("400 Bad Request", "", "InvalidRequest");
    let table = [
        (Condition::IfMatch("old"), vec![part_taken(), refused(), why(), listed("old"), completed()], None),
        (
            Condition::IfMatch("old"),
            vec![part_taken(), refused(), why(), listed("x")],
            Some(ErrorKind::PreconditionFailed),
        ),
        (Condition::IfAbsent, vec![part_taken(), refused(), why(), listed("x")], Some(ErrorKind::PreconditionFailed)),
    ];
    for (condition, script, expected) in table {
        let requests = script.len();
        let server = Server::start(script).await;
        let customer_key = Some(CustomerKey::new([1; 32]));
        let config = Config { provider: Some(Provider::Minio), customer_key, ..server.config() };
        let bucket = Client::connect(config).await.unwrap().bucket("b");
        let outcome = complete(&bucket, condition).await;
        assert_eq!(outcome.err().map(|error| error.kind()), expected, "{condition:?}");
        assert_eq!(methods(server).await.len(), requests);
    }
}

#[tokio::test]
async fn what_a_look_finds_after_a_lost_answer_may_be_ours() {
    let server = Server::start([nothing_there(), Reaction::HangUp, there("e"), there("e"), there("e")]).await;
    let stored = copy(&bucket(&server, Provider::R2).await, Condition::IfAbsent).await.unwrap();
    assert_eq!(stored.etag, "e");
    assert_eq!(methods(server).await, ["HEAD", "PUT", "HEAD", "HEAD", "HEAD"]);
}

#[tokio::test]
async fn who_guards_nothing_isnt_looked_at_and_who_guards_all_is_told_the_condition() {
    for (provider, guard) in [(Provider::Unknown, None), (Provider::Aws, Some("*"))] {
        let server = Server::start([copied()]).await;
        copy(&bucket(&server, provider).await, Condition::IfAbsent).await.unwrap();
        let received = server.finish().await;
        assert_eq!(received[0].header("if-none-match"), guard, "{provider}");
    }
}
