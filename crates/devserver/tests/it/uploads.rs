//! Multipart uploads.

use bytes::Bytes;

use crate::client::{Answer, Running, running};

const LEAST: usize = 5 << 20;

/// Begins an upload of `key` and answers its id.
async fn begin(running: &Running, key: &str, headers: &[(&str, &str)]) -> String {
    let begun = running.send("POST", &format!("/bucket/{key}?uploads"), headers, "").await;
    assert_eq!(begun.status, 200);
    begun.first("UploadId")
}

async fn upload_part(running: &Running, key: &str, id: &str, number: u32, body: impl Into<Bytes>) -> Answer {
    running.put(&format!("/bucket/{key}?partNumber={number}&uploadId={id}"), body).await
}

fn list(parts: &[(u32, &str)]) -> String {
    let part =
        |(number, etag): &(u32, &str)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    let parts: String = parts.iter().map(part).collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}

async fn complete(running: &Running, key: &str, id: &str, parts: &[(u32, &str)]) -> Answer {
    running.post(&format!("/bucket/{key}?uploadId={id}"), list(parts)).await
}

#[tokio::test]
async fn parts_become_one_object() {
    let running = running().await;
    let id = begin(&running, "key", &[("content-type", "text/plain"), ("x-amz-meta-a", "1")]).await;
    let first = upload_part(&running, "key", &id, 3, vec![b'a'; LEAST]).await;
    upload_part(&running, "key", &id, 7, "replaced").await;
    let second = upload_part(&running, "key", &id, 7, "end").await;
    upload_part(&running, "key", &id, 9, "not named").await;
    assert_eq!(running.get("/bucket/key").await.status, 404);

    let listed = running.get(&format!("/bucket/key?uploadId={id}&max-parts=2")).await;
    assert_eq!(listed.all("PartNumber"), ["3", "7"]);
    assert_eq!((listed.first("IsTruncated"), listed.first("NextPartNumberMarker")), ("true".into(), "7".into()));
    let rest = running.get(&format!("/bucket/key?uploadId={id}&part-number-marker=7")).await;
    assert_eq!((rest.all("PartNumber"), rest.first("IsTruncated")), (vec!["9".into()], "false".into()));

    let parts = [(3, first.header("etag")), (7, second.header("etag"))];
    let done = complete(&running, "key", &id, &parts).await;
    assert_eq!(done.status, 200);
    assert!(done.first("ETag").ends_with("-2\""));
    let object = running.send("GET", "/bucket/key", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!(object.body.len(), LEAST + 3);
    assert!(object.body.ends_with(b"aend"));
    assert_eq!((object.header("content-type"), object.header("x-amz-meta-a")), ("text/plain", "1"));
    assert_eq!(object.header("etag"), done.first("ETag"));
    assert_eq!(object.header("x-amz-checksum-type"), "FULL_OBJECT");
    let whole = running.send("PUT", "/bucket/whole", &[], object.body.clone()).await;
    assert_eq!(object.header("x-amz-checksum-crc64nvme"), whole.header("x-amz-checksum-crc64nvme"));

    let part = running.get("/bucket/key?partNumber=2").await;
    assert_eq!((part.status, part.text(), part.header("x-amz-mp-parts-count")), (206, "end", "2"));
    assert_eq!(complete(&running, "key", &id, &parts).await.error(), (404, "NoSuchUpload".into()));
    assert!(running.get("/bucket?uploads").await.all("UploadId").is_empty());
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let running = running().await;
    let id = begin(&running, "key", &[]).await;
    let one = upload_part(&running, "key", &id, 1, "small").await;
    let two = upload_part(&running, "key", &id, 2, "small").await;
    let (one, two) = (one.header("etag"), two.header("etag"));
    let error = async |parts: &[(u32, &str)]| complete(&running, "key", &id, parts).await.error();
    assert_eq!(error(&[(1, one), (2, two)]).await, (400, "EntityTooSmall".into()));
    assert_eq!(error(&[(2, two), (1, one)]).await, (400, "InvalidPartOrder".into()));
    assert_eq!(error(&[(1, "\"other\"")]).await, (400, "InvalidPart".into()));
    assert_eq!(error(&[(3, one)]).await, (400, "InvalidPart".into()));
    assert_eq!(error(&[]).await, (400, "MalformedXML".into()));
    assert_eq!(complete(&running, "other", &id, &[(1, one)]).await.error(), (404, "NoSuchUpload".into()));
    for number in [0, 10_001] {
        let part = upload_part(&running, "key", &id, number, "").await;
        assert_eq!(part.error(), (400, "InvalidArgument".into()));
    }
    let path = format!("/bucket/key?uploadId={id}");
    let size = running.send("POST", &path, &[("x-amz-mp-object-size", "4")], list(&[(1, one)])).await;
    assert_eq!(size.error(), (400, "InvalidRequest".into()));
    running.put("/bucket/key", "there").await;
    let taken = running.send("POST", &path, &[("if-none-match", "*")], list(&[(1, one)])).await;
    assert_eq!(taken.error(), (412, "PreconditionFailed".into()));
    assert_eq!(complete(&running, "key", &id, &[(1, one)]).await.status, 200, "refusals leave the upload");
    assert_eq!(running.get("/bucket/key").await.text(), "small");
}

#[tokio::test]
async fn a_composite_checksum_needs_that_of_each_part() {
    let running = running().await;
    let sha256 = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    let id = begin(&running, "key", &[("x-amz-checksum-algorithm", "SHA256")]).await;
    let path = format!("/bucket/key?partNumber=1&uploadId={id}");
    let refused = running.put(&path, "hello").await;
    assert_eq!(refused.error(), (400, "InvalidRequest".into()));
    let refused = running.send("PUT", &path, &[("x-amz-checksum-crc32", "NhCmhg==")], "hello").await;
    assert!(refused.first("Message").contains("expected checksum Type: sha256, actual checksum Type: crc32"));
    let part = running.send("PUT", &path, &[("x-amz-checksum-sha256", sha256)], "hello").await;
    assert_eq!((part.status, part.header("x-amz-checksum-sha256")), (200, sha256));

    let etag = part.header("etag");
    assert_eq!(complete(&running, "key", &id, &[(1, etag)]).await.error(), (400, "InvalidRequest".into()));
    let list = |sha256: &str| {
        format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag>\
             <ChecksumSHA256>{sha256}</ChecksumSHA256></Part></CompleteMultipartUpload>"
        )
    };
    let path = format!("/bucket/key?uploadId={id}");
    assert_eq!(running.post(&path, list("AAAA")).await.error(), (400, "InvalidPart".into()));
    let done = running.post(&path, list(sha256)).await;
    assert_eq!((done.status, done.first("ChecksumType")), (200, "COMPOSITE".into()));
    assert!(done.first("ChecksumSHA256").ends_with("-1"));
    let head = running.send("HEAD", "/bucket/key", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!(head.header("x-amz-checksum-sha256"), done.first("ChecksumSHA256"));
}

#[tokio::test]
async fn a_checksum_of_the_whole_is_compared() {
    let running = running().await;
    let headers = [("x-amz-checksum-algorithm", "CRC32C"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let id = begin(&running, "key", &headers).await;
    let part = upload_part(&running, "key", &id, 1, "hello").await;
    let list = list(&[(1, part.header("etag"))]);
    let path = format!("/bucket/key?uploadId={id}");
    let send = async |name, value| running.send("POST", &path, &[(name, value)], list.clone()).await;
    assert_eq!(send("x-amz-checksum-crc32c", "AAAAAA==").await.error(), (400, "BadDigest".into()));
    assert_eq!(send("x-amz-checksum-crc32", "NhCmhg==").await.error(), (400, "InvalidRequest".into()));
    assert_eq!(send("x-amz-checksum-type", "COMPOSITE").await.error(), (400, "InvalidRequest".into()));
    let done = send("x-amz-checksum-crc32c", "mnG7TA==").await;
    assert_eq!((done.status, done.first("ChecksumCRC32C")), (200, "mnG7TA==".into()));
}

#[tokio::test]
async fn uploads_are_listed_aborted_and_survive_a_restart() {
    let running = running().await;
    let mut ids = Vec::new();
    for key in ["b", "a/x", "a/y"] {
        ids.push(begin(&running, key, &[]).await);
    }
    let part = upload_part(&running, "b", &ids[0], 1, "kept").await;
    let listed = running.get("/bucket?uploads").await;
    assert_eq!(listed.all("Key"), ["a/x", "a/y", "b"]);
    assert_eq!(listed.all("UploadId"), [&*ids[1], &*ids[2], &*ids[0]]);
    assert_eq!(running.get("/bucket?uploads&prefix=a/").await.all("Key"), ["a/x", "a/y"]);
    let rolled_up = running.get("/bucket?uploads&delimiter=/").await;
    assert_eq!(rolled_up.all("Key"), ["b"]);
    assert_eq!(rolled_up.all("CommonPrefixes"), ["<Prefix>a/</Prefix>"]);
    let page = running.get("/bucket?uploads&max-uploads=1").await;
    let (key, id) = (page.first("NextKeyMarker"), page.first("NextUploadIdMarker"));
    let rest = running.get(&format!("/bucket?uploads&key-marker={key}&upload-id-marker={id}")).await;
    assert_eq!((page.all("Key"), rest.all("Key")), (vec!["a/x".into()], vec!["a/y".into(), "b".into()]));

    assert_eq!(running.delete(&format!("/bucket/a/x?uploadId={}", ids[1])).await.status, 204);
    let gone = running.delete(&format!("/bucket/a/x?uploadId={}", ids[1])).await;
    assert_eq!(gone.error(), (404, "NoSuchUpload".into()));
    let running = running.restarted().await;
    assert_eq!(running.get("/bucket?uploads").await.all("Key"), ["a/y", "b"]);
    assert_eq!(complete(&running, "b", &ids[0], &[(1, part.header("etag"))]).await.status, 200);
    assert_eq!(running.get("/bucket/b").await.text(), "kept");
}

#[tokio::test]
async fn parts_are_copied_from_objects() {
    let running = running().await;
    running.put("/bucket/source", "0123456789").await;
    let id = begin(&running, "key", &[]).await;
    let path = format!("/bucket/key?partNumber=1&uploadId={id}");
    let source = ("x-amz-copy-source", "bucket/source");
    let beyond = running.send("PUT", &path, &[source, ("x-amz-copy-source-range", "bytes=2-10")], "").await;
    assert_eq!(beyond.error(), (416, "InvalidRange".into()));
    let part = running.send("PUT", &path, &[source, ("x-amz-copy-source-range", "bytes=2-5")], "").await;
    complete(&running, "key", &id, &[(1, &part.first("ETag"))]).await;
    assert_eq!(running.get("/bucket/key").await.text(), "2345");
}
