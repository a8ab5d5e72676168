//! Objects: reading, writing, conditions, checksums, copies, removal.

use crate::client::running;

/// The MD5 of `hello`.
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn headers_and_metadata_are_kept() {
    let running = running().await;
    let headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("cache-control", "max-age=60"),
        ("content-disposition", "attachment"),
        ("content-encoding", "gzip"),
        ("content-language", "de"),
        ("expires", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("x-amz-meta-mtime", "1700000000.5"),
    ];
    let put = running.send("PUT", "/bucket/key", &headers, "hello").await;
    assert_eq!((put.status, put.header("etag")), (200, HELLO));
    assert_eq!(put.header("server"), "Brigade-Development-Server");
    for method in ["GET", "HEAD"] {
        let answer = running.send(method, "/bucket/key", &[], "").await;
        for (name, value) in headers {
            assert_eq!(answer.header(name), value);
        }
        assert_eq!((answer.header("etag"), answer.header("content-length")), (HELLO, "5"));
        assert!(!answer.header("last-modified").is_empty());
        assert_eq!(answer.text(), if method == "GET" { "hello" } else { "" });
    }
    running.put("/bucket/plain", "").await;
    assert_eq!(running.head("/bucket/plain").await.header("content-type"), "binary/octet-stream");
    let large = "x".repeat(2100);
    let refused = running.send("PUT", "/bucket/large", &[("x-amz-meta-a", &large)], "").await;
    assert_eq!(refused.error(), (400, "MetadataTooLarge".into()));
    assert_eq!(running.head("/bucket/missing").await.status, 404);
}

#[tokio::test]
async fn ranges_of_a_body_that_is_streamed() {
    let running = running().await;
    let body: Vec<u8> = (0..3_500_000_u32).flat_map(u32::to_le_bytes).take(3_500_000).collect();
    running.put("/bucket/key", body.clone()).await;
    assert_eq!(running.get("/bucket/key").await.body, body);
    for (range, expected) in [
        ("bytes=0-0", 0..1),
        ("bytes=1000-2500000", 1000..2_500_001),
        ("bytes=3499999-", 3_499_999..3_500_000),
        ("bytes=-1200000", 2_300_000..3_500_000),
    ] {
        let answer = running.send("GET", "/bucket/key", &[("range", range)], "").await;
        assert_eq!(answer.status, 206);
        let content_range = format!("bytes {}-{}/3500000", expected.start, expected.end - 1);
        assert_eq!(answer.header("content-range"), content_range);
        assert!(answer.body == body[expected], "{range}");
    }
    let head = running.send("HEAD", "/bucket/key", &[("range", "bytes=5-9")], "").await;
    assert_eq!((head.status, head.header("content-length")), (206, "5"));
    let beyond = running.send("GET", "/bucket/key", &[("range", "bytes=3500000-")], "").await;
    assert_eq!(beyond.error(), (416, "InvalidRange".into()));
    assert_eq!(beyond.header("content-range"), "bytes */3500000");
}

#[tokio::test]
async fn conditions_of_reading() {
    let running = running().await;
    running.put("/bucket/key", "hello").await;
    let modified = running.head("/bucket/key").await.header("last-modified").to_owned();
    for (name, value, expected) in [
        ("if-match", HELLO, 200),
        ("if-match", "\"other\"", 412),
        ("if-none-match", HELLO, 304),
        ("if-none-match", "*", 304),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", modified.as_str(), 304),
        ("if-modified-since", "Wed, 21 Oct 2015 07:28:00 GMT", 200),
        ("if-unmodified-since", modified.as_str(), 200),
        ("if-unmodified-since", "Wed, 21 Oct 2015 07:28:00 GMT", 412),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = running.send(method, "/bucket/key", &[(name, value)], "").await;
            assert_eq!(answer.status, expected, "{method} {name}: {value}");
            if expected == 304 {
                assert_eq!((answer.header("etag"), answer.text()), (HELLO, ""));
            }
        }
    }
}

