//! Listings that lag behind what was written and deleted, where what is asked for
//! by its key is as it is: nothing is sent again for it, and nothing deleted wrongly.

use crate::harness::{Files, Scene};

/// What the embedded server is trusted with, and nothing at all.
const PROVIDERS: [&str; 2] = ["brigade-dev", "unknown"];

fn tree() -> Files {
    let mut files = Files::new([("a", b"first"), ("sub/b", b"second"), ("sub/c", b"third")]);
    files.put("large", vec![7; 17 << 20]);
    files
}

#[test]
fn what_was_sent_and_is_not_listed_yet_is_not_sent_again() {
    for provider in PROVIDERS {
        let scene = Scene::public();
        scene.write("tree", &tree());
        let (tree_path, bucket) = (scene.arg("tree"), scene.url(""));
        scene.log().let_listings_lag(true);
        let sync = || scene.sync(&tree_path, &bucket, ["--delete", "--provider", provider]);
        sync().counts([("created", 4)]);
        for _ in 0..2 {
            scene.log().forget_requests();
            sync().counts([("in_step", 4)]);
            assert_eq!(scene.log().changes(), [], "{provider}");
            let parts = scene.log().received("UploadPart");
            assert_eq!((scene.log().received("PutObject"), parts), (0, 0), "{provider}");
        }
        scene.log().let_listings_lag(false);
        sync().counts([("in_step", 4)]);
        Files(scene.objects()).assert_are(&tree());
    }
}

#[test]
fn what_was_replaced_and_is_listed_as_it_was_is_not_sent_again() {
    for provider in PROVIDERS {
        let scene = Scene::public();
        scene.write("tree", &tree());
        let (tree_path, bucket) = (scene.arg("tree"), scene.url(""));
        let sync = || scene.sync(&tree_path, &bucket, ["--delete", "--provider", provider]);
        sync().counts([("created", 4)]);
        let mut changed = tree();
        changed.put("a", "FIRST");
        changed.put("sub/b", "another size");
        scene.write("tree", &changed);
        scene.log().let_listings_lag(true);
        sync().counts([("in_step", 2), ("replaced", 2)]);
        for _ in 0..2 {
            scene.log().forget_requests();
            sync().counts([("in_step", 4)]);
            assert_eq!(scene.log().changes(), [], "{provider}");
        }
        scene.log().let_listings_lag(false);
        sync().counts([("in_step", 4)]);
        Files(scene.objects()).assert_are(&changed);
    }
}

#[test]
fn what_was_deleted_and_is_listed_still_is_gone_all_the_same() {
    for provider in PROVIDERS {
        let scene = Scene::public();
        scene.write("tree", &tree());
        for extra in ["extra/1", "extra/2"] {
            scene.put_exactly(extra, b"not at the source");
        }
        let (tree_path, bucket) = (scene.arg("tree"), scene.url(""));
        let args = ["--delete", "--max-delete", "100%", "--provider", provider];
        scene.log().let_listings_lag(true);
        scene.sync(&tree_path, &bucket, args).counts([("created", 4), ("deleted", 2)]);
        for _ in 0..2 {
            scene.log().forget_requests();
            // They are found to be gone when their turn comes.
            scene.sync(&tree_path, &bucket, args).counts([("in_step", 4), ("deleted", 2)]);
            assert_eq!(scene.log().changes(), [], "{provider}");
        }
        Files(scene.objects_by_key(["a", "large", "sub/b", "sub/c"])).assert_are(&tree());
    }
}

/// With and without what earlier runs remembered.
#[test]
fn what_the_source_has_and_does_not_list_yet_is_not_deleted() {
    for provider in PROVIDERS {
        for ledger in [&[][..], &["--no-ledger"]] {
            let scene = Scene::public();
            scene.put_exactly("a", b"first");
            scene.put_exactly("gone", b"deleted later");
            let (bucket, copy) = (scene.url(""), scene.arg("copy"));
            scene.sync(&bucket, &copy, []).counts([("created", 2)]);
            scene.log().let_listings_lag(true);
            for (key, content) in [("late", &b"second"[..]), ("sub/late", b"third")] {
                scene.put_exactly(key, content);
            }
            scene.remove_exactly("gone");
            scene.put_exactly("a", b"FIRST");
            // It came there by another way.
            scene.write(
                "copy",
                &Files::new([("a", b"first"), ("gone", b"deleted later"), ("late", b"second"), ("sub/late", b"third")]),
            );
            for _ in 0..2 {
                let args = ["sync", &bucket, &copy, "--delete", "--max-delete", "100%", "--provider", provider];
                let ended = scene.brigade(args.iter().chain(ledger)).exits(0);
                let copied = scene.read("copy");
                assert_eq!(copied.0["late"], b"second", "{}", ended.stdout);
                assert_eq!(copied.0["sub/late"], b"third");
            }
            scene.log().let_listings_lag(false);
            scene.sync(&bucket, &copy, ["--delete", "--max-delete", "100%", "--provider", provider]);
            scene.read("copy").assert_are(&Files(scene.objects()));
        }
    }
}
