//! A service that knows its own continuation tokens no more in the middle of a
//! listing: the listing goes on, or the run ends and deletes nothing.

use crate::harness::{Action, Ended, Files, Occurrence, Scene};

/// Some pages of seven.
fn all() -> Files {
    let mut files = Files::default();
    for number in 0..60 {
        files.put(&format!("d{}/{number:03}", number / 10), format!("content {number}"));
    }
    files
}

/// All, but for some, and one more: what is to be created, replaced, left and deleted.
fn other() -> Files {
    let mut files = all();
    for key in ["d1/011", "d5/059"] {
        files.take(key);
    }
    files.put("d2/020", "older");
    files.put("d3/extra", "only here");
    files
}

/// A tree and a bucket, of which the one is to become as the other, while these requests with a token are refused.
fn sync(goes_up: bool, options: &[&str], refused: Occurrence) -> (Scene, Ended) {
    let scene = Scene::public_with_pages_of(7);
    let (in_tree, in_bucket) = if goes_up { (all(), other()) } else { (other(), all()) };
    scene.write("tree", &in_tree);
    for (key, content) in &in_bucket.0 {
        scene.put_exactly(key, content);
    }
    scene.log().refuse_tokens(refused);
    scene.log().forget_requests();
    let places = [scene.arg("tree"), scene.url("")];
    let [source, dest] = if goes_up { [&places[0], &places[1]] } else { [&places[1], &places[0]] };
    let arguments = ["sync", source, dest, "--delete", "--compare", "checksum", "--output", "json"];
    let ended = scene.brigade(arguments.into_iter().chain(options.iter().copied()));
    scene.log().heal();
    (scene, ended)
}

#[test]
fn a_page_that_ends_with_what_is_not_listed_is_not_listed_again() {
    let scene = Scene::public_with_pages_of(7);
    let name = |number: u32| match number {
        6 => "d/06/.brigade-0123456789abcdef".to_owned(),
        _ => format!("d/{number:02}"),
    };
    (0..30).for_each(|number| scene.put_exactly(&name(number), b"x"));
    scene.log().refuse_tokens(Occurrence::Nth(1));
    let (url, tree) = (scene.url(""), scene.arg("tree"));
    let args = ["sync", &url, &tree, "--provider", "brigade-dev", "--listers", "1", "--output", "json"];
    let ended = scene.brigade(args).exits(0);
    assert!(!ended.stdout.contains("reordered"), "{}", ended.stdout);
    ended.summary().counts([("created", 29)]);
}

#[track_caller]
fn is_in_step(goes_up: bool, options: &[&str], refused: Occurrence) {
    let (scene, ended) = sync(goes_up, options, refused);
    let ended = ended.exits(0).complains("since a page was refused");
    ended.summary().counts([("in_step", 57), ("created", 2), ("replaced", 1), ("deleted", 1)]);
    let brought = if goes_up { Files(scene.objects()) } else { scene.read("tree") };
    brought.assert_are(&all());
}

#[test]
fn in_a_known_order_the_listing_goes_on_after_the_last_key() {
    for goes_up in [true, false] {
        for listers in ["1", "4"] {
            for refused in [Occurrence::Nth(1), Occurrence::Nth(3), Occurrence::Every] {
                is_in_step(goes_up, &["--provider", "brigade-dev", "--listers", listers], refused);
            }
        }
    }
}

#[test]
fn in_an_unknown_order_it_begins_again_once() {
    for goes_up in [true, false] {
        for provider in ["unknown", "seaweedfs"] {
            for refused in [Occurrence::Nth(1), Occurrence::Nth(3)] {
                is_in_step(goes_up, &["--provider", provider], refused);
            }
        }
    }
}

#[test]
fn in_an_unknown_order_a_token_that_is_never_known_ends_the_run() {
    for goes_up in [true, false] {
        for provider in ["unknown", "seaweedfs"] {
            let (scene, ended) = sync(goes_up, &["--provider", provider], Occurrence::Every);
            ended.exits(1).complains("could not list").complains("InvalidArgument");
            assert_eq!(scene.log().deletions(), 0);
            let kept = if goes_up { Files(scene.objects()) } else { scene.read("tree") };
            assert_eq!(kept.0["d3/extra"], b"only here");
        }
    }
}

/// A refusal of another kind is none of a token, and nothing is begun again for it.
#[test]
fn another_refusal_of_a_page_ends_the_run_as_ever() {
    let scene = Scene::public_with_pages_of(7);
    for (key, content) in &all().0 {
        scene.put_exactly(key, content);
    }
    scene.log().befall(Action::status(403, "AccessDenied"), "ListObjectsV2", Occurrence::Within(2..=1000));
    scene.log().forget_requests();
    let arguments = ["sync", &scene.url(""), &scene.arg("tree"), "--provider", "brigade-dev", "--listers", "1"];
    scene.brigade(arguments).exits(1).complains("AccessDenied");
    assert_eq!(scene.log().received("ListObjectsV2"), 2);
}
