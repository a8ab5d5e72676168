//! An upload in parts that a killed run had begun, when something changes before
//! the next one takes it up: no part of what was is ever in what is.

use std::fs;

use super::command;
use crate::harness::{Ended, Files, Scene, long_ago, set_modified, wait_until_it_is_old};

/// Three parts.
const SIZE: usize = (16 << 20) + 5;

/// A run that was killed when it had sent two parts of three.
fn killed_at_the_third_part() -> Scene {
    killed_with(&[])
}

/// The same of one with these options.
fn killed_with(options: &[&str]) -> Scene {
    let scene = Scene::public();
    scene.write("tree", &Files::new([("large", &vec![1; SIZE]), ("small", b"1")]));
    wait_until_it_is_old(&scene.path("tree/large"));
    scene.kill_at_the_third_part(command(&scene, options));
    scene
}

/// The next run, after which nothing is left of the upload but its object.
#[track_caller]
fn next(scene: &Scene, taken_up: u64) -> Ended {
    next_with(scene, &["--delete"], taken_up)
}

#[track_caller]
fn next_with(scene: &Scene, options: &[&str], taken_up: u64) -> Ended {
    let ended = Ended::of(command(scene, options)).exits(0);
    let summary = ended.summary().0;
    assert_eq!(summary["parts_taken_up"], taken_up, "{summary}");
    assert_eq!(scene.uploads(), 0, "an upload was left");
    assert!(Files(scene.objects()) == scene.read("tree"), "they are not in step");
    ended
}

/// The first one had no `--delete`: what is begun belongs to the places, whatever the job.
#[test]
fn another_job_takes_up_the_parts_too() {
    let scene = killed_at_the_third_part();
    next(&scene, 2);
    assert_eq!(scene.log().received("UploadPart"), 1);
}

/// One that was begun in another class would be finished in that.
#[test]
fn only_an_upload_of_the_same_storage_class_is_taken_up() {
    let [infrequent, instant] = ["STANDARD_IA", "GLACIER_IR"].map(|class| ["--storage-class", class]);
    for (first, second, taken_up) in [(infrequent, &infrequent[..], 2), (infrequent, &instant, 0), (infrequent, &[], 0)]
    {
        let scene = killed_with(&first);
        next_with(&scene, second, taken_up);
        let sent = ["UploadPart", "AbortMultipartUpload"].map(|operation| scene.log().received(operation));
        assert_eq!(sent, if taken_up == 2 { [1, 0] } else { [3, 1] }, "{second:?}");
        let listed = scene.ask("GET", &format!("/{}?list-type=2&prefix=large", scene.bucket), b"");
        let class = format!("<StorageClass>{}</StorageClass>", second.get(1).unwrap_or(&"STANDARD"));
        let listed = String::from_utf8(listed).unwrap();
        assert!(listed.contains(&class), "{second:?}: {listed}");
    }
}

#[test]
fn an_edit_of_the_same_size_and_time_begins_anew() {
    let scene = killed_at_the_third_part();
    fs::write(scene.path("tree/large"), vec![2; SIZE]).unwrap();
    set_modified(&scene.path("tree/large"), long_ago());
    next(&scene, 0);
    assert_eq!(scene.log().received("UploadPart"), 3);
}

#[test]
fn a_file_that_became_small_is_sent_whole_and_its_upload_given_up() {
    let scene = killed_at_the_third_part();
    fs::write(scene.path("tree/large"), "small now").unwrap();
    next(&scene, 0);
    assert_eq!(scene.log().received("UploadPart"), 0);
}

#[test]
fn the_upload_of_a_file_that_is_gone_is_given_up() {
    let scene = killed_at_the_third_part();
    fs::remove_file(scene.path("tree/large")).unwrap();
    next(&scene, 0);
}

#[test]
fn an_upload_that_somebody_gave_up_begins_anew() {
    let scene = killed_at_the_third_part();
    scene.brigade(["cleanup", &scene.url(""), "--older-than", "0s"]).exits(0);
    assert_eq!(scene.uploads(), 0);
    next(&scene, 0);
}

#[test]
fn what_somebody_else_sent_meanwhile_leaves_nothing_to_take_up() {
    let scene = killed_at_the_third_part();
    scene.put_exactly("large", &vec![1; SIZE]);
    next(&scene, 0);
    assert_eq!(scene.log().received("UploadPart"), 0);
}

/// It stays where it is: the source isn't what it was, but it may come back.
#[test]
fn a_run_that_is_refused_leaves_the_upload_for_the_next() {
    let scene = killed_at_the_third_part();
    scene.put_exactly("extra", b"1");
    fs::rename(scene.path("tree"), scene.path("away")).unwrap();
    fs::create_dir(scene.path("tree")).unwrap();
    Ended::of(command(&scene, &["--delete"])).exits(4);
    assert_eq!(scene.uploads(), 1);
    fs::remove_dir(scene.path("tree")).unwrap();
    fs::rename(scene.path("away"), scene.path("tree")).unwrap();
    next(&scene, 2);
}

#[test]
fn a_dry_run_and_a_limited_one_leave_the_upload() {
    let scene = killed_at_the_third_part();
    Ended::of(command(&scene, &["--dry-run"])).exits(0);
    Ended::of(command(&scene, &["--limit", "0"])).exits(0);
    assert_eq!(scene.uploads(), 1);
    next(&scene, 2);
}
