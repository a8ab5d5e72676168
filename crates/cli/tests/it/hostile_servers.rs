//! Servers that send other bytes than they said, or close when they shouldn't:
//! nothing torn is stored, nothing is reported that isn't so.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::harness::{Asked, Ended, Files, Reply, Scene};

const MODIFIED: &str = "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\n";

/// MD5 of `123456789`.
const MD5: &str = "25f9e794323b453885f5181f1b624d0b";

/// A listing of one object, `k`.
fn listing(size: usize, etag: &str) -> Reply {
    let etag = if etag.is_empty() { String::new() } else { format!("<ETag>&quot;{etag}&quot;</ETag>") };
    let body = format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k</Key><Size>{size}</Size>{etag}\
         <LastModified>2013-05-24T00:00:00.000Z</LastModified></Contents></ListBucketResult>"
    );
    Reply::of("200 OK", "", body)
}

fn nothing_listed() -> Reply {
    Reply::of("200 OK", "", "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
}

/// The answer to a HEAD: the length that a body would have, and none.
fn head(headers: &str, size: usize) -> Reply {
    Reply::Answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n{MODIFIED}{headers}\r\n").into_bytes())
}

/// Fetches `k` over what stands there, with `--delete`; nothing else may change.
fn fetch(scene: &Scene) -> Ended {
    scene.write("tree", &Files::new([("k", b"what was there before"), ("other", b"not in the bucket")]));
    scene.brigade(["sync", &scene.url(""), &scene.arg("tree"), "--delete", "--output", "json"])
}

/// Asserts that `k` failed for this reason, and that the tree is as it was.
#[track_caller]
fn failed(scene: &Scene, ended: Ended, reason: &str) {
    let ended = ended.exits(3).complains("k: ").complains(reason);
    ended.summary().counts([("failed", 1), ("deletions_held_back", 1)]);
    let untouched = Files::new([("k", b"what was there before"), ("other", b"not in the bucket")]);
    scene.read("tree").assert_are(&untouched);
    assert!(scene.read("tmp").0.is_empty(), "temporary files were left behind");
}

#[test]
fn another_size_than_was_listed_is_never_stored() {
    for body in ["twelve bytes", "8 bytes."] {
        let scene = Scene::scripted(move |asked| match asked.method.as_str() {
            "HEAD" => head("ETag: \"e\"\r\n", 10),
            _ if asked.lists() => listing(10, "e"),
            _ => Reply::of("200 OK", &format!("{MODIFIED}ETag: \"e\"\r\n"), body),
        });
        let ended = fetch(&scene);
        failed(&scene, ended, "since it was listed; run again");
    }
}

/// The next listing would say so too: the new version is what is fetched.
#[test]
fn a_size_that_has_changed_since_the_listing_is_looked_at_again() {
    let scene = Scene::scripted(|asked| match asked.method.as_str() {
        "HEAD" => head("ETag: \"new\"\r\n", 12),
        _ if asked.lists() => listing(10, "old"),
        _ if asked.header("if-match") == Some("\"new\"") => {
            Reply::of("200 OK", &format!("{MODIFIED}ETag: \"new\"\r\n"), "twelve bytes")
        }
        _ => Reply::refusal("412 Precondition Failed", "PreconditionFailed"),
    });
    scene.sync(&scene.url(""), &scene.arg("tree"), []).counts([("created", 1)]);
    scene.read("tree").assert_are(&Files::new([("k", b"twelve bytes")]));
}

#[test]
fn bytes_that_break_off_are_asked_for_again() {
    let asked_before = AtomicU64::new(0);
    let scene = Scene::scripted(move |asked| {
        if asked.lists() {
            return listing(9, MD5);
        }
        match asked_before.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::Last(format!("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n{MODIFIED}\r\n1234").into_bytes()),
            1 => Reply::HangUp,
            _ => Reply::of("200 OK", &format!("{MODIFIED}ETag: \"{MD5}\"\r\n"), "123456789"),
        }
    });
    scene.sync(&scene.url(""), &scene.arg("tree"), []).counts([("created", 1)]);
    scene.read("tree").assert_are(&Files::new([("k", b"123456789")]));
}

#[test]
fn bytes_that_are_not_what_their_checksum_says_are_never_stored() {
    let wrong_crc = format!("{MODIFIED}ETag: \"e\"\r\nx-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\n");
    let wrong_md5 = format!("{MODIFIED}ETag: \"{MD5}\"\r\n");
    for (etag, headers, body, reason) in
        [("e", wrong_crc, "123456789", "its CRC64NVME is"), (MD5, wrong_md5, "123456780", "its MD5 is")]
    {
        let scene = Scene::scripted(
            move |asked| {
                if asked.lists() { listing(9, etag) } else { Reply::of("200 OK", &headers, body) }
            },
        );
        let ended = fetch(&scene);
        assert!(ended.stdout.contains("\"kind\":\"corrupt\""), "{}", ended.stdout);
        failed(&scene, ended, reason);
    }
}