#[tokio::test]
async fn conditions_of_writing_and_removing() {
    let running = running().await;
    let failed = (412, "PreconditionFailed".to_owned());
    let put = async |name, value, body: &'static str| running.send("PUT", "/bucket/key", &[(name, value)], body).await;
    assert_eq!(put("if-match", HELLO, "x").await.error(), (404, "NoSuchKey".into()));
    assert_eq!(put("if-none-match", "*", "hello").await.status, 200);
    assert_eq!(put("if-none-match", "*", "x").await.error(), failed);
    assert_eq!(put("if-match", "\"other\"", "x").await.error(), failed);
    assert_eq!(running.get("/bucket/key").await.text(), "hello");
    assert_eq!(put("if-match", HELLO, "hello again").await.status, 200);
    let delete = async |etag| running.send("DELETE", "/bucket/key", &[("if-match", etag)], "").await;
    assert_eq!(delete(HELLO).await.error(), failed);
    let etag = running.head("/bucket/key").await.header("etag").to_owned();
    assert_eq!(delete(&etag).await.status, 204);
    assert_eq!(delete(&etag).await.error(), (404, "NoSuchKey".into()));
    assert_eq!(running.delete("/bucket/key").await.status, 204);
}

#[tokio::test]
async fn of_concurrent_writers_one_makes_the_object() {
    let running = running().await;
    let bodies: Vec<String> = (0..16).map(|number| format!("writer {number}")).collect();
    let writers = bodies.iter().map(|body| running.send("PUT", "/bucket/key", &[("if-none-match", "*")], body.clone()));
    let answers = futures_util::future::join_all(writers).await;
    let won: Vec<usize> = (0..16).filter(|number| answers[*number].status == 200).collect();
    assert_eq!(won.len(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 412)));
    assert_eq!(running.get("/bucket/key").await.text(), bodies[won[0]]);
}

#[tokio::test]
async fn checksums_are_verified_kept_and_answered() {
    let running = running().await;
    for (name, right) in [
        ("x-amz-checksum-crc32", "NhCmhg=="),
        ("x-amz-checksum-crc32c", "mnG7TA=="),
        ("x-amz-checksum-crc64nvme", "M3eFcAZSQlc="),
        ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ] {
        let put = running.send("PUT", "/bucket/key", &[(name, right)], "hello").await;
        assert_eq!((put.status, put.header(name)), (200, right));
        assert_eq!(running.get("/bucket/key").await.header(name), "");
        let asked = [("x-amz-checksum-mode", "ENABLED")];
        let got = running.send("GET", "/bucket/key", &asked, "").await;
        assert_eq!((got.header(name), got.header("x-amz-checksum-type")), (right, "FULL_OBJECT"));
        let part = running.send("GET", "/bucket/key", &[asked[0], ("range", "bytes=0-1")], "").await;
        assert_eq!(part.header(name), "", "it would be taken for the part's");
        let wrong = running.send("PUT", "/bucket/key", &[(name, right)], "hallo").await;
        assert_eq!(wrong.error(), (400, "BadDigest".into()));
    }
    let put = running.put("/bucket/key", "hello").await;
    assert_eq!(put.header("x-amz-checksum-crc64nvme"), "M3eFcAZSQlc=", "the default of S3");
    let two = [("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-checksum-crc32c", "mnG7TA==")];
    assert_eq!(running.send("PUT", "/bucket/key", &two, "hello").await.error(), (400, "InvalidRequest".into()));
}

#[tokio::test]
async fn content_md5_is_verified() {
    let running = running().await;
    let md5 = [("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")];
    assert_eq!(running.send("PUT", "/bucket/key", &md5, "hello").await.status, 200);
    assert_eq!(running.send("PUT", "/bucket/key", &md5, "hallo").await.error(), (400, "BadDigest".into()));
    assert_eq!(running.get("/bucket/key").await.text(), "hello");
}

