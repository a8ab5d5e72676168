//! The stores that the suite is run on, each new and empty.

use std::ffi::OsStr;
use std::sync::Arc;

use brigade_devserver::{Credentials, ListingOrder, Server};
use brigade_s3::{Bucket, Client};
use brigade_store::memory::MemoryStore;
use brigade_store::s3::{Addressing, Config, Provider};
use brigade_store::{Condition, Entry, Failure, Key, Location, NewObject, ObjectHeaders, Role, Store, open};
use bytes::Bytes;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A store under test, and what keeps it alive.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) store: Arc<dyn Store>,
    /// Whether it refuses a write or removal whose condition doesn't hold.
    pub(crate) is_guarded: bool,
    /// Whether it takes keys that no file system can.
    pub(crate) takes_any_key: bool,
    _ground: Ground,
}

/// What a store stands on.
enum Ground {
    Nothing,
    Directory { _directory: TempDir },
    Server { _server: Box<TestServer> },
}

/// One of each kind.
pub(crate) async fn subjects() -> Vec<Subject> {
    vec![
        memory("a tree in memory", MemoryStore::local(), false),
        memory("a bucket in memory", MemoryStore::remote(), true),
        local().await,
        bucket("a bucket that honours conditions", Provider::BrigadeDev, "s3://bucket/some/prefix", true).await,
        bucket("a bucket of which nothing is known", Provider::Unknown, "s3://bucket", false).await,
    ]
}

fn memory(name: &'static str, store: MemoryStore, takes_any_key: bool) -> Subject {
    Subject { name, store: Arc::new(store), is_guarded: true, takes_any_key, _ground: Ground::Nothing }
}

async fn local() -> Subject {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::Local(directory.path().join("new"));
    let store = open(&location, Role::Destination, &Config::default(), &CancellationToken::new()).await.unwrap();
    let ground = Ground::Directory { _directory: directory };
    Subject { name: "a directory", store, is_guarded: true, takes_any_key: false, _ground: ground }
}

async fn bucket(name: &'static str, provider: Provider, location: &str, is_guarded: bool) -> Subject {
    let server = TestServer::start(ListingOrder::Bytes).await;
    let store = server.store(location, provider).await;
    let ground = Ground::Server { _server: Box::new(server) };
    Subject { name, store, is_guarded, takes_any_key: true, _ground: ground }
}

/// An S3 server with one bucket, called `bucket`.
pub(crate) struct TestServer {
    pub(crate) server: Server,
    _directory: TempDir,
}

impl TestServer {
    pub(crate) async fn start(listing_order: ListingOrder) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let credentials = Credentials::new("not", "asked for");
        let config = brigade_devserver::Config {
            anonymous: true,
            listing_order,
            ..brigade_devserver::Config::new(directory.path(), credentials)
        };
        let started = Self { server: Server::start(config).await.unwrap(), _directory: directory };
        started.bucket().await.create_bucket(None).await.unwrap();
        started
    }

    pub(crate) fn config(&self, provider: Provider) -> Config {
        Config {
            endpoint_url: Some(self.server.url()),
            region: Some("us-east-1".into()),
            sign: false,
            addressing: Addressing::Path,
            provider: Some(provider),
            ..Config::default()
        }
    }

    pub(crate) async fn store(&self, location: &str, provider: Provider) -> Arc<dyn Store> {
        let location = Location::parse(OsStr::new(location)).unwrap();
        open(&location, Role::Destination, &self.config(provider), &CancellationToken::new()).await.unwrap()
    }

    /// The bucket as anybody may reach it.
    pub(crate) async fn bucket(&self) -> Bucket {
        Client::connect(self.config(Provider::BrigadeDev)).await.unwrap().bucket("bucket")
    }
}

/// A new object without headers.
pub(crate) fn new_object(key: impl Into<Key>, size: usize, condition: Condition) -> NewObject {
    NewObject {
        key: key.into(),
        size: size as u64,
        headers: ObjectHeaders::default(),
        condition,
        part_size: None,
        digest: None,
    }
}

/// Writes an object that nobody has written before.
pub(crate) async fn put(store: &dyn Store, key: impl Into<Key>, body: impl Into<Bytes>) -> Result<Entry, Failure> {
    let body = body.into();
    let object = new_object(key, body.len(), Condition::Absent);
    store.write(&object, body).await.map(|receipt| receipt.entry)
}
