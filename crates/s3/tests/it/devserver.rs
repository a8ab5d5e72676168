//! Against Brigade's own development server, which checks signatures,
//! checksums and conditions.

use std::num::NonZeroUsize;

use brigade_devserver::{Action, Credentials, Fault, Occurrence, Server};
use brigade_s3::{
    AccessKey, Bucket, Client, CompleteMultipartUpload, Condition, Config, CreateMultipartUpload, DeleteObject,
    ErrorKind, GetObject, HeadObject, ListMultipartUploads, ListObjectsV2, ListParts, Provider, PutObject, UploadPart,
    UploadsContinuation, Verified,
};
use bytes::Bytes;
use tempfile::TempDir;

/// Keys that a store or a client might change on their way.
const HOSTILE: [&str; 17] = [
    ".",
    "..",
    "../x",
    "./",
    "/leading",
    "a",
    "a b+c%d",
    "a//b",
    "a/",
    "a/../b",
    "a/b",
    "line\rend\n",
    "quote\"<&>'",
    "\u{1}control\u{7f}",
    "é\u{1f600}",
    "?query#fragment",
    "~!@$^*(){}[]|\\:;,`",
];

struct Setting {
    server: Server,
    bucket: Bucket,
    _directory: TempDir,
}

impl Setting {
    async fn new(provider: Provider) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = brigade_devserver::Config::new(directory.path(), Credentials::new("id", "secret"));
        let server = Server::start(config).await.unwrap();
        let bucket = Client::connect(config_for(&server, provider, "secret")).await.unwrap().bucket("bucket");
        bucket.create_bucket(None).await.unwrap();
        Self { server, bucket, _directory: directory }
    }

    async fn get(&self, key: &str) -> (Bytes, Verified) {
        let got = self
            .bucket
            .get_object(GetObject { key, version_id: None, range: None, if_match: None, limit: 64 << 20 })
            .await
            .unwrap();
        (got.body, got.verified)
    }
}

fn config_for(server: &Server, provider: Provider, secret: &str) -> Config {
    Config {
        endpoint_url: Some(server.url()),
        region: Some("us-east-1".to_owned()),
        access_key: Some(AccessKey { id: "id".to_owned(), secret: secret.to_owned(), session_token: None }),
        provider: Some(provider),
        retry_pause: std::time::Duration::ZERO,
        ..Config::default()
    }
}

fn object<'a>(key: &'a str, body: &'static str) -> PutObject<'a> {
    PutObject { key, body: Bytes::from_static(body.as_bytes()), ..PutObject::default() }
}

#[tokio::test]
async fn hostile_keys_come_back_as_they_went() {
    for provider in [Provider::BrigadeDev, Provider::Unknown] {
        let setting = Setting::new(provider).await;
        let long = "é".repeat(512);
        let mut keys: Vec<&str> = HOSTILE.into_iter().chain([long.as_str()]).collect();
        keys.sort_unstable();
        for key in &keys {
            let stored = setting.bucket.put_object(object(key, "content")).await.unwrap();
            assert_eq!(stored.verified, Verified::Yes, "{key:?}");
            assert_eq!(setting.get(key).await, (Bytes::from_static(b"content"), Verified::Yes), "{key:?}");
        }
        let page = setting.bucket.list_objects_v2(ListObjectsV2::default()).await.unwrap();
        let listed: Vec<&str> = page.objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(listed, keys);
        let all: Vec<DeleteObject<'_>> =
            keys.iter().map(|key| DeleteObject { key, if_match: None, ..DeleteObject::default() }).collect();
        assert!(setting.bucket.delete_many(&all, NonZeroUsize::MIN).await.iter().all(Result::is_ok));
        assert_eq!(setting.bucket.list_objects_v2(ListObjectsV2::default()).await.unwrap().objects, []);
    }
}

#[tokio::test]
async fn pages_follow_each_other() {
    let setting = Setting::new(Provider::BrigadeDev).await;
    for key in ["p/a", "p/b", "p/c", "q"] {
        setting.bucket.put_object(object(key, "")).await.unwrap();
    }
    let first = ListObjectsV2 { prefix: "p/", max_keys: Some(2), ..ListObjectsV2::default() };
    let page = setting.bucket.list_objects_v2(first).await.unwrap();
    assert_eq!(page.objects.len(), 2);
    let token = page.next.unwrap();
    let next = ListObjectsV2 { continuation_token: Some(&token), ..first };
    let page = setting.bucket.list_objects_v2(next).await.unwrap();
    assert_eq!((page.objects[0].key.as_str(), page.objects.len(), page.next), ("p/c", 1, None));
    let grouped = ListObjectsV2 { delimiter: Some("/"), ..ListObjectsV2::default() };
    assert_eq!(setting.bucket.list_objects_v2(grouped).await.unwrap().common_prefixes, ["p/"]);
}

