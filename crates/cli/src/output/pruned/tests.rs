use std::time::{Duration, UNIX_EPOCH};

use brigade_store::{Failure, FailureKind, KeptContent, KeptVersion};

use super::*;
use crate::output::written::Written;
use crate::resolve::prune::older_than;

fn judged(key: &str, content: Option<u64>, outcome: VersionOutcome) -> JudgedVersion {
    let version = KeptVersion {
        key: key.into(),
        id: "i\u{9b}".into(),
        modified: UNIX_EPOCH + Duration::from_secs(1_706_933_106),
        is_current: outcome == VersionOutcome::Current,
        is_placed: true,
        is_cut_off: false,
        content: content.map(|size| KeptContent { size, etag: "e".to_owned(), storage_class: None }),
    };
    JudgedVersion { version, age: Some(Duration::from_hours(50)), outcome }
}

fn failed() -> VersionOutcome {
    VersionOutcome::Failed(Failure::new(FailureKind::Denied, "locked"))
}

fn telling(format: Format, verbose: bool, dry_run: bool) -> Telling {
    Telling::new(format, verbose, Prune { keep: 3, ..older_than(Duration::from_hours(48), dry_run) })
}

/// What is said of it on both streams.
fn told(telling: &mut Telling, judged: &JudgedVersion) -> String {
    let written = Written::default();
    telling.tell(&mut Streams::to_writers(written.clone(), written.clone()), judged);
    written.text()
}

#[test]
fn people_read_what_was_done() {
    let plain = || telling(Format::Text, false, false);
    let verbose = || telling(Format::Text, true, false);
    let dry = || telling(Format::Text, false, true);
    let table = [
        (plain(), judged("k", Some(1), VersionOutcome::Removed), ""),
        (
            verbose(),
            judged("k", Some(1), VersionOutcome::Removed),
            "remove k (version i\\u{9b}, superseded 2 d 02 h ago)\n",
        ),
        (
            dry(),
            judged("k", None, VersionOutcome::Removed),
            "would remove k (delete marker i\\u{9b}, superseded 2 d 02 h ago)\n",
        ),
        (dry(), judged("k", Some(1), VersionOutcome::Young), ""),
        (
            verbose(),
            judged("k", Some(1), VersionOutcome::Current),
            "leave k (version i\\u{9b}, written 2 d 02 h ago, current)\n",
        ),
        (
            verbose(),
            judged("k", None, VersionOutcome::Covering),
            "leave k (delete marker i\\u{9b}, superseded 2 d 02 h ago, over what stays)\n",
        ),
        (
            plain(),
            judged("k\n", Some(1), failed()),
            "failed: k\\n (version i\\u{9b}, superseded 2 d 02 h ago): locked\n",
        ),
    ];
    for (mut telling, judged, expected) in table {
        assert_eq!(told(&mut telling, &judged), expected, "{judged:?}");
    }
}

#[test]
fn of_those_that_fail_alike_some_are_named_and_all_are_counted() {
    let mut telling = telling(Format::Text, false, false);
    let lines: String = (0..30).map(|_| told(&mut telling, &judged("k", Some(1), failed()))).collect();
    assert_eq!(lines.lines().count(), 21);
    assert!(lines.ends_with("failed: and more for the same reason, which are only counted here (-v or --output json names them all): locked\n"), "{lines}");
    let written = Written::default();
    telling.reasons(&mut Streams::to_writers(written.clone(), written.clone()));
    assert_eq!(written.text(), "in all: 30 failed: locked\n");
}

#[test]
fn programs_read_json() {
    let start = r#"{"version":1,"type":"version","key":"k","version_id":"i\u009b","#;
    let mut json = telling(Format::Json, false, false);
    let expected = r#""current":false,"delete_marker":false,"modified":"2024-02-03T04:05:06Z","size":7,"etag":"e","age_seconds":180000,"outcome":"removed"}"#;
    assert_eq!(told(&mut json, &judged("k", Some(7), VersionOutcome::Removed)), format!("{start}{expected}\n"));
    assert_eq!(told(&mut json, &judged("k", Some(7), VersionOutcome::Young)), "");
    let mut verbose = telling(Format::Json, true, false);
    assert!(told(&mut verbose, &judged("k", Some(7), VersionOutcome::Young)).ends_with("\"outcome\":\"young\"}\n"));
    let failed = told(&mut json, &judged("k", None, failed()));
    assert!(failed.contains(r#""delete_marker":true,"modified":"2024-02-03T04:05:06Z","age_seconds":180000,"outcome":"failed","kind":"denied","reason":"locked"}"#), "{failed}");
}

#[test]
fn the_summary_adds_up() {
    let counts =
        VersionCounts { removed: 2, removed_bytes: 2048, current: 1, young: 1, kept: 1, covering: 1, failed: 0 };
    let pruned = Pruned { exit: Exit::InStep, error: None, counts, requests: &[] };
    let plain = telling(Format::Text, false, false);
    let totals = "6 versions: 2 removed (2.0 KiB), 1 current, 1 left alone (superseded less than 2 d 00 h ago), \
                  1 left alone (of the newest 3 of their keys), 1 left alone (delete markers over what stays)\n";
    assert_eq!(plain.summary(&pruned), format!("{totals}Pruned.\n"));
    let dry = telling(Format::Text, false, true);
    assert!(dry.summary(&pruned).contains(": 2 to remove (2.0 KiB), "));
    assert!(dry.summary(&pruned).ends_with("Dry run: nothing was changed.\n"));
    let counts = VersionCounts { failed: 1, ..VersionCounts::default() };
    let incomplete = Pruned { exit: Exit::Incomplete, counts, ..pruned };
    let expected = "1 version: 0 removed (0 B), 1 failed\nNot pruned (exit code 3): incomplete.\n";
    assert_eq!(plain.summary(&incomplete), expected);
    let broken = Pruned { exit: Exit::CouldNotRun, error: Some("why"), counts: VersionCounts::default(), ..pruned };
    assert_eq!(plain.summary(&broken), "");
    let expected = r#"{"version":1,"type":"summary","exit_code":1,"dry_run":false,"error":"why","found":0,"removed":0,"removed_bytes":0,"current":0,"young":0,"kept":0,"covering":0,"failed":0,"requests":[]}"#;
    assert_eq!(telling(Format::Json, false, false).summary(&broken).trim_end(), expected);
}
