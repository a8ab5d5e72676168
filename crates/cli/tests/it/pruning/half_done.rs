//! A run that ends when some of what is old is gone: the next one removes the rest, and no object is touched.

use std::process::Command;

use super::{delete, kept, versioned};
use crate::harness::{Action, Ended, Occurrence, Scene, wait_until};

/// More than two requests remove, which take up to 1,000 versions each.
const KEYS: usize = 3;
const OLD_VERSIONS: usize = 700;

/// Keys of many versions each, of which one is current; and two before them that are deleted, under delete markers.
fn with_many_versions() -> Scene {
    let scene = versioned(Scene::public());
    for key in ["deleted", "deleted too"] {
        for version in 1..=3 {
            scene.put_exactly(key, &vec![b'x'; version]);
        }
        delete(&scene, key);
    }
    for key in 0..KEYS {
        for _ in 0..OLD_VERSIONS {
            scene.put_exactly(&format!("k{key}"), b"old");
        }
        scene.put_exactly(&format!("k{key}"), b"current");
    }
    scene
}

/// Prunes; when the first request that removes something is answered, and none after it, this signal ends the run.
fn half_done(scene: &Scene, signal: &str) -> Ended {
    scene.log().forget_requests();
    scene.log().befall(Action::Stall, "DeleteObjects", Occurrence::Within(2..=u64::MAX));
    let ended = Ended::of_watched(scene.brigade_command(prune(scene)), |process| {
        wait_until("no request was answered and another one sent", || {
            let all = scene.log().records().into_iter();
            let mut removals = all.filter(|request| request.operation.as_deref() == Some("DeleteObjects"));
            (removals.clone().count() > 1 && removals.any(|request| request.status == Some(200))).then_some(())
        });
        assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
    });
    scene.log().heal();
    ended
}

fn prune(scene: &Scene) -> Vec<String> {
    let words = ["prune", &scene.url(""), "--older-than", "0s", "--provider", "brigade-dev"];
    words.map(str::to_owned).to_vec()
}

/// What is current, whatever lies under it.
fn current(scene: &Scene) -> Vec<String> {
    kept(scene).into_iter().filter(|version| version.ends_with('!')).collect()
}

fn goes_on_after(signal: &str, code: Option<i32>) {
    let scene = with_many_versions();
    let (all, currents, objects) = (kept(&scene).len(), current(&scene), scene.objects());
    assert_eq!((all, objects.len()), (KEYS * (OLD_VERSIONS + 1) + 8, KEYS));
    assert_eq!(half_done(&scene, signal).code, code);
    let left = kept(&scene).len();
    assert!(left < all && left > KEYS + 2, "{left} of {all} are left, which is not some of what is old");
    assert_eq!(current(&scene), currents, "what is current was touched");
    assert!(scene.objects() == objects, "an object is gone, is another one, or has come back");

    let json = ["--output".to_owned(), "json".to_owned()];
    let summary = scene.brigade(prune(&scene).into_iter().chain(json)).exits(0).summary().0;
    let counts = ["found", "removed", "current", "failed"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [left, left - KEYS, KEYS, 0].map(|count| count as u64), "{summary}");
    assert_eq!(kept(&scene), ["k0 7!", "k1 7!", "k2 7!"]);
    assert!(scene.objects() == objects, "an object is gone, is another one, or has come back");
}

#[test]
fn a_run_that_is_killed_halfway_is_gone_on_with() {
    goes_on_after("-KILL", None);
}

#[test]
fn a_run_that_is_interrupted_halfway_is_gone_on_with() {
    goes_on_after("-INT", Some(130));
}
