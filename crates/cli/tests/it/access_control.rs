//! Access control lists that go along from bucket to bucket: `--acl source`.

use crate::harness::{Action, Ended, Files, Occurrence, Scene, content};

const EVERYBODY: &str = "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"";
const ANYBODY_KNOWN: &str = "uri=\"http://acs.amazonaws.com/groups/global/AuthenticatedUsers\"";

/// Goes through here, and the service copies.
const WAYS: [(&str, &[&str]); 2] = [("through", &["--no-server-side-copy"]), ("inside", &[])];

/// The header that has everybody read an object.
const PUBLIC: &[(&str, &str)] = &[("x-amz-acl", "public-read")];

/// Who is granted what of an object.
fn grants(scene: &Scene, key: &str) -> String {
    scene.access_control(key).1
}

/// A bucket with an object that is its owner's, one that everybody may read, and one that is shared in each way.
fn put_all(scene: &Scene) {
    scene.put_with("from/private", b"private", &[]);
    scene.put_with("from/public", b"public", PUBLIC);
    let owners = format!("id=\"{}\", id=\"partner\"", scene.access_control("from/private").0);
    let shared = [
        ("x-amz-grant-full-control", owners.as_str()),
        ("x-amz-grant-read", EVERYBODY),
        ("x-amz-grant-read-acp", ANYBODY_KNOWN),
        ("x-amz-grant-write-acp", "id=\"partner\", id=\"auditor\""),
    ];
    scene.put_with("from/shared", b"shared", &shared);
}

#[track_caller]
fn assert_same_grants(from: &Scene, to: &Scene, place: &str, keys: &[&str]) {
    for key in keys {
        let (copy, original) = (grants(to, &format!("{place}/{key}")), grants(from, &format!("from/{key}")));
        assert_eq!(copy, original, "{place}/{key}");
    }
    assert_ne!(grants(from, "from/private"), grants(from, "from/public"));
}

/// Within one server.
fn each_copy_gets_the_grants_of_its_object(scene: &Scene) {
    put_all(scene);
    for (place, args) in WAYS {
        let line = ["sync", &scene.url("from"), &scene.url(place), "--output", "json", "--acl", "source"];
        let summary = scene.brigade(line.iter().chain(args)).exits(0).summary();
        summary.counts([("created", 3)]);
        assert_eq!(summary.requests("GetObjectAcl"), 3);
        assert_eq!(summary.requests("GetObject") > 0, place == "through", "{place}");
        assert_same_grants(scene, scene, place, &["private", "public", "shared"]);
        // What is in step is not asked about.
        let again = scene.sync(&scene.url("from"), &scene.url(place), ["--acl", "source"]);
        again.counts([("in_step", 3)]);
        assert_eq!(again.requests("GetObjectAcl"), 0);
    }
}

#[test]
fn each_copy_gets_the_grants_of_its_object_at_the_embedded_server() {
    let scene = Scene::public();
    each_copy_gets_the_grants_of_its_object(&scene);
    assert_eq!(grants(&scene, "inside/shared").matches("<Grant>").count(), 6);
    // Only on request.
    scene.log().forget_requests();
    scene.sync(&scene.url("from"), &scene.url("plain"), []).counts([("created", 3)]);
    assert_eq!(scene.log().received("GetObjectAcl"), 0);
    assert_eq!(grants(&scene, "plain/public"), grants(&scene, "from/private"));
}

/// It tells of one grantee for each permission.
#[test]
fn each_copy_gets_the_grants_of_its_object_at_moto() {
    each_copy_gets_the_grants_of_its_object(&Scene::moto());
}

#[test]
fn grants_go_along_to_another_server() {
    let (here, there) = (Scene::public(), Scene::public());
    put_all(&here);
    let (from, to) = (here.url("from"), there.url("to"));
    let line = ["sync", &from, &to, "--acl", "source", "--dest-endpoint-url", &there.server.endpoint];
    here.brigade(line).exits(0);
    assert_same_grants(&here, &there, "to", &["private", "public", "shared"]);
}

#[test]
fn what_is_copied_in_parts_gets_its_grants_too() {
    let scene = Scene::public();
    scene.put_with("from/private", b"private", &[]);
    scene.write("tree", &Files::new([("large", &content(65 << 20))]));
    scene.sync(&scene.arg("tree"), &scene.url("from"), ["--acl", "public-read"]);
    scene.put_with("from/public", b"public", PUBLIC);
    for (place, args) in WAYS {
        let line = ["sync", &scene.url("from"), &scene.url(place), "--output", "json", "--acl", "source"];
        let summary = scene.brigade(line.iter().chain(args)).exits(0).summary();
        let operation = if place == "inside" { "UploadPartCopy" } else { "UploadPart" };
        assert_eq!(summary.requests(operation), 9, "{place}");
        assert_same_grants(&scene, &scene, place, &["private", "public", "large"]);
    }
}

