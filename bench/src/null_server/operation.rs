//! What a request asks for, by S3's names.

use super::head::Head;

/// S3's name of what is asked for; what is none of what is answered with
/// content or a listing counts as `Other`.
pub(super) fn of(head: &Head) -> &'static str {
    let (_, key) = head.bucket_and_key();
    let has = |name| head.parameter(name).is_some();
    match (head.method.as_str(), key.is_empty()) {
        ("GET", true) if head.path == "/_counts" => "_counts",
        ("GET", true) if head.path == "/" => "ListBuckets",
        ("GET", true) if has("location") => "GetBucketLocation",
        ("GET", true) if has("versioning") => "GetBucketVersioning",
        ("GET", true) if has("versions") => "ListObjectVersions",
        ("GET", true) if has("uploads") => "ListMultipartUploads",
        ("GET", true) if has("list-type") => "ListObjectsV2",
        ("GET", true) if has("prefix") || has("delimiter") || has("max-keys") || head.query.is_empty() => "ListObjects",
        ("POST", true) if has("delete") => "DeleteObjects",
        ("HEAD", true) => "HeadBucket",
        ("PUT", true) => "CreateBucket",
        ("GET", false) if has("tagging") => "GetObjectTagging",
        ("GET", false) => "GetObject",
        ("HEAD", false) => "HeadObject",
        ("PUT", false) if has("partNumber") && head.copy_source.is_some() => "UploadPartCopy",
        ("PUT", false) if has("partNumber") => "UploadPart",
        ("PUT", false) if head.copy_source.is_some() => "CopyObject",
        ("PUT", false) => "PutObject",
        ("POST", false) if has("uploads") => "CreateMultipartUpload",
        ("POST", false) if has("uploadId") => "CompleteMultipartUpload",
        ("DELETE", false) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", false) => "DeleteObject",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        let table = [
            ("GET", "/b", "list-type=2&prefix=", "ListObjectsV2"),
            ("GET", "/b/", "prefix=&marker=x", "ListObjects"),
            ("GET", "/b/", "versions&prefix=", "ListObjectVersions"),
            ("GET", "/b/k", "", "GetObject"),
            ("GET", "/b/k", "tagging", "GetObjectTagging"),
            ("PUT", "/b/k", "", "PutObject"),
            ("PUT", "/b/k", "partNumber=1&uploadId=u", "UploadPart"),
            ("POST", "/b/k", "uploads=", "CreateMultipartUpload"),
            ("POST", "/b/k", "uploads", "CreateMultipartUpload"),
            ("POST", "/b/k", "uploadId=u", "CompleteMultipartUpload"),
            ("POST", "/b", "delete", "DeleteObjects"),
            ("GET", "/_counts", "", "_counts"),
        ];
        for (method, path, query, expected) in table {
            let head = Head { method: method.into(), path: path.into(), query: query.into(), ..Head::default() };
            assert_eq!(of(&head), expected);
        }
    }
}
