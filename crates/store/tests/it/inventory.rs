//! Reports of S3 Inventory that stand for a bucket's listing.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use brigade_devserver::ListingOrder;
use brigade_s3::{Bucket, Client, NewHeaders, PutObject};
use brigade_store::s3::Provider;
use brigade_store::{
    Entry, Key, KeyRange, Listed, Location, OpenError, Order, Reported, Role, Store, Symlinks, open_both,
};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest as _, Md5};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::subjects::TestServer;

const CSV: &str = "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass";
#[cfg(feature = "parquet")]
const PARQUET: &str = "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); \
    optional int64 size; optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary e_tag (UTF8); \
    optional binary storage_class (UTF8); }";

/// Where the manifest and the data files of the tests' reports are in the bucket `reports`.
const MANIFEST: &str = "daily/photos/all/2026-11-20T01-00Z/manifest.json";
const DATA: &str = "daily/photos/all/data";

/// A server with the bucket `photos`, and `reports` of it.
struct Scene {
    server: TestServer,
    client: Client,
    nowhere: TempDir,
}

impl Scene {
    async fn start() -> Self {
        let server = TestServer::start(ListingOrder::Bytes).await;
        let client = Client::connect(server.config(Provider::BrigadeDev)).await.unwrap();
        for bucket in ["photos", "reports"] {
            client.bucket(bucket).create_bucket(None).await.unwrap();
        }
        Self { server, client, nowhere: tempfile::tempdir().unwrap() }
    }

    async fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) {
        let bucket: Bucket = self.client.bucket(bucket);
        let (condition, body) = (brigade_s3::Condition::Always, body.into());
        bucket.put_object(PutObject { key, body, headers: NewHeaders::default(), condition }).await.unwrap();
    }

    /// Puts a report of these data files: their names, and what is in them.
    async fn report(&self, format: &str, schema: &str, files: &[(&str, Vec<u8>)]) {
        for (name, content) in files {
            self.put("reports", &format!("{DATA}/{name}"), content.clone()).await;
        }
        self.put("reports", MANIFEST, manifest(format, schema, files)).await;
    }

    async fn open(&self, source: &str, manifest: &str) -> Result<Arc<dyn Store>, OpenError> {
        let [source, manifest] = [source, manifest].map(|written| Location::parse(written.as_ref()).unwrap());
        let (dest, config) = (Location::Local(self.nowhere.path().into()), self.server.config(Provider::Unknown));
        let roles = [Role::Source { symlinks: Symlinks::Follow }, Role::Destination];
        let (places, s3, never) = ([&source, &dest], [&config, &config], CancellationToken::new());
        open_both(places, roles, Some(Reported { manifest: &manifest, deletes: false }), s3, &never)
            .await
            .map(|[source, _]| source)
    }

    /// The source, listed from the report.
    async fn source(&self, prefix: &str) -> Arc<dyn Store> {
        self.open(&format!("s3://photos/{prefix}"), &format!("s3://reports/{MANIFEST}")).await.unwrap()
    }

    /// Why the source can't be opened, or else not be listed.
    async fn refusal(&self) -> String {
        match self.open("s3://photos", &format!("s3://reports/{MANIFEST}")).await {
            Err(error) => error.to_string(),
            Ok(source) => {
                let mut listing = source.list(&KeyRange::everything());
                let error = listing.next_page().await.unwrap_err().to_string();
                assert!(error.starts_with("could not list s3://photos: "), "{error}");
                // Whoever asks again is not told that this was the end.
                listing.next_page().await.unwrap_err();
                error
            }
        }
    }
}

fn manifest(format: &str, schema: &str, files: &[(&str, Vec<u8>)]) -> String {
    let file = |(name, content): &(&str, Vec<u8>)| {
        let md5 = hexadecimal(content);
        format!(r#"{{"key": "{DATA}/{name}", "size": {}, "MD5checksum": "{md5}"}}"#, content.len())
    };
    let files: Vec<_> = files.iter().map(file).collect();
    format!(
        r#"{{"sourceBucket": "photos", "destinationBucket": "arn:aws:s3:::reports", "version": "2016-11-30",
            "creationTimestamp": "1795136400000", "fileFormat": "{format}", "fileSchema": "{schema}",
            "files": [{}]}}"#,
        files.join(", ")
    )
}

