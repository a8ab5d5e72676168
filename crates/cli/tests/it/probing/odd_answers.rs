//! `brigade probe`, and services that answer oddly.

use std::sync::Mutex;

use super::{probe, verdicts};
use crate::harness::{Asked, Reply, Scene};

/// A page with these keys, escaped as they came, with the token of the next one where there is one.
fn page(keys: &[String], next: Option<&str>) -> Reply {
    let contents = keys.iter().map(|key| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified>\
             <ETag>&quot;e&quot;</ETag><Size>1</Size></Contents>"
        )
    });
    let next = next.map(|next| format!("<NextContinuationToken>{next}</NextContinuationToken>"));
    let body = format!(
        "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>{}{}</ListBucketResult>",
        next.is_some(),
        contents.collect::<String>(),
        next.unwrap_or_default()
    );
    Reply::of("200 OK", "Content-Type: application/xml\r\n", body)
}

/// The key that is asked about, escaped.
fn key(asked: &Asked) -> String {
    let path = asked.target.split('?').next().unwrap();
    path.trim_start_matches('/').split_once('/').unwrap().1.to_owned()
}

#[test]
fn an_empty_page_that_goes_on_is_not_a_right_one() {
    let keys = Mutex::new(Vec::new());
    let scene = Scene::scripted(move |asked| match asked.method.as_str() {
        "PUT" if asked.target.contains("/order/") => {
            // They are written in the order of bytes.
            keys.lock().unwrap().push(key(asked));
            Reply::of("200 OK", "ETag: \"e\"\r\n", "")
        }
        "GET" if asked.query("start-after").is_some() => page(&[], Some("t")),
        "GET" if asked.query("continuation-token").is_some() => page(&[], None),
        "GET" if asked.lists() => page(&keys.lock().unwrap(), None),
        "DELETE" => Reply::of("204 No Content", "", ""),
        _ => Reply::refusal("403 Forbidden", "AccessDenied"),
    });
    let ended = probe(&scene, "", &["--write"]).exits(0);
    assert_eq!(verdicts(&ended)["lists_by_bytes"], "no", "{}", ended.stdout);
    assert!(ended.stdout.contains(r#"from after \"B\": nothing came where \"a\" should have"#), "{}", ended.stdout);
}
