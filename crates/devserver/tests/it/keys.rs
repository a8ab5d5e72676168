//! Keys are kept exactly, on the wire and on disk.

use crate::client::{escape, running};

/// What paths, file systems, URLs and XML each would like to change.
const KEYS: [&str; 23] = [
    "a",
    "a/b",
    "a//b",
    "a/",
    "a//",
    "/a",
    "//",
    "../x",
    "a/../b",
    ".",
    "..",
    "./",
    "a/.",
    "+ %41%",
    "?#&=;",
    "a\\b",
    "\u{1}\u{1f}\u{7f}",
    "a\r\nb\tc",
    "<&>\"'",
    "ä€𝄞",
    "A",
    "*",
    "a\u{0}b",
];

fn path(key: &str) -> String {
    format!("/bucket/{}", escape(key))
}

#[tokio::test]
async fn every_key_is_an_object_of_its_own_and_survives_a_restart() {
    let mut running = running().await;
    for key in KEYS {
        assert_eq!(running.put(&path(key), key.to_owned()).await.status, 200, "{key:?}");
    }
    let mut expected: Vec<String> = KEYS.iter().map(|key| escape(key)).collect();
    let mut bytes: Vec<&str> = KEYS.to_vec();
    bytes.sort_unstable();
    expected.sort_by_key(|escaped| bytes.iter().position(|key| escape(key) == *escaped));
    for _ in 0..2 {
        for key in KEYS {
            assert_eq!(running.get(&path(key)).await.text(), key);
        }
        let listed = running.get("/bucket?list-type=2&encoding-type=url").await.all("Key");
        // S3 leaves more characters as they are; a space becomes a plus.
        let listed: Vec<String> = listed.iter().map(|key| escape(&decoded(key))).collect();
        assert_eq!(listed, expected);
        running = running.restarted().await;
    }
    for key in KEYS {
        assert_eq!(running.delete(&path(key)).await.status, 204);
        assert_eq!(running.get(&path(key)).await.error(), (404, "NoSuchKey".into()));
    }
    assert_eq!(running.delete("/bucket").await.status, 204);
}

fn decoded(key: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = key.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn paths_that_are_not_escaped_are_taken_as_they_stand() {
    let running = running().await;
    for key in ["a//b", "../x", ".", "a/./b", "a/", "/", "//../"] {
        assert_eq!(running.put(&format!("/bucket/{key}"), "").await.status, 200);
        let listed = running.get("/bucket?list-type=2").await.all("Key");
        assert_eq!(listed, [key]);
        assert_eq!(running.delete(&format!("/bucket/{key}")).await.status, 204);
    }
}

#[tokio::test]
async fn control_characters_in_xml_are_references() {
    let running = running().await;
    running.put(&path("a\u{1}\r\n"), "").await;
    assert_eq!(running.get("/bucket?list-type=2").await.all("Key"), ["a&#x1;&#xD;\n"]);
    running.put(&path("b\r\n"), "").await;
    let many = "<Delete><Object><Key>b&#xD;&#xA;</Key></Object></Delete>";
    assert_eq!(running.delete_many(many).await.all("Key"), ["b&#xD;\n"]);
    assert_eq!(running.get("/bucket?list-type=2").await.all("Key").len(), 1);
}

#[tokio::test]
async fn keys_have_at_most_1024_bytes() {
    let running = running().await;
    let longest = "ä".repeat(512);
    assert_eq!(running.put(&path(&longest), "x").await.status, 200);
    assert_eq!(running.get(&path(&longest)).await.text(), "x");
    let longer = format!("{longest}a");
    assert_eq!(running.put(&path(&longer), "x").await.error(), (400, "KeyTooLongError".into()));
}

#[tokio::test]
async fn buckets_may_be_named_by_the_host() {
    let running = running().await;
    let host = ("host", "bucket.localhost:9000");
    for path in ["/key", "//", "/../x", "/a?b"] {
        assert_eq!(running.send("PUT", path, &[host], "x").await.status, 200);
    }
    assert_eq!(running.get("/bucket?list-type=2").await.all("Key"), ["../x", "/", "a", "key"]);
    assert_eq!(running.send("GET", "/?list-type=2", &[host], "").await.all("Key").len(), 4);
    let other = ("host", "elsewhere:9000");
    assert_eq!(running.send("GET", "/bucket/key", &[other], "").await.text(), "x");
}

#[tokio::test]
async fn buckets_are_made_listed_and_removed_when_empty() {
    let running = running().await;
    assert_eq!(running.put("/another", "").await.status, 200);
    assert_eq!(running.put("/another", "").await.error(), (409, "BucketAlreadyOwnedByYou".into()));
    assert_eq!(running.put("/Not_a_bucket", "").await.error(), (400, "InvalidBucketName".into()));
    assert_eq!(running.get("/").await.all("Name"), ["another", "bucket"]);
    assert_eq!(running.get("/?prefix=an").await.all("Name"), ["another"]);
    let first = running.get("/?max-buckets=1").await;
    assert_eq!(first.all("Name"), ["another"]);
    let next = running.get(&format!("/?continuation-token={}", first.first("ContinuationToken"))).await;
    assert_eq!(next.all("Name"), ["bucket"]);
    assert_eq!(running.head("/another").await.status, 200);
    assert_eq!(running.head("/missing").await.status, 404);
    assert!(running.get("/another?location").await.text().contains("LocationConstraint"));
    running.put("/another/key", "").await;
    assert_eq!(running.delete("/another").await.error(), (409, "BucketNotEmpty".into()));
    running.delete("/another/key").await;
    assert_eq!(running.delete("/another").await.status, 204);
    assert_eq!(running.delete("/another").await.error(), (404, "NoSuchBucket".into()));
    assert_eq!(running.put("/another/key", "").await.error(), (404, "NoSuchBucket".into()));
    std::fs::create_dir(running.directory().join("foreign")).unwrap();
    assert_eq!(running.put("/foreign", "").await.error(), (409, "BucketAlreadyExists".into()));
    assert_eq!(running.restarted().await.get("/").await.all("Name"), ["bucket"]);
}
