//! One level of a place, as `ls` shows it.

use std::ffi::OsStr;

use brigade_devserver::ListingOrder;
use brigade_s3::PutObject;
use brigade_store::browse::{Found, Place, ls};
use brigade_store::s3::{Config, Provider};

use super::subjects::{TestServer, put};

/// What is found, a line each: a bucket, `prefix/`, or an object with its size.
async fn found(place: &OsStr, config: &Config) -> Vec<String> {
    let mut level = ls(&Place::parse(place).unwrap(), config).await.unwrap();
    let mut lines = Vec::new();
    while let Some(page) = level.next_page().await.unwrap() {
        assert!(!page.is_empty());
        lines.extend(page.into_iter().map(|found| match found {
            Found::Bucket(name) => format!("bucket {name}"),
            Found::Prefix(key) => key.to_string(),
            Found::Object(entry) => format!("{} {}", entry.key, entry.size),
        }));
    }
    lines
}

#[tokio::test]
async fn a_bucket_is_shown_level_by_level() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let store = test.store("s3://bucket", Provider::BrigadeDev).await;
    for key in ["a", "a/x", "a/y/z", "a-b", "c//d"] {
        put(&*store, key, key).await.unwrap();
    }
    test.bucket()
        .await
        .put_object(PutObject { key: ".brigade-0123456789abcdef", ..PutObject::default() })
        .await
        .unwrap();
    let config = test.config(Provider::BrigadeDev);
    let table: [(&str, &[&str]); 8] = [
        ("s3://", &["bucket bucket"]),
        ("s3://bucket", &["a 1", "a-b 3", "a/", "c/"]),
        ("s3://bucket/a", &["x 3", "y/"]),
        ("s3://bucket/a/y/", &["z 5"]),
        ("s3://bucket/c/", &["/"]),
        ("s3://bucket/none", &[]),
        ("s3://bucket/a-b", &["a-b 3"]),
        ("s3://bucket/a/y/z", &["z 5"]),
    ];
    for (place, expected) in table {
        assert_eq!(found(OsStr::new(place), &config).await, expected, "{place}");
    }
}

#[tokio::test]
async fn a_level_of_many_pages_is_shown_whole() {
    let test = TestServer::start(ListingOrder::Bytes).await;
    let store = test.store("s3://bucket", Provider::BrigadeDev).await;
    for number in 0..1001 {
        put(&*store, format!("{number:04}/x"), "").await.unwrap();
    }
    let shown = found(OsStr::new("s3://bucket"), &test.config(Provider::BrigadeDev)).await;
    assert_eq!(shown.len(), 1001);
    assert_eq!(shown[1000], "1000/");
}

#[tokio::test]
async fn a_directory_is_shown_as_a_bucket_would_be() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for name in ["a", "c"] {
        std::fs::create_dir(at(name)).unwrap();
        std::fs::write(at(name).join("x"), "x").unwrap();
    }
    for name in ["a-b", ".brigade-0123456789abcdef", "a.txt"] {
        std::fs::write(at(name), name).unwrap();
    }
    std::os::unix::fs::symlink("a.txt", at("link")).unwrap();
    let shown = found(directory.path().as_os_str(), &Config::default()).await;
    assert_eq!(shown, ["a-b 3", "a.txt 5", "a/", "c/", "link 5"]);

    let missing = Place::parse(at("missing").as_os_str()).unwrap();
    let error = ls(&missing, &Config::default()).await.unwrap_err().to_string();
    assert!(error.contains("missing: No such file or directory"), "{error}");
}
