//! What is said of objects beside their headers: tags, storage classes, what is archived.

use crate::client::{Answer, Running, running};

/// The tags of a key, each as `key=value`.
async fn tags(running: &Running, path: &str) -> Vec<String> {
    let answer = running.get(&format!("{path}?tagging")).await;
    assert_eq!(answer.status, 200);
    answer.all("Key").iter().zip(answer.all("Value")).map(|(key, value)| format!("{key}={value}")).collect()
}

#[tokio::test]
async fn tags_come_with_an_object_and_are_replaced() {
    let running = running().await;
    running.send("PUT", "/bucket/key", &[("x-amz-tagging", "a=1&b=2%203")], "body").await;
    assert_eq!(tags(&running, "/bucket/key").await, ["a=1", "b=2 3"]);
    for method in ["GET", "HEAD"] {
        assert_eq!(running.send(method, "/bucket/key", &[], "").await.header("x-amz-tagging-count"), "2");
    }
    let set = "<Tagging><TagSet><Tag><Key>c</Key><Value>4</Value></Tag></TagSet></Tagging>";
    assert_eq!(running.put("/bucket/key?tagging", set).await.status, 200);
    let running = running.restarted().await;
    assert_eq!(tags(&running, "/bucket/key").await, ["c=4"]);
    assert_eq!(running.get("/bucket/key").await.text(), "body");
    assert_eq!(running.delete("/bucket/key?tagging").await.status, 204);
    assert!(tags(&running, "/bucket/key").await.is_empty());
    assert_eq!(running.get("/bucket/key").await.header("x-amz-tagging-count"), "");
    let refused = running.send("PUT", "/bucket/key", &[("x-amz-tagging", "a=1&a=2")], "").await;
    assert_eq!(refused.error(), (400, "InvalidTag".into()));
    assert_eq!(running.get("/bucket/missing?tagging").await.error(), (404, "NoSuchKey".into()));
}

#[tokio::test]
async fn a_copy_takes_the_tags_or_gets_others() {
    let running = running().await;
    running.send("PUT", "/bucket/key", &[("x-amz-tagging", "a=1")], "body").await;
    let copy = async |key: &str, headers: &[(&str, &str)]| {
        let headers = [&[("x-amz-copy-source", "/bucket/key")], headers].concat();
        assert_eq!(running.send("PUT", key, &headers, "").await.status, 200);
        tags(&running, key).await
    };
    assert_eq!(copy("/bucket/taken", &[]).await, ["a=1"]);
    assert_eq!(copy("/bucket/kept", &[("x-amz-tagging", "b=2")]).await, ["a=1"], "without the directive");
    let replace = [("x-amz-tagging-directive", "REPLACE"), ("x-amz-tagging", "b=2")];
    assert_eq!(copy("/bucket/replaced", &replace).await, ["b=2"]);
    assert!(copy("/bucket/none", &replace[..1]).await.is_empty());
}

#[tokio::test]
async fn an_upload_in_parts_has_the_tags_that_it_was_begun_with() {
    let running = running().await;
    let begun = running.send("POST", "/bucket/key?uploads", &[("x-amz-tagging", "a=1")], "").await;
    let id = begun.first("UploadId");
    let part = running.put(&format!("/bucket/key?partNumber=1&uploadId={id}"), "part").await;
    let list = format!("<Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>", part.header("etag"));
    let list = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
    assert_eq!(running.post(&format!("/bucket/key?uploadId={id}"), list).await.status, 200);
    assert_eq!(tags(&running, "/bucket/key").await, ["a=1"]);
}

#[tokio::test]
async fn storage_classes_are_kept_and_not_copied() {
    let running = running().await;
    running.send("PUT", "/bucket/key", &[("x-amz-storage-class", "STANDARD_IA")], "body").await;
    assert_eq!(running.head("/bucket/key").await.header("x-amz-storage-class"), "STANDARD_IA");
    assert_eq!(running.get("/bucket?list-type=2").await.first("StorageClass"), "STANDARD_IA");
    assert_eq!(running.get("/bucket?versions").await.first("StorageClass"), "STANDARD_IA");
    let copy = async |key: &str, class: &str| {
        let class = Some(("x-amz-storage-class", class)).filter(|(_, class)| !class.is_empty());
        let headers: Vec<_> = [("x-amz-copy-source", "/bucket/key")].into_iter().chain(class).collect();
        running.send("PUT", key, &headers, "").await
    };
    copy("/bucket/copy", "").await;
    assert_eq!(running.head("/bucket/copy").await.header("x-amz-storage-class"), "", "STANDARD isn't said");
    assert_eq!(copy("/bucket/key", "").await.error(), (400, "InvalidRequest".into()));
    assert_eq!(copy("/bucket/key", "GLACIER_IR").await.status, 200);
    let head = running.get("/bucket/key").await;
    assert_eq!((head.status, head.header("x-amz-storage-class")), (200, "GLACIER_IR"));
}

#[tokio::test]
async fn what_is_archived_is_read_when_it_is_restored() {
    let running = running().await;
    let restore = async || -> Answer {
        running.post("/bucket/key?restore", "<RestoreRequest><Days>2</Days></RestoreRequest>").await
    };
    let refused = (403, "InvalidObjectState".to_owned());
    running.put("/bucket/key", "plain").await;
    assert_eq!(restore().await.error(), refused, "it isn't archived");
    for class in ["GLACIER", "DEEP_ARCHIVE"] {
        running.send("PUT", "/bucket/key", &[("x-amz-storage-class", class)], "body").await;
        assert_eq!(running.get("/bucket/key").await.error(), refused);
        let copy = running.send("PUT", "/bucket/copy", &[("x-amz-copy-source", "/bucket/key")], "").await;
        assert_eq!(copy.error(), refused);
        let head = running.head("/bucket/key").await;
        assert_eq!((head.status, head.header("x-amz-restore")), (200, ""));
    }
    running.server.terms().let_restores_take_long(true);
    assert_eq!(restore().await.status, 202);
    assert_eq!(running.head("/bucket/key").await.header("x-amz-restore"), "ongoing-request=\"true\"");
    assert_eq!(running.get("/bucket/key").await.error(), refused);
    assert_eq!(restore().await.error(), (409, "RestoreAlreadyInProgress".into()));
    running.server.terms().let_restores_take_long(false);
    let read = running.get("/bucket/key").await;
    assert_eq!((read.text(), read.header("x-amz-storage-class")), ("body", "DEEP_ARCHIVE"));
    assert!(read.header("x-amz-restore").starts_with("ongoing-request=\"false\", expiry-date=\""));
    assert_eq!(restore().await.status, 200, "for longer");
}
