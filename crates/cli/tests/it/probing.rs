//! `brigade probe`: what it finds out, that it is cautious, and that a sync goes by it.

mod odd_answers;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use brigade_devserver::{Action, Conditions, Occurrence};
use serde_json::Value;

use crate::harness::{Ended, Files, Scene};

/// What can be told apart by conditions: all that is called so in events.
const CONDITIONS: [&str; 5] =
    ["put_if_absent", "put_if_match", "complete_conditions", "delete_if_match", "bulk_delete_if_match"];

/// `brigade probe URL --output json ARGS`.
fn probe(scene: &Scene, prefix: &str, args: &[&str]) -> Ended {
    let url = scene.url(prefix);
    scene.brigade(["probe", &url, "--output", "json"].iter().chain(args))
}

/// What came of each trial.
fn verdicts(ended: &Ended) -> BTreeMap<String, String> {
    let trials = ended.events().into_iter().filter(|event| event["type"] == "trial");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    trials.map(|trial| (text(&trial["subject"]), text(&trial["verdict"]))).collect()
}

/// How many writes and deletions of a sync came with a condition, of how many.
fn conditional_writes(scene: &Scene, args: &[&str]) -> (usize, usize) {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    scene.write("tree", &Files::new([("file", format!("{number}").as_bytes())]));
    scene.log().forget_requests();
    let (tree, url) = (scene.arg("tree"), scene.url("synced"));
    scene.brigade(["sync", &tree, &url, "--compare", "always"].iter().chain(args)).exits(0);
    let is_put = |operation: &Option<String>| operation.as_deref() == Some("PutObject");
    let writes: Vec<_> = scene.log().records().into_iter().filter(|record| is_put(&record.operation)).collect();
    (writes.iter().filter(|record| record.conditional).count(), writes.len())
}

/// That nothing of a probe is left, neither objects nor uploads.
#[track_caller]
fn assert_gone(scene: &Scene) {
    let objects = scene.aws(["s3api", "list-objects-v2", "--bucket", &scene.bucket]);
    assert!(!objects.contains(".brigade-probe-"), "{objects}");
    let uploads = scene.aws(["s3api", "list-multipart-uploads", "--bucket", &scene.bucket]);
    assert!(!uploads.contains("UploadId"), "{uploads}");
}

/// The file in which what was found is remembered.
fn remembered(scene: &Scene) -> Option<PathBuf> {
    let directory = fs::read_dir(scene.path(".local/state/brigade")).ok()?;
    let paths = directory.map(|entry| entry.unwrap().path());
    paths.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "probe"))
}

#[test]
fn without_leave_to_write_it_only_reads() {
    let scene = Scene::embedded();
    scene.put("a", b"1");
    scene.log().forget_requests();
    let ended = probe(&scene, "", &[]).exits(0);
    scene.log().assert_only_read();
    let events = ended.events();
    assert_eq!(events[0]["type"], "service");
    assert_eq!(
        (&events[0]["credentials"], &events[0]["access_key_id"]),
        (&"AWS_ACCESS_KEY_ID".into(), &"embe...test".into())
    );
    assert_eq!(verdicts(&ended), [("lists_by_bytes".to_owned(), "unknown".to_owned())].into());
    assert_eq!(remembered(&scene), None, "nothing was found out");
}

#[test]
fn a_sync_goes_by_what_was_found_out() {
    let scene = Scene::embedded();
    scene.put("p/kept", b"1");
    assert_eq!(conditional_writes(&scene, &[]), (0, 1), "nothing is counted on with a stranger");
    let ended = probe(&scene, "p", &["--write"]).exits(0);
    assert_eq!(verdicts(&ended).len(), 11);
    assert!(verdicts(&ended).values().all(|verdict| verdict == "yes"), "{}", ended.stdout);
    assert_gone(&scene);
    assert_eq!(scene.stored("").paths(), ["p/kept", "synced/file"]);
    assert_eq!(conditional_writes(&scene, &[]), (1, 1));
    for not_looked_at in [&["--no-ledger"][..], &["--provider", "unknown"]] {
        assert_eq!(conditional_writes(&scene, not_looked_at), (0, 1), "{not_looked_at:?}");
    }
}

#[test]
fn a_probe_touches_no_key_but_its_own() {
    let scene = Scene::embedded();
    scene.log().forget_requests();
    probe(&scene, "p", &["--write"]).exits(0);
    let written = scene.log().records().into_iter().filter(|record| {
        let operation = record.operation.as_deref().unwrap();
        !["Get", "Head", "List"].iter().any(|verb| operation.starts_with(verb))
    });
    let mut keys = 0;
    for key in written.filter_map(|record| record.key) {
        assert!(key.starts_with("p/.brigade-probe-"), "{key}");
        keys += 1;
    }
    assert!(keys > 100, "{keys}");
}

