//! Listings on the wire. That pages are right is tested where they are made.

use crate::client::{Running, escape, running, running_slash_first, running_with};

async fn filled(running: &Running) {
    for key in ["a", "a-b", "a.b", "a+b", "a/x", "a/y", "a0", "ä b"] {
        assert_eq!(running.put(&format!("/bucket/{}", escape(key)), key.to_owned()).await.status, 200);
    }
}

#[tokio::test]
async fn every_parameter_of_the_second_version() {
    let running = running().await;
    filled(&running).await;
    let listed = running.get("/bucket?list-type=2").await;
    assert_eq!(listed.all("Key"), ["a", "a+b", "a-b", "a.b", "a/x", "a/y", "a0", "ä b"]);
    assert_eq!((listed.first("KeyCount"), listed.first("IsTruncated")), ("8".into(), "false".into()));
    assert_eq!((listed.first("Name"), listed.first("MaxKeys")), ("bucket".into(), "1000".into()));
    assert_eq!(listed.first("ETag"), "\"0cc175b9c0f1b6a831c399e269772661\"");
    assert_eq!((listed.first("Size"), listed.first("StorageClass")), ("1".into(), "STANDARD".into()));
    assert_eq!(&listed.first("LastModified")[19..], ".000Z");
    assert!(listed.all("Owner").is_empty());

    assert_eq!(running.get("/bucket?list-type=2&fetch-owner=true").await.all("Owner").len(), 8);
    assert_eq!(running.get("/bucket?list-type=2&prefix=a/").await.all("Key"), ["a/x", "a/y"]);
    assert_eq!(running.get("/bucket?list-type=2&start-after=a/x").await.all("Key"), ["a/y", "a0", "ä b"]);
    let url = running.get("/bucket?list-type=2&encoding-type=url&prefix=%C3%A4&delimiter=%20").await;
    assert_eq!((url.all("Prefix"), url.first("Delimiter")), (vec!["%C3%A4".into(), "%C3%A4+".into()], "+".into()));
    assert_eq!(running.get("/bucket?list-type=2&max-keys=5000").await.first("MaxKeys"), "1000");
    let none = running.get("/bucket?list-type=2&max-keys=0").await;
    assert_eq!((none.first("KeyCount"), none.first("IsTruncated")), ("0".into(), "false".into()));
    let invalid = running.get("/bucket?list-type=2&max-keys=-1").await;
    assert_eq!(invalid.error(), (400, "InvalidArgument".into()));
    let invalid = running.get("/bucket?list-type=2&continuation-token=nonsense").await;
    assert_eq!(invalid.error(), (400, "InvalidArgument".into()));
    let invalid = running.get("/bucket?list-type=2&encoding-type=base64").await;
    assert_eq!(invalid.error(), (400, "InvalidArgument".into()));
    assert_eq!(running.get("/missing?list-type=2").await.error(), (404, "NoSuchBucket".into()));
}

#[tokio::test]
async fn pages_go_on_across_common_prefixes() {
    let running = running().await;
    filled(&running).await;
    let mut token = String::new();
    let mut found = Vec::new();
    loop {
        let page = running.get(&format!("/bucket?list-type=2&delimiter=/&max-keys=1{token}")).await;
        found.extend(page.all("Key"));
        found.extend(page.all("CommonPrefixes").iter().map(|it| it.replace("<Prefix>", "").replace("</Prefix>", "")));
        assert_eq!(page.first("KeyCount"), "1");
        if page.first("IsTruncated") == "false" {
            break;
        }
        token = format!("&continuation-token={}", page.first("NextContinuationToken"));
    }
    assert_eq!(found, ["a", "a+b", "a-b", "a.b", "a/", "a0", "ä b"]);
}

#[tokio::test]
async fn the_first_version_goes_on_from_its_marker() {
    let running = running().await;
    filled(&running).await;
    let page = running.get("/bucket?delimiter=/&max-keys=5&prefix=a").await;
    assert_eq!(page.all("Key"), ["a", "a+b", "a-b", "a.b"]);
    assert_eq!((page.first("NextMarker"), page.first("IsTruncated")), ("a/".into(), "true".into()));
    assert_eq!(page.all("Owner").len(), 4);
    let next = running.get("/bucket?delimiter=/&prefix=a&marker=a/").await;
    assert_eq!(next.all("Key"), ["a0"]);
    assert!(next.all("CommonPrefixes").is_empty());
}

#[tokio::test]
async fn the_order_may_be_directory_by_directory() {
    let running = running_slash_first().await;
    filled(&running).await;
    let expected = ["a", "a/x", "a/y", "a+b", "a-b", "a.b", "a0", "ä b"];
    assert_eq!(running.get("/bucket?list-type=2").await.all("Key"), expected);
    let page = running.get("/bucket?list-type=2&max-keys=3").await;
    let token = page.first("NextContinuationToken");
    let rest = running.get(&format!("/bucket?list-type=2&continuation-token={token}")).await;
    assert_eq!([page.all("Key"), rest.all("Key")].concat(), expected);
    assert_eq!(running.get("/bucket?list-type=2&start-after=a/y&prefix=a").await.all("Key"), expected[3..7]);
    assert_eq!(running.get("/bucket?list-type=2&delimiter=/").await.all("Prefix"), ["", "a/"]);
}

#[tokio::test]
async fn pages_are_no_longer_than_the_server_was_told() {
    let running = running_with(|config| {
        config.anonymous = true;
        config.page_limit = 3;
    })
    .await;
    filled(&running).await;
    let first = running.get("/bucket?list-type=2&max-keys=5").await;
    assert_eq!(first.all("Key"), ["a", "a+b", "a-b"]);
    assert_eq!((first.first("MaxKeys"), first.first("IsTruncated")), ("5".into(), "true".into()));
    let token = first.first("NextContinuationToken");
    let second = running.get(&format!("/bucket?list-type=2&continuation-token={token}")).await;
    assert_eq!(second.all("Key"), ["a.b", "a/x", "a/y"]);
}

#[tokio::test]
async fn listings_can_lag_behind_what_is_there() {
    let running = running().await;
    running.put("/bucket/a", "1").await;
    running.put("/bucket/b", "2").await;
    running.server.let_listings_lag(true);
    running.put("/bucket/c", "3").await;
    running.delete("/bucket/a").await;
    assert_eq!(running.get("/bucket?list-type=2").await.all("Key"), ["a", "b"]);
    assert_eq!((running.get("/bucket/a").await.status, running.get("/bucket/c").await.status), (404, 200));
    running.server.let_listings_lag(false);
    assert_eq!(running.get("/bucket?list-type=2").await.all("Key"), ["b", "c"]);
}
