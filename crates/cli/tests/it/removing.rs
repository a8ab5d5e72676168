//! `brigade rm`: what is below the URL goes, and nothing else.

use serde_json::Value;

use crate::harness::{Ended, Files, Running, Scene, on_both_servers};

/// A bucket with these objects below the prefix, put there by others.
fn fill(scene: &Scene, files: &Files) {
    scene.write("origin", files);
    scene.rclone(["copy", &scene.arg("origin"), &scene.remote("")]);
}

fn some() -> Files {
    Files::new([("p/a", b"1"), ("p/sub/b c", b"22"), ("p/sub/é", b"3"), ("pq/a", b"4"), ("q", b"5")])
}

fn rm(scene: &Scene, url: &str, args: &[&str]) -> Ended {
    scene.brigade(["rm", url, "--output", "json"].iter().chain(args))
}

/// The key and size of each version that the bucket has, and of no delete marker.
fn versions(scene: &Scene) -> Vec<String> {
    let listed = scene.aws(["s3api", "list-object-versions", "--bucket", &scene.bucket]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let shown = |version: &Value| format!("{} {}", version["Key"].as_str().unwrap(), version["Size"]);
    let mut versions: Vec<String> = listed["Versions"].as_array().unwrap().iter().map(shown).collect();
    versions.sort();
    versions
}

on_both_servers! {
    fn what_is_below_the_url_goes_and_nothing_else(scene) {
        fill(&scene, &some());
        let url = scene.url("p");
        let dry = rm(&scene, &url, &["--dry-run"]).exits(0);
        dry.summary().counts([("deleted", 3)]);
        scene.stored("").assert_are(&some());

        let ended = scene.brigade(["rm", &url, "-v"]).exits(0);
        assert!(ended.stdout.starts_with("delete ") && ended.stdout.contains("delete sub/b c\n"), "{}", ended.stdout);
        assert!(ended.stdout.ends_with("Deleted.\n") && ended.stdout.contains("deleted               3\n"), "{}", ended.stdout);
        assert!(!ended.stdout.contains("in step") && !ended.stdout.contains("sent "), "{}", ended.stdout);
        scene.stored("").assert_are(&Files::new([("pq/a", b"4"), ("q", b"5")]));
        let again = scene.brigade(["rm", &url]).exits(0);
        assert!(again.stdout.ends_with("There was nothing to delete.\n"), "{}", again.stdout);
    }

    fn only_what_the_filters_let_in_goes(scene) {
        fill(&scene, &some());
        let ended = rm(&scene, &scene.url("p"), &["--exclude", "*", "--include", "/sub/"]).exits(0);
        ended.summary().counts([("deleted", 2), ("excluded", 1)]);
        scene.stored("").assert_are(&Files::new([("p/a", b"1"), ("pq/a", b"4"), ("q", b"5")]));
    }

    fn more_than_is_allowed_is_refused(scene) {
        fill(&scene, &some());
        for most in ["2", "66%"] {
            let ended = rm(&scene, &scene.url("p"), &["--max-delete", most]).exits(4);
            ended.complains("3 of 3 objects at the destination would be deleted, more than --max-delete");
        }
        scene.stored("").assert_are(&some());
        rm(&scene, &scene.url("p"), &["--max-delete", "3"]).exits(0).summary().counts([("deleted", 3)]);
    }

    fn a_whole_bucket_is_emptied_only_on_request(scene) {
        fill(&scene, &some());
        for url in [scene.url(""), scene.url("") + "/"] {
            rm(&scene, &url, &[]).exits(2).complains("is a whole bucket");
        }
        scene.stored("").assert_are(&some());
        rm(&scene, &scene.url(""), &["--whole-bucket"]).exits(0).summary().counts([("deleted", 5)]);
        scene.stored("").assert_are(&Files::default());
    }

    fn what_has_no_version_id_is_gone_for_good_where_versions_are_suspended(scene) {
        scene.put("p/before", b"1");
        scene.set_versioning("Enabled");
        scene.put("p/during", b"22");
        scene.put("p/both", b"333");
        scene.set_versioning("Suspended");
        scene.put("p/both", b"4444");
        scene.put("p/since", b"55555");
        scene.put("pq/since", b"6");
        assert_eq!(versions(&scene), ["p/before 1", "p/both 3", "p/both 4", "p/during 2", "p/since 5", "pq/since 1"]);
        let note = format!(
            "note: {} kept versions once: those stay, under delete markers; what was written while it kept none is gone \
             for good\n",
            scene.url("p")
        );
        // Who looks first is told as well.
        for args in [&["--dry-run"][..], &[]] {
            let ended = rm(&scene, &scene.url("p"), args).exits(0);
            ended.summary().counts([("deleted", 4)]);
            assert!(ended.stderr.contains(&note), "{}", ended.stderr);
        }
        assert_eq!(versions(&scene), ["p/both 3", "p/during 2", "pq/since 1"]);
        assert_eq!(scene.stored("").paths(), ["pq/since"]);
    }

    fn the_name_of_an_object_is_that_object(scene) {
        fill(&scene, &some());
        // A directory is no object, and what only begins so is another one.
        for nothing in ["p/a/", "p/su", "q/"] {
            rm(&scene, &scene.url(nothing), &[]).exits(0).summary().counts([("deleted", 0)]);
        }
        scene.stored("").assert_are(&some());
        rm(&scene, &scene.url("p/sub/b c"), &["--dry-run"]).exits(0).summary().counts([("deleted", 1)]);
        rm(&scene, &scene.url("p/sub/b c"), &[]).exits(0).summary().counts([("deleted", 1)]);
        rm(&scene, &scene.url("q"), &[]).exits(0).summary().counts([("deleted", 1)]);
        scene.stored("").assert_are(&Files::new([("p/a", b"1"), ("p/sub/é", b"3"), ("pq/a", b"4")]));
    }
}

#[test]
fn a_directory_is_refused() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("a", b"1")]));
    rm(&scene, &scene.arg("tree"), &[]).exits(2).complains("is a directory, which brigade does not delete");
    assert_eq!(scene.read("tree").count(), 1);
}

