//! Object locks and access control lists.

use crate::client::{Answer, Running, running};

const LATER: &str = "2999-01-01T00:00:00Z";

/// A bucket whose versions can be locked.
async fn lockable() -> Running {
    let running = running().await;
    let made = running.send("PUT", "/locked", &[("x-amz-bucket-object-lock-enabled", "true")], "").await;
    assert_eq!(made.status, 200);
    running
}

async fn put(running: &Running, headers: &[(&str, &str)]) -> String {
    let put = running.send("PUT", "/locked/key", headers, "body").await;
    assert_eq!(put.status, 200);
    format!("/locked/key?versionId={}", put.header("x-amz-version-id"))
}

fn locked(mode: &str) -> [(&str, &str); 2] {
    [("x-amz-object-lock-mode", mode), ("x-amz-object-lock-retain-until-date", LATER)]
}

#[tokio::test]
async fn a_locked_version_is_not_deleted() {
    let running = lockable().await;
    assert_eq!(running.get("/locked?versioning").await.first("Status"), "Enabled");
    assert_eq!(running.get("/locked?object-lock").await.first("ObjectLockEnabled"), "Enabled");
    let denied = (403, "AccessDenied".to_owned());
    let bypass = async |version: &str| -> Answer {
        running.send("DELETE", version, &[("x-amz-bypass-governance-retention", "true")], "").await
    };
    let governance = put(&running, &locked("GOVERNANCE")).await;
    assert_eq!(running.head(&governance).await.header("x-amz-object-lock-retain-until-date")[..10], LATER[..10]);
    assert_eq!(running.delete(&governance).await.error(), denied);
    assert_eq!(bypass(&governance).await.status, 204);
    let compliance = put(&running, &locked("COMPLIANCE")).await;
    assert_eq!(bypass(&compliance).await.error(), denied);
    let held = put(&running, &[("x-amz-object-lock-legal-hold", "ON")]).await;
    assert_eq!(bypass(&held).await.error(), denied);
    assert_eq!(running.delete("/locked/key").await.status, 204, "a delete marker deletes nothing");
    let running = running.restarted().await;
    assert_eq!(running.delete(&held).await.error(), denied);
    let free = "<LegalHold><Status>OFF</Status></LegalHold>";
    assert_eq!(running.put(&held.replace('?', "?legal-hold&"), free).await.status, 200);
    assert_eq!(running.delete(&held).await.status, 204);
}

#[tokio::test]
async fn locks_are_put_and_made_longer() {
    let running = lockable().await;
    let version = put(&running, &[]).await;
    let retention = version.replace('?', "?retention&");
    assert_eq!(running.get(&retention).await.error(), (404, "NoSuchObjectLockConfiguration".into()));
    let retain = async |mode: &str, until: &str| {
        let mode = format!("<Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate>");
        running.put(&retention, format!("<Retention>{mode}</Retention>")).await.status
    };
    assert_eq!(retain("COMPLIANCE", "2998-01-01T00:00:00Z").await, 200);
    assert_eq!(running.get(&retention).await.first("Mode"), "COMPLIANCE");
    assert_eq!((retain("COMPLIANCE", LATER).await, retain("COMPLIANCE", "2990-01-01T00:00:00Z").await), (200, 403));
    let hold = version.replace('?', "?legal-hold&");
    assert_eq!(running.get(&hold).await.first("Status"), "OFF");
}

#[tokio::test]
async fn only_buckets_with_object_lock_lock_versions() {
    let running = running().await;
    let refused = running.send("PUT", "/bucket/key", &locked("GOVERNANCE"), "body").await;
    assert_eq!(refused.error(), (400, "InvalidRequest".into()));
    assert_eq!(running.get("/bucket?object-lock").await.error().1, "ObjectLockConfigurationNotFoundError");
    let enabled = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    assert_eq!(running.put("/bucket?object-lock", enabled).await.error(), (409, "InvalidBucketState".into()));
    let versioning =
        |status: &str| format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    running.put("/bucket?versioning", versioning("Enabled")).await;
    assert_eq!(running.put("/bucket?object-lock", enabled).await.status, 200);
    assert_eq!(running.send("PUT", "/bucket/key", &locked("GOVERNANCE"), "body").await.status, 200);
    assert_eq!(running.put("/bucket?versioning", versioning("Suspended")).await.error().1, "InvalidBucketState");
}

#[tokio::test]
async fn access_control_lists_are_kept_and_not_copied() {
    let running = running().await;
    running.send("PUT", "/bucket/key", &[("x-amz-acl", "public-read")], "body").await;
    let shown = running.get("/bucket/key?acl").await;
    assert_eq!(shown.all("Permission"), ["FULL_CONTROL", "READ"]);
    assert_eq!(shown.first("URI"), "http://acs.amazonaws.com/groups/global/AllUsers");
    running.send("PUT", "/bucket/copy", &[("x-amz-copy-source", "/bucket/key")], "").await;
    assert_eq!(running.get("/bucket/copy?acl").await.all("Permission"), ["FULL_CONTROL"]);
    assert_eq!(running.put("/bucket/copy?acl", shown.body.clone()).await.status, 200);
    let running = running.restarted().await;
    assert_eq!(running.get("/bucket/copy?acl").await.text(), shown.text());
    assert_eq!(running.send("PUT", "/bucket/copy?acl", &[("x-amz-acl", "private")], "").await.status, 200);
    assert_eq!(running.get("/bucket/copy?acl").await.all("Permission"), ["FULL_CONTROL"]);
    assert_eq!(running.get("/bucket/copy").await.text(), "body");
}
