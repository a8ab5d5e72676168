//! Uploads under way: how they are listed, and how one that an earlier process
//! began is completed.

use brigade_s3::{
    AccessKey, Bucket, Client, CompleteMultipartUpload, Condition, Config, Error, ErrorKind, ListMultipartUploads,
    ListParts, Stored, UploadPart, UploadsContinuation, UploadsMarker, Verified,
};
use bytes::Bytes;

use crate::server::{Reaction, Server, answer, head_answer, refusal};

const CRC_OF_123456789: &str = "rosUhgp5mIg=";
const CRC_OF_1234: &str = "KfXb5+L/cdQ=";
/// From `printf 1234 | md5sum`.
const MD5_OF_1234: &str = "81dc9bdb52d04dc20036dbd8313ed055";

/// A page with one part, of 4 bytes.
fn parts_page(number: u32, next: Option<u32>, checksum: &str) -> Reaction {
    let next =
        next.map(|next| format!("<IsTruncated>true</IsTruncated><NextPartNumberMarker>{next}</NextPartNumberMarker>"));
    let body = format!(
        "<ListPartsResult>{}<Part><PartNumber>{number}</PartNumber><ETag>&quot;{MD5_OF_1234}&quot;</ETag>\
         <Size>4</Size>{checksum}</Part></ListPartsResult>",
        next.unwrap_or_default()
    );
    answer("200 OK", "", &body)
}

fn uploads_page(key: &str, id: &str, is_truncated: bool) -> Reaction {
    let body = format!(
        "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>{is_truncated}</IsTruncated>\
         <NextKeyMarker>{key}</NextKeyMarker><NextUploadIdMarker>{id}</NextUploadIdMarker><Upload><Key>{key}</Key>\
         <UploadId>{id}</UploadId><Initiated>2013-05-24T00:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>"
    );
    answer("200 OK", "", &body)
}

async fn lines(server: Server) -> Vec<String> {
    server.finish().await.into_iter().map(|request| request.line).collect()
}

#[tokio::test]
async fn pages_of_parts_are_asked_for_one_after_another() {
    let server = Server::start([parts_page(1, Some(1), ""), parts_page(7, None, "")]).await;
    let parts = server.bucket().await.list_all_parts("a b", "u/1").await.unwrap();
    assert_eq!(parts.iter().map(|part| (part.number, part.size)).collect::<Vec<_>>(), [(1, 4), (7, 4)]);
    let expected =
        ["GET /b/a%20b?uploadId=u%2F1 HTTP/1.1", "GET /b/a%20b?part-number-marker=1&uploadId=u%2F1 HTTP/1.1"];
    assert_eq!(lines(server).await, expected);

    let server = Server::start([parts_page(8, None, "")]).await;
    let page = ListParts { key: "k", upload_id: "u", part_number_marker: Some(7), max_parts: Some(1) };
    assert_eq!(server.bucket().await.list_parts(page).await.unwrap().next, None);
    assert_eq!(lines(server).await, ["GET /b/k?max-parts=1&part-number-marker=7&uploadId=u HTTP/1.1"]);
}

#[tokio::test]
async fn parts_that_never_end_are_an_error() {
    let server = Server::start((0..2).map(|_| parts_page(1, Some(1), ""))).await;
    let error = server.bucket().await.list_all_parts("k", "u").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
    assert!(error.to_string().starts_with("s3://b/k: ListParts"), "{error}");
    assert!(error.to_string().contains("the service repeats its continuation token \"1\""), "{error}");
    server.finish().await;
}

#[tokio::test]
async fn parts_of_an_upload_that_is_gone_are_an_error_of_their_own() {
    let server = Server::start([refusal("404 Not Found", "", "NoSuchUpload")]).await;
    let error = server.bucket().await.list_all_parts("k", "u").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchUpload);
    server.finish().await;
}

#[tokio::test]
async fn pages_of_uploads_are_asked_for_with_both_markers() {
    let server = Server::start([uploads_page("p/a+b", "i+1", true), uploads_page("p/c", "i2", false)]).await;
    let bucket = server.bucket().await;
    let mut continuation = UploadsContinuation::default();
    let mut found = Vec::new();
    loop {
        let after = continuation.marker();
        let page = ListMultipartUploads { prefix: "p/", after, max_uploads: None };
        let page = bucket.list_multipart_uploads(page).await.unwrap();
        found.extend(page.uploads.iter().map(|upload| format!("{} {}", upload.key, upload.upload_id)));
        if !continuation.advance(&page).unwrap() {
            break;
        }
    }
    assert_eq!(found, ["p/a b i+1", "p/c i2"]);
    let expected = [
        "GET /b?encoding-type=url&prefix=p%2F&uploads= HTTP/1.1",
        "GET /b?encoding-type=url&key-marker=p%2Fa%20b&prefix=p%2F&upload-id-marker=i%2B1&uploads= HTTP/1.1",
    ];
    assert_eq!(lines(server).await, expected);

    let server = Server::start([uploads_page("k", "i", false)]).await;
    let after = UploadsMarker { key: "j".to_owned(), upload_id: None };
    let page = ListMultipartUploads { prefix: "", after: Some(&after), max_uploads: Some(5) };
    server.bucket().await.list_multipart_uploads(page).await.unwrap();
    assert_eq!(lines(server).await, ["GET /b?encoding-type=url&key-marker=j&max-uploads=5&prefix=&uploads= HTTP/1.1"]);
}

