//! Peak memory: it does not grow with the number of objects.

use std::fmt::Write as _;
use std::fs::{self, File};

use crate::harness::{Asked, Ended, Files, Reply, Scene, Server, tool};

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
    peak_memory_towards(scene, scene, &args)
}

/// The same, where `--dest-profile other` is the other scene's server.
fn peak_memory_towards(scene: &Scene, other: &Scene, args: &[&str]) -> u64 {
    let Server { endpoint, credentials } = &other.server;
    let profile = format!(
        "[profile other]\nendpoint_url = {endpoint}\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        credentials.access_key_id, credentials.secret_access_key
    );
    fs::write(scene.path("config"), profile).unwrap();
    let mut command = scene.command(&tool("python3"));
    command.env("AWS_CONFIG_FILE", scene.path("config"));
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
    let (there, to) = (Scene::served_apart(), "--dest-profile=other");
    for what in ["between", "between again"] {
        let peak = peak_memory_towards(&scene, &there, &["sync", &bucket, &there.url(""), to, "--quiet"]);
        println!("{OBJECTS} objects {what} two servers: {peak} KiB at most");
        assert!(peak < BOUND, "{what}: {peak} KiB");
    }
    let last = format!("d{:03}/f{:06}", (OBJECTS - 1) % 200, OBJECTS - 1);
    assert_eq!(there.stored(&last[..4]).count(), OBJECTS / 200);
    for (what, source, dest) in [("up", &tree, &bucket), ("down", &bucket, &copy)] {
        for sample in ["--percent=100", "--sample=1000"] {
            let peak = peak_memory(&scene, ["check", source, dest, "--quiet", sample]);
            println!("{OBJECTS} objects checked {what}, {sample}: {peak} KiB at most");
            assert!(peak < BOUND, "check {what} {sample}: {peak} KiB");
        }
    }
}

/// What `--memory` lets the content take, in MiB, and an object that is several times as large.
const CONTENT: u64 = 64;
const LARGE: u64 = 4 * CONTENT;

#[test]
fn a_large_object_between_buckets_takes_what_it_may_and_no_more() {
    let (here, there) = (Scene::served_apart(), Scene::served_apart());
    fs::create_dir(here.path("tree")).unwrap();
    File::create(here.path("tree/large")).unwrap().set_len(LARGE << 20).unwrap();
    here.sync(&here.arg("tree"), &here.url("from"), []).counts([("created", 1)]);
    let (from, memory) = (here.url("from"), format!("--memory={CONTENT}MiB"));
    let ways = [
        ("through here", &here, &[][..], &["--no-server-side-copy"][..]),
        ("between two servers", &there, &["--dest-profile=other"], &[]),
    ];
    for (what, other, reached, how) in ways {
        let to = other.url("to");
        for (command, how) in [("sync", how), ("check", &[])] {
            let line = [&[command, &from, &to, &memory, "--quiet"], reached, how].concat();
            let peak = peak_memory_towards(&here, other, &line);
            println!("{command} of {LARGE} MiB {what}: {peak} KiB at most");
            assert!(peak < BOUND + CONTENT * 1024, "{command} {what}: {peak} KiB");
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
