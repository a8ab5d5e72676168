//! Objects in an archive: they are told apart, and asked for on request.

use serde_json::Value;

use crate::harness::{Action, Ended, Files, Occurrence, Scene, content};

/// A bucket in which `ice` and `deep/ice` lie in archives, and `warm` doesn't.
fn with_archives() -> Scene {
    let scene = Scene::embedded();
    put(&scene, "ice", "GLACIER", b"ice");
    put(&scene, "deep/ice", "DEEP_ARCHIVE", b"deep ice");
    put(&scene, "warm", "STANDARD_IA", b"warm");
    scene
}

fn put(scene: &Scene, key: &str, class: &str, content: &[u8]) {
    scene.put_saying(key, content, &["--storage-class", class]);
}

fn restore(scene: &Scene, args: &[&str]) -> Ended {
    let line = ["restore", &scene.url(""), &scene.arg("back"), "--output", "json"];
    scene.brigade(line.iter().chain(args))
}

/// What came of each object, by its key: the outcome, and what is said of it besides.
fn outcomes(ended: &Ended) -> Vec<(String, String)> {
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let objects = ended.events().into_iter().filter(|event| event["type"] == "object");
    let mut outcomes: Vec<_> = objects
        .map(|event| {
            let more = text(&event, "kind") + &text(&event, "state");
            (text(&event, "key"), format!("{} {more}", text(&event, "outcome")).trim_end().to_owned())
        })
        .collect();
    outcomes.sort();
    outcomes
}

fn pairs(wanted: [(&str, &str); 3]) -> Vec<(String, String)> {
    wanted.map(|(key, outcome)| (key.to_owned(), outcome.to_owned())).to_vec()
}

#[test]
fn what_lies_in_an_archive_cannot_be_shown_and_how_it_can_is_said() {
    let scene = with_archives();
    let ended = scene.brigade(["cat", &scene.url("ice")]).exits(1);
    let ended = ended.complains("it lies in an archive, and can't be read before the service has restored it");
    assert!(ended.complains("brigade restore --request-restore DAYS asks for it").stdout.is_empty());
    assert_eq!(scene.brigade(["cat", &scene.url("warm")]).exits(0).stdout, "warm");
}

#[test]
fn what_lies_in_an_archive_is_counted_apart() {
    let scene = with_archives();
    scene.write("back", &Files::new([("extra", b"extra")]));
    let told = pairs([("deep/ice", "failed archived"), ("ice", "failed archived"), ("warm", "sent")]);
    for more in [&["--dry-run"][..], &[]] {
        let ended = restore(&scene, &[&["--delete"], more].concat()).exits(3);
        assert_eq!(outcomes(&ended), told, "{more:?}");
        ended.summary().counts([("created", 1), ("archived", 2), ("deletions_held_back", 1)]);
        ended.complains_of("ice", "it lies in an archive, and can't be read before the service has restored it");
    }
    assert_eq!(scene.log().received("RestoreObject"), 0, "nobody asked for it");
    let text = scene.brigade(["restore", &scene.url(""), &scene.arg("back")]).exits(3).stdout;
    let row = "archived              2  in an archive: `brigade restore --request-restore DAYS` asks for them\n";
    assert!(text.contains(row) && text.contains("Not all is restored (exit code 3): 2 in an archive.\n"), "{text}");
}

#[test]
fn it_is_asked_for_on_request_and_the_same_command_goes_on_then() {
    let scene = with_archives();
    let asking = ["--request-restore", "7", "--tier", "bulk"];
    let restore_line = ["restore", &scene.url(""), &scene.arg("back")];
    let told = |state: &str| pairs([("deep/ice", state), ("ice", state), ("warm", "sent")]);
    let dry = restore(&scene, &[&asking[..], &["--dry-run"]].concat()).exits(3);
    assert_eq!(outcomes(&dry), told("restoring begun"));
    let foreseen = dry.summary().0["forecast"]["requests"].clone();
    let asked = foreseen.as_array().unwrap().iter().find(|request| request["operation"] == "RestoreObject");
    assert_eq!(asked.map(|request| &request["requests"]), Some(&2.into()), "{foreseen}");
    let dry = scene.brigade(restore_line.iter().chain(&["--dry-run"]).chain(&asking)).exits(3).stdout;
    assert!(dry.contains("\nrestoring             2  in an archive, and would be asked for\n"), "{dry}");
    let end = "Not all is restored (exit code 3): 2 would be asked for, out of an archive.\n";
    assert!(dry.ends_with(end), "nothing was asked for that could be read some time: {dry}");
    assert_eq!(scene.log().received("RestoreObject"), 0, "it was only to be said");

    scene.log().terms().let_restores_take_long(true);
    let first = restore(&scene, &asking).exits(3);
    assert_eq!(outcomes(&first), told("restoring begun"));
    first.summary().counts([("created", 1), ("restoring", 2)]);
    let second = restore(&scene, &asking).exits(3);
    assert_eq!(outcomes(&second)[..2], told("restoring under_way")[..2]);
    let text = scene.brigade(restore_line.iter().chain(&asking)).exits(3).stdout;
    let when = "5 to 12 hours after it was first asked for, from a deep archive 48";
    assert!(
        text.ends_with(&format!("\nWhat was asked for can be read {when}: run the same command then.\n")),
        "{text}"
    );

    scene.log().terms().let_restores_take_long(false);
    let third = restore(&scene, &asking).exits(0);
    third.summary().counts([("created", 2), ("in_step", 1)]);
    scene.read("back").assert_are(&Files::new([("ice", b"ice"), ("deep/ice", b"deep ice"), ("warm", b"warm")]));
}

