//! A source that somebody replaces or deletes between two requests for it: the service refuses the next one, and nothing
//! is mixed.

use super::{THROUGH, TRUSTED, scene, scene_of_a_large_one};
use crate::harness::{Ended, Files, Scene, content};

/// Runs the sync, one request at a time, and does this when so many requests of the operation have come, of which the
/// last one waits.
fn sync_while(scene: &Scene, (operation, number): (&str, u64), more: &[&str], meanwhile: impl FnOnce()) -> Ended {
    let (from, to) = (scene.url("from"), scene.url("to"));
    let args = ["sync", &from, &to, "--jobs", "1", "--output", "json"];
    scene.log().forget_requests();
    scene.log().hold_the(operation, &[number]);
    Ended::of_while(scene.brigade_command(args.iter().chain(&TRUSTED).chain(more)), || {
        scene.log().wait_until_received(operation, number);
        meanwhile();
        scene.log().heal();
    })
}

/// One with an object that is read and written in three parts.
fn scene_of_three_parts() -> (Scene, Vec<u8>) {
    let (scene, large) = (Scene::public(), content(20 << 20));
    scene.put_exactly("from/k", &large);
    (scene, large)
}

/// As many bytes, and none of them the same.
fn other_than(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| !byte).collect()
}

#[test]
fn the_service_copies_the_listed_version_and_refuses_any_other() {
    let scene = scene();
    let ended = sync_while(&scene, ("CopyObject", 1), &[], || scene.put_exactly("from/k", b"other one")).exits(0);
    ended.summary().counts([("created", 1)]);
    // Unguarded, the first one would copy what nobody has listed.
    assert_eq!(scene.log().answers("CopyObject"), [412, 200]);
    scene.stored("to").assert_are(&Files::new([("k", b"other one")]));
}

#[test]
fn what_is_replaced_each_time_is_not_copied_and_is_named() {
    let scene = scene();
    scene.log().hold_the("CopyObject", &[2]);
    let ended = sync_while(&scene, ("CopyObject", 1), &[], || {
        scene.put_exactly("from/k", b"other one");
        scene.log().release();
        scene.log().wait_until_received("CopyObject", 2);
        scene.put_exactly("from/k", b"third one");
    });
    ended.exits(3).complains_of("k", "somebody else wrote this key since it was listed; run again");
    assert_eq!(scene.log().answers("CopyObject"), [412, 412]);
    assert_eq!(scene.stored("to").count(), 0);
}

#[test]
fn the_service_copies_no_part_of_another_version_that_is_as_large() {
    let (scene, large) = scene_of_a_large_one();
    let other = other_than(&large);
    let ended = sync_while(&scene, ("UploadPartCopy", 5), &[], || scene.put_exactly("from/k", &other)).exits(0);
    ended.summary().counts([("created", 1)]);
    // One more may have been asked for by then.
    let answers = scene.log().answers("UploadPartCopy");
    let (copied, refused) = answers.split_at(4);
    assert!(copied == [200; 4] && !refused.is_empty() && refused.iter().all(|status| *status == 412), "{answers:?}");
    assert_eq!(scene.log().received("CompleteMultipartUpload"), 0);
    scene.stored("to").assert_are(&Files::new([("k", &other)]));
    assert_eq!(scene.uploads(), 0);
}

#[test]
fn no_part_of_another_version_is_read_that_is_as_large() {
    let (scene, large) = scene_of_three_parts();
    let other = other_than(&large);
    let ended = sync_while(&scene, ("GetObject", 2), THROUGH, || scene.put_exactly("from/k", &other)).exits(0);
    ended.summary().counts([("created", 1)]);
    let mut answers = scene.log().answers("GetObject");
    answers.dedup();
    assert_eq!(answers, [206, 412, 206]);
    assert_eq!(scene.log().answers("CompleteMultipartUpload"), [200]);
    scene.stored("to").assert_are(&Files::new([("k", &other)]));
    assert_eq!(scene.uploads(), 0);
}

/// All of it was read by then: the source is looked at once more before the copy becomes visible.
#[test]
fn what_is_replaced_while_its_last_part_is_written_is_copied_anew() {
    let (scene, large) = scene_of_three_parts();
    let other = other_than(&large);
    let ended = sync_while(&scene, ("UploadPart", 3), THROUGH, || scene.put_exactly("from/k", &other)).exits(0);
    ended.summary().counts([("created", 1)]);
    assert_eq!(scene.log().answers("UploadPart"), [200; 6]);
    assert_eq!(scene.log().answers("CompleteMultipartUpload"), [200]);
    scene.stored("to").assert_are(&Files::new([("k", &other)]));
    assert_eq!(scene.uploads(), 0);
}

#[test]
fn what_is_deleted_between_two_parts_is_counted_and_what_was_there_before_stays() {
    let ways = [(("UploadPartCopy", 5), &[][..]), (("GetObject", 2), THROUGH), (("UploadPart", 3), THROUGH)];
    for (held, more) in ways {
        for older in [None, Some(&b"older"[..])] {
            let (scene, _) = if more.is_empty() { scene_of_a_large_one() } else { scene_of_three_parts() };
            let mut before = Files::default();
            if let Some(older) = older {
                scene.put_exactly("to/k", older);
                before.put("k", older);
            }
            let ended = sync_while(&scene, held, more, || scene.remove_exactly("from/k")).exits(0);
            ended.summary().counts([("withdrawn", 1)]);
            scene.stored("to").assert_are(&before);
            assert_eq!(scene.log().received("CompleteMultipartUpload"), 0, "{held:?}");
            assert_eq!(scene.uploads(), 0, "{held:?}");
        }
    }
}
