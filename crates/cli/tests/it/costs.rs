//! What requests cost, and what a dry run foresees of them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Files, Scene};

/// Requests by operation.
type Requests = BTreeMap<String, u64>;

/// What the server has got since it forgot.
fn received(scene: &Scene) -> Requests {
    let mut requests = Requests::new();
    for record in scene.log().records() {
        *requests.entry(record.operation.unwrap()).or_default() += 1;
    }
    requests
}

fn forecast(summary: &Value) -> Requests {
    let of = |count: &Value| (count["operation"].as_str().unwrap().to_owned(), count["requests"].as_u64().unwrap());
    summary["forecast"]["requests"].as_array().unwrap().iter().map(of).collect()
}

/// Makes a dry run, then the run itself: the server must get what was foreseen, and this of it.
#[track_caller]
fn assert_foreseen<const N: usize>(scene: &Scene, [source, dest]: [&str; 2], args: &[&str], some: [(&str, u64); N]) {
    // Where listings are cut depends on how fast they go.
    let args = || ["sync", source, dest, "--output", "json", "--listers", "1"].into_iter().chain(args.iter().copied());
    scene.log().forget_requests();
    let dry = scene.brigade(args().chain(["--dry-run"])).exits(0).summary();
    scene.log().assert_only_read();
    scene.log().forget_requests();
    scene.brigade(args()).exits(0);
    let received = received(scene);
    assert_eq!(forecast(&dry.0), received, "left: foreseen, right: received");
    for (operation, requests) in some {
        assert_eq!(received.get(operation).copied().unwrap_or(0), requests, "{operation}: {received:?}");
    }
}

fn numbered(numbers: std::ops::Range<u32>) -> Files {
    let mut files = Files::default();
    for number in numbers {
        files.put(&format!("many/{number:04}"), number.to_string());
    }
    files
}

#[test]
fn the_requests_of_an_upload_are_foreseen() {
    let scene = Scene::embedded();
    let (tree, site) = (scene.arg("tree"), scene.url("site"));
    let mut files = numbered(0..300);
    files.put("large", vec![1; (17 << 20) + 1]);
    files.put("just", vec![2; 16 << 20]);
    scene.write("tree", &files);
    let sent = [("PutObject", 301), ("CreateMultipartUpload", 1), ("UploadPart", 3), ("CompleteMultipartUpload", 1)];
    assert_foreseen(&scene, [&tree, &site], &["--provider", "brigade-dev"], sent);
    // Nothing has changed, and then some has to be compared by content.
    assert_foreseen(&scene, [&tree, &site], &["--provider", "brigade-dev"], [("ListObjectsV2", 1), ("PutObject", 0)]);
    scene.write("tree", &files);
    let compared = ["--provider", "brigade-dev", "--no-ledger", "--compare", "checksum"];
    assert_foreseen(&scene, [&tree, &site], &compared, [("PutObject", 0)]);
    scene.write("tree", &numbered(290..300));
    let in_bulk = ["--provider", "brigade-dev", "--delete", "--no-ledger"];
    // 292 of them, in the batches that the spool gives.
    assert_foreseen(&scene, [&tree, &site], &in_bulk, [("DeleteObjects", 2), ("DeleteObject", 0)]);
}

#[test]
fn the_requests_of_deletions_are_foreseen_where_each_takes_one() {
    let scene = Scene::embedded();
    let (tree, site) = (scene.arg("tree"), scene.url("site"));
    scene.write("tree", &numbered(0..5));
    scene.sync(&tree, &site, []);
    scene.write("tree", &numbered(0..2));
    assert_foreseen(&scene, [&tree, &site], &["--delete"], [("DeleteObject", 3), ("DeleteObjects", 0)]);
    // A single one is not sent in bulk.
    scene.write("tree", &numbered(0..1));
    assert_foreseen(&scene, [&tree, &site], &["--delete", "--provider", "brigade-dev"], [("DeleteObject", 1)]);
}

#[test]
fn the_requests_that_prove_an_index_are_foreseen() {
    for (provider, looks) in [("brigade-dev", 16), ("unknown", 16 + 1 + 3)] {
        let scene = Scene::embedded();
        let (tree, site) = (scene.arg("tree"), scene.url("site"));
        let args = ["--provider", provider, "--index", "--delete"];
        scene.write("tree", &numbered(0..30));
        scene.sync(&tree, &site, args);
        scene.write("tree", &numbered(3..30));
        std::fs::write(scene.path("tree/new"), "new").unwrap();
        let some = [("HeadObject", looks), ("ListObjectsV2", 0), ("PutObject", 1)];
        assert_foreseen(&scene, [&tree, &site], &args, some);
    }
}

