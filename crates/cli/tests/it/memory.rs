//! Peak memory: it does not grow with the number of objects.

use std::fmt::Write as _;

use crate::harness::{Asked, Ended, Files, Reply, Scene, tool};

const OBJECTS: u64 = 100_000;

/// The bound, in KiB, as the system counts resident memory.
const BOUND: u64 = 64 * 1024;

/// Runs a command, and writes the largest resident set, in KiB, that it ever had.
const MEASURE: &str = "\
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)";

fn peak_memory<const N: usize>(scene: &Scene, args: [&str; N]) -> u64 {
    let mut command = scene.command(&tool("python3"));
    command.args(["-c", MEASURE, env!("CARGO_BIN_EXE_brigade")]).args(args);
    Ended::of(command).exits(0).stdout.trim().parse().unwrap()
}

#[test]
fn many_objects_take_no_more_memory() {
    let scene = Scene::served_apart();
    let mut files = Files::default();
    for number in 0..OBJECTS {
        files.put(&format!("d{:03}/f{number:06}", number % 200), number.to_string());
    }
    scene.write("tree", &files);
    let (tree, bucket, copy) = (scene.arg("tree"), scene.url(""), scene.arg("copy"));
    for (what, source, dest) in
        [("up", &tree, &bucket), ("up again", &tree, &bucket), ("down", &bucket, &copy), ("down again", &bucket, &copy)]
    {
        let peak = peak_memory(&scene, ["sync", source, dest, "--quiet"]);
        println!("{OBJECTS} objects {what}: {peak} KiB at most");
        assert!(peak < BOUND, "{what}: {peak} KiB");
    }
    scene.read("copy").assert_are(&files);
    for (what, source, dest) in [("up", &tree, &bucket), ("down", &bucket, &copy)] {
        for sample in ["--percent=100", "--sample=1000"] {
            let peak = peak_memory(&scene, ["check", source, dest, "--quiet", sample]);
            println!("{OBJECTS} objects checked {what}, {sample}: {peak} KiB at most");
            assert!(peak < BOUND, "check {what} {sample}: {peak} KiB");
        }
    }
}

/// Versions of each key in a page, of which one is the current one.
const VERSIONS: u64 = 1000;

/// A bucket with so many versions of as many keys as fill pages, which takes every deletion for done.
fn of_versions(asked: &Asked, pages: u64) -> Reply {
    let date = "Date: Fri, 24 May 2024 00:00:00 GMT\r\n";
    if asked.query("versioning").is_some() {
        return Reply::of("200 OK", "", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
    }
    if asked.method == "POST" {
        return Reply::of("200 OK", date, "<DeleteResult></DeleteResult>");
    }
    let number = asked.query("key-marker").map_or(0, |marker| marker.parse::<u64>().unwrap() + 1);
    let mut page = format!(
        "<ListVersionsResult><IsTruncated>{}</IsTruncated><NextKeyMarker>{number:09}</NextKeyMarker>",
        number + 1 < pages
    );
    for version in 0..VERSIONS {
        let is_latest = version == 0;
        write!(
            page,
            "<Version><Key>{number:09}</Key><VersionId>v{version}</VersionId><IsLatest>{is_latest}</IsLatest>\
             <LastModified>2013-05-24T00:{:02}:{:02}.000Z</LastModified><ETag>e</ETag><Size>1</Size></Version>",
            (VERSIONS - version) / 60,
            (VERSIONS - version) % 60
        )
        .unwrap();
    }
    Reply::of("200 OK", date, page + "</ListVersionsResult>")
}

#[test]
fn many_versions_take_no_more_memory() {
    let scene = Scene::scripted(|asked| of_versions(asked, 50));
    let peak = peak_memory(&scene, ["prune", &scene.url(""), "--older-than=30d", "--provider=aws"]);
    println!("50,000 versions pruned: {peak} KiB at most");
    assert!(peak < BOUND, "prune: {peak} KiB");
    let asked = scene.asked();
    let count = |method| asked.iter().filter(|asked| asked.method == method).count();
    assert_eq!((count("GET"), count("POST")), (51, 50), "each page, and all that is old");
}