/// Bytes are bytes: what is stored compressed arrives so, and nobody is asked to compress.
#[test]
fn compressed_content_is_not_unpacked_and_none_is_asked_for() {
    let packed = b"\x1f\x8b\x08\x00not really";
    let scene = Scene::scripted(move |asked| {
        let headers = format!("{MODIFIED}ETag: \"e\"\r\nContent-Encoding: gzip\r\n");
        if asked.lists() { listing(packed.len(), "e") } else { Reply::of("200 OK", &headers, packed) }
    });
    scene.sync(&scene.url(""), &scene.arg("tree"), []).counts([("created", 1)]);
    scene.read("tree").assert_are(&Files::new([("k", packed)]));
    assert!(scene.asked().iter().all(|asked| asked.header("accept-encoding").is_none()));
}

/// An object that is fetched in three parts.
const LARGE: usize = 20 << 20;

/// The part of a version (all bytes alike) that was asked for.
fn part(asked: &Asked, byte: u8, headers: &str) -> Reply {
    let (first, last) = asked.header("range").unwrap().strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let range = format!("Content-Range: bytes {first}-{last}/{LARGE}\r\n{MODIFIED}{headers}");
    Reply::of("206 Partial Content", &range, vec![byte; last + 1 - first])
}

/// A bucket in which `k` is overwritten after its first part was sent, as often as said.
fn overwritten(times: u64) -> Scene {
    let version = Mutex::new(0);
    Scene::scripted(move |asked| {
        let mut version = version.lock().unwrap();
        let etag = format!("v{version}");
        let is_whole = asked.header("if-match").is_none_or(|wanted| wanted == format!("\"{etag}\""));
        let headers = format!("ETag: \"{etag}\"\r\n");
        if asked.lists() {
            return listing(LARGE, &etag);
        }
        if asked.method == "HEAD" {
            return head(&headers, LARGE);
        }
        if !is_whole {
            return Reply::refusal("412 Precondition Failed", "PreconditionFailed");
        }
        let reply = part(asked, u8::try_from(*version).unwrap(), &headers);
        *version = (*version + 1).min(times);
        reply
    })
}

#[test]
fn an_object_that_is_overwritten_while_its_parts_come_is_fetched_anew() {
    let scene = overwritten(1);
    scene.sync(&scene.url(""), &scene.arg("tree"), []).counts([("created", 1)]);
    assert!(scene.read("tree").0["k"] == vec![1; LARGE], "it is torn, or not the newest version");
    assert!(
        scene.asked().iter().all(|asked| asked.method != "GET" || asked.lists() || asked.header("if-match").is_some())
    );
}

#[test]
fn an_object_that_is_overwritten_again_and_again_is_a_failure_and_never_torn() {
    let scene = overwritten(200);
    let ended = fetch(&scene);
    failed(&scene, ended, "since it was listed; run again");
}

/// Without an `ETag` there is only the time to tell versions by.
#[test]
fn an_object_without_etags_that_is_overwritten_is_never_torn() {
    let parts = AtomicU64::new(0);
    let scene = Scene::scripted(move |asked| {
        if asked.lists() {
            return listing(LARGE, "");
        }
        if asked.method == "HEAD" {
            return head("", LARGE);
        }
        let Reply::Answer(answer) = part(asked, 1, "") else { unreachable!() };
        let later = parts.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        let answer = if later { replaced(answer, b"24 May 2013", b"31 May 2013") } else { answer };
        Reply::Answer(answer)
    });
    let ended = fetch(&scene);
    failed(&scene, ended, "since it was listed; run again");
}

fn replaced(mut bytes: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    let place = bytes.windows(old.len()).position(|window| window == old).unwrap();
    bytes[place..place + new.len()].copy_from_slice(new);
    bytes
}

#[test]
fn parts_that_are_not_what_was_asked_for_are_never_stored() {
    type Lie = fn(&Asked) -> Reply;
    let table: [(Lie, &str); 4] = [
        // It ignores the range, and sends everything.
        (|_| Reply::of("200 OK", &format!("{MODIFIED}ETag: \"e\"\r\n"), vec![1; LARGE]), "longer than"),
        // It ignores the range, and sends something shorter.
        (|_| Reply::of("200 OK", &format!("{MODIFIED}ETag: \"e\"\r\n"), "short"), "in place of the range"),
        // It says that it sends another range.
        (
            |_| {
                let range = format!("Content-Range: bytes 1-9/{LARGE}\r\n{MODIFIED}ETag: \"e\"\r\n");
                Reply::of("206 Partial Content", &range, "123456789")
            },
            "came, 9 of them, not",
        ),
        // It doesn't say what it sends.
        (
            |_| Reply::of("206 Partial Content", &format!("{MODIFIED}ETag: \"e\"\r\n"), "123456789"),
            "the answer has no Content-Range",
        ),
    ];
    for (lie, reason) in table {
        let scene = Scene::scripted(move |asked| match asked.method.as_str() {
            "HEAD" => head("ETag: \"e\"\r\n", LARGE),
            _ if asked.lists() => listing(LARGE, "e"),
            _ => lie(asked),
        });
        let ended = fetch(&scene);
        failed(&scene, ended, reason);
    }
}