fn hexadecimal(content: &[u8]) -> String {
    Md5::digest(content).iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    })
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Rows of objects with these keys, as URL-encoded.
fn rows(keys: &[&str]) -> String {
    keys.iter().fold(String::new(), |mut rows, key| {
        writeln!(rows, "\"photos\",\"{key}\",\"5\",\"2024-02-29T01:02:03.000Z\",\"e-{key}\",\"STANDARD_IA\"").unwrap();
        rows
    })
}

async fn entries(store: &dyn Store, range: KeyRange) -> Vec<Entry> {
    let mut listing = store.list(&range);
    let mut entries = Vec::new();
    while let Some(page) = listing.next_page().await.unwrap() {
        entries.extend(page.into_iter().map(|item| match item {
            Listed::Present(entry) => entry,
            Listed::Unknown(unknown) => panic!("{unknown:?}"),
        }));
    }
    assert!(listing.next_page().await.unwrap().is_none(), "the end stays the end");
    entries
}

async fn keys(store: &dyn Store, range: KeyRange) -> Vec<String> {
    entries(store, range).await.iter().map(|entry| entry.key.to_string()).collect()
}

#[tokio::test]
async fn what_it_lists_below_the_prefix_is_listed_in_order_and_in_range() {
    let scene = Scene::start().await;
    let files = [
        ("1.csv.gz", gzip(&rows(&["p/z", "p/a%2Fb", "pq/x", "p/a+b%2Bc%25", "q"]))),
        // Compressed in two pieces.
        ("2.csv.gz", [gzip(&rows(&["p/a-b", "p/%C3%A9"])), gzip(&rows(&["a", "p/a%0Ab"]))].concat()),
        ("3.csv.gz", gzip("")),
    ];
    scene.report("CSV", CSV, &files).await;
    let source = scene.source("p").await;
    let all = ["a\\nb", "a b+c%", "a-b", "a/b", "z", "é"];
    assert_eq!(keys(&*source, KeyRange::everything()).await, all);
    assert_eq!(source.capabilities().order, Order::ByBytes, "whatever the bucket lists in");
    let range = |after: &str, through: &str| KeyRange { after: Some(after.into()), through: Some(through.into()) };
    assert_eq!(keys(&*source, range("a-b", "z")).await, ["a/b", "z"]);
    assert_eq!(keys(&*source, range("b", "c")).await, [""; 0]);
    assert_eq!(keys(&*source, KeyRange::around(&Key::from("a/b"))).await, ["a/b"]);
    assert_eq!(source.first_after(&"a-b".into()).await.unwrap(), Some("a/b".into()));
    assert_eq!(source.first_after(&"é".into()).await.unwrap(), None);
    let first = entries(&*source, range("a-b", "a/b")).await.remove(0);
    assert_eq!((first.size, first.etag(), first.storage_class()), (5, Some("e-p/a%2Fb"), Some("STANDARD_IA")));
    assert_eq!(first.modified, UNIX_EPOCH + Duration::from_secs(1_709_168_523));
    let gets = source.requests().iter().map(|count| (count.operation, count.sent)).collect::<Vec<_>>();
    // The manifest, no digest beside it, and each file once.
    assert_eq!(gets, [("GetObject", 5)]);
    assert_eq!(keys(&*scene.source("").await, KeyRange::everything()).await.len(), 9);
}

