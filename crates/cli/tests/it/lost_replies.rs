//! Requests that were carried out though their answer was lost, and answers
//! that are not what they seem: what is reported is what the bucket holds.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Action, Ended, Files, Occurrence, Scene};

/// What the embedded server is trusted with, and nothing at all.
const PROVIDERS: [&str; 2] = ["brigade-dev", "unknown"];

/// Files of both kinds: those that are sent whole, and one that is sent in parts.
fn tree() -> Files {
    let mut files =
        Files::new([("a", b"first"), ("empty", b""), ("sub/b", b"second"), ("sub/replaced", b"new content")]);
    files.put("large", vec![7; 17 << 20]);
    files
}

/// The bucket before the run: one object to replace, three to delete.
fn fill(scene: &Scene) {
    scene.write("tree", &tree());
    scene.put_exactly("sub/replaced", b"old");
    for gone in ["gone/1", "gone/2", "gone/3"] {
        scene.put_exactly(gone, b"not at the source");
    }
}

fn sync(scene: &Scene, provider: &str) -> Ended {
    scene.brigade(["sync", &scene.arg("tree"), &scene.url(""), "--delete", "--provider", provider, "--output", "json"])
}

/// The `outcome` of each key that the run has an `object` event for; none has two.
fn outcomes(ended: &Ended) -> BTreeMap<String, String> {
    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    let mut outcomes = BTreeMap::new();
    for event in ended.events().iter().filter(|event| event["type"] == "object") {
        let before = outcomes.insert(text(event, "key"), text(event, "outcome"));
        assert_eq!(before, None, "{event}");
    }
    outcomes
}

/// Asserts that what is said of each key is what the bucket holds, where the
/// keys that may fail hold nothing or what they held before.
#[track_caller]
fn assert_truthful(scene: &Scene, ended: &Ended) {
    let (wanted, stored) = (tree(), stored(scene));
    for (key, outcome) in outcomes(ended) {
        let (wanted, stored) = (wanted.0.get(&key), stored.0.get(&key));
        match outcome.as_str() {
            "sent" | "in_step" => assert!(wanted == stored, "{key} is reported as {outcome}, and is not there"),
            "deleted" => assert!(stored.is_none(), "{key} is reported as deleted, and is there"),
            "failed" => assert!(wanted != stored, "{key} is reported as failed, and is what it should be"),
            other => panic!("{key}: {other}"),
        }
    }
}

/// What the bucket holds.
fn stored(scene: &Scene) -> Files {
    Files(scene.objects())
}

#[test]
fn every_operation_whose_first_answer_is_lost_is_done_once_and_reported_so() {
    for provider in PROVIDERS {
        let scene = Scene::public();
        fill(&scene);
        for key in tree().paths().into_iter().chain(["gone/1", "gone/2", "gone/3"]) {
            for operation in ["PutObject", "CreateMultipartUpload", "CompleteMultipartUpload", "DeleteObject"] {
                scene.log().befall_key(Action::ApplyThenReset, operation, key, Occurrence::Nth(1));
            }
        }
        scene.log().befall(Action::ApplyThenReset, "UploadPart", Occurrence::Within(1..=2));
        scene.log().befall(Action::ApplyThenReset, "DeleteObjects", Occurrence::Nth(1));
        scene.log().forget_requests();

        let ended = sync(&scene, provider).exits(0);
        ended.summary().counts([("created", 4), ("replaced", 1), ("deleted", 3)]);
        stored(&scene).assert_are(&tree());
        assert_truthful(&scene, &ended);
        assert!(scene.log().received("CompleteMultipartUpload") > 1, "no Complete was sent again");
        let deletions = if provider == "unknown" { "DeleteObject" } else { "DeleteObjects" };
        assert!(scene.log().received(deletions) > 1, "no {deletions} was sent again");
        // The one that was begun without our learning of it: its name never came.
        assert_eq!(scene.uploads(), 1);

        scene.log().heal();
        sync(&scene, provider).exits(0).summary().changed_nothing();
    }
}

#[test]
fn a_completion_that_fails_within_its_200_is_sent_again() {
    for provider in PROVIDERS {
        let scene = Scene::public();
        fill(&scene);
        scene.log().befall(Action::status(200, "InternalError"), "CompleteMultipartUpload", Occurrence::Nth(1));
        let ended = sync(&scene, provider).exits(0);
        assert_truthful(&scene, &ended);
        stored(&scene).assert_are(&tree());
        assert_eq!(scene.uploads(), 0);
    }
}

#[test]
fn a_completion_that_is_refused_within_its_200_is_a_failure_of_that_key() {
    let scene = Scene::public();
    fill(&scene);
    scene.log().befall(Action::status(200, "AccessDenied"), "CompleteMultipartUpload", Occurrence::Every);
    let ended = sync(&scene, "brigade-dev").exits(3).complains("large: ").complains("AccessDenied");
    assert_eq!(outcomes(&ended)["large"], "failed");
    assert_truthful(&scene, &ended);
    // Nothing is deleted after a failure.
    ended.summary().counts([("created", 3), ("replaced", 1), ("failed", 1), ("deletions_held_back", 3)]);
    assert!(!stored(&scene).0.contains_key("large"));
    // Its parts are left to the next run.
    assert_eq!(scene.uploads(), 1);
    scene.log().heal();
    sync(&scene, "brigade-dev").exits(0);
    assert_eq!(scene.uploads(), 0);
}

