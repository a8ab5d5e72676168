//! What a run found to have arrived otherwise than it was sent: no later run takes it for what it should be.

use crate::harness::{Action, Ended, Files, Occurrence, Scene, wait_until_it_is_old};

fn sync(scene: &Scene) -> Ended {
    let (tree, url) = (scene.arg("tree"), scene.url(""));
    // Without the fudge an object is newer than its file at once.
    let options = ["--clock-fudge-factor", "0", "--provider", "brigade-dev", "--jobs", "1", "--output", "json"];
    scene.brigade(["sync", &tree, &url].iter().chain(&options))
}

#[test]
fn an_object_that_was_stored_wrong_is_not_taken_for_the_file_by_its_size_and_time() {
    let scene = Scene::public();
    scene.write("tree", &Files::new([("a", b"right")]));
    wait_until_it_is_old(&scene.path("tree/a"));
    for operation in ["PutObject", "HeadObject"] {
        scene.log().befall(Action::WrongDigests, operation, Occurrence::Every);
    }
    sync(&scene).exits(3).complains("checksum");
    scene.log().heal();
    scene.put_exactly("a", b"wrong");
    sync(&scene).exits(0).summary().counts([("replaced", 1)]);
    assert_eq!(scene.objects()["a"], b"right");
}

#[test]
fn an_upload_with_a_wrong_part_that_can_not_be_aborted_is_not_taken_up() {
    let scene = Scene::public();
    let large = vec![7; 40 << 20];
    scene.write("tree", &Files::new([("large", &large)]));
    wait_until_it_is_old(&scene.path("tree/large"));
    scene.log().befall(Action::WrongDigests, "UploadPart", Occurrence::Within(2..=u64::MAX));
    scene.log().refuse_all("AbortMultipartUpload");
    sync(&scene).exits(3);
    scene.log().heal();
    let part = format!("/{}/large?partNumber=2&uploadId={}", scene.bucket, scene.upload_ids()[0]);
    scene.ask("PUT", &part, &vec![9; 8 << 20]);
    scene.log().forget_requests();
    sync(&scene).exits(0).summary().counts([("created", 1)]);
    assert_eq!((scene.log().received("CreateMultipartUpload"), scene.upload_ids().len()), (1, 0));
    assert!(scene.objects()["large"] == large);
}
