//! Versions: against the development server, and against answers that say too little.

use std::num::NonZeroUsize;

use brigade_s3::{
    AccessKey, Bucket, Client, Config, DeleteObject, Error, ErrorKind, GetObject, HeadObject, ListObjectVersions,
    ListedVersion, Provider, PutObject, VersionName, Versioning, VersionsContinuation,
};
use bytes::Bytes;
use tempfile::TempDir;

use crate::server::{Server, answer, head_answer, refusal};

/// A versioned bucket of a development server.
struct Setting {
    server: brigade_devserver::Server,
    bucket: Bucket,
    _directory: TempDir,
}

impl Setting {
    async fn new(provider: Provider) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let account = brigade_devserver::Credentials::new("id", "secret");
        let mut config = brigade_devserver::Config::new(directory.path(), account);
        config.page_limit = 2;
        let server = brigade_devserver::Server::start(config).await.unwrap();
        let config = Config {
            endpoint_url: Some(server.url()),
            access_key: Some(AccessKey { id: "id".into(), secret: "secret".into(), session_token: None }),
            provider: Some(provider),
            retry_pause: std::time::Duration::ZERO,
            ..Config::default()
        };
        let bucket = Client::connect(config).await.unwrap().bucket("bucket");
        bucket.create_bucket(None).await.unwrap();
        assert_eq!(bucket.get_bucket_versioning().await.unwrap(), Versioning::Never);
        bucket.put_bucket_versioning(Versioning::Enabled).await.unwrap();
        assert_eq!(bucket.get_bucket_versioning().await.unwrap(), Versioning::Enabled);
        Self { server, bucket, _directory: directory }
    }

    async fn put(&self, key: &str, body: &'static str) {
        let body = Bytes::from_static(body.as_bytes());
        self.bucket.put_object(PutObject { key, body, ..PutObject::default() }).await.unwrap();
    }

    /// All versions, from pages of two.
    async fn versions(&self) -> Vec<ListedVersion> {
        let mut continuation = VersionsContinuation::default();
        let mut versions = Vec::new();
        loop {
            let wanted = ListObjectVersions { after: continuation.marker(), ..ListObjectVersions::default() };
            let page = self.bucket.list_object_versions(wanted).await.unwrap();
            let follows = continuation.advance(&page).unwrap();
            versions.extend(page.versions);
            if !follows {
                return versions;
            }
        }
    }
}

fn names(versions: &[ListedVersion]) -> Vec<VersionName<'_>> {
    versions.iter().map(|it| VersionName { key: &it.key, version_id: &it.version_id }).collect()
}

#[tokio::test]
async fn versions_are_listed_and_removed_whatever_their_keys() {
    for provider in [Provider::BrigadeDev, Provider::Unknown] {
        let setting = Setting::new(provider).await;
        let keys = ["\u{1}control", "a b+c%d", "line\rend\n", "q\"<&>'", "é"];
        for key in keys {
            setting.put(key, "one").await;
            setting.put(key, "second").await;
            setting.bucket.delete_object(DeleteObject { key, ..DeleteObject::default() }).await.unwrap();
        }
        let versions = setting.versions().await;
        let shown: Vec<_> = versions
            .iter()
            .map(|it| (it.key.as_str(), it.is_latest, it.content.as_ref().map(|content| content.size)))
            .collect();
        let expected = keys.map(|key| [(key, true, None), (key, false, Some(6)), (key, false, Some(3))]);
        assert_eq!(shown, expected.concat(), "{provider:?}");
        setting.server.clear_requests();
        assert!(setting.bucket.delete_versions(&names(&versions)).await.iter().all(Result::is_ok));
        assert!(setting.bucket.delete_versions(&names(&versions)).await.iter().all(Result::is_ok), "they are gone");
        assert!(setting.versions().await.is_empty());
        let expected = if provider == Provider::Unknown { (0, 30) } else { (2, 12) };
        assert_eq!((setting.server.count("DeleteObjects"), setting.server.count("DeleteObject")), expected);
    }
}

