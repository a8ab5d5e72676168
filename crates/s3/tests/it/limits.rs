//! What the person bounds: requests a second, and bytes. Limits of an hour a
//! step show that they are kept to; `pace.rs` and `bandwidth.rs` show how exactly.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use brigade_s3::{Bandwidth, Client, GetObject, PutObject, RequestLimit};
use bytes::Bytes;

use crate::server::{Server, answer};

/// Long enough for what isn't held back to happen here.
const MOMENT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn the_next_request_waits_for_its_turn() {
    let server = Server::start([answer("204 No Content", "", ""), answer("204 No Content", "", "")]).await;
    let mut config = server.config();
    config.request_limit = Some(RequestLimit::a_second(NonZeroU32::MIN));
    let [first, second] = [config.clone(), config];
    let first = Client::connect(first).await.unwrap().bucket("b");
    first.abort_multipart_upload("k", "id").await.unwrap();
    // It has the same limit.
    let second = Client::connect(second).await.unwrap().bucket("b");
    let waits = second.abort_multipart_upload("k", "id");
    assert!(tokio::time::timeout(MOMENT, waits).await.is_err(), "it was sent");
    assert!(second.client().request_counts().is_empty());
}

#[tokio::test]
async fn bodies_pass_as_slowly_as_was_said() {
    let body = "x".repeat(1 << 20);
    let server = Server::start([answer("200 OK", "", &body), answer("200 OK", "", "")]).await;
    let mut config = server.config();
    // The first step passes, the next one after an hour.
    config.bandwidth = Some(Bandwidth::of(|| NonZeroU64::new(1)));
    let bucket = Client::connect(config).await.unwrap().bucket("b");
    let got = bucket.get_object(GetObject { key: "k", version_id: None, range: None, if_match: None, limit: 1 << 21 });
    assert!(tokio::time::timeout(MOMENT, got).await.is_err(), "it came");
    let put = PutObject { key: "k", body: Bytes::from(body), ..PutObject::default() };
    assert!(tokio::time::timeout(MOMENT, bucket.put_object(put)).await.is_err(), "it went");
}