/// An object that claims more than memory could hold takes none of it.
#[test]
fn a_claimed_size_takes_no_memory() {
    const CLAIMED: usize = 1 << 50;
    let scene = Scene::scripted(|asked| match asked.method.as_str() {
        "HEAD" => head("ETag: \"e\"\r\n", CLAIMED),
        _ if asked.lists() => listing(CLAIMED, "e"),
        _ => Reply::of("403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>"),
    });
    let ended = fetch(&scene);
    failed(&scene, ended, "AccessDenied");
}

/// A tree with one file, `k`, and a bucket with nothing in it.
fn upload(scene: &Scene, content: &[u8]) -> Ended {
    scene.write("tree", &Files::new([("k", content)]));
    let args = ["sync", &scene.arg("tree"), &scene.url(""), "--provider", "aws", "--addressing", "path"];
    scene.brigade(args.iter().chain(&["--output", "json"]))
}

#[test]
fn a_server_that_refuses_before_it_has_read_the_body_is_understood() {
    let scene = Scene::scripted(|asked| match asked.method.as_str() {
        _ if asked.lists() => nothing_listed(),
        "PUT" => Reply::refusal("403 Forbidden", "AccessDenied").early(),
        _ => Reply::refusal("404 Not Found", "NoSuchKey"),
    });
    let ended = upload(&scene, &vec![7; 15 << 20]).exits(3).complains("AccessDenied").complains("s3:PutObject");
    ended.summary().counts([("failed", 1)]);
}

#[test]
fn a_server_that_is_busy_before_it_has_read_the_body_is_asked_again() {
    let puts = AtomicU64::new(0);
    let scene = Scene::scripted(move |asked| {
        if asked.lists() {
            nothing_listed()
        } else if puts.fetch_add(1, Ordering::Relaxed) < 2 {
            Reply::refusal("503 Slow Down", "SlowDown").early()
        } else {
            Reply::of("200 OK", "ETag: \"e\"\r\n", "")
        }
    });
    upload(&scene, &vec![7; 15 << 20]).exits(0).summary().counts([("created", 1)]);
    assert_eq!(scene.asked().iter().filter(|asked| asked.method == "PUT").count(), 3);
}

/// Each connection dies after one answer that didn't say so: nobody notices.
#[test]
fn connections_that_die_while_idle_are_replaced() {
    let scene = Scene::scripted(|asked| {
        let reply = if asked.lists() {
            nothing_listed()
        } else {
            Reply::of("200 OK", &format!("ETag: \"e\"\r\n{MODIFIED}"), "")
        };
        reply.then_closed()
    });
    let names: Vec<String> = (0..50).map(|number| format!("f{number}")).collect();
    let mut files = Files::default();
    for name in &names {
        files.put(name, "x");
    }
    scene.write("tree", &files);
    let summary = scene.sync(&scene.arg("tree"), &scene.url(""), ["--jobs", "2"]);
    summary.counts([("created", 50)]);
    // A PUT that meets the closing connection may be sent twice, and never more rarely than once.
    let mut put: Vec<String> =
        scene.asked().into_iter().filter(|asked| asked.method == "PUT").map(|asked| asked.target).collect();
    put.sort();
    put.dedup();
    assert_eq!(put.len(), 50);
}

/// A write that was lost, not done, and overtaken by somebody else's: theirs
/// is neither overwritten nor taken for ours.
#[test]
fn what_somebody_else_wrote_meanwhile_is_not_taken_for_ours() {
    let puts = AtomicU64::new(0);
    let scene = Scene::scripted(move |asked| match asked.method.as_str() {
        _ if asked.lists() => nothing_listed(),
        "PUT" if puts.fetch_add(1, Ordering::Relaxed) == 0 => Reply::HangUp,
        "PUT" => Reply::refusal("412 Precondition Failed", "PreconditionFailed"),
        _ => head("ETag: \"theirs\"\r\nx-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\n", 9),
    });
    let ended = upload(&scene, b"123456789").exits(3).complains("somebody else wrote this key");
    ended.summary().counts([("failed", 1)]);
    let puts: Vec<Asked> = scene.asked().into_iter().filter(|asked| asked.method == "PUT").collect();
    assert!(puts.len() == 2 && puts.iter().all(|put| put.header("if-none-match") == Some("*")));
}