#[test]
fn a_conflict_on_a_write_passes_and_on_a_completion_is_told() {
    let conflict = || Action::status(409, "ConditionalRequestConflict");
    let scene = Scene::public();
    fill(&scene);
    scene.log().befall_key(conflict(), "PutObject", "a", Occurrence::Nth(1));
    scene.log().befall_key(conflict(), "PutObject", "sub/replaced", Occurrence::Nth(1));
    scene.log().befall(conflict(), "CompleteMultipartUpload", Occurrence::Nth(1));
    let ended = sync(&scene, "brigade-dev").exits(3).complains("large: ").complains("run again");
    ended.summary().counts([("created", 3), ("replaced", 1), ("failed", 1), ("deletions_held_back", 3)]);
    assert_truthful(&scene, &ended);
    assert_eq!(scene.uploads(), 0);

    let ended = sync(&scene, "brigade-dev").exits(0);
    ended.summary().counts([("in_step", 4), ("created", 1), ("deleted", 3)]);
    stored(&scene).assert_are(&tree());
}

#[test]
fn a_server_that_says_when_to_ask_again_is_asked_again() {
    let busy = |seconds| Action::Status { status: 503, code: "SlowDown".into(), retry_after: Some(seconds) };
    let scene = Scene::public();
    fill(&scene);
    scene.log().befall(busy(1), "ListObjectsV2", Occurrence::Nth(1));
    scene.log().befall(busy(0), "PutObject", Occurrence::EveryNth(2));
    scene.log().befall(busy(0), "UploadPart", Occurrence::Nth(1));
    scene.log().befall(busy(0), "CompleteMultipartUpload", Occurrence::Nth(1));
    scene.log().befall(busy(0), "DeleteObject", Occurrence::Nth(1));
    let ended = sync(&scene, "unknown").exits(0);
    assert_truthful(&scene, &ended);
    stored(&scene).assert_are(&tree());
    assert_eq!(scene.uploads(), 0);
}

/// Neither done nor answered: what was not stored is not reported as stored.
#[test]
fn a_request_that_was_lost_on_its_way_is_sent_again() {
    for provider in PROVIDERS {
        let scene = Scene::public();
        fill(&scene);
        for operation in [
            "ListObjectsV2",
            "PutObject",
            "CreateMultipartUpload",
            "UploadPart",
            "CompleteMultipartUpload",
            "DeleteObjects",
        ] {
            scene.log().befall(Action::Reset, operation, Occurrence::Nth(1));
        }
        scene.log().befall(Action::Reset, "DeleteObject", Occurrence::Within(1..=2));
        let ended = sync(&scene, provider).exits(0);
        assert_truthful(&scene, &ended);
        stored(&scene).assert_are(&tree());
        assert_eq!(scene.uploads(), 0);
    }
}

/// The first attempt is carried out unanswered; whatever the others come to, it was done.
#[test]
fn what_was_done_is_no_failure_whatever_is_answered_to_the_next_attempt() {
    for provider in PROVIDERS {
        let scene = Scene::public();
        fill(&scene);
        for operation in ["PutObject", "CompleteMultipartUpload", "DeleteObject"] {
            for key in scene_keys() {
                scene.log().befall_key(Action::ApplyThenReset, operation, key, Occurrence::Nth(1));
                scene.log().befall_key(denied(), operation, key, Occurrence::Nth(2));
            }
        }
        scene.log().befall(Action::ApplyThenReset, "DeleteObjects", Occurrence::Nth(1));
        scene.log().befall(denied(), "DeleteObjects", Occurrence::Nth(2));
        let ended = sync(&scene, provider).exits(0);
        ended.summary().counts([("created", 4), ("replaced", 1), ("deleted", 3)]);
        assert_truthful(&scene, &ended);
        stored(&scene).assert_are(&tree());
    }
}

fn denied() -> Action {
    Action::status(403, "AccessDenied")
}

/// The keys that the sync creates, replaces or deletes.
fn scene_keys() -> Vec<&'static str> {
    vec!["a", "empty", "large", "sub/b", "sub/replaced", "gone/1", "gone/2", "gone/3"]
}

/// What was not done stays a failure: it is looked at, and isn't there.
#[test]
fn what_was_lost_on_its_way_and_then_refused_is_a_failure() {
    for provider in PROVIDERS {
        let scene = Scene::public();
        fill(&scene);
        for key in ["a", "sub/replaced"] {
            scene.log().befall_key(Action::Reset, "PutObject", key, Occurrence::Nth(1));
            scene.log().befall_key(denied(), "PutObject", key, Occurrence::Nth(2));
        }
        let ended = sync(&scene, provider).exits(3);
        ended.summary().counts([("created", 3), ("failed", 2), ("deletions_held_back", 3)]);
        for key in ["a", "sub/replaced"] {
            ended.complains_of(key, "AccessDenied");
        }
        assert_truthful(&scene, &ended);
        scene.log().heal();

        for operation in ["DeleteObject", "DeleteObjects"] {
            scene.log().befall(Action::Reset, operation, Occurrence::Nth(1));
            scene.log().befall(denied(), operation, Occurrence::Within(2..=9));
        }
        let ended = sync(&scene, provider).exits(3);
        ended.summary().counts([("in_step", 3), ("created", 1), ("replaced", 1), ("failed", 3)]);
        assert_truthful(&scene, &ended);
    }
}
