//! Faults on order, and the log of requests.

use std::fs;
use std::time::Duration;

use brigade_devserver::{Action, Fault, KeyPattern, Occurrence};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::running;

#[tokio::test]
async fn a_status_is_answered_and_nothing_done() {
    let running = running().await;
    let action = Action::Status { status: 503, code: "SlowDown".into(), retry_after: Some(7) };
    running.server.faults().add(Fault::new(action).on("PutObject").when(Occurrence::Nth(2)));
    assert_eq!(running.put("/bucket/a", "1").await.status, 200);
    // More than fits into the buffers between: the answer arrives all the same.
    let refused = running.put("/bucket/b", vec![0; 8 << 20]).await;
    assert_eq!(refused.error(), (503, "SlowDown".into()));
    assert_eq!(refused.header("retry-after"), "7");
    assert_eq!(running.put("/bucket/c", "3").await.status, 200);
    assert_eq!(running.get("/bucket?list-type=2").await.all("Key"), ["a", "c"]);
}

#[tokio::test]
async fn a_reset_gives_no_answer_and_may_come_before_or_after() {
    let running = running().await;
    let on = |action, key: &str| Fault::new(action).key(KeyPattern::Exact(key.into())).when(Occurrence::Nth(1));
    running.server.faults().add(on(Action::Reset, "before"));
    running.server.faults().add(on(Action::ApplyThenReset, "after"));
    assert!(running.try_send("PUT", "/bucket/before", &[], "x").await.is_err());
    assert!(running.try_send("PUT", "/bucket/after", &[], "x").await.is_err());
    assert_eq!(running.get("/bucket?list-type=2").await.all("Key"), ["after"]);
    let statuses: Vec<_> = running.server.requests().iter().map(|record| record.status).collect();
    assert_eq!(statuses, [None, None, Some(200)]);
}

#[tokio::test]
async fn a_body_breaks_off_halfway() {
    let running = running().await;
    for size in [1000, 3_000_000_usize] {
        running.put("/bucket/key", vec![7; size]).await;
        running.server.faults().add(Fault::new(Action::TruncatedBody).on("GetObject").when(Occurrence::Nth(1)));
        let address = running.server.address();
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get("/bucket/key").header("host", address.to_string());
        let response = sender.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
        assert_eq!(response.headers()["content-length"], size.to_string());
        let mut body = response.into_body();
        let mut received = 0;
        let broken = loop {
            match body.frame().await {
                Some(Ok(frame)) => received += frame.into_data().unwrap().len(),
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert!(broken);
        assert_eq!(received, size / 2);
        assert_eq!(running.get("/bucket/key").await.body.len(), size);
        running.server.faults().clear();
    }
}

#[tokio::test]
async fn a_byte_of_a_body_and_the_digests_of_an_answer_can_be_others() {
    let running = running().await;
    for size in [1, 1000, 3_000_000_usize] {
        running.put("/bucket/key", vec![7; size]).await;
        running.server.faults().add(Fault::new(Action::FlippedByte).on("GetObject").when(Occurrence::Nth(1)));
        let mut damaged = vec![7; size];
        damaged[size / 2] = !7;
        assert!(running.get("/bucket/key").await.body == damaged);
        assert!(running.get("/bucket/key").await.body == vec![7; size]);
        running.server.faults().clear();
    }
    running.server.faults().add(Fault::new(Action::WrongDigests).when(Occurrence::Nth(1)));
    let crc64nvme = "x-amz-checksum-crc64nvme";
    let wrong = running.put("/bucket/key", "x").await;
    let right = running.send("HEAD", "/bucket/key", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!((wrong.status, right.status), (200, 200));
    for name in ["etag", crc64nvme] {
        assert_ne!(wrong.header(name), right.header(name));
        assert_eq!(wrong.header(name).len(), right.header(name).len());
    }
    assert_eq!(wrong.header("x-amz-checksum-type"), right.header("x-amz-checksum-type"));
}

#[tokio::test]
async fn what_is_delayed_is_done_and_what_is_stalled_is_never_answered() {
    let running = running().await;
    let (stall, delay) = (Action::Stall, Action::Delay(Duration::from_millis(1)));
    running.server.faults().add(Fault::new(stall).key(KeyPattern::Suffix("stalled".into())));
    running.server.faults().add(Fault::new(delay).key(KeyPattern::Contains("delayed".into())));
    let mut stalled = TcpStream::connect(running.server.address()).await.unwrap();
    stalled.write_all(b"PUT /bucket/stalled HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    while running.server.count("PutObject") == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(running.put("/bucket/delayed", "x").await.status, 200);
    assert_eq!(running.get("/bucket?list-type=2").await.all("Key"), ["delayed"]);
    let directory = running.stopped().await;
    let mut answer = Vec::new();
    // However the server's end closes the connection, nothing came over it.
    let _ = stalled.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
    assert_eq!(fs::read_dir(directory.path().join("bucket/objects")).unwrap().count(), 1);
}

#[tokio::test]
async fn requests_are_logged_as_s3_names_them() {
    let running = running().await;
    running.put("/bucket/a%2Fb", "x").await;
    running.get("/bucket?list-type=2&prefix=a").await;
    running.get("/bucket/missing").await;
    let requests = running.server.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].operation.as_deref(), Some("PutObject"));
    assert_eq!((requests[0].bucket.as_deref(), requests[0].key.as_deref()), (Some("bucket"), Some("a/b")));
    assert_eq!((requests[1].query.as_str(), requests[1].key.as_deref()), ("list-type=2&prefix=a", None));
    assert_eq!((requests[2].operation.as_deref(), requests[2].status), (Some("GetObject"), Some(404)));
    assert_eq!((running.server.count("ListObjectsV2"), running.server.count("PutObject")), (1, 1));
    running.server.clear_requests();
    assert!(running.server.requests().is_empty());
}

#[tokio::test]
async fn changes_are_logged_with_what_was_there_and_the_condition() {
    let running = running().await;
    let etags =
        [running.send("PUT", "/bucket/k", &[("if-none-match", "*")], "1").await, running.put("/bucket/k", "2").await];
    let etags = etags.map(|answer| answer.header("etag").trim_matches('"').to_owned());
    let quoted = format!("\"{}\"", etags[0]);
    assert_eq!(running.send("DELETE", "/bucket/k", &[("if-match", &quoted)], "").await.status, 412);
    running.delete_many(&format!("<Delete><Object><Key>k</Key><ETag>{}</ETag></Object></Delete>", etags[1])).await;
    running.delete("/bucket/k").await;
    let changes = running.server.changes().into_iter();
    let changes: Vec<_> =
        changes.map(|change| (change.before, change.after, change.if_match, change.if_absent)).collect();
    let [first, second] = etags.map(Some);
    let wanted = [
        (None, first.clone(), None, true),
        (first, second.clone(), None, false),
        (second.clone(), None, second, false),
    ];
    assert_eq!(changes, wanted);
}
