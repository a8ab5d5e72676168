//! What can't be removed, or can't be told to be old: it stays, and whoever asked is told why.

use super::{ALL, delete, kept, versioned, with_versions};
use crate::harness::{Reply, Scene};

#[test]
fn what_is_locked_is_named_and_stays_with_its_delete_marker() {
    locked("brigade-dev", "DeleteObjects was answered 200 AccessDenied");
    locked("unknown", "DeleteObject was answered 403 AccessDenied");
}

fn locked(provider: &str, refusal: &str) {
    let scene = versioned(Scene::embedded());
    let bucket = scene.bucket.as_str();
    let enabled = "ObjectLockEnabled=Enabled";
    scene.aws(["s3api", "put-object-lock-configuration", "--bucket", bucket, "--object-lock-configuration", enabled]);
    scene.put("k", b"1");
    scene.aws(["s3api", "put-object-legal-hold", "--bucket", bucket, "--key", "k", "--legal-hold", "Status=ON"]);
    scene.put("k", b"22");
    delete(&scene, "k");
    let ended = scene.brigade(["prune", &scene.url(""), "--older-than", "0s", "--provider", provider]).exits(3);
    ended.complains_of("k", &format!("{refusal}: Access Denied because object protected by object lock"));
    ended.complains_of("k", "s3:DeleteObjectVersion");
    assert!(
        ended.stdout.contains("3 versions: 1 removed (2 B), 1 left alone (delete markers over what stays), 1 failed\n"),
        "{}",
        ended.stdout
    );
    assert_eq!(kept(&scene), ["k -!", "k 1"]);
}

#[test]
fn who_may_not_list_versions_is_told_which_permission_is_missing() {
    let scene = with_versions(Scene::embedded());
    scene.log().refuse_all("ListObjectVersions");
    for command in [&["prune", "--older-than", "0s"][..], &["versions"]] {
        let ended = scene.brigade([command, &[&scene.url("p")]].concat()).exits(1);
        assert_eq!(ended.stdout, "");
        ended
            .complains(&format!("could not list {}: ListObjectVersions", scene.url("p")))
            .complains("s3:ListBucketVersions");
    }
    let json = ["prune", &scene.url("p"), "--older-than", "0s", "--output", "json"];
    assert!(scene.brigade(json).exits(1).summary().0["error"].as_str().unwrap().contains("AccessDenied"));
    scene.log().heal();
    assert_eq!(kept(&scene), ALL);
}

/// Whoever may not ask whether versions are on can still prune all but what another write would replace.
#[test]
fn the_null_version_stays_where_it_may_be_given_again() {
    let scene = Scene::embedded();
    scene.put("k", b"1");
    scene.set_versioning("Enabled");
    scene.put("k", b"22");
    scene.put("k", b"333");
    scene.set_versioning("Suspended");
    let prune = ["prune", &scene.url(""), "--older-than", "0s"];
    scene.brigade(prune).exits(3).complains_of("k", "would be deleted in its place");
    assert_eq!(kept(&scene), ["k 1", "k 3!"]);
    scene.set_versioning("Enabled");
    scene.log().refuse_all("GetBucketVersioning");
    scene.brigade(prune).exits(3).complains_of("k", "allow s3:GetBucketVersioning");
    assert_eq!(kept(&scene), ["k 1", "k 3!"]);
    scene.log().heal();
    scene.brigade(prune).exits(0);
    assert_eq!(kept(&scene), ["k 3!"]);
}

/// A version in a listing that a server makes up.
fn listed(key: &str, id: &str, current: bool, time: &str) -> String {
    format!(
        "<Version><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{current}</IsLatest>\
         <LastModified>{time}</LastModified><ETag>e</ETag><Size>1</Size></Version>"
    )
}

/// From a listing out of order nothing can be told: a key may come again. Nor from one that comes without the time.
#[test]
fn a_listing_out_of_order_or_without_the_time_ends_it_before_anything_is_removed() {
    let reasons = [
        (
            "Date: Fri, 24 May 2013 00:00:00 GMT\r\n",
            "the service lists the versions of a after those of b, out of byte order",
        ),
        ("", "its answers don't tell the time"),
    ];
    for (date, reason) in reasons {
        let scene = Scene::scripted(move |asked| out_of_order(&asked.target, date));
        scene.brigade(["prune", &scene.url(""), "--older-than", "0s"]).exits(1).complains(reason);
        assert!(scene.asked().iter().all(|asked| asked.method == "GET"));
    }
}

fn out_of_order(target: &str, date: &str) -> Reply {
    if target.contains("versioning") {
        return Reply::of("200 OK", "", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
    }
    let old = "2013-05-24T00:00:00.000Z";
    let page = |versions: &str, next: &str| {
        let truncated = if next.is_empty() { "false" } else { "true" };
        format!(
            "<ListVersionsResult><IsTruncated>{truncated}</IsTruncated><NextKeyMarker>{next}</NextKeyMarker>{versions}\
                 </ListVersionsResult>"
        )
    };
    let first = listed("b", "2", true, old) + &listed("b", "1", false, old);
    if target.contains("key-marker=b") {
        Reply::of("200 OK", date, page(&listed("a", "1", true, old), ""))
    } else {
        Reply::of("200 OK", date, page(&first, "b"))
    }
}
