//! Copies within a service of objects at and above the size that it copies with one request. The server makes them up.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::{Asked, Reply, Scene};

const GIB: u64 = 1 << 30;

/// Plays a bucket that holds nothing but `from/large`, of so many bytes. The first two parts are copied when both have
/// been asked for.
fn play(asked: &Asked, size: u64, parts: &AtomicUsize, both: &Barrier) -> Reply {
    let modified = "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\n";
    let path = asked.target.split('?').next().unwrap_or_default();
    match asked.method.as_str() {
        "GET" if asked.lists() => {
            let held = format!(
                "<Contents><Key>from/large</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified>\
                 <ETag>&quot;first&quot;</ETag><Size>{size}</Size></Contents>"
            );
            let held = if asked.query("prefix") == Some("from%2F") { held } else { String::new() };
            Reply::of("200 OK", "", format!("<ListBucketResult>{held}</ListBucketResult>"))
        }
        "GET" if asked.query("tagging").is_some() => Reply::of("200 OK", "", "<Tagging><TagSet></TagSet></Tagging>"),
        "HEAD" if path.ends_with("/from/large") => Reply::Answer(
            format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: \"first\"\r\n{modified}\r\n").into(),
        ),
        "POST" if asked.query("uploads").is_some() => {
            let begun = "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>";
            Reply::of("200 OK", "", begun)
        }
        "POST" if asked.query("uploadId") == Some("id") => {
            let finished = "<CompleteMultipartUploadResult><ETag>\"all-2\"</ETag></CompleteMultipartUploadResult>";
            Reply::of("200 OK", "", finished)
        }
        "PUT" if asked.query("partNumber").is_some() => {
            if parts.fetch_add(1, Ordering::SeqCst) < 2 {
                both.wait();
            }
            Reply::of("200 OK", "", "<CopyPartResult><ETag>\"part\"</ETag></CopyPartResult>")
        }
        "PUT" => Reply::of("200 OK", "", "<CopyObjectResult><ETag>\"first\"</ETag></CopyObjectResult>"),
        _ => Reply::refusal("404 Not Found", "NoSuchKey"),
    }
}

/// What was asked for to copy an object of so many bytes.
fn asked_for(size: u64) -> Vec<Asked> {
    let (parts, both) = (AtomicUsize::new(0), Barrier::new(2));
    let scene = Scene::scripted(move |asked| play(asked, size, &parts, &both));
    let ended =
        scene.brigade(["sync", &scene.url("from"), &scene.url("to"), "--no-ledger", "--output", "json"]).exits(0);
    ended.summary().counts([("created", 1), ("failed", 0)]);
    let puts: Vec<Asked> = scene.asked().into_iter().filter(|asked| asked.method == "PUT").collect();
    assert!(puts.iter().all(|put| put.header("x-amz-copy-source-if-match") == Some("\"first\"")), "{puts:?}");
    puts
}

#[test]
fn five_gibibytes_are_copied_with_one_request() {
    let puts = asked_for(5 * GIB);
    assert_eq!(puts.len(), 1, "{puts:?}");
    assert_eq!((puts[0].query("partNumber"), puts[0].header("x-amz-copy-source-range")), (None, None));
}

/// S3 copies no more than 5 GiB with one request. Were the parts not copied at once, the first would be given up, and
/// asked for twice.
#[test]
fn more_than_five_gibibytes_are_copied_in_parts_at_once() {
    for size in [5 * GIB + 1, 6 * GIB] {
        let mut ranges: Vec<(u64, u64)> = asked_for(size)
            .iter()
            .map(|put| {
                assert!(put.query("partNumber").is_some(), "{put:?}");
                let range = put.header("x-amz-copy-source-range").unwrap().strip_prefix("bytes=").unwrap();
                let (first, last) = range.split_once('-').unwrap();
                (first.parse().unwrap(), last.parse::<u64>().unwrap() + 1)
            })
            .collect();
        ranges.sort_unstable();
        assert_eq!((ranges[0].0, ranges[ranges.len() - 1].1), (0, size), "{ranges:?}");
        assert!(ranges.is_sorted_by(|one, next| one.1 == next.0), "{ranges:?}");
        assert!(ranges.iter().all(|(start, end)| (1..=5 * GIB).contains(&(end - start))), "{ranges:?}");
    }
}