#[test]
fn a_condition_that_is_ignored_with_a_success_is_found_out() {
    let scene = Scene::embedded();
    scene.log().terms().treat_conditions(Conditions::Ignored);
    let ended = probe(&scene, "", &["--write"]).exits(0);
    let verdicts = verdicts(&ended);
    for subject in CONDITIONS {
        assert_eq!(verdicts[subject], "ignored", "{subject}: {}", ended.stdout);
    }
    assert_eq!((verdicts["lists_by_bytes"].as_str(), verdicts["crc64nvme"].as_str()), ("yes", "yes"));
    assert_eq!(ended.events().pop().unwrap()["counted_on"]["put_if_absent"], "no");
    assert_gone(&scene);
    scene.log().heal();
    assert_eq!(conditional_writes(&scene, &[]), (0, 1));
}

#[test]
fn an_order_without_each_of_the_names_that_tell_it_is_not_known() {
    let scene = Scene::embedded();
    scene.log().befall(Action::status(400, "InvalidArgument"), "PutObject", Occurrence::Nth(5));
    let ended = probe(&scene, "", &["--write"]).exits(0);
    assert_eq!(verdicts(&ended)["lists_by_bytes"], "unknown", "{}", ended.stdout);
    assert!(ended.stdout.contains(r#"writing \"d-b\": "#), "{}", ended.stdout);
}

#[test]
fn what_was_found_with_a_provider_that_was_said_is_not_remembered() {
    let scene = Scene::embedded();
    probe(&scene, "", &["--write", "--provider", "brigade-dev"]).exits(0);
    assert_eq!(remembered(&scene), None);
}

#[test]
fn a_checksum_that_is_not_taken_everywhere_is_not_counted_on() {
    let scene = Scene::embedded();
    // With the first upload that is begun under this checksum, after those for conditions.
    probe(&scene, "", &["--write", "--no-ledger"]).exits(0);
    let begun = scene.log().received("CreateMultipartUpload");
    scene.log().forget_requests();
    // The last three uploads are of the trials after that one, the three before them of this one.
    let refusal = Action::status(501, "NotImplemented");
    scene.log().befall(refusal, "CreateMultipartUpload", Occurrence::Nth(begun - 5));
    let ended = probe(&scene, "", &["--write"]).exits(0);
    assert_eq!(verdicts(&ended)["crc64nvme"], "no", "{}", ended.stdout);
    assert_eq!(verdicts(&ended)["complete_conditions"], "yes", "{}", ended.stdout);
    assert!(ended.stdout.contains("beginning an upload: "), "{}", ended.stdout);
}

#[test]
fn a_lie_that_was_met_counts_whatever_fails_later() {
    let scene = Scene::embedded();
    scene.log().terms().treat_conditions(Conditions::Ignored);
    scene.log().refuse_all("HeadObject");
    let ended = probe(&scene, "", &["--write"]).exits(0);
    for subject in ["complete_conditions", "delete_if_match"] {
        assert_eq!(verdicts(&ended)[subject], "ignored", "{subject}: {}", ended.stdout);
    }
    assert_eq!(verdicts(&ended)["bulk_delete"], "unknown", "{}", ended.stdout);
}

#[test]
fn a_lie_that_was_met_counts_when_somebody_interrupts() {
    let scene = Scene::embedded();
    scene.log().terms().treat_conditions(Conditions::Ignored);
    scene.log().befall(Action::Stall, "HeadObject", Occurrence::Nth(1));
    let mut command = scene.brigade_command(["probe", &scene.url(""), "--write", "--output", "json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    scene.log().wait_until_received("HeadObject", 1);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(r#""complete_conditions","verdict":"ignored""#), "{said}");
    assert!(said.contains(r#""complete_conditions":"no""#), "{said}");
    assert!(!said.contains(r#""delete_if_match","verdict""#), "{said}");
    assert_gone(&scene);
}

#[test]
fn a_write_that_is_refused_and_done_all_the_same_is_found_out() {
    let scene = Scene::embedded();
    scene.log().terms().treat_conditions(Conditions::DoneAndRefused);
    let ended = probe(&scene, "", &["--write"]).exits(0);
    for subject in ["put_if_absent", "put_if_match"] {
        assert_eq!(verdicts(&ended)[subject], "ignored", "{subject}: {}", ended.stdout);
    }
    assert!(ended.stdout.contains("a look after the refusals: the object was overwritten all the same"));
    assert_gone(&scene);
}

#[test]
fn two_servers_behind_one_address_are_not_counted_on() {
    let scene = Scene::embedded();
    probe(&scene, "", &["--write"]).exits(0);
    assert_eq!(conditional_writes(&scene, &[]), (1, 1));
    scene.log().terms().treat_conditions(Conditions::IgnoredEveryOtherTime);
    let ended = probe(&scene, "", &["--write"]).exits(0);
    let verdicts = verdicts(&ended);
    for subject in CONDITIONS {
        assert_eq!(verdicts[subject], "differs", "{subject}: {}", ended.stdout);
    }
    assert!(ended.stdout.contains("with a wrong ETag: 10 of 20 times as it should be"), "{}", ended.stdout);
    assert_eq!(verdicts["lists_by_bytes"], "yes");
    assert_gone(&scene);
    scene.log().heal();
    assert_eq!(conditional_writes(&scene, &[]), (0, 1), "what was found last counts");
}

#[test]
fn what_is_denied_or_fails_says_nothing_of_the_service() {
    let scene = Scene::embedded();
    for operation in ["PutObject", "CreateMultipartUpload"] {
        scene.log().refuse_all(operation);
    }
    let ended = probe(&scene, "", &["--write"]).exits(0);
    assert!(verdicts(&ended).values().all(|verdict| verdict == "unknown"), "{}", ended.stdout);
    assert_eq!(remembered(&scene), None);
    assert_eq!(ended.events().pop().unwrap()["counted_on"]["bulk_delete"], "unknown");
}

#[test]
fn what_could_not_be_removed_is_named() {
    let scene = Scene::embedded();
    scene.log().refuse_all("DeleteObject");
    let ended = probe(&scene, "", &["--write"]).exits(1).complains("not all that was written could be removed");
    ended.complains(".brigade-probe-").complains("s3:DeleteObject");
}

#[test]
fn a_file_that_is_damaged_is_only_a_warning() {
    let scene = Scene::embedded();
    probe(&scene, "", &["--write"]).exits(0);
    fs::write(remembered(&scene).unwrap(), "{").unwrap();
    scene.write("tree", &Files::new([("file", b"1")]));
    let ended = scene.brigade(["sync", &scene.arg("tree"), &scene.url("synced")]).exits(0);
    ended.complains("could not read what `brigade probe` found out").complains("going on without it");
    assert_eq!(conditional_writes(&scene, &[]), (0, 1));
    probe(&scene, "", &["--write"]).exits(0).complains("it is damaged");
    assert_eq!(conditional_writes(&scene, &[]), (1, 1), "a new probe makes it new");
}

#[test]
fn an_interrupted_probe_removes_what_it_wrote() {
    for operation in ["PutObject", "UploadPart", "DeleteObject"] {
        let scene = Scene::embedded();
        let mut command = scene.brigade_command(["probe", &scene.url(""), "--write"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        scene.log().wait_until_received(operation, 2);
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
        assert_gone(&scene);
    }
}

#[test]
fn what_hangs_when_it_is_interrupted_is_given_up_and_the_rest_removed() {
    let scene = Scene::embedded();
    scene.log().befall(Action::Stall, "PutObject", Occurrence::Nth(20));
    let mut command = scene.brigade_command(["probe", &scene.url(""), "--write"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    scene.log().wait_until_received("PutObject", 20);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", String::from_utf8_lossy(&output.stderr));
    assert_gone(&scene);
}

#[test]
fn seaweedfs_is_found_out_too() {
    let scene = Scene::seaweed();
    let ended = probe(&scene, "p", &["--write"]).exits(0);
    let verdicts = verdicts(&ended);
    assert_eq!(verdicts["lists_by_bytes"], "no", "{}", ended.stdout);
    assert_eq!(verdicts["two_parts"], "yes", "{}", ended.stdout);
    assert_gone(&scene);
}

#[test]
fn the_profile_that_gives_the_credentials_is_named() {
    let scene = Scene::embedded();
    let account = &scene.server.credentials;
    let (id, secret) = (&account.access_key_id, &account.secret_access_key);
    let profile = format!("[work]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    fs::write(scene.path("credentials"), profile).unwrap();
    let mut command = scene.brigade_command(["probe", &scene.url("")]);
    command.env("AWS_SHARED_CREDENTIALS_FILE", scene.path("credentials"));
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_PROFILE", "work");
    let said = Ended::of(command).exits(0).stdout;
    assert!(said.contains("credentials  from the profile work (access key embe...test)"), "{said}");
    assert!(!said.contains(secret.as_str()));
}
