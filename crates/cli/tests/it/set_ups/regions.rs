//! Buckets of which each is in a region of its own, said by an option for each side or found out.

use crate::harness::{Files, Reply, Scene, content};

const SOURCE: &str = "eu-west-1";
const DEST: &str = "ap-south-1";

/// Many small objects, and one that is read and sent in parts.
fn many() -> Files {
    let mut files = Files::new([("large", &content(20 << 20))]);
    for number in 0..20 {
        files.put(&format!("small-{number}"), "x");
    }
    files
}

/// Two services, the first of which holds these objects, each in its own region.
fn in_two_regions(files: &Files) -> [Scene; 2] {
    let [source, dest] = [Scene::embedded(), Scene::embedded()];
    source.write("tree", files);
    source.sync(&source.arg("tree"), &source.url(""), []);
    for (scene, region) in [(&source, SOURCE), (&dest, DEST)] {
        scene.log().terms().be_in(region);
        scene.log().forget_requests();
    }
    [source, dest]
}

/// How many requests were refused at each side, of a sync that nothing else was wrong with.
fn refused(args: &[&str]) -> [usize; 2] {
    let files = many();
    let [source, dest] = in_two_regions(&files);
    let sides = ["--source-endpoint-url", &source.server.endpoint, "--dest-endpoint-url", &dest.server.endpoint];
    let line = ["sync", &source.url(""), &dest.url("p"), "--output", "json", "--no-ledger"];
    let run = || {
        let ended = source.brigade(line.iter().chain(&sides).chain(args)).exits(0);
        let refused = [&source, &dest].map(|scene| scene.log().refused());
        (ended.summary(), refused)
    };
    let (first, refused) = run();
    first.counts([("created", files.count())]);
    let (second, _) = run();
    second.counts([("in_step", files.count())]);
    second.changed_nothing();
    for scene in [&source, &dest] {
        scene.log().heal();
    }
    dest.stored("p").assert_are(&files);
    refused
}

#[test]
fn each_side_is_asked_in_the_region_that_is_said_of_it() {
    assert_eq!(refused(&["--source-region", SOURCE, "--dest-region", DEST]), [0, 0]);
    // What is said of one side comes before what is said of both.
    assert_eq!(refused(&["--region", SOURCE, "--dest-region", DEST]), [0, 0]);
    assert_eq!(refused(&["--region", DEST, "--source-region", SOURCE]), [0, 0]);
}

#[test]
fn each_side_s_region_is_found_out_with_one_request() {
    assert_eq!(refused(&[]), [1, 1]);
    assert_eq!(refused(&["--source-region", SOURCE]), [0, 1]);
    assert_eq!(refused(&["--source-region", DEST, "--dest-region", SOURCE]), [1, 1], "both are wrong");
}

/// A service with one bucket in each of the two regions, which answers only what was signed for the bucket's own.
fn with_two_buckets() -> Scene {
    Scene::scripted(|asked| {
        let (is_source, home) = if asked.target.starts_with("/source") { (true, SOURCE) } else { (false, DEST) };
        let scope = asked.header("authorization").and_then(|signature| signature.split('/').nth(2));
        if scope != Some(home) {
            let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>Elsewhere.</Message></Error>";
            return Reply::of("400 Bad Request", &format!("x-amz-bucket-region: {home}\r\n"), body);
        }
        let xml = |body: &str| Reply::of("200 OK", "Content-Type: application/xml\r\n", body);
        let written = "<LastModified>2013-05-24T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>";
        match (asked.lists(), is_source) {
            (true, true) => xml(&format!(
                "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k</Key>{written}<Size>10</Size>\
                 </Contents></ListBucketResult>"
            )),
            (true, false) => xml("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"),
            (false, _) => xml(&format!("<CopyObjectResult>{written}</CopyObjectResult>")),
        }
    })
}

/// A copy is asked for where the destination is.
#[test]
fn the_service_copies_from_one_region_to_another() {
    for (args, wanted) in [(&["--source-region", SOURCE, "--dest-region", DEST][..], 0), (&[], 2)] {
        let scene = with_two_buckets();
        let line = ["sync", "s3://source", "s3://dest", "--output", "json"];
        let ended = scene.brigade(line.iter().chain(args)).exits(0);
        let summary = ended.summary();
        summary.counts([("created", 1)]);
        assert_eq!((summary.requests("CopyObject"), summary.requests("GetObject")), (1, 0), "{args:?}");
        let asked = scene.asked();
        assert_eq!(asked.len(), 3 + wanted, "{args:?}: one request of each side finds out: {asked:?}");
        let copy = asked.last().unwrap();
        assert_eq!((copy.method.as_str(), copy.header("x-amz-copy-source")), ("PUT", Some("/source/k")));
        assert!(copy.header("authorization").unwrap().contains(DEST), "{copy:?}");
    }
}
