//! What is there after a restart, and how a server starts and stops.

use std::fs;

use brigade_devserver::{Config, Credentials, Server, StartError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{running, running_with};

#[tokio::test]
async fn objects_survive_and_what_was_being_written_is_swept() {
    let running = running().await;
    running.send("PUT", "/bucket/key", &[("content-type", "text/html"), ("x-amz-meta-a", "1")], "hello").await;
    let before = running.get("/bucket/key").await;
    let torn = running.directory().join("bucket/temporary/torn");
    fs::write(&torn, "half of an obj").unwrap();
    fs::create_dir(running.directory().join("not-a-bucket")).unwrap();
    fs::write(running.directory().join("a-file"), "").unwrap();
    let running = running.restarted().await;
    let after = running.get("/bucket/key").await;
    assert_eq!((after.text(), after.status), ("hello", 200));
    for name in ["etag", "last-modified", "content-type", "x-amz-meta-a"] {
        assert_eq!(before.header(name), after.header(name));
    }
    assert!(!torn.exists());
    assert_eq!(running.get("/").await.all("Name"), ["bucket"]);
}

#[tokio::test]
async fn a_body_that_ends_too_soon_leaves_nothing() {
    let running = running().await;
    let mut stream = TcpStream::connect(running.server.address()).await.unwrap();
    stream.write_all(b"PUT /bucket/key HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhello").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(running.get("/bucket/key").await.status, 404);
    assert_eq!(fs::read_dir(running.directory().join("bucket/temporary")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_body_that_waits_for_a_sign_is_not_asked_for_when_refused() {
    let running = running().await;
    running.put("/bucket/key", "there").await;
    let mut stream = TcpStream::connect(running.server.address()).await.unwrap();
    let head = b"PUT /bucket/key HTTP/1.1\r\nhost: localhost\r\nif-none-match: *\r\nexpect: 100-continue\r\n";
    stream.write_all(head).await.unwrap();
    stream.write_all(b"content-length: 10\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 412");
}

#[tokio::test]
async fn starting_says_what_is_wrong() {
    let first = running_with(|_| ()).await;
    let directory = tempfile::tempdir().unwrap();
    let config = Config::new(directory.path(), Credentials::new("a", "b"));
    let taken = Config { listen: first.server.address(), ..config.clone() };
    let error = Server::start(taken).await.unwrap_err();
    assert!(matches!(&error, StartError::Listen { address, .. } if *address == first.server.address()));
    assert!(error.to_string().contains("choose another address"));
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Server::start(Config { directory: file.clone(), ..config }).await.unwrap_err();
    assert!(matches!(&error, StartError::Directory { directory, .. } if *directory == file));
}

#[tokio::test]
async fn a_directory_has_one_server_at_a_time() {
    let running = running().await;
    let being_written = running.directory().join("bucket/temporary/object");
    fs::write(&being_written, "half of an obj").unwrap();
    let config = Config::new(running.directory(), Credentials::new("a", "b"));
    let error = Server::start(config).await.unwrap_err();
    assert!(matches!(&error, StartError::InUse { directory } if directory == running.directory()), "{error}");
    assert!(being_written.exists());
    assert_eq!(running.restarted().await.get("/").await.all("Name"), ["bucket"]);
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    let running = running().await;
    running.put("/bucket/key", "hello").await;
    let objects = running.directory().join("bucket/objects");
    let only_entry = |directory| fs::read_dir(directory).unwrap().next().unwrap().unwrap().path();
    let object = only_entry(only_entry(objects));
    let whole = fs::read(&object).unwrap();
    let directory = running.stopped().await;
    for damaged in [&[], &whole[..3], &whole[1..whole.len() - 1], &whole[whole.len() - 12..]] {
        fs::write(&object, damaged).unwrap();
        let error = Server::start(Config::new(directory.path(), Credentials::new("a", "b"))).await.unwrap_err();
        assert!(error.to_string().contains(object.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn a_stopped_server_answers_no_more() {
    let running = running().await;
    let address = running.server.address();
    assert_eq!(running.server.url(), format!("http://{address}"));
    running.server.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn buckets_that_are_asked_for_are_there_made_once_and_kept() {
    let asking = |buckets: &[&str]| {
        let buckets = buckets.iter().map(ToString::to_string).collect();
        move |config: &mut Config| (config.buckets, config.anonymous) = (buckets, true)
    };
    let running = running_with(asking(&["other"])).await;
    running.put("/bucket/key", "kept").await;
    let running = running.restarted_with(asking(&["bucket", "another"])).await;
    fs::create_dir(running.directory().join("in-the-way")).unwrap();
    assert_eq!(running.get("/").await.all("Name"), ["another", "bucket", "other"]);
    assert_eq!(running.get("/bucket/key").await.text(), "kept");
    let directory = running.stopped().await;
    for name in ["../x", "A", "in-the-way"] {
        let mut config = Config::new(directory.path(), Credentials::new("a", "b"));
        asking(&[name])(&mut config);
        assert!(matches!(Server::start(config).await, Err(StartError::Bucket { .. })), "{name}");
    }
}
