//! Each deletion is looked up again just before it is done: what came back, or
//! was replaced, between the listing and the deletion stays.

use std::fs;

use super::{Direction, TRUSTED, both_ways, outcome};
use crate::harness::{Ended, Files, Scene};

/// Runs the sync, and does this after both sides were listed and before anything is deleted.
fn between_listing_and_deletion(direction: Direction, scene: &Scene, more: &[&str], meanwhile: impl FnOnce()) -> Ended {
    // Up, an upload that is held keeps the deletions waiting; down, the look at the source itself.
    let held = match direction {
        Direction::Up => ("PutObject", "site/new"),
        Direction::Down => ("HeadObject", "site/gone"),
    };
    direction.add_to_source(scene, "new", "new");
    scene.log().hold(held.0, held.1);
    let args = direction.args(scene).into_iter().chain(more.iter().map(|&arg| arg.to_owned()));
    Ended::of_while(scene.brigade_command(args), || {
        scene.log().wait_for(held.0, held.1);
        meanwhile();
        scene.log().heal();
    })
}

fn same() -> Files {
    Files::new([("a", b"same"), ("b", b"same")])
}

#[test]
fn what_is_at_the_source_again_stays() {
    for (direction, scene) in both_ways(&same()) {
        for key in ["gone", "gone-too"] {
            direction.add_to_dest(&scene, key, "came back");
        }
        let ended = between_listing_and_deletion(direction, &scene, &[], || {
            direction.add_to_source(&scene, "gone", "came back");
        });
        let ended = ended.exits(0);
        ended.summary().counts([("in_step", 2), ("created", 1), ("deleted", 1), ("withdrawn", 1)]);
        let (told, reason) = outcome(&ended, "gone");
        assert!(told == "withdrawn" && reason.contains("at the source again"), "{told}: {reason}");
        assert_eq!(direction.dest(&scene).paths(), ["a", "b", "gone", "new"], "{direction:?}");
    }
}

#[test]
fn what_somebody_else_replaced_meanwhile_stays_and_is_named() {
    for (direction, scene) in both_ways(&same()) {
        for key in ["gone", "gone-too"] {
            direction.add_to_dest(&scene, key, "listed");
        }
        let ended = between_listing_and_deletion(direction, &scene, &TRUSTED, || {
            direction.add_to_dest(&scene, "gone", "somebody else's");
        });
        let ended = ended.exits(3).complains("gone: ");
        ended.summary().counts([("in_step", 2), ("created", 1), ("deleted", 1), ("failed", 1)]);
        assert_eq!(outcome(&ended, "gone").0, "failed");
        let dest = direction.dest(&scene);
        assert_eq!(dest.paths(), ["a", "b", "gone", "new"], "{direction:?}");
        assert_eq!(dest.0["gone"], b"somebody else's");
        direction.sync(&scene, []).exits(0).summary().counts([("in_step", 3), ("deleted", 1)]);
    }
}

#[test]
fn what_somebody_else_deleted_meanwhile_is_deleted() {
    let [(direction, scene), _] = both_ways(&same());
    direction.add_to_dest(&scene, "gone", "listed");
    let ended = between_listing_and_deletion(direction, &scene, &TRUSTED, || {
        scene.aws(["s3", "rm", "--quiet", &scene.url("site/gone")]);
    });
    ended.exits(0).summary().counts([("in_step", 2), ("created", 1), ("deleted", 1)]);
}

#[test]
fn every_deletion_and_nothing_else_is_looked_up() {
    let [_, (direction, scene)] = both_ways(&same());
    for number in 0..5 {
        direction.add_to_dest(&scene, &format!("gone-{number}"), "extra");
    }
    scene.log().forget_requests();
    direction.sync(&scene, ["--compare", "size"]).exits(0).summary().counts([("in_step", 2), ("deleted", 5)]);
    assert_eq!(scene.log().received("HeadObject"), 5);
}

#[test]
fn what_cannot_be_looked_up_stays_and_is_named() {
    let [_, (direction, scene)] = both_ways(&same());
    for key in ["gone", "gone-too"] {
        direction.add_to_dest(&scene, key, "extra");
    }
    scene.log().refuse("HeadObject", "site/gone");
    let ended = direction.sync(&scene, []).exits(3).complains("gone: ");
    ended.summary().counts([("in_step", 2), ("deleted", 1), ("failed", 1)]);
    assert!(fs::exists(scene.path("tree/gone")).unwrap());
}
