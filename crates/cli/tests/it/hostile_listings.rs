//! Listings that lie, loop, or never end: the run ends with an error that says
//! so, and what was there before is there afterwards.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::harness::{Asked, Ended, Files, Reply, Scene};

/// What `ListObjectsV2` says of an object of ten bytes.
fn contents(key: &str) -> String {
    format!(
        "<Contents><Key>{key}</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>\
         <Size>10</Size></Contents>"
    )
}

/// A page, with the token of the next one where there is one.
fn page(contents: &str, next: Option<&str>) -> String {
    let next = next.map(|next| format!("<NextContinuationToken>{next}</NextContinuationToken>"));
    format!(
        "<ListBucketResult><IsTruncated>{}</IsTruncated>{}{contents}</ListBucketResult>",
        next.is_some(),
        next.unwrap_or_default()
    )
}

fn xml(body: impl AsRef<[u8]>) -> Reply {
    Reply::of("200 OK", "Content-Type: application/xml\r\n", body)
}

/// The destination of a download before it, and after it if all is well.
fn kept() -> Files {
    Files::new([("kept", b"nobody may delete this"), ("sub/kept", b"nor this")])
}

/// Syncs a bucket with these listings into a directory, with `--delete`, which
/// must end with 1 and leave everything there.
#[track_caller]
fn breaks_off(listing: impl Fn(&Asked) -> Reply + Send + Sync + 'static, reason: &str) -> Scene {
    let scene =
        Scene::scripted(
            move |asked| if asked.lists() { listing(asked) } else { Reply::refusal("404 Not Found", "NoSuchKey") },
        );
    scene.write("kept", &kept());
    let bucket = scene.url("p");
    let ended = scene.brigade(["sync", &bucket, &scene.arg("kept"), "--delete", "--max-delete", "100%"]);
    ended.exits(1).complains(reason).complains(&format!("could not list {bucket}: "));
    scene.read("kept").assert_are(&kept());
    assert!(scene.read("tmp").0.is_empty(), "temporary files were left behind");
    scene
}

/// The same with a body that is always the same.
#[track_caller]
fn is_refused(body: impl Into<Vec<u8>>, reason: &str) -> Scene {
    let body = body.into();
    breaks_off(move |_| xml(&body), reason)
}

#[test]
fn a_token_that_repeats_is_an_error() {
    is_refused(page(&contents("p/a"), Some("t")), "repeats");
    is_refused(page("", Some("t")), "the service repeats its continuation token \"t\": the listing would never end");
}

#[test]
fn tokens_that_go_in_a_circle_are_an_error_in_any_order_and_on_both_sides() {
    /// Three pages that lead to each other, with keys that no order explains, so that they are sorted.
    fn circle(asked: &Asked) -> Reply {
        xml(match asked.query("continuation-token") {
            None | Some("c") => page(&contents("p/z"), Some("a")),
            Some("a") => page(&contents("p/m"), Some("b")),
            _ => page(&contents("p/a"), Some("c")),
        })
    }
    for provider in ["aws", "unknown", "seaweedfs"] {
        let scene = Scene::scripted(circle);
        scene.write("kept", &kept());
        let (bucket, tree) = (scene.url("p"), scene.arg("kept"));
        for (source, dest) in [(&bucket, &tree), (&tree, &bucket)] {
            let args = ["sync", source, dest, "--delete", "--max-delete", "100%", "--provider", provider];
            scene.brigade(args).exits(1).complains("repeats").complains("never end");
        }
        scene.brigade(["ls", &bucket, "--provider", provider]).exits(1).complains("repeats");
        scene.read("kept").assert_are(&kept());
        assert!(scene.asked().iter().all(|asked| asked.method != "DELETE"), "something was deleted");
    }
}

#[test]
fn ever_new_tokens_with_the_same_keys_are_an_error() {
    let pages = AtomicU64::new(0);
    let listing = move |_: &Asked| {
        let number = pages.fetch_add(1, Ordering::Relaxed);
        xml(page(&contents(if number.is_multiple_of(2) { "p/b" } else { "p/a" }), Some(&format!("t{number}"))))
    };
    breaks_off(listing, "the service repeats a page that begins with \"p/");
}

#[test]
fn ever_new_tokens_without_any_key_are_an_error() {
    let pages = AtomicU64::new(0);
    let listing = move |_: &Asked| xml(page("", Some(&format!("t{}", pages.fetch_add(1, Ordering::Relaxed)))));
    breaks_off(listing, "10000 pages in a row were empty");
}

#[test]
fn keys_that_were_not_asked_for_are_an_error() {
    for key in ["q/a", "p", "pq/a", "../p/a", ""] {
        is_refused(page(&contents(key), None), "which does not begin with what was asked for");
    }
}

