//! SIGINT and SIGTERM at any moment: the exit code, the time it takes, nothing
//! left behind, and the next run of the same command completes.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Ended, Files, Reply, Scene, wait_until_it_has_open, wait_until_it_is_old};

/// The program has two seconds, which is the promise; the test machine may be
/// so busy that it takes a while to be seen.
const PATIENCE: Duration = Duration::from_secs(5);

const INTERRUPT: (&str, i32) = ("-INT", 130);
const TERMINATE: (&str, i32) = ("-TERM", 143);

fn start(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn kill(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Sends the signal, and waits for the end.
#[track_caller]
fn interrupt(child: Child, (signal, code): (&str, i32)) -> Ended {
    let asked = Instant::now();
    kill(&child, signal);
    let output = child.wait_with_output().unwrap();
    let took = asked.elapsed();
    let ended = Ended {
        command: format!("interrupted by {signal}"),
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(took < PATIENCE, "it took {took:?}:\n{}", ended.stderr);
    ended.exits(code)
}

#[track_caller]
fn assert_no_uploads(scene: &Scene) {
    let listed = scene.aws(["s3api", "list-multipart-uploads", "--bucket", &scene.bucket]);
    assert!(!listed.contains("UploadId"), "{listed}");
}

#[track_caller]
fn assert_no_temporaries(scene: &Scene, tree: &str) {
    for place in [tree, "tmp"] {
        let left = scene.read(place);
        let left: Vec<&str> =
            left.paths().into_iter().filter(|path| place == "tmp" || path.contains(".brigade-")).collect();
        assert!(left.is_empty(), "{place}: {left:?}");
    }
}

/// A small file, and one that is sent in parts.
fn files() -> Files {
    Files::new([("small", b"1"), ("sub/large", &vec![7; 17 << 20])])
}

fn up() -> Scene {
    let scene = Scene::embedded();
    scene.write("tree", &files());
    scene
}

/// Interrupts an upload once the server has got so many requests of the operation, none of which it answers as it
/// should.
#[track_caller]
fn interrupt_upload(scene: &Scene, operation: &str, count: u64, how: (&str, i32), more: &[&str]) -> Ended {
    scene.log().forget_requests();
    let mut command = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url(""), "--delete"]);
    command.args(more);
    let child = start(command);
    scene.log().wait_until_received(operation, count);
    let ended = interrupt(child, how).complains("interrupted");
    assert_no_temporaries(scene, "tree");
    ended
}

#[track_caller]
fn completes(scene: &Scene) {
    scene.log().heal();
    scene.sync(&scene.arg("tree"), &scene.url(""), ["--delete"]);
    scene.stored("").assert_are(&files());
}

#[test]
fn while_a_server_stalls_an_upload() {
    for (operation, how) in [
        ("PutObject", TERMINATE),
        ("CreateMultipartUpload", INTERRUPT),
        ("UploadPart", TERMINATE),
        ("CompleteMultipartUpload", INTERRUPT),
        ("ListObjectsV2", TERMINATE),
    ] {
        let scene = up();
        scene.log().stall_all(operation);
        // One after the other: no large upload begins beside the small one that stalls.
        let ended = interrupt_upload(&scene, operation, 1, how, &["--no-ledger", "--jobs", "1"]);
        let has_begun = ["UploadPart", "CompleteMultipartUpload"].contains(&operation);
        assert_eq!(scene.log().received("AbortMultipartUpload") > 0, has_begun, "{operation}:\n{}", ended.stderr);
        let lost = operation == "CreateMultipartUpload";
        assert_eq!(ended.stderr.contains("warning: an upload without parts may remain"), lost, "{}", ended.stderr);
        assert_no_uploads(&scene);
        completes(&scene);
    }
}

/// With a ledger, what was sent of an upload is kept for the next run.
#[test]
fn an_upload_that_is_remembered_is_left_for_the_next_run() {
    let scene = up();
    // The times of a file that was written just now prove nothing: its upload would begin anew.
    wait_until_it_is_old(&scene.path("tree/sub/large"));
    scene.log().hold_the("UploadPart", &[3]);
    interrupt_upload(&scene, "UploadPart", 3, INTERRUPT, &["--jobs", "1"]);
    assert_eq!(scene.log().received("AbortMultipartUpload"), 0);
    scene.log().heal();
    scene.log().forget_requests();
    let summary = scene.sync(&scene.arg("tree"), &scene.url(""), ["--delete"]);
    assert_eq!(summary.0["parts_taken_up"], 2, "{}", summary.0);
    assert_eq!(scene.log().received("UploadPart"), 1, "no part is sent twice");
    scene.stored("").assert_are(&files());
    assert_no_uploads(&scene);
}

#[test]
fn while_a_request_waits_to_be_sent_again() {
    let scene = up();
    scene.log().be_busy("PutObject");
    interrupt_upload(&scene, "PutObject", 4, TERMINATE, &[]);
    assert_no_uploads(&scene);
    completes(&scene);
}

#[test]
fn while_deletions_stall() {
    // One removes them one by one, the other in bulk.
    for (provider, operation, how) in [("unknown", "DeleteObject", INTERRUPT), ("aws", "DeleteObjects", TERMINATE)] {
        let scene = up();
        scene.sync(&scene.arg("tree"), &scene.url(""), []);
        for key in ["extra", "other"] {
            scene.put(key, b"1");
        }
        scene.log().stall_all(operation);
        scene.log().forget_requests();
        let args = ["sync", &scene.arg("tree"), &scene.url(""), "--delete", "--provider", provider];
        let child = start(scene.brigade_command(args));
        scene.log().wait_until_received(operation, 1);
        interrupt(child, how).complains("interrupted");
        completes(&scene);
    }
}

#[test]
fn an_upload_that_could_not_be_given_up_is_named() {
    let scene = up();
    scene.log().stall_all("UploadPart");
    scene.log().stall_all("AbortMultipartUpload");
    let ended = interrupt_upload(&scene, "UploadPart", 1, TERMINATE, &["--no-ledger"]);
    let listed = scene.aws(["s3api", "list-multipart-uploads", "--bucket", &scene.bucket]);
    let upload_id = listed.split("\"UploadId\": \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    ended.complains("sub/large").complains(upload_id).complains("brigade cleanup");
    completes(&scene);
}

/// It has not come to the end of its transfers, so that nothing may be deleted yet.
#[test]
fn what_was_to_be_deleted_stays() {
    let scene = down();
    scene.put("extra", b"only in the bucket");
    scene.write("copy", &Files::new([("extra-file", b"only in the directory"), ("small", b"1")]));
    let [origin, copy, url] = [scene.arg("origin"), scene.arg("copy"), scene.url("")];
    for (source, dest, operation, how) in
        [(&origin, &url, "UploadPart", INTERRUPT), (&url, &copy, "GetObject", TERMINATE)]
    {
        scene.log().stall_all(operation);
        scene.log().forget_requests();
        let args = ["sync", source, dest, "--delete", "--compare", "always", "--output", "json"];
        let child = start(scene.brigade_command(args));
        scene.log().wait_until_received(operation, 1);
        let summary = interrupt(child, how).summary().0;
        assert_eq!((&summary["exit_code"], &summary["deleted"]), (&how.1.into(), &0.into()), "{summary}");
        assert_eq!(scene.log().deletions(), 0);
        scene.log().heal();
    }
    assert_eq!(scene.stored("").paths(), ["extra", "small", "sub/large"]);
    assert_eq!(scene.read("copy").paths(), ["extra-file", "small"]);
    scene.sync(&origin, &url, ["--delete"]).counts([("in_step", 2), ("deleted", 1)]);
    scene.sync(&url, &copy, ["--delete"]).counts([("in_step", 1), ("created", 1), ("deleted", 1)]);
}

fn down() -> Scene {
    let scene = Scene::embedded();
    scene.write("origin", &files());
    scene.sync(&scene.arg("origin"), &scene.url(""), []);
    scene
}

#[test]
fn while_a_server_stalls_a_download() {
    for (operation, key, how) in [
        ("GetObject", "small", INTERRUPT),
        ("GetObject", "sub/large", TERMINATE),
        ("HeadObject", "sub/large", INTERRUPT),
    ] {
        let scene = down();
        scene.log().stall(operation, key);
        scene.log().forget_requests();
        let child = start(scene.brigade_command(["sync", &scene.url(""), &scene.arg("tree")]));
        scene.log().wait_for(operation, key);
        interrupt(child, how).complains("interrupted");
        assert_no_temporaries(&scene, "tree");
        scene.log().heal();
        scene.sync(&scene.url(""), &scene.arg("tree"), []);
        scene.read("tree").assert_are(&files());
    }
}

#[test]
fn while_a_file_is_hashed() {
    // Of one size with the file, and of another content: a tebibyte is not hashed in the time that this test has.
    const SIZE: u64 = 1 << 40;
    let listing = format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>huge</Key>\
         <LastModified>2013-05-24T00:00:00.000Z</LastModified><ETag>&quot;900150983cd24fb0d6963f7d28e17f72&quot;</ETag>\
         <Size>{SIZE}</Size></Contents></ListBucketResult>"
    );
    let scene = Scene::scripted(move |_| Reply::of("200 OK", "Content-Type: application/xml\r\n", &listing));
    std::fs::create_dir(scene.path("tree")).unwrap();
    std::fs::File::create(scene.path("tree/huge")).unwrap().set_len(SIZE).unwrap();
    let child = start(scene.brigade_command(["sync", &scene.arg("tree"), &scene.url("")]));
    wait_until_it_has_open(child.id(), &scene.path("tree/huge"));
    interrupt(child, TERMINATE).complains("interrupted");
}

#[test]
fn while_ls_waits() {
    let scene = Scene::embedded();
    scene.log().stall_all("ListObjectsV2");
    for args in [&["ls", "-r"][..], &["ls"]] {
        scene.log().forget_requests();
        let child = start(scene.brigade_command(args.iter().copied().chain([scene.url("").as_str()])));
        scene.log().wait_until_received("ListObjectsV2", 1);
        interrupt(child, TERMINATE);
    }
}

#[test]
fn while_credentials_are_fetched() {
    let scene = up();
    let process = "[default]\ncredential_process = sh -c 'touch fetching; exec sleep 20 2>/dev/null'\n";
    std::fs::write(scene.path("config"), process).unwrap();
    let mut command = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url("")]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_CONFIG_FILE", scene.path("config"));
    let child = start(command);
    while !scene.path("fetching").exists() {
        std::thread::yield_now();
    }
    interrupt(child, INTERRUPT).complains("interrupted");
}

