//! Versions and delete markers on the wire.

use std::time::{Duration, SystemTime};

use crate::client::{Answer, Running, running};

const ENABLED: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const SUSPENDED: &str = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";

async fn versioned() -> Running {
    let running = running().await;
    assert_eq!(running.put("/bucket?versioning", ENABLED).await.status, 200);
    running
}

/// The id that an answer names.
fn id(answer: &Answer) -> String {
    answer.header("x-amz-version-id").to_owned()
}

/// All versions of the bucket, each as `+` (a version) or `-` (a delete marker), its key,
/// and `!` if it is the current one.
async fn listed(running: &Running) -> Vec<String> {
    let answer = running.get("/bucket?versions").await;
    let element =
        |text: &str, name: &str| text.split(&format!("<{name}>")).nth(1).unwrap().split('<').next().unwrap().to_owned();
    let mut found = Vec::new();
    for part in answer.text().replace("<DeleteMarker>", "<Version>-").split("<Version>").skip(1) {
        let sign = if part.starts_with('-') { "-" } else { "+" };
        let latest = if element(part, "IsLatest") == "true" { "!" } else { "" };
        found.push(format!("{sign}{}{latest}", element(part, "Key")));
    }
    found
}

#[tokio::test]
async fn what_is_replaced_and_removed_is_kept() {
    let running = versioned().await;
    assert_eq!(running.get("/bucket?versioning").await.first("Status"), "Enabled");
    let first = running.put("/bucket/key", "one").await;
    let second = running.put("/bucket/key", "two").await;
    let marker = running.delete("/bucket/key").await;
    assert_eq!((marker.status, marker.header("x-amz-delete-marker")), (204, "true"));
    assert_eq!(listed(&running).await, ["-key!", "+key", "+key"]);
    assert!(running.get("/bucket?list-type=2").await.all("Key").is_empty());

    let gone = running.get("/bucket/key").await;
    assert_eq!(gone.error(), (404, "NoSuchKey".into()));
    assert_eq!((gone.header("x-amz-delete-marker"), gone.header("x-amz-version-id")), ("true", &*id(&marker)));
    let named = running.get(&format!("/bucket/key?versionId={}", id(&marker))).await;
    assert_eq!(named.error(), (405, "MethodNotAllowed".into()));
    assert_eq!((named.header("allow"), named.header("x-amz-delete-marker")), ("DELETE", "true"));
    assert_eq!(running.head(&format!("/bucket/key?versionId={}", id(&marker))).await.status, 405);
    for (version, body) in [(&first, "one"), (&second, "two")] {
        let answer = running.get(&format!("/bucket/key?versionId={}", id(version))).await;
        assert_eq!((answer.text(), answer.header("x-amz-version-id")), (body, &*id(version)));
    }
    let unknown = format!("/bucket/key?versionId={}", "0".repeat(32));
    assert_eq!(running.get(&unknown).await.error(), (404, "NoSuchVersion".into()));
    assert_eq!(running.get("/bucket/key?versionId=nonsense").await.error(), (400, "InvalidArgument".into()));
    assert_eq!(running.delete(&unknown).await.status, 204, "to remove nothing is no error");

    let undone = running.delete(&format!("/bucket/key?versionId={}", id(&marker))).await;
    assert_eq!((undone.header("x-amz-delete-marker"), id(&undone)), ("true", id(&marker)));
    assert_eq!(running.get("/bucket/key").await.text(), "two");
    running.delete(&format!("/bucket/key?versionId={}", id(&second))).await;
    assert_eq!(running.get("/bucket/key").await.text(), "one");
    assert_eq!(running.delete("/bucket").await.error(), (409, "BucketNotEmpty".into()));
}

#[tokio::test]
async fn a_bucket_whose_versions_are_suspended_writes_null_versions() {
    let running = running().await;
    let unversioned = running.put("/bucket/key", "before").await;
    assert_eq!((id(&unversioned), running.get("/bucket?versioning").await.all("Status").len()), (String::new(), 0));
    running.put("/bucket?versioning", ENABLED).await;
    assert_eq!(running.head("/bucket/key").await.header("x-amz-version-id"), "null");
    let kept = running.put("/bucket/key", "kept").await;
    running.put("/bucket?versioning", SUSPENDED).await;
    assert_eq!(id(&running.put("/bucket/key", "null").await), "null");
    assert_eq!(listed(&running).await, ["+key!", "+key"], "the null version was replaced");
    let marker = running.delete("/bucket/key").await;
    assert_eq!((id(&marker), marker.header("x-amz-delete-marker")), ("null".into(), "true"));
    assert_eq!(listed(&running).await, ["-key!", "+key"], "by a delete marker too");
    let kept = format!("/bucket/key?versionId={}", id(&kept));
    assert_eq!(running.get(&kept).await.text(), "kept");
    running.delete("/bucket/key?versionId=null").await;
    assert_eq!(running.get("/bucket/key").await.text(), "kept");
    let refused = running.put("/bucket?versioning", ENABLED.replace("Enabled", "On")).await;
    assert_eq!(refused.error(), (400, "IllegalVersioningConfigurationException".into()));
}