#[test]
fn objects_that_lack_something_or_have_absurd_sizes_are_an_error() {
    let sound = contents("p/a");
    let table = [
        (sound.replace("<Size>10</Size>", ""), "the Size of the key \"p/a\" is \"\""),
        (sound.replace(">10<", ">-1<"), "the Size of the key \"p/a\" is \"-1\""),
        (sound.replace(">10<", ">1e3<"), "the Size of the key \"p/a\" is \"1e3\""),
        (sound.replace(">10<", ">18446744073709551615<"), "is \"18446744073709551615\", which is no object's"),
        (sound.replace(">10<", ">99999999999999999999999<"), "which is no object's"),
        (sound.replace("2013-05-24T00:00:00.000Z", ""), "the key \"p/a\" has no LastModified"),
        (sound.replace("<Key>p/a</Key>", ""), "an object has no Key"),
    ];
    for (contents, reason) in table {
        is_refused(page(&contents, None), reason);
    }
}

#[test]
fn a_page_that_goes_on_without_saying_where_is_an_error() {
    let body = page(&contents("p/a"), None).replace("false", "true");
    is_refused(body, "without a NextContinuationToken");
}

#[test]
fn what_is_not_the_xml_of_s3_is_an_error() {
    let laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;&lol;\">]>";
    let sound = page(&contents("p/a"), None);
    let mut invalid = sound.clone().into_bytes();
    let place = sound.find("p/a").unwrap();
    invalid[place] = 0xff;
    let table: [(Vec<u8>, &str); 9] = [
        (format!("{laughs}{}", sound.replace("p/a", "p/&lol2;")).into(), "it has a document type"),
        (format!("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">{sound}").into(), "it has a document type"),
        (sound.replace("p/a", "p/&lol;").into(), "it has the unknown entity &lol;"),
        (invalid, "it is not UTF-8"),
        (format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)).into(), "its elements stand too deep"),
        (sound.replace("</ListBucketResult>", "").into(), "it ends too early"),
        (b"<html><body>Log in to the hotel's network</body></html>".to_vec(), "it is no ListBucketResult"),
        (Vec::new(), "it ends too early"),
        (b"<ListBucketResult></Contents>".to_vec(), "the answer is not the XML that S3 sends"),
    ];
    for (body, reason) in table {
        is_refused(body, reason);
    }
}

#[test]
fn xml_without_an_end_is_refused_at_the_limit() {
    let listing = |_: &Asked| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n<ListBucketResult>";
        Reply::Endless(head.into(), contents("p/a").into_bytes())
    };
    breaks_off(listing, "the answer is longer than 16777216 bytes");
    let chunk = contents("p/a").repeat(100);
    let chunk = format!("{:x}\r\n{chunk}\r\n", chunk.len()).into_bytes();
    let unannounced = move |_: &Asked| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n<ListBucketResult>\r\n";
        Reply::Endless(head.into(), chunk.clone())
    };
    breaks_off(unannounced, "the answer is longer than 16777216 bytes");
}

#[test]
fn heads_without_an_end_are_refused() {
    let megabytes = |_: &Asked| Reply::of("200 OK", &format!("X-Long: {}\r\n", "x".repeat(4 << 20)), "");
    breaks_off(megabytes, "is not HTTP");
    let many = |_: &Asked| Reply::of("200 OK", &"X-Many: x\r\n".repeat(100_000), "");
    breaks_off(many, "is not HTTP");
    breaks_off(|_: &Asked| Reply::Last(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()), "is not HTTP");
}

/// The keys that `ls` shows of a bucket with this one page.
fn shown(body: String) -> Ended {
    let scene = Scene::scripted(move |_| xml(&body));
    scene.brigade(["ls", &scene.url("p"), "--output", "json"]).exits(0)
}

#[test]
fn keys_are_decoded_only_where_the_service_says_that_it_encoded_them() {
    let plain = page(&contents("p/a+b%20c"), None);
    let encoded = plain.replace("<IsTruncated>", "<EncodingType>url</EncodingType><IsTruncated>");
    assert!(shown(plain).stdout.contains("\"a+b%20c\""));
    assert!(shown(encoded).stdout.contains("\"a b c\""));
}

#[test]
fn repeated_and_unordered_keys_are_sorted_and_each_taken_once() {
    let scene = Scene::scripted(|asked| {
        let object = "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nETag: \"e\"\r\n";
        if !asked.lists() {
            return Reply::of("200 OK", object, "ten bytes.");
        }
        xml(match asked.query("continuation-token") {
            None => page(&[contents("p/b"), contents("p/a"), contents("p/b")].concat(), Some("t")),
            Some(_) => page(&[contents("p/a"), contents("p/c"), contents("p/c")].concat(), None),
        })
    });
    scene.sync(&scene.url("p"), &scene.arg("tree"), []).counts([("created", 3)]);
    let ten = b"ten bytes.";
    scene.read("tree").assert_are(&Files::new([("a", ten), ("b", ten), ("c", ten)]));
}
