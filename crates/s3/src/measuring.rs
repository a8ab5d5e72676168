//! Parts of this crate whose cost is measured by itself, by `bench/instructions`.

use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use http::{HeaderMap, HeaderValue, Method, header};

use crate::encoding::{Keep, encode};
use crate::lanes::md5_of_each;
use crate::operations::list_objects_v2;
use crate::sign::{Scheme, Scope, Signable, Signer};
use crate::timestamp::SigningTime;

/// A page of a listing of these keys, as S3 writes it.
pub fn page(keys: impl Iterator<Item = String>) -> String {
    let contents = keys.map(|key| {
        let key = encode(&key, Keep::UnreservedAndSlash);
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>\
             <ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>4096</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>"
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult><EncodingType>url</EncodingType>{}</ListBucketResult>",
        contents.collect::<String>()
    )
}

/// Parses a page; says how many objects it lists.
#[must_use]
pub fn parse(page: &str) -> Option<usize> {
    Some(list_objects_v2::parse(page.as_bytes()).ok()?.objects.len())
}

/// Who signs, and the key that was derived once.
static SIGNER: LazyLock<(Signer, Credentials)> =
    LazyLock::new(|| (Signer::default(), Credentials::new("AKIDEXAMPLE", "secret", None, None, "measuring")));

/// Signs the write of an object of this key.
#[must_use]
pub fn sign(key: &str) -> Option<()> {
    let (signer, credentials) = &*SIGNER;
    let time = SigningTime::of(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let payload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("bucket.s3.eu-west-1.amazonaws.com"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert("x-amz-content-sha256", HeaderValue::from_static(payload));
    headers.insert("x-amz-date", HeaderValue::from_str(time.full()).ok()?);
    headers.insert("x-amz-meta-mtime", HeaderValue::from_static("1700000000.123456789"));
    let path = format!("/{}", encode(key, Keep::UnreservedAndSlash));
    let request = Signable { method: &Method::PUT, path: &path, query: "", headers: &headers, payload };
    let scope = Scope { scheme: Scheme::AWS, time: &time, region: "eu-west-1", service: "s3" };
    (!signer.authorization(&request, &scope, credentials).is_empty()).then_some(())
}

/// MD5 of each message; says how many there are.
#[must_use]
pub fn md5(messages: &[&[u8]]) -> usize {
    md5_of_each(messages).len()
}