#[tokio::test]
async fn everything_but_the_listing_is_the_bucket_s() {
    let scene = Scene::start().await;
    scene.put("photos", "p/only-there", "12345").await;
    scene.put("photos", "p/changed", "12345").await;
    scene.report("CSV", CSV, &[("1.csv.gz", gzip(&rows(&["p/gone", "p/changed"])))]).await;
    let source = scene.source("p").await;
    assert_eq!(keys(&*source, KeyRange::everything()).await, ["changed", "gone"]);
    assert!(source.look(&"only-there".into()).await.unwrap().is_some());
    assert!(source.look(&"gone".into()).await.unwrap().is_none());
    let listed = entries(&*source, KeyRange::everything()).await;
    let kinds = [&listed[0], &listed[1]].map(async |entry| source.read(entry).await.unwrap_err().kind);
    let [changed, gone] = kinds;
    assert_eq!(changed.await, brigade_store::FailureKind::Changed);
    assert_eq!(gone.await, brigade_store::FailureKind::Absent);
    let plain = scene.server.store("s3://photos/p", Provider::Unknown).await;
    assert_eq!(source.identity(), plain.identity(), "what is remembered of the one holds of the other");
}

#[cfg(feature = "parquet")]
#[tokio::test]
async fn parquet_is_read_as_another_program_writes_it() {
    for content in [&include_bytes!("../data/inventory.parquet")[..], include_bytes!("../data/inventory-v2.parquet")] {
        let scene = Scene::start().await;
        scene.report("Parquet", PARQUET, &[("1.parquet", content.to_vec())]).await;
        let listed = entries(&*scene.source("p").await, KeyRange::everything()).await;
        let all: Vec<_> = listed.iter().map(|entry| entry.key.to_string()).collect();
        assert_eq!(all, ["a\\nb", "a b+c%20d", "b", "z", "é/😀"]);
        let [newline, space, .., emoji] = listed.as_slice() else { panic!("{listed:?}") };
        assert_eq!((newline.size, space.size, emoji.size), (5, 11, 9));
        assert_eq!(space.modified, UNIX_EPOCH + Duration::from_secs(1_709_168_523));
        assert_eq!(emoji.modified, UNIX_EPOCH + Duration::from_millis(1_709_168_523_001));
        assert_eq!(space.storage_class(), None, "it is the usual one");
        assert_eq!(space.etag(), Some("d41d8cd98f00b204e9800998ecf8427e"));
    }
}

#[tokio::test]
async fn a_local_manifest_takes_what_lies_beside_it_and_fetches_the_rest() {
    let scene = Scene::start().await;
    let files = [("1.csv.gz", gzip(&rows(&["a"]))), ("2.csv.gz", gzip(&rows(&["b"])))];
    scene.report("CSV", CSV, &files).await;
    for place in ["report/data", "data", "report"] {
        let directory = tempfile::tempdir().unwrap();
        for made in ["report", place] {
            std::fs::create_dir_all(directory.path().join(made)).unwrap();
        }
        std::fs::write(directory.path().join(place).join("1.csv.gz"), &files[0].1).unwrap();
        let local = directory.path().join("report/manifest.json");
        std::fs::write(&local, manifest("CSV", CSV, &files)).unwrap();
        std::fs::write(directory.path().join("report/manifest.checksum"), hexadecimal(&std::fs::read(&local).unwrap()))
            .unwrap();
        let source = scene.open("s3://photos", local.to_str().unwrap()).await.unwrap();
        assert_eq!(keys(&*source, KeyRange::everything()).await, ["a", "b"]);
        assert_eq!(source.requests()[0].sent, 1, "{place}: only the other file was fetched");

        std::fs::write(directory.path().join(place).join("1.csv.gz"), &files[1].1).unwrap();
        let source = scene.open("s3://photos", local.to_str().unwrap()).await.unwrap();
        let error = source.list(&KeyRange::everything()).next_page().await.unwrap_err().to_string();
        assert!(error.contains("1.csv.gz is not what"), "{error}");
    }
}