#[tokio::test]
async fn conditions_guard_writes_and_deletes() {
    let setting = Setting::new(Provider::BrigadeDev).await;
    let absent = |body| PutObject { condition: Condition::IfAbsent, ..object("k", body) };
    let first = setting.bucket.put_object(absent("1")).await.unwrap();
    let error = setting.bucket.put_object(absent("2")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);

    let replace = PutObject { condition: Condition::IfMatch(&first.etag), ..object("k", "3") };
    let second = setting.bucket.put_object(replace.clone()).await.unwrap();
    assert_eq!(setting.bucket.put_object(replace).await.unwrap_err().kind(), ErrorKind::PreconditionFailed);

    let stale = DeleteObject { key: "k", if_match: Some(&first.etag), ..DeleteObject::default() };
    assert_eq!(setting.bucket.delete_object(stale).await.unwrap_err().kind(), ErrorKind::PreconditionFailed);
    let pair = [stale, DeleteObject { key: "nothing there", if_match: None, ..DeleteObject::default() }];
    let results = setting.bucket.delete_many(&pair, NonZeroUsize::MIN).await;
    assert_eq!(results[0].as_ref().unwrap_err().kind(), ErrorKind::PreconditionFailed);
    assert!(results[1].is_ok());
    let current = DeleteObject { key: "k", if_match: Some(&second.etag), ..DeleteObject::default() };
    setting.bucket.delete_object(current).await.unwrap();
    let error = setting.bucket.head_object(HeadObject { key: "k", ..HeadObject::default() }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn parts_make_an_object_whose_content_is_verified() {
    for provider in [Provider::BrigadeDev, Provider::Unknown] {
        let setting = Setting::new(provider).await;
        let content = (0..(5_u32 << 20) + 100).map(|n| (n % 251) as u8).collect::<Bytes>();
        let metadata = [("mtime", "1.5")];
        let new = CreateMultipartUpload {
            key: "k",
            headers: brigade_s3::NewHeaders { content_type: Some("text/x"), metadata: &metadata, ..Default::default() },
        };
        let upload = setting.bucket.create_multipart_upload(new).await.unwrap();
        let mut parts = Vec::new();
        // Parts arrive in any order.
        for (number, range) in [(2, 5 << 20..content.len()), (1, 0..5 << 20)] {
            let part = UploadPart { key: "k", upload_id: &upload.upload_id, number, body: content.slice(range) };
            parts.push(setting.bucket.upload_part(part).await.unwrap());
        }
        let condition = Condition::IfAbsent;
        let done = CompleteMultipartUpload {
            key: "k",
            upload_id: &upload.upload_id,
            parts: &parts,
            condition,
            resumed: false,
        };
        let stored = setting.bucket.complete_multipart_upload(done).await.unwrap();
        assert_eq!(stored.verified, Verified::Yes, "{provider}");

        let head = setting.bucket.head_object(HeadObject { key: "k", ..HeadObject::default() }).await.unwrap();
        assert_eq!((head.size, head.etag.as_str()), (content.len() as u64, stored.etag.as_str()));
        assert_eq!((head.content_type.as_deref(), head.metadata("mtime")), (Some("text/x"), Some("1.5")));
        let got = setting.get("k").await;
        assert_eq!(got.0, content);
        let range =
            GetObject { key: "k", version_id: None, range: Some(7..9), if_match: Some(&stored.etag), limit: 100 };
        assert_eq!(setting.bucket.get_object(range).await.unwrap().body, content.slice(7..9));
    }
}

#[tokio::test]
async fn parts_of_an_earlier_process_are_listed_and_completed() {
    for (provider, verified) in [(Provider::BrigadeDev, Verified::Yes), (Provider::Unknown, Verified::Unverifiable)] {
        let setting = Setting::new(provider).await;
        let content = (0..(5_u32 << 20) + 100).map(|n| (n % 251) as u8).collect::<Bytes>();
        let new = CreateMultipartUpload { key: "k", ..CreateMultipartUpload::default() };
        let id = setting.bucket.create_multipart_upload(new).await.unwrap().upload_id;
        let part = UploadPart { key: "k", upload_id: &id, number: 1, body: content.slice(..5 << 20) };
        let written = setting.bucket.upload_part(part).await.unwrap();

        let mut parts = setting.bucket.list_all_parts("k", &id).await.unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!((parts[0].number, parts[0].size, &parts[0].etag), (1, 5 << 20, &written.etag));
        assert_eq!(parts[0].crc64nvme(), written.crc64nvme(), "{provider}");
        let part = UploadPart { key: "k", upload_id: &id, number: 2, body: content.slice(5 << 20..) };
        parts.push(setting.bucket.upload_part(part).await.unwrap());
        let done = CompleteMultipartUpload {
            key: "k",
            upload_id: &id,
            parts: &parts,
            condition: Condition::IfAbsent,
            resumed: true,
        };
        let stored = setting.bucket.complete_multipart_upload(done).await.unwrap();
        assert_eq!(stored.verified, verified, "{provider}");
        assert_eq!(setting.get("k").await.0, content);
        // Once more, as a process does that doesn't know that it is done: it is recognised by a HEAD.
        let again = setting.bucket.complete_multipart_upload(done).await.unwrap();
        assert_eq!(again, stored, "{provider}");
        assert_eq!(setting.server.count("HeadObject"), 1);
        let unaware = CompleteMultipartUpload { resumed: false, ..done };
        let error = setting.bucket.complete_multipart_upload(unaware).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSuchUpload);
    }
}

#[tokio::test]
async fn parts_and_uploads_come_in_pages() {
    let setting = Setting::new(Provider::BrigadeDev).await;
    let mut begun = Vec::new();
    for key in ["p/é +%", "p/a", "p/a", "q"] {
        let new = CreateMultipartUpload { key, ..CreateMultipartUpload::default() };
        let upload = setting.bucket.create_multipart_upload(new).await.unwrap();
        begun.push((key.to_owned(), upload.upload_id));
    }
    let id = begun.last().unwrap().1.clone();
    for number in [1, 4, 9] {
        let part = UploadPart { key: "q", upload_id: &id, number, body: Bytes::from_static(b"x") };
        setting.bucket.upload_part(part).await.unwrap();
    }
    let first = ListParts { key: "q", upload_id: &id, part_number_marker: None, max_parts: Some(2) };
    let page = setting.bucket.list_parts(first).await.unwrap();
    assert_eq!((page.parts.len(), page.next), (2, Some(4)));
    let page = setting.bucket.list_parts(ListParts { part_number_marker: page.next, ..first }).await.unwrap();
    assert_eq!((page.parts[0].number, page.parts.len(), page.next), (9, 1, None));

    let mut continuation = UploadsContinuation::default();
    let mut found = Vec::new();
    loop {
        let page = ListMultipartUploads { prefix: "p/", after: continuation.marker(), max_uploads: Some(1) };
        let page = setting.bucket.list_multipart_uploads(page).await.unwrap();
        assert!(page.uploads.iter().all(|upload| upload.initiated.is_some()));
        found.extend(page.uploads.iter().map(|upload| (upload.key.clone(), upload.upload_id.clone())));
        if !continuation.advance(&page).unwrap() {
            break;
        }
    }
    begun.truncate(3);
    begun.sort();
    assert_eq!(found, begun);
}

#[tokio::test]
async fn an_upload_that_is_given_up_is_gone() {
    let setting = Setting::new(Provider::BrigadeDev).await;
    let new = CreateMultipartUpload { key: "k", ..CreateMultipartUpload::default() };
    let upload = setting.bucket.create_multipart_upload(new).await.unwrap();
    setting.bucket.abort_multipart_upload("k", &upload.upload_id).await.unwrap();
    setting.bucket.abort_multipart_upload("k", &upload.upload_id).await.unwrap();
    let part = UploadPart { key: "k", upload_id: &upload.upload_id, number: 1, body: Bytes::new() };
    assert_eq!(setting.bucket.upload_part(part).await.unwrap_err().kind(), ErrorKind::NoSuchUpload);
}

#[tokio::test]
async fn a_put_that_was_applied_before_its_answer_was_lost_is_ours() {
    let setting = Setting::new(Provider::BrigadeDev).await;
    setting.server.faults().add(Fault::new(Action::ApplyThenReset).on("PutObject").when(Occurrence::Nth(1)));
    let new = PutObject { condition: Condition::IfAbsent, ..object("k", "content") };
    assert_eq!(setting.bucket.put_object(new).await.unwrap().verified, Verified::Yes);
    assert_eq!((setting.server.count("PutObject"), setting.server.count("HeadObject")), (2, 1));
}

#[tokio::test]
async fn buckets_are_made_found_and_listed() {
    let setting = Setting::new(Provider::BrigadeDev).await;
    setting.bucket.create_bucket(None).await.unwrap();
    setting.bucket.head_bucket().await.unwrap();
    let client = setting.bucket.client();
    assert_eq!(client.list_buckets().await.unwrap(), ["bucket"]);
    let missing = client.bucket("missing");
    assert_eq!(missing.head_bucket().await.unwrap_err().kind(), ErrorKind::NoSuchBucket);
    let error = missing.put_object(object("k", "")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchBucket);
    assert!(error.to_string().starts_with("s3://missing/k: PutObject was answered 404 NoSuchBucket: "), "{error}");
    assert!(error.to_string().contains("; check the bucket's name and the endpoint, or create the bucket"), "{error}");
}

#[tokio::test]
async fn a_wrong_secret_is_told_without_showing_it() {
    let setting = Setting::new(Provider::BrigadeDev).await;
    let config = config_for(&setting.server, Provider::BrigadeDev, "wrong secret");
    let client = Client::connect(config).await.unwrap();
    let error = client.bucket("bucket").put_object(object("k", "")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    let shown = format!("{error} {error:?} {client:?}");
    assert!(shown.contains("check the secret access key") && !shown.contains("wrong secret"), "{shown}");
}
