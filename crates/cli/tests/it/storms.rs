//! Every kind of trouble in a fifth of all requests, for each kind of run: it
//! ends in step, with exit code 0, and the server's own log shows that little more
//! was asked than in fair weather.

use std::time::Duration;

use crate::harness::{Action, Files, Occurrence, Reply, Scene, content};

/// What befalls requests, every how-many-th of each operation, and which operations.
/// Together, a fifth of them.
fn troubles() -> [(Action, u64, &'static [&'static str]); 11] {
    [
        (Action::Stall, 59, &OPERATIONS),
        (Action::status(503, "SlowDown"), 47, &OPERATIONS),
        (Action::status(500, "InternalError"), 43, &OPERATIONS),
        (Action::status(429, "TooManyRequests"), 53, &OPERATIONS),
        (Action::Reset, 37, &OPERATIONS),
        (Action::TruncatedBody, 61, &OPERATIONS),
        (Action::Delay(Duration::from_millis(200)), 41, &OPERATIONS),
        (Action::ApplyThenReset, 31, &OPERATIONS),
        (Action::FlippedByte, 29, &["GetObject"]),
        (Action::WrongDigests, 23, &["PutObject", "UploadPart"]),
        (Action::status(400, "BadDigest"), 67, &["PutObject", "UploadPart"]),
    ]
}

const OPERATIONS: [&str; 10] = [
    "ListObjectsV2",
    "PutObject",
    "GetObject",
    "HeadObject",
    "DeleteObject",
    "DeleteObjects",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "ListParts",
];

fn small_files() -> Files {
    let mut files = Files::default();
    for number in 0..240 {
        files.put(&format!("d{}/{number:03}", number % 5), format!("content {number}"));
    }
    files
}

fn large_files() -> Files {
    let mut files = Files::default();
    for name in ["a", "b", "c"] {
        files.put(name, content(24 << 20));
    }
    files
}

/// A kind of run: what is at the source, and at the destination before; which way; further options.
struct Run {
    name: &'static str,
    source: Files,
    dest: Files,
    goes_up: bool,
    options: &'static [&'static str],
    /// How many times as many are struck: of few requests, a fifth would be none.
    harder: u64,
}

fn runs() -> Vec<Run> {
    let run = |name, source, dest, goes_up, options| Run { name, source, dest, goes_up, options, harder: 1 };
    let one = || Files::new([("kept", b"1")]);
    let all_and_one = || {
        let mut files = small_files();
        files.put("kept", "1");
        files
    };
    vec![
        run("up", small_files(), Files::default(), true, &[][..]),
        run("down", small_files(), Files::default(), false, &[]),
        run("deleting", one(), all_and_one(), true, &["--delete", "--max-delete", "100%"]),
        Run { harder: 4, ..run("in parts, up", large_files(), Files::default(), true, &[]) },
        Run { harder: 4, ..run("in parts, down", large_files(), Files::default(), false, &[]) },
        run("in ranges", all_and_one(), all_and_one(), false, &["--provider", "brigade-dev", "--listers", "4"]),
    ]
}

/// Brings it in step with a new server; how many requests that took.
fn requests(run: &Run, is_stormy: bool) -> usize {
    let scene = Scene::public_with_pages_of(7);
    let (tree, bucket) = if run.goes_up { (&run.source, &run.dest) } else { (&run.dest, &run.source) };
    scene.write("tree", tree);
    scene.write("bucket", bucket);
    scene.sync(&scene.arg("bucket"), &scene.url(""), ["--no-ledger", "--allow-empty-source"]);
    scene.log().forget_requests();
    if is_stormy {
        for (action, number, operations) in troubles() {
            for operation in operations {
                scene.log().befall(action.clone(), operation, Occurrence::EveryNth(number / run.harder));
            }
        }
    }
    let places = [scene.arg("tree"), scene.url("")];
    let [source, dest] = if run.goes_up { [&places[0], &places[1]] } else { [&places[1], &places[0]] };
    let arguments = ["sync", source, dest, "--timeout", "1s", "--no-ledger"];
    scene.brigade(arguments.into_iter().chain(run.options.iter().copied())).exits(0);
    let requests = scene.log().requests();
    scene.log().heal();
    let brought = if run.goes_up { scene.stored("") } else { scene.read("tree") };
    brought.assert_are(&run.source);
    requests
}

#[test]
fn whatever_befalls_a_fifth_of_all_requests_it_ends_in_step() {
    for run in runs() {
        let (calm, stormy) = (requests(&run, false), requests(&run, true));
        println!("{}: {calm} requests, {stormy} in the storm", run.name);
        assert!(stormy > calm, "{}: nothing befell any", run.name);
        // What is lost of a few requests is more than of many.
        assert!(stormy <= calm * 16 / 10 + 10, "{}: {stormy} requests in place of {calm}", run.name);
    }
}

/// Without its limit, each of these would be waited for until the end of all days.
#[test]
fn wherever_a_server_falls_silent_it_is_waited_for_no_longer_than_was_said() {
    let silences: [fn() -> Reply; 4] = [
        || Reply::Silence,
        || Reply::Answer(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
        || Reply::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".to_vec()),
        || Reply::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<ListBucketResult>".to_vec()),
    ];
    for silence in silences {
        let scene = Scene::scripted(move |_| silence());
        scene.write("tree", &Files::new([("kept", b"1")]));
        let arguments = ["sync", &scene.url(""), &scene.arg("tree"), "--delete", "--timeout", "1s", "--retries", "0"];
        scene.brigade(arguments).exits(1).complains("was silent for 1 s");
        scene.read("tree").assert_are(&Files::new([("kept", b"1")]));
        assert_eq!(scene.asked().len(), 1);
    }
}
