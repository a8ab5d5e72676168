//! What is answered: a status, headers, and a body that is text or an object's content.

use std::fmt::Write;

use super::Server;
use super::head::Head;
use super::{listing, operation, versions};
use crate::bucket::Bucket;
use crate::content;

/// An answer before it is written.
pub(super) struct Answer {
    pub(super) status: &'static str,
    /// Header lines, each with its end; `Content-Length` comes by itself.
    pub(super) headers: String,
    pub(super) body: Text,
    /// Bytes of the endless sequence that follow the headers in place of text.
    pub(super) content: Option<(u64, u64)>,
}

type Text = String;

/// Answers a request whose body has this MD5; `document` is the body itself where it is a document.
pub(super) fn answer(server: &Server, head: &Head, md5: [u8; 16], document: &[u8]) -> Answer {
    let operation = operation::of(head);
    if operation == "_counts" {
        return text("200 OK", server.take_counts());
    }
    if server.is_too_busy() {
        server.count("SlowDown");
        let error = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
        return text("503 Slow Down", error.into());
    }
    server.count(operation);
    let (name, key) = head.bucket_and_key();
    // Nothing is listed in `empty-BUCKET`, and what is asked for by its name is there: as where it was just sent.
    let bucket = Bucket::named(name);
    let sent = Bucket::named(name.strip_prefix("empty-").unwrap_or(name));
    match operation {
        "ListObjects" | "ListObjectsV2" => text("200 OK", listing::page(server, bucket, head)),
        "ListObjectVersions" => text("200 OK", versions::page(server, bucket, head)),
        "GetBucketVersioning" => {
            text("200 OK", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>".into())
        }
        "GetObject" | "HeadObject" => match sent.filter(|bucket| bucket.holds(&key)) {
            Some(bucket) => object(server, &bucket, head),
            None => text("404 Not Found", "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>".into()),
        },
        "GetObjectTagging" => text("200 OK", "<Tagging><TagSet></TagSet></Tagging>".into()),
        "PutObject" | "UploadPart" => stored(&content::hex(&md5)),
        "CopyObject" => copied(server, head, "CopyObjectResult"),
        "UploadPartCopy" => copied(server, head, "CopyPartResult"),
        "CreateMultipartUpload" => text(
            "200 OK",
            format!(
                "<InitiateMultipartUploadResult><Bucket>{name}</Bucket><Key>{key}</Key><UploadId>u</UploadId>\
                 </InitiateMultipartUploadResult>"
            ),
        ),
        "CompleteMultipartUpload" => completed(name, &key, document),
        "DeleteObject" | "AbortMultipartUpload" => text("204 No Content", String::new()),
        "DeleteObjects" => deleted(document),
        "GetBucketLocation" => text("200 OK", "<LocationConstraint>us-east-1</LocationConstraint>".into()),
        "ListMultipartUploads" => text(
            "200 OK",
            "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>".into(),
        ),
        "ListBuckets" => text("200 OK", "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>".into()),
        "HeadBucket" | "CreateBucket" => text("200 OK", String::new()),
        _ => text("404 Not Found", "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>".into()),
    }
}

fn text(status: &'static str, body: Text) -> Answer {
    let headers = if body.is_empty() { String::new() } else { "Content-Type: application/xml\r\n".into() };
    Answer { status, headers, body, content: None }
}

fn stored(etag: &str) -> Answer {
    Answer { headers: format!("ETag: \"{etag}\"\r\n"), ..text("200 OK", String::new()) }
}

/// Whatever was to be copied has the ETag that it has where it comes from.
fn copied(server: &Server, head: &Head, result: &str) -> Answer {
    let size = head.copy_source.as_deref().and_then(Bucket::named).map_or(0, |bucket| bucket.size);
    let etag = server.etag(size);
    let written = "<LastModified>2024-01-01T00:00:00.000Z</LastModified>";
    text("200 OK", format!("<{result}>{written}<ETag>&quot;{etag}&quot;</ETag></{result}>"))
}

fn object(server: &Server, bucket: &Bucket, head: &Head) -> Answer {
    let size = bucket.size;
    let mut headers = format!(
        "Accept-Ranges: bytes\r\nContent-Type: application/octet-stream\r\nETag: \"{}\"\r\nLast-Modified: {}\r\n",
        server.etag(size),
        server.written.1
    );
    let Some((first, last)) = head.range.filter(|(first, _)| *first < size) else {
        return Answer { status: "200 OK", headers, body: String::new(), content: Some((0, size)) };
    };
    let end = last.map_or(size, |last| size.min(last + 1));
    // Writing to a string can't fail.
    let _ = write!(headers, "Content-Range: bytes {first}-{}/{size}\r\n", end - 1);
    Answer { status: "206 Partial Content", headers, body: String::new(), content: Some((first, end)) }
}

fn completed(name: &str, key: &str, document: &[u8]) -> Answer {
    let document = String::from_utf8_lossy(document);
    let parts: Vec<[u8; 16]> = elements(&document, "ETag")
        .map(|etag| {
            let digits: String = etag.replace("&quot;", "").replace("&#34;", "").replace('"', "");
            u128::from_str_radix(&digits, 16).unwrap_or_default().to_be_bytes()
        })
        .collect();
    let etag = content::of_parts(&parts);
    text(
        "200 OK",
        format!(
            "<CompleteMultipartUploadResult><Bucket>{name}</Bucket><Key>{key}</Key><ETag>&quot;{etag}&quot;</ETag>\
             </CompleteMultipartUploadResult>"
        ),
    )
}

fn deleted(document: &[u8]) -> Answer {
    let document = String::from_utf8_lossy(document);
    // What was to go is told as gone, word for word.
    let objects = elements(&document, "Object").map(|object| format!("<Deleted>{object}</Deleted>"));
    text("200 OK", format!("<DeleteResult>{}</DeleteResult>", objects.collect::<String>()))
}

/// The contents of all elements of this name, which don't lie in one another.
fn elements<'a>(document: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = document;
    std::iter::from_fn(move || {
        let from = rest.find(&start)? + start.len();
        let length = rest[from..].find(&end)?;
        let element = &rest[from..from + length];
        rest = &rest[from + length..];
        Some(element)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_refused_and_counted_as_such() {
        let server = Server::new(std::time::Duration::ZERO, Some(10));
        let head = Head { method: "PUT".into(), path: "/b/k".into(), ..Head::default() };
        // One may come at once, and the next one a tenth of a second later.
        let statuses = [(); 2].map(|()| answer(&server, &head, [0; 16], b"").status);
        assert_eq!(statuses, ["200 OK", "503 Slow Down"]);
        assert_eq!(server.take_counts(), "{\"PutObject\":1,\"SlowDown\":1}");
    }

    #[test]
    fn a_completed_upload_has_the_etag_of_its_parts() {
        let document = "<CompleteMultipartUpload><Part><ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag>\
            <PartNumber>1</PartNumber></Part><Part><ETag>\"92eb5ffee6ae2fec3ad71c777531578f\"</ETag></Part>\
            </CompleteMultipartUpload>";
        // MD5 of 32 bytes that are MD5("a") and MD5("b").
        assert!(completed("b", "k", document.as_bytes()).body.contains("96e024ba2074fe77e8e965ba43a704be-2"));
    }
}