#[test]
fn what_grants_may_not_be_read_of_is_named_and_not_copied() {
    let scene = Scene::public();
    put_all(&scene);
    for (status, code, advice) in
        [(403, "AccessDenied", "s3:GetObjectAcl"), (501, "NotImplemented", "no access control lists")]
    {
        scene.log().befall(Action::status(status, code), "GetObjectAcl", Occurrence::Every);
        for (place, args) in WAYS {
            let line = ["sync", &scene.url("from"), &scene.url(place), "--acl", "source"];
            let ended = scene.brigade(line.iter().chain(args)).exits(3);
            for key in ["private", "public", "shared"] {
                ended.complains_of(key, advice);
                ended.complains_of(key, "leave out --acl source");
            }
            assert_eq!(scene.objects().len(), 3, "{place}");
        }
        scene.log().heal();
    }
}

/// Whoever may write, and not say who is granted what; and where a bucket has no such lists.
#[test]
fn what_grants_may_not_be_given_is_named_and_not_written_without() {
    let scene = Scene::public();
    put_all(&scene);
    scene.put_with("from/large", &content(20 << 20), PUBLIC);
    for (are_off, advice) in [(false, "s3:PutObjectAcl"), (true, "leave out --acl")] {
        for (place, args) in WAYS {
            let place = format!("{place}-{are_off}");
            if are_off {
                scene.log().terms().switch_acls_off(true);
            } else {
                scene.log().refuse_header("x-amz-grant-");
            }
            let line = ["sync", &scene.url("from"), &scene.url(&place), "--acl", "source"];
            let ended = scene.brigade(line.iter().chain(args)).exits(3);
            for key in ["large", "public", "shared"] {
                ended.complains_of(key, advice);
            }
            scene.log().heal();
            // What grants nobody else anything needs no list.
            let written: Vec<String> = scene.objects().into_keys().filter(|key| key.starts_with(&place)).collect();
            assert_eq!(written, [format!("{place}/private")]);
        }
    }
}

/// What is granted of a later version, to everybody, is not granted of the one that was listed.
#[test]
fn what_is_replaced_meanwhile_is_copied_with_its_own_grants() {
    for (place, args) in WAYS {
        let scene = Scene::public();
        scene.put_with("from/k", b"secret one", &[]);
        scene.log().hold_the("GetObjectAcl", &[1]);
        let line = ["sync", &scene.url("from"), &scene.url(place), "--acl", "source"];
        let ended = Ended::of_while(scene.brigade_command(line.iter().chain(args)), || {
            scene.log().wait_for_number("GetObjectAcl", 1);
            scene.put_with("from/k", b"for everybody", PUBLIC);
            scene.log().heal();
        });
        ended.exits(0);
        assert_eq!(scene.objects()[&format!("{place}/k")], b"for everybody");
        assert_eq!(grants(&scene, &format!("{place}/k")), grants(&scene, "from/k"));
    }
}

/// The copy gets what its upload was begun with, whatever is said when it is finished.
#[test]
fn an_upload_in_parts_is_taken_up_only_with_the_same_grants() {
    let carried = ["--acl", "source"];
    for (first, second, taken_up) in
        [(&[][..], &[][..], 2), (&carried[..], &carried[..], 2), (&[], &carried, 0), (&carried, &[], 0)]
    {
        let scene = Scene::public();
        scene.put_with("from/large", &content(20 << 20), PUBLIC);
        let (from, to) = (scene.url("from"), scene.url("to"));
        let line = ["sync", &from, &to, "--no-server-side-copy", "--output", "json"];
        scene.kill_at_the_third_part(scene.brigade_command(line.iter().chain(first)));
        let summary = scene.brigade(line.iter().chain(second)).exits(0).summary();
        assert_eq!(summary.0["parts_taken_up"], taken_up, "{first:?} {second:?}: {}", summary.0);
        assert_eq!(scene.log().received("UploadPart"), 3 - taken_up, "{first:?} {second:?}");
        assert_eq!(scene.log().received("AbortMultipartUpload"), u64::from(taken_up == 0), "{first:?} {second:?}");
        assert_eq!(scene.uploads(), 0, "{first:?} {second:?}");
        let same = grants(&scene, "to/large") == grants(&scene, "from/large");
        assert_eq!(same, !second.is_empty(), "{first:?} {second:?}");
    }
}

#[test]
fn where_there_are_no_such_lists_nothing_is_done() {
    let scene = Scene::public();
    put_all(&scene);
    scene.write("tree", &Files::new([("k", b"k")]));
    let (tree, from, to) = (scene.arg("tree"), scene.url("from"), scene.url("to"));
    scene.log().forget_requests();
    for (source, dest, reason) in [
        (tree.as_str(), to.as_str(), "is a directory"),
        (&from, &tree, "is a directory"),
        ("gs://bucket/from", &to, "gs://bucket/from is at Google"),
        (&from, "gs://bucket/to", "gs://bucket/to is at Google"),
    ] {
        scene.brigade(["sync", source, dest, "--acl", "source"]).exits(2).complains(reason);
    }
    assert_eq!(scene.log().requests(), 0);
}