#[tokio::test]
async fn versions_survive_a_restart() {
    let running = versioned().await;
    let first = running.put("/bucket/a", "one").await;
    running.put("/bucket/a", "two").await;
    running.delete("/bucket/a").await;
    running.put("/bucket/b", "three").await;
    let before = running.get("/bucket?versions").await;
    let running = running.restarted().await;
    assert_eq!(running.get("/bucket?versions").await.text(), before.text());
    assert_eq!(listed(&running).await, ["-a!", "+a", "+a", "+b!"]);
    assert_eq!(running.get(&format!("/bucket/a?versionId={}", id(&first))).await.text(), "one");
    let next = running.put("/bucket/a", "four").await;
    assert!(!before.text().contains(&id(&next)), "an id is given once");
    assert_eq!(listed(&running).await, ["+a!", "-a", "+a", "+a", "+b!"]);
}

#[tokio::test]
async fn every_parameter_of_the_listing() {
    let running = versioned().await;
    for key in ["a", "b%20%26", "b%20%26", "c/d"] {
        running.put(&format!("/bucket/{key}"), key.to_owned()).await;
    }
    let url = running.get("/bucket?versions&encoding-type=url&prefix=b").await;
    assert_eq!(url.all("Key"), ["b+%26", "b+%26"]);
    assert_eq!((url.first("IsTruncated"), url.first("Size")), ("false".into(), "7".into()));
    assert_eq!((url.first("StorageClass"), url.all("ETag").len()), ("STANDARD".into(), 2));
    let page = running.get("/bucket?versions&max-keys=2").await;
    assert_eq!((page.all("Key").len(), page.first("IsTruncated")), (2, "true".into()));
    let (key, version) = (page.first("NextKeyMarker"), page.first("NextVersionIdMarker"));
    assert_eq!((key.as_str(), version.clone()), ("b &amp;", page.all("VersionId")[1].clone()));
    let rest = running.get(&format!("/bucket?versions&key-marker=b%20%26&version-id-marker={version}")).await;
    assert_eq!(rest.all("Key"), ["b &amp;", "c/d"], "the key is split over two pages");
    assert_eq!(running.get("/bucket?versions&key-marker=b%20%26").await.all("Key"), ["c/d"]);
    let alone = running.get(&format!("/bucket?versions&version-id-marker={version}")).await;
    assert_eq!(alone.error(), (400, "InvalidArgument".into()));
    assert_eq!(running.get("/bucket?versions&key-marker=b&version-id-marker=").await.error().0, 400);
}

#[tokio::test]
async fn many_versions_are_removed_at_once() {
    let running = versioned().await;
    let old = running.put("/bucket/a", "one").await;
    running.put("/bucket/a", "two").await;
    running.put("/bucket/b", "three").await;
    let object = |key: &str, version: &str| {
        let version = Some(version).filter(|it| !it.is_empty()).map(|it| format!("<VersionId>{it}</VersionId>"));
        format!("<Object><Key>{key}</Key>{}</Object>", version.unwrap_or_default())
    };
    let list = object("a", &id(&old)) + &object("b", "") + &object("c", "nonsense");
    let answer = running.delete_many(&format!("<Delete>{list}</Delete>")).await;
    assert_eq!(answer.all("VersionId"), [id(&old), "nonsense".into()]);
    assert_eq!((answer.first("DeleteMarker"), answer.all("DeleteMarkerVersionId").len()), ("true".into(), 1));
    assert_eq!(answer.all("Code"), ["InvalidArgument"]);
    assert_eq!(listed(&running).await, ["+a!", "-b!", "+b"]);
    let marker = answer.first("DeleteMarkerVersionId");
    let answer = running.delete_many(&format!("<Delete>{}</Delete>", object("b", &marker))).await;
    assert_eq!((answer.first("VersionId"), answer.first("DeleteMarkerVersionId")), (marker.clone(), marker));
    assert_eq!(listed(&running).await, ["+a!", "+b!"]);
}

#[tokio::test]
async fn copies_are_made_of_versions() {
    let running = versioned().await;
    let old = running.put("/bucket/key", "one").await;
    running.put("/bucket/key", "two").await;
    let source = format!("/bucket/key?versionId={}", id(&old));
    let copied = running.send("PUT", "/bucket/key", &[("x-amz-copy-source", &source)], "").await;
    assert_eq!((copied.status, copied.header("x-amz-copy-source-version-id")), (200, &*id(&old)));
    let current = running.get("/bucket/key").await;
    assert_eq!((current.text(), id(&current)), ("one", id(&copied)));
    let marker = running.delete("/bucket/key").await;
    let source = format!("/bucket/key?versionId={}", id(&marker));
    let refused = running.send("PUT", "/bucket/other", &[("x-amz-copy-source", &source)], "").await;
    assert_eq!(refused.error(), (400, "InvalidRequest".into()));
}

#[tokio::test]
async fn what_is_written_is_dated_as_the_test_says() {
    let running = versioned().await;
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    running.server.terms().write_at(Some(then));
    running.put("/bucket/key", "old").await;
    running.delete("/bucket/key").await;
    running.server.terms().write_at(None);
    running.put("/bucket/key", "new").await;
    let times = running.get("/bucket?versions").await.all("LastModified");
    assert_eq!(times[1..], ["2023-11-14T22:13:20.000Z", "2023-11-14T22:13:20.000Z"]);
    assert!(times[0] > times[1]);
}