#[test]
fn what_is_restored_meanwhile_is_said_so() {
    let scene = with_archives();
    let refusal = Action::status(403, "InvalidObjectState");
    scene.aws(["s3api", "restore-object", "--bucket", &scene.bucket, "--key", "ice", "--restore-request", "Days=1"]);
    scene.log().befall_key(refusal, "GetObject", "ice", Occurrence::Nth(1));
    let ended = restore(&scene, &["--include", "/ice", "--request-restore", "1"]).exits(3);
    assert_eq!(outcomes(&ended), [("ice".to_owned(), "restoring ready".to_owned())]);
    let refusal = Action::status(403, "InvalidObjectState");
    scene.log().befall_key(refusal, "GetObject", "ice", Occurrence::Nth(1));
    let line = ["restore", &scene.url(""), &scene.arg("back"), "--include", "/ice", "--request-restore", "1"];
    let text = scene.brigade(line).exits(3).stdout;
    assert!(text.ends_with("\nWhat was asked for can be read by now: run the same command again.\n"), "{text}");
    restore(&scene, &["--include", "/ice"]).exits(0);
}

#[test]
fn what_may_not_be_asked_for_is_a_failure() {
    let scene = with_archives();
    scene.log().refuse("RestoreObject", "ice");
    let ended = restore(&scene, &["--request-restore", "1"]).exits(3);
    ended.summary().counts([("created", 1), ("restoring", 1), ("failed", 1)]);
    ended.complains_of("ice", "it lies in an archive, and could not be asked for: RestoreObject was answered 403");
}

#[test]
fn an_old_version_is_asked_for_as_such() {
    let scene = Scene::embedded();
    scene.set_versioning("Enabled");
    put(&scene, "k", "GLACIER", b"old");
    put(&scene, "k", "STANDARD", b"new");
    let listed = scene.aws(["s3api", "list-object-versions", "--bucket", &scene.bucket]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let id = listed["Versions"].as_array().unwrap().iter().find(|version| version["IsLatest"] == false).unwrap();
    let chosen = format!("k={}", id["VersionId"].as_str().unwrap());
    let line = ["--version-of", &chosen, "--request-restore", "1"];
    restore(&scene, &line).exits(3).summary().counts([("restoring", 1)]);
    restore(&scene, &line).exits(0);
    scene.read("back").assert_are(&Files::new([("k", b"old")]));
}

#[test]
fn a_sync_tells_it_apart_too() {
    let scene = with_archives();
    scene.write("tree", &Files::new([("extra", b"extra")]));
    let down = scene.brigade(["sync", &scene.url(""), &scene.arg("tree"), "--delete", "--output", "json"]).exits(3);
    down.summary().counts([("created", 1), ("archived", 2), ("deletions_held_back", 1)]);
    down.complains_of("ice", "it lies in an archive");

    // Up, what lies in an archive is replaced, and compared without being read.
    scene.write("up", &Files::new([("ice", b"ICE"), ("deep/ice", b"deep ice")]));
    let up = scene.sync(&scene.arg("up"), &scene.url(""), []);
    up.counts([("replaced", 1), ("in_step", 1), ("extra", 1)]);
}

/// The service says it in two ways: see `brigade_s3`'s kinds of errors.
#[test]
fn a_service_that_copies_by_itself_tells_it_apart_too() {
    let scene = Scene::embedded();
    put(&scene, "from/ice", "GLACIER", b"ice");
    put(&scene, "from/stone", "STANDARD", b"stone");
    put(&scene, "from/large", "GLACIER", &content(20 << 20));
    put(&scene, "from/warm", "STANDARD", b"warm");
    let refusal = Action::status(403, "ObjectNotInActiveTierError");
    scene.log().befall_key(refusal, "CopyObject", "to/stone", Occurrence::Nth(1));
    for more in [&[][..], &["--no-server-side-copy"]] {
        let line = ["sync", &scene.url("from"), &scene.url("to"), "--output", "json"];
        let ended = scene.brigade(line.iter().chain(more)).exits(3);
        if more.is_empty() {
            ended.summary().counts([("created", 1), ("archived", 3)]);
        } else {
            ended.summary().counts([("in_step", 1), ("created", 1), ("archived", 2)]);
        }
        ended.complains_of("ice", "it lies in an archive");
    }
    scene.stored("to").assert_are(&Files::new([("warm", b"warm"), ("stone", b"stone")]));
}
