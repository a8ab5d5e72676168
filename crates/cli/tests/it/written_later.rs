//! Two objects of which nothing tells but when they were written: the destination's is left alone only if it is the later.

use std::time::{Duration, SystemTime};

use crate::harness::Scene;

/// Contents of one size, with their CRC-32: S3 keeps it, and nobody here compares by it.
const OURS: (&[u8], &str) = (b"first", "knHuVw==");
const THEIRS: (&[u8], &str) = (b"other", "2Vg1IA==");

/// When the source's object was written, by a clock that is right.
fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(482_148)
}

/// So many seconds after noon, or before.
fn after_noon(seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { noon() - by } else { noon() + by }
}

/// Puts an object of which no digest tells: under SSE-KMS its `ETag` is none, and its checksum is of no use.
fn put_at(scene: &Scene, key: &str, (content, crc32): (&[u8], &str), written: SystemTime) {
    scene.log().terms().write_at(Some(written));
    scene.put_with(key, content, &[("x-amz-server-side-encryption", "aws:kms"), ("x-amz-checksum-crc32", crc32)]);
    scene.log().terms().write_at(None);
}

/// What the outcome leaves at the destination.
fn left_by(outcome: &str) -> &'static [u8] {
    if outcome == "replaced" { OURS.0 } else { THEIRS.0 }
}

#[test]
fn within_a_service_what_was_written_no_later_than_the_source_is_sent() {
    for (seconds, outcome) in
        [(-3600, "replaced"), (-1, "replaced"), (0, "replaced"), (1, "in_step"), (3600, "in_step")]
    {
        for more in [&[][..], &["--no-server-side-copy"]] {
            let scene = Scene::public();
            put_at(&scene, "from/k", OURS, noon());
            put_at(&scene, "to/k", THEIRS, after_noon(seconds));
            let line = ["sync", &scene.url("from"), &scene.url("to"), "--output", "json"];
            scene.brigade(line.iter().chain(more)).exits(0).summary().counts([(outcome, 1)]);
            assert_eq!(scene.objects_by_key(["to/k"])["to/k"], left_by(outcome), "{seconds} {more:?}");
        }
    }
}

/// Their clocks may run apart by the fudge of 1200 seconds; how far they do, the requests find out but for a second or so.
#[test]
fn between_services_what_was_not_written_later_by_more_than_the_fudge_is_sent() {
    const HOURS: i64 = 6 * 3600;
    for (source_ahead, dest_ahead) in [(0, 0), (0, HOURS), (HOURS, 0), (0, -HOURS)] {
        for (seconds, outcome) in
            [(-HOURS, "replaced"), (-1500, "replaced"), (0, "replaced"), (900, "replaced"), (1500, "in_step")]
        {
            let (here, there) = (Scene::public(), Scene::public());
            put_at(&here, "from/k", OURS, after_noon(source_ahead));
            put_at(&there, "to/k", THEIRS, after_noon(dest_ahead + seconds));
            here.log().terms().set_clock_ahead(source_ahead);
            there.log().terms().set_clock_ahead(dest_ahead);
            let (from, to) = (here.url("from"), there.url("to"));
            let line = ["sync", &from, &to, "--output", "json", "--dest-endpoint-url", &there.server.endpoint];
            here.brigade(line).exits(0).summary().counts([(outcome, 1)]);
            let case = format!("{seconds}, clocks ahead by {source_ahead} and {dest_ahead}");
            assert_eq!(there.objects_by_key(["to/k"])["to/k"], left_by(outcome), "{case}");
        }
    }
}