#[tokio::test]
async fn copies_take_the_headers_or_replace_them() {
    let running = running().await;
    running.send("PUT", "/bucket/a%3F/%20b", &[("content-type", "text/html"), ("x-amz-meta-a", "1")], "hello").await;
    let source = ("x-amz-copy-source", "/bucket/a%3F/%20b");
    let copied = running.send("PUT", "/bucket/copy", &[source], "").await;
    assert_eq!((copied.status, copied.first("ETag")), (200, HELLO.to_owned()));
    let copy = running.get("/bucket/copy").await;
    assert_eq!((copy.text(), copy.header("content-type"), copy.header("x-amz-meta-a")), ("hello", "text/html", "1"));
    let replacing = [source, ("x-amz-metadata-directive", "REPLACE"), ("content-type", "text/plain")];
    running.send("PUT", "/bucket/copy", &replacing, "").await;
    let copy = running.get("/bucket/copy").await;
    assert_eq!((copy.header("content-type"), copy.header("x-amz-meta-a")), ("text/plain", ""));

    let send = async |headers: &[(&str, &str)]| running.send("PUT", "/bucket/copy", headers, "").await.error();
    let failed = (412, "PreconditionFailed".to_owned());
    assert_eq!(send(&[source, ("x-amz-copy-source-if-match", "\"other\"")]).await, failed);
    assert_eq!(send(&[source, ("x-amz-copy-source-if-none-match", HELLO)]).await, failed);
    assert_eq!(send(&[source, ("if-none-match", "*")]).await, failed);
    assert_eq!(send(&[("x-amz-copy-source", "/bucket/missing")]).await, (404, "NoSuchKey".into()));
    assert_eq!(send(&[("x-amz-copy-source", "/bucket/copy")]).await, (400, "InvalidRequest".into()));
}

#[tokio::test]
async fn many_are_removed_and_each_is_accounted_for() {
    let running = running().await;
    for key in ["a", "b", "c"] {
        running.put(&format!("/bucket/{key}"), "hello").await;
    }
    let many = |quiet: &str| {
        format!(
            "<Delete>{quiet}<Object><Key>a</Key></Object><Object><Key>missing</Key></Object>\
             <Object><Key>b</Key><ETag>\"other\"</ETag></Object>\
             <Object><Key>c</Key><ETag>{HELLO}</ETag></Object></Delete>"
        )
    };
    let answer = running.delete_many(&many("")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.all("Deleted"), ["<Key>a</Key>", "<Key>missing</Key>", "<Key>c</Key>"]);
    assert_eq!(answer.all("Error").len(), 1);
    assert!(answer.first("Error").contains("<Key>b</Key>") && answer.first("Code") == "PreconditionFailed");
    assert_eq!(running.get("/bucket?list-type=2").await.all("Key"), ["b"]);
    let quiet = running.delete_many(&many("<Quiet>true</Quiet>")).await;
    assert!(quiet.all("Deleted").is_empty());
    assert_eq!(quiet.all("Error").len(), 2, "b is another one, c isn't there any more");
    let keys = "<Object><Key>x</Key></Object>".repeat(1001);
    let answer = running.delete_many(&format!("<Delete>{keys}</Delete>")).await;
    assert_eq!(answer.error(), (400, "MalformedXML".into()));
}

#[tokio::test]
async fn many_are_removed_only_with_a_right_digest() {
    let running = running().await;
    running.put("/bucket/a", "").await;
    let list = "<Delete><Object><Key>a</Key></Object></Delete>";
    assert_eq!(running.post("/bucket?delete", list).await.error(), (400, "InvalidRequest".into()));
    for (name, wrong) in [("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="), ("x-amz-checksum-crc32", "NhCmhg==")] {
        let answer = running.send("POST", "/bucket?delete", &[(name, wrong)], list).await;
        assert_eq!(answer.error(), (400, "BadDigest".into()));
    }
    assert_eq!(running.get("/bucket/a").await.status, 200);
    assert_eq!(running.server.count("DeleteObjects"), 3);
}