#[test]
fn the_second_signal_ends_at_once() {
    let scene = down();
    scene.log().stall("GetObject", "sub/large");
    let child = start(scene.brigade_command(["sync", &scene.url(""), &scene.arg("tree")]));
    scene.log().wait_for("GetObject", "sub/large");
    kill(&child, "-INT");
    interrupt(child, TERMINATE);
    assert_no_temporaries(&scene, "tree");
}

/// Interrupted after a number of requests that the seed decides, up and down,
/// both places hold nothing but whole files, and the next run brings them in step.
#[test]
fn after_any_number_of_requests() {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    println!("seed {seed}");
    let mut wanted = files();
    for number in 0..30 {
        wanted.put(&format!("more/{number}"), vec![number; 3000]);
    }
    let scene = Scene::embedded();
    scene.write("tree", &wanted);
    for round in 0..4_u32 {
        let how = if round % 2 == 0 { INTERRUPT } else { TERMINATE };
        // Fewer than there are objects, and so fewer than any of these runs asks.
        let count = 1 + (seed.rotate_left(round * 7) % 30) as usize;
        for (source, dest) in [(scene.arg("tree"), scene.url("")), (scene.url(""), scene.arg("copy"))] {
            scene.log().forget_requests();
            let args = ["sync", &source, &dest, "--compare", "always", "--jobs", "2", "--no-ledger"];
            let child = start(scene.brigade_command(args));
            scene.log().wait_until_requested(count.min(if round == 0 { 3 } else { count }));
            interrupt_or_ended(child, how);
            assert_no_temporaries(&scene, "copy");
            assert_whole(&scene.read("copy"), &wanted);
            assert_no_uploads(&scene);
        }
        assert_whole(&scene.stored(""), &wanted);
    }
    scene.sync(&scene.arg("tree"), &scene.url(""), []);
    scene.sync(&scene.url(""), &scene.arg("copy"), []);
    scene.stored("").assert_are(&wanted);
    scene.read("copy").assert_are(&wanted);
}

/// The signal may come just after its last request.
#[track_caller]
fn interrupt_or_ended(child: Child, (signal, code): (&str, i32)) {
    let asked = Instant::now();
    kill(&child, signal);
    let output = child.wait_with_output().unwrap();
    assert!(asked.elapsed() < PATIENCE);
    let ended = output.status.code();
    assert!(ended == Some(code) || ended == Some(0), "{ended:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn assert_whole(found: &Files, wanted: &Files) {
    for (path, content) in &found.0 {
        assert!(wanted.0.get(path) == Some(content), "{path} is torn, or nobody's");
    }
}