#[tokio::test]
async fn a_file_of_many_pieces_comes_whole() {
    let scene = Scene::start().await;
    // 9 MB that don't compress: two pieces.
    let mut noise = 1_u64;
    let mut etag = || {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:016x}", noise >> 3)
    };
    let mut text = String::new();
    for number in 0..110_000_u32 {
        let (key, etag) =
            (number.reverse_bits(), [etag(), etag(), etag(), etag(), etag(), etag(), etag(), etag()].concat());
        writeln!(text, "photos,{key:010},1,2024-02-29T01:02:03.000Z,{etag},STANDARD").unwrap();
    }
    let content = gzip(&text);
    assert!(content.len() > 8 << 20, "{}", content.len());
    scene.report("CSV", CSV, &[("1.csv.gz", content)]).await;
    let source = scene.source("").await;
    let all = keys(&*source, KeyRange::everything()).await;
    assert_eq!(all.len(), 110_000);
    assert!(all.is_sorted());
}

#[tokio::test]
async fn a_report_that_is_not_whole_or_not_right_lists_nothing() {
    let good = gzip(&rows(&["a", "b"]));
    let file = |content: &[u8]| [("1.csv.gz", content.to_vec())];

    let scene = Scene::start().await;
    assert!(scene.refusal().await.contains("name a report's manifest.json"));

    scene.report("CSV", CSV, &file(&good)).await;
    scene.put("reports", &format!("{DATA}/1.csv.gz"), gzip(&rows(&["a", "c"]))).await;
    let error = scene.refusal().await;
    assert!(
        error.contains("1.csv.gz is not what s3://reports/daily") && error.contains("its MD5 is another one"),
        "{error}"
    );

    scene.put("reports", &format!("{DATA}/1.csv.gz"), "short").await;
    let error = scene.refusal().await;
    assert!(error.contains("it has 5 bytes, and should have"), "{error}");

    let missing = manifest("CSV", CSV, &[("1.csv.gz", good.clone()), ("2.csv.gz", good.clone())]);
    scene.report("CSV", CSV, &file(&good)).await;
    scene.put("reports", MANIFEST, missing).await;
    let error = scene.refusal().await;
    assert!(error.contains("data/2.csv.gz, which s3://reports/daily") && error.contains("is not there"), "{error}");

    scene.report("CSV", CSV, &file(&good[..good.len() - 9])).await;
    let error = scene.refusal().await;
    assert!(error.contains("could not read s3://reports/daily/photos/all/data/1.csv.gz, of the inventory"), "{error}");

    scene.report("CSV", CSV, &file(b"no gzip at all")).await;
    assert!(scene.refusal().await.contains("could not read s3://reports/"));

    scene.report("CSV", CSV, &file(&gzip(&rows(&["%zz"])))).await;
    assert!(scene.refusal().await.contains("record 1: the key \"%zz\" is not URL-encoded"));

    scene.report("CSV", CSV, &file(&good)).await;
    let checksum = MANIFEST.replace(".json", ".checksum");
    scene.put("reports", &checksum, format!("{}\n", hexadecimal(b"another"))).await;
    let error = scene.refusal().await;
    assert!(error.contains("is not what manifest.checksum says"), "{error}");
    let right = hexadecimal(manifest("CSV", CSV, &file(&good)).as_bytes());
    scene.put("reports", &checksum, format!("{right}\n")).await;
    assert_eq!(keys(&*scene.source("").await, KeyRange::everything()).await, ["a", "b"]);

    let error = scene.open("s3://bucket", &format!("s3://reports/{MANIFEST}")).await.err().unwrap().to_string();
    assert!(error.contains("is of the bucket photos, and the source is in bucket"), "{error}");
}

#[cfg(feature = "parquet")]
#[tokio::test]
async fn parquet_that_is_none_lists_nothing() {
    let whole = include_bytes!("../data/inventory.parquet");
    let mut broken = whole.to_vec();
    // The pages, and not the footer.
    broken[4..2_000].fill(0xa5);
    for content in [&b""[..], b"PAR1PAR1", b"garbage", &whole[..whole.len() - 10], &broken] {
        let scene = Scene::start().await;
        scene.report("Parquet", PARQUET, &[("1.parquet", content.to_vec())]).await;
        let error = scene.refusal().await;
        assert!(
            error.contains("could not read s3://reports/daily/photos/all/data/1.parquet, of the inventory"),
            "{error}"
        );
    }
}