/// What a sync spares is spared by nothing here: afterwards the place is empty.
#[test]
fn markers_and_reserved_names_go_as_well() {
    let scene = Scene::public();
    for key in ["p/", "p/d/", "p/d/x", "p/.brigade-0123456789abcdef", "p/.brigade-mine", "p/a//b", "p/../x", "p", "pq/"]
    {
        scene.put_exactly(key, if key.ends_with('/') { b"" } else { b"content" });
    }
    let foreseen = rm(&scene, &scene.url("p"), &["--dry-run", "--listers", "1"]).exits(0).summary();
    let ended = rm(&scene, &scene.url("p"), &["--max-delete", "100%", "--listers", "1"]).exits(0).summary();
    ended.counts([("deleted", 7)]);
    let foreseen = foreseen.0["forecast"]["requests"].as_array().unwrap().iter();
    let mut deletions = foreseen.filter(|request| request["operation"] == "DeleteObject");
    assert_eq!(deletions.next().map(|request| &request["requests"]), Some(&ended.requests("DeleteObject").into()));
    assert_eq!(scene.objects().into_keys().collect::<Vec<_>>(), ["p", "pq/"]);
    rm(&scene, &scene.url("p"), &[]).exits(0).summary().counts([("deleted", 1)]);
    rm(&scene, &scene.url("pq"), &[]).exits(0).summary().counts([("deleted", 1)]);
    assert!(scene.objects().is_empty());
}

#[test]
fn a_listing_that_breaks_off_deletes_nothing() {
    let scene = Scene::public_with_pages_of(2);
    for key in ["p/a", "p/b", "p/c", "p/d", "p/e"] {
        scene.put_exactly(key, b"content");
    }
    scene.log().refuse_page(3);
    rm(&scene, &scene.url("p"), &["--retries", "0", "--listers", "1"]).exits(1).complains("could not list");
    assert_eq!((scene.log().deletions(), scene.objects().len()), (0, 5));
}

#[test]
fn what_could_not_be_deleted_is_named_and_goes_the_next_time() {
    let scene = Scene::public();
    for key in ["p/a", "p/b"] {
        scene.put_exactly(key, b"content");
    }
    scene.log().refuse_all("DeleteObject");
    scene.log().refuse_all("DeleteObjects");
    let ended = scene.brigade(["rm", &scene.url("p")]).exits(3);
    let ended = ended.complains("failed: a: DeleteObject was answered 403");
    assert!(ended.stdout.ends_with("Not all is deleted (exit code 3): 2 failed.\n"), "{}", ended.stdout);
    scene.log().heal();
    rm(&scene, &scene.url("p"), &[]).exits(0).summary().counts([("deleted", 2)]);
}

#[test]
fn a_killed_run_is_gone_on_with() {
    let scene = Scene::public();
    for number in 0..20 {
        scene.put_exactly(&format!("p/{number}"), b"content");
    }
    // A provider of which nothing is known is asked to delete one by one.
    scene.log().hold_the("DeleteObject", &[6]);
    let run = Running::start(scene.brigade_command(["rm", &scene.url("p"), "--jobs", "1"]));
    scene.log().wait_for_number("DeleteObject", 6);
    drop(run);
    scene.log().heal();
    assert_eq!(scene.objects().len(), 15);
    rm(&scene, &scene.url("p"), &[]).exits(0).summary().counts([("deleted", 15)]);
    assert!(scene.objects().is_empty());
}

#[test]
fn what_was_replaced_meanwhile_stays() {
    let scene = Scene::public();
    for key in ["p/a", "p/b"] {
        scene.put_exactly(key, b"content");
    }
    // It is listed as it was.
    scene.log().let_listings_lag(true);
    scene.put_exactly("p/a", b"somebody else's");
    let ended = rm(&scene, &scene.url("p"), &["--provider", "brigade-dev"]).exits(3);
    ended.summary().counts([("deleted", 1), ("failed", 1)]);
    ended.complains_of("a", "somebody else wrote this key");
    scene.log().let_listings_lag(false);
    assert_eq!(scene.objects().into_keys().collect::<Vec<_>>(), ["p/a"]);
}

#[test]
fn a_bucket_that_keeps_versions_gets_delete_markers() {
    let scene = Scene::public();
    scene.set_versioning("Enabled");
    scene.put_exactly("p/a", b"content");
    let ended = scene.brigade(["rm", &scene.url("p")]).exits(0);
    assert!(ended.stderr.contains("keeps versions: what is deleted gets delete markers"), "{}", ended.stderr);
    assert!(scene.objects().is_empty());
    let kept = scene.ask("GET", &format!("/{}?versions", scene.bucket), b"");
    let kept = String::from_utf8(kept).unwrap();
    assert_eq!((kept.matches("<Version>").count(), kept.matches("<DeleteMarker>").count()), (1, 1), "{kept}");
    let again = rm(&scene, &scene.url("p"), &[]).exits(0);
    again.summary().counts([("deleted", 0)]);
}