/// The versions of one key are told apart, and those of which nothing is said are asked for again.
#[tokio::test]
async fn a_bulk_delete_accounts_for_every_version() {
    let answered = "<DeleteResult><Deleted><Key>k</Key><VersionId>1</VersionId></Deleted>\
        <Error><Key>k</Key><VersionId>2</VersionId><Code>AccessDenied</Code><Message>Locked.</Message></Error>\
        <Error><Key>k</Key><VersionId>3</VersionId><Code>InternalError</Code></Error>\
        <Deleted><Key>k</Key></Deleted></DeleteResult>";
    let removed = || answer("204 No Content", "", "");
    let server = Server::start([answer("200 OK", "", answered), removed(), removed()]).await;
    let bucket = server.bucket().await;
    let versions = ["1", "2", "3", "4"].map(|version_id| VersionName { key: "k", version_id });
    let results = bucket.delete_versions(&versions).await;
    let kinds: Vec<Option<ErrorKind>> = results.iter().map(|result| result.as_ref().err().map(Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::AccessDenied), None, None]);
    let refused = results[1].as_ref().unwrap_err().to_string();
    assert!(refused.contains("s3:DeleteObjectVersion") && refused.contains("object lock"), "{refused}");
    let sent = server.finish().await;
    assert!(String::from_utf8_lossy(&sent[0].body).contains("<Key>k</Key><VersionId>4</VersionId>"));
    let lines: Vec<&str> = sent[1..].iter().map(|request| request.line.as_str()).collect();
    assert_eq!(lines, ["DELETE /b/k?versionId=3 HTTP/1.1", "DELETE /b/k?versionId=4 HTTP/1.1"]);
}

#[tokio::test]
async fn who_may_not_is_told_which_permission_is_missing() {
    let denied = || answer("403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
    let server = Server::start([denied(), denied(), denied(), denied()]).await;
    let access_key = Some(AccessKey { id: "id".into(), secret: "secret".into(), session_token: None });
    let config = Config { access_key, sign: true, ..server.config() };
    let bucket = Client::connect(config).await.unwrap().bucket("b");
    let errors = [
        bucket.list_object_versions(ListObjectVersions::default()).await.unwrap_err(),
        bucket.get_bucket_versioning().await.unwrap_err(),
        bucket.put_bucket_versioning(Versioning::Enabled).await.unwrap_err(),
        bucket.delete_version(VersionName { key: "k", version_id: "1" }).await.unwrap_err(),
    ];
    let permissions =
        ["s3:ListBucketVersions", "s3:GetBucketVersioning", "s3:PutBucketVersioning", "s3:DeleteObjectVersion"];
    for (error, permission) in errors.iter().zip(permissions) {
        assert!(error.to_string().contains(&format!("the credentials need {permission} ")), "{error}");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_version_that_is_a_delete_marker_is_nothing() {
    let marker = "x-amz-delete-marker: true\r\nAllow: DELETE\r\n";
    for (headers, expected) in [(marker, ErrorKind::NotFound), ("", ErrorKind::NotImplemented)] {
        let refused = refusal("405 Method Not Allowed", headers, "MethodNotAllowed");
        let server = Server::start([head_answer("405 Method Not Allowed", headers, 0), refused]).await;
        let bucket = server.bucket().await;
        let head = bucket.head_object(HeadObject { key: "k", version_id: Some("v") }).await;
        assert_eq!(head.unwrap_err().kind(), expected);
        let wanted = GetObject { key: "k", version_id: Some("v"), range: None, if_match: None, limit: 1 };
        assert_eq!(bucket.get_object(wanted).await.unwrap_err().kind(), expected);
        assert_eq!(server.finish().await.len(), 2);
    }
}

/// A plain deletion finds its key whatever version the answer names.
#[tokio::test]
async fn a_delete_marker_that_is_made_is_a_success() {
    let setting = Setting::new(Provider::BrigadeDev).await;
    for key in ["a", "b"] {
        setting.put(key, "x").await;
    }
    setting.server.clear_requests();
    let objects = ["a", "b"].map(|key| DeleteObject { key, ..DeleteObject::default() });
    assert!(setting.bucket.delete_many(&objects, NonZeroUsize::MIN).await.iter().all(Result::is_ok));
    assert_eq!((setting.server.count("DeleteObjects"), setting.server.count("DeleteObject")), (1, 0));
    assert_eq!(setting.versions().await.iter().filter(|it| it.content.is_none()).count(), 2);
}