#[tokio::test]
async fn who_may_not_list_uploads_is_told_which_permission_is_missing() {
    let table = [("uploads", "s3:ListBucketMultipartUploads"), ("parts", "s3:ListMultipartUploadParts")];
    for (what, permission) in table {
        let server = Server::start([refusal("403 Forbidden", "", "AccessDenied")]).await;
        let access_key = AccessKey { id: "id".to_owned(), secret: "secret".to_owned(), session_token: None };
        let config = Config { sign: true, access_key: Some(access_key), ..server.config() };
        let bucket = Client::connect(config).await.unwrap().bucket("b");
        let error = match what {
            "uploads" => bucket.list_multipart_uploads(ListMultipartUploads::default()).await.map(drop).unwrap_err(),
            _ => bucket.list_parts(ListParts::default()).await.map(drop).unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
        assert!(error.to_string().contains(permission), "{error}");
        server.finish().await;
    }
}

/// Lists the first part, uploads the second and completes, as a process does that takes up an upload.
async fn resume(bucket: &Bucket) -> Result<Stored, Error> {
    let mut parts = bucket.list_all_parts("k", "u").await?;
    let part = UploadPart { key: "k", upload_id: "u", number: 2, body: Bytes::from_static(b"56789") };
    parts.push(bucket.upload_part(part).await?);
    let condition = Condition::IfAbsent;
    let upload = CompleteMultipartUpload { key: "k", upload_id: "u", parts: &parts, condition, resumed: true };
    bucket.complete_multipart_upload(upload).await
}

fn uploaded() -> Reaction {
    answer("200 OK", "ETag: \"p2\"\r\nx-amz-checksum-crc64nvme: +H3Ihxds5mc=\r\n", "")
}

/// What a HEAD answers of an object of 9 bytes.
fn head(etag: &str, crc: Option<&str>) -> Reaction {
    let crc = crc.map(|crc| format!("x-amz-checksum-crc64nvme: {crc}\r\n")).unwrap_or_default();
    head_answer("200 OK", &format!("Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"{etag}\"\r\n{crc}"), 9)
}

#[tokio::test]
async fn listed_parts_and_written_ones_are_completed_together() {
    let checksum = format!("<ChecksumCRC64NVME>{CRC_OF_1234}</ChecksumCRC64NVME>");
    let completed = format!(
        "<CompleteMultipartUploadResult><ETag>e-2</ETag><ChecksumCRC64NVME>{CRC_OF_123456789}</ChecksumCRC64NVME>\
         </CompleteMultipartUploadResult>"
    );
    let server = Server::start([parts_page(1, None, &checksum), uploaded(), answer("200 OK", "", &completed)]).await;
    let stored = resume(&server.bucket().await).await.unwrap();
    assert_eq!(stored, Stored { etag: "e-2".to_owned(), generation: None, verified: Verified::Yes });
    let sent = server.finish().await;
    assert_eq!(sent[2].header("x-amz-checksum-crc64nvme"), Some(CRC_OF_123456789));
    let document = String::from_utf8(sent[2].body.clone()).unwrap();
    assert!(document.contains(&format!("<ETag>\"{MD5_OF_1234}\"</ETag>{checksum}<PartNumber>1<")), "{document}");
}

#[tokio::test]
async fn a_listed_part_without_a_checksum_leaves_the_whole_without_one() {
    let completed = "<CompleteMultipartUploadResult><ETag>e-2</ETag></CompleteMultipartUploadResult>";
    let server = Server::start([parts_page(1, None, ""), uploaded(), answer("200 OK", "", completed)]).await;
    let stored = resume(&server.bucket().await).await.unwrap();
    assert_eq!(stored.verified, Verified::Unverifiable);
    assert_eq!(server.finish().await[2].header("x-amz-checksum-crc64nvme"), None);
}

#[tokio::test]
async fn an_upload_that_the_earlier_process_completed_is_recognised() {
    let checksum = format!("<ChecksumCRC64NVME>{CRC_OF_1234}</ChecksumCRC64NVME>");
    let gone = refusal("404 Not Found", "", "NoSuchUpload");
    let refused = refusal("412 Precondition Failed", "", "PreconditionFailed");
    let ours = Ok(Stored { etag: "e-2".to_owned(), generation: None, verified: Verified::Yes });
    let table = [
        (&checksum, gone.clone(), head("e-2", Some(CRC_OF_123456789)), ours.clone()),
        (&checksum, refused.clone(), head("e-2", Some(CRC_OF_123456789)), ours),
        (&checksum, gone.clone(), head("e-2", Some("AAAAAAAAAAA=")), Err(ErrorKind::NoSuchUpload)),
        (&checksum, refused, head("e-2", None), Err(ErrorKind::PreconditionFailed)),
        (&checksum, gone.clone(), head_answer("404 Not Found", "", 0), Err(ErrorKind::NoSuchUpload)),
        (&String::new(), gone, head("e-2", Some(CRC_OF_123456789)), Err(ErrorKind::NoSuchUpload)),
    ];
    for (checksum, refusal, head, expected) in table {
        let server = Server::start([parts_page(1, None, checksum), uploaded(), refusal, head]).await;
        assert_eq!(resume(&server.bucket().await).await.map_err(|error| error.kind()), expected);
        assert_eq!(server.finish().await.len(), 4);
    }
}