#[test]
fn the_requests_of_a_download_are_foreseen() {
    let scene = Scene::embedded();
    let (tree, site, copy) = (scene.arg("tree"), scene.url("site"), scene.arg("copy"));
    let mut files = numbered(0..30);
    files.put("large", vec![1; (40 << 20) + 1]);
    files.put("empty", "");
    scene.write("tree", &files);
    scene.sync(&tree, &site, []);
    // It is opened, and looked at once more before it appears.
    assert_foreseen(&scene, [&site, &copy], &[], [("HeadObject", 2), ("PutObject", 0)]);
    scene.read("copy").assert_are(&files);
    scene.write("copy", &numbered(20..40));
    // Each of ten is looked up at the source before it is deleted.
    assert_foreseen(&scene, [&site, &copy], &["--delete", "--no-ledger"], []);
    scene.read("copy").assert_are(&files);
}

#[test]
fn the_requests_that_carry_access_control_lists_are_foreseen() {
    let scene = Scene::embedded();
    scene.write("tree", &numbered(0..5));
    scene.sync(&scene.arg("tree"), &scene.url("from"), []);
    // How many have tags is not foreseen.
    let args = ["--acl", "source", "--ignore-tags", "--no-server-side-copy"];
    assert_foreseen(&scene, [&scene.url("from"), &scene.url("inside")], &args[..3], [("GetObjectAcl", 5)]);
    assert_foreseen(&scene, [&scene.url("from"), &scene.url("through")], &args, [("GetObjectAcl", 5)]);
}

#[test]
fn what_a_limit_leaves_is_not_foreseen() {
    let scene = Scene::embedded();
    scene.write("tree", &numbered(0..9));
    assert_foreseen(&scene, [&scene.arg("tree"), &scene.url("")], &["--limit", "4"], [("PutObject", 4)]);
}

#[test]
fn amazons_prices_are_for_amazon() {
    let scene = Scene::embedded();
    scene.write("tree", &numbered(0..3));
    let sync = |args: &[&str]| {
        let (tree, url) = (scene.arg("tree"), scene.url("site"));
        scene.brigade(["sync", &tree, &url].into_iter().chain(args.iter().copied())).exits(0)
    };
    let dry = sync(&["--dry-run"]).stdout;
    assert!(dry.contains("\nwould send            4  ListObjectsV2 1, PutObject 3\n"), "{dry}");
    assert!(!dry.contains("cost"), "{dry}");
    let dry = sync(&["--dry-run", "--provider", "aws"]).stdout;
    let note = "about, at S3's list price (Standard, us-east-1), requests only\n";
    assert!(dry.contains(&format!("\ncost          $0.000005  {note}would send")), "{dry}");
    assert!(dry.contains(&format!("\nwould cost     $0.00002  {note}")), "{dry}");
    let sent = sync(&["--provider", "aws", "--output", "json"]).summary();
    assert_eq!((&sent.0["cost"]["amount"], &sent.0["cost"]["unpriced"]), (&"0.00002".into(), &0.into()));
    assert_eq!(sent.0["forecast"], Value::Null);
    let nothing = sync(&["--output", "json"]).summary();
    assert_eq!(nothing.0["cost"], Value::Null);
}

#[test]
fn a_list_of_prices_counts_whoever_is_asked() {
    let scene = Scene::embedded();
    scene.write("tree", &numbered(0..3));
    let prices = r#"{"version": 1, "name": "what we pay", "currency": "EUR",
        "per_1000_requests": {"writes": 1, "PutObject": 12.5}}"#;
    std::fs::write(scene.path("prices.json"), prices).unwrap();
    let sync = |more: &[&str]| {
        let (tree, url, prices) = (scene.arg("tree"), scene.url(""), scene.arg("prices.json"));
        scene.brigade(["sync", &tree, &url, "--price-list", &prices].into_iter().chain(more.iter().copied()))
    };
    let said = sync(&[]).exits(0).stdout;
    let row = "\ncost          EUR 0.038  about, at what we pay, requests only; it has no price for 1 request\n";
    assert!(said.contains(row), "{said}");
    std::fs::write(scene.path("prices.json"), prices.replace("writes", "writings")).unwrap();
    scene.log().forget_requests();
    let refused = sync(&[]).exits(2);
    refused.complains("prices.json").complains("\"writings\" is no operation").complains("line 2");
    std::fs::remove_file(scene.path("prices.json")).unwrap();
    sync(&[]).exits(2).complains("could not read the price list");
    assert_eq!(scene.log().requests(), 0);
}
