use std::time::UNIX_EPOCH;

use brigade_store::{KeptContent, VersionId};
use proptest::prelude::*;

use super::*;

const NOW: u64 = 1000;

/// A version of one letter's key and a time: `a5`; `a5!` is the current one, `a5-` a delete marker,
/// `a5-!` both, `a5o` the null version.
fn version(word: &str) -> KeptVersion {
    let time: String = word.chars().filter(char::is_ascii_digit).collect();
    KeptVersion {
        key: word[..1].into(),
        id: if word.contains('o') { "null".into() } else { word.into() },
        modified: UNIX_EPOCH + Duration::from_secs(time.parse().unwrap()),
        is_current: word.contains('!'),
        is_placed: true,
        is_cut_off: false,
        content: (!word.contains('-')).then(|| KeptContent { size: 1, etag: String::new(), storage_class: None }),
    }
}

fn rules(older_than: u64, keep: u64) -> Rules {
    Rules { older_than: Duration::from_secs(older_than), keep, versioning: Versioning::Enabled }
}

/// Everything that is decided, in its order.
fn decided(rules: Rules, versions: impl IntoIterator<Item = KeptVersion>) -> Vec<Decision> {
    let (mut judge, mut decided) = (Judge::new(rules), Vec::new());
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    for version in versions {
        judge.next(version, now, &mut |decision| decided.push(decision));
    }
    judge.end(&mut |decision| decided.push(decision));
    decided
}

/// What goes, in its order; markers in brackets.
fn going(rules: Rules, written: &str) -> String {
    shown(decided(rules, written.split_whitespace().map(version)))
}

fn shown(decided: Vec<Decision>) -> String {
    let word = |version: &KeptVersion| version.id.as_str().to_owned();
    let words = decided.into_iter().filter_map(|decision| {
        Some(match decision {
            Decision::Told(_) => return None,
            Decision::Goes(version, _) => word(&version),
            Decision::MarkersGo(markers) => {
                format!("[{}]", markers.iter().map(|(version, _)| word(version)).collect::<Vec<_>>().join(" "))
            }
        })
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What is told of one version.
fn outcome(rules: Rules, written: &str, of: &str) -> VersionOutcome {
    let told =
        decided(rules, written.split_whitespace().map(version)).into_iter().find_map(|decision| match decision {
            Decision::Told(judged) if judged.version == version(of) => Some(judged.outcome),
            _ => None,
        });
    told.unwrap_or_else(|| panic!("{of} goes: {written}"))
}

#[test]
fn a_version_is_as_old_as_the_one_above_it() {
    let table = [
        ("a100!", ""),
        // Written long ago, and overwritten yesterday.
        ("a990! a1", ""),
        ("a990! a900 a1", "a1"),
        ("a900! a1 b900! b800 b700", "a1 b800 b700"),
        // At the limit.
        ("a901! a1", ""),
        ("a900! a1", "a1"),
        // Above lies something to come, by a clock that goes wrong.
        ("a2000! a1", ""),
        // An upload in parts is dated with its beginning: what lies under it was there until later.
        ("a10! a950 a9", ""),
        ("a890! a10 a950 a9", "a10"),
        ("a890! a10 a880 a9", "a10 a880 a9"),
        // Begun before a300 was written, and complete at any time after that.
        ("a10! a300 a9", "a9"),
        ("a990! a10 a300 a9", "a9"),
        ("a990! a10 a300 a200 a400", "a200"),
    ];
    for (versions, expected) in table {
        assert_eq!(going(rules(100, 0), versions), expected, "{versions}");
    }
}

#[test]
fn a_delete_marker_goes_only_when_nothing_lies_under_it() {
    let table = [
        // The current one, with all under it, and with nothing.
        ("a900-! a800 a700", "a800 a700 [a900-!]"),
        ("a900-!", "[a900-!]"),
        // Too young itself, or over something that stays.
        ("a901-! a800", ""),
        ("a950-! a800 a700", "a700"),
        // Superseded ones.
        ("a900! a800- a700", "a700 [a800-]"),
        ("a950! a800- a700", "a700"),
        // The lower one goes, and with it the upper one.
        ("a900! a800- a700- a600", "a600 [a800- a700-]"),
        ("a900-! a800 a700- a600 b900-!", "a800 a600 [a900-! a700-] [b900-!]"),
    ];
    for (versions, expected) in table {
        assert_eq!(going(rules(100, 0), versions), expected, "{versions}");
    }
    assert_eq!(outcome(rules(100, 1), "a900-! a800", "a900-!"), VersionOutcome::Covering);
    assert_eq!(outcome(rules(100, 0), "a901-!", "a901-!"), VersionOutcome::Young);
    assert_eq!(outcome(rules(0, 0), "a900!", "a900!"), VersionOutcome::Current);
}

#[test]
fn the_newest_stay_whatever_their_age() {
    let versions = "a900! a800 a700- a600 a500 b10! b9";
    assert_eq!(going(rules(0, 0), versions), "a800 a600 a500 [a700-] b9");
    assert_eq!(going(rules(0, 1), versions), "a600 a500 [a700-]");
    assert_eq!(going(rules(0, 2), versions), "a500", "the marker lies over one that stays");
    assert_eq!(going(rules(0, 9), versions), "");
    assert_eq!(outcome(rules(0, 1), versions, "a800"), VersionOutcome::Kept);
    assert_eq!(outcome(rules(0, 2), versions, "a700-"), VersionOutcome::Covering);
}

#[test]
fn nothing_goes_on_a_guess() {
    let failed = |rules, versions, of| match outcome(rules, versions, of) {
        VersionOutcome::Failed(failure) => failure.reason,
        other => panic!("{other:?}"),
    };
    // What superseded it is not listed, or the order is another one: nothing of the key is known.
    assert_eq!(going(rules(0, 0), "a5 a4 b7! b6"), "b6");
    assert!(failed(rules(0, 0), "a5 a4", "a5").contains("no current version above it"));
    assert_eq!(going(rules(0, 0), "a5- a4"), "", "nor a marker");
    assert_eq!(going(rules(0, 0), "a4 a5 a9!"), "", "the oldest first");
    assert_eq!(going(rules(100, 0), "a990! a1 a2 a3"), "", "the oldest first after the current one");
    assert!(failed(rules(0, 0), "a10! a300 a9", "a300").contains("dated earlier"));
    for versioning in [Versioning::Suspended, Versioning::Unsaid] {
        let rules = Rules { versioning, ..rules(0, 0) };
        assert_eq!(going(rules, "a9! a8o a7 b9! b8- b7o"), "a7");
        assert!(failed(rules, "a9! a8o", "a8o").contains("deleted in its place"));
    }
    assert_eq!(going(rules(0, 0), "a9! a8o a7"), "null a7");
}

/// A listing that puts versions and delete markers in order by their times doesn't know which of them came first.
#[test]
fn where_markers_have_no_place_the_object_above_counts() {
    let table = [
        // a800 may have been written after the marker, and overwritten by the current one.
        ("a990! a800- a800", "a800", ""),
        ("a900! a800- a700", "a700 [a800-]", "a700 [a800-]"),
        ("a900! a800 a700- a600", "a800 a600 [a700-]", "a800 a600 [a700-]"),
        // Or deleted only by the topmost one.
        ("a990-! a800- a700", "a700", ""),
        ("a990- a800", "", ""),
    ];
    for (versions, placed, unplaced) in table {
        assert_eq!(going(rules(100, 0), versions), placed, "{versions}");
        let apart = versions.split(' ').map(|word| KeptVersion { is_placed: false, ..version(word) });
        assert_eq!(shown(decided(rules(100, 0), apart)), unplaced, "{versions}");
    }
}

#[test]
fn what_lies_unseen_under_a_marker_does_not_come_back() {
    let cut_off = |word: &str| KeptVersion { is_cut_off: true, ..version(word) };
    let going = |versions: Vec<KeptVersion>| shown(decided(rules(0, 0), versions));
    assert_eq!(going(vec![version("a9-!"), cut_off("a8"), version("b9-!")]), "a8 [b9-!]");
    assert_eq!(going(vec![cut_off("a9-!")]), "");
    assert_eq!(going(vec![version("a9-!"), cut_off("a8-"), version("a7-")]), "[a7-]", "it went on all the same");
}

#[test]
fn what_a_page_repeats_is_no_older_than_it_was() {
    let again = |word: &str| KeptVersion { is_current: false, ..version(word) };
    let going = |versions: [KeptVersion; 4]| {
        let decided = decided(rules(100, 0), versions);
        decided.iter().filter(|decision| matches!(decision, Decision::Goes(..))).count()
    };
    assert_eq!(going([version("a9!"), again("a9!"), version("b9!"), again("b9!")]), 0, "the current one");
    assert_eq!(going([version("a950!"), version("a9"), again("a9"), version("b9!")]), 0);
    assert_eq!(going([version("a950!"), version("a9"), version("a8"), again("a9")]), 1, "two of them");
}

#[test]
fn of_more_markers_than_can_wait_the_newest_stay() {
    let marker = |place: usize| {
        let id: VersionId = place.to_string().as_str().into();
        KeptVersion { id, is_current: place == 0, ..version("a9-") }
    };
    let decided = decided(rules(0, 0), (0..MOST_WAITING + 2).map(marker));
    let [Decision::Told(first), Decision::Told(second), Decision::MarkersGo(rest)] = &decided[..] else {
        panic!("{} decisions", decided.len())
    };
    assert_eq!((first.version.id.as_str(), second.version.id.as_str(), rest.len()), ("0", "1", MOST_WAITING));
    assert_eq!(first.outcome, VersionOutcome::Covering);
}

/// Versions of a few keys, of each the newest first and one of them current.
fn buckets() -> impl Strategy<Value = Vec<KeptVersion>> {
    let one = (0_u64..12, any::<bool>());
    proptest::collection::vec(proptest::collection::vec(one, 1..6), 0..4).prop_map(|keys| {
        let mut versions = Vec::new();
        for (key, mut list) in ('a'..).zip(keys) {
            list.sort_by_key(|(time, _)| u64::MAX - time);
            for (place, (time, marker)) in list.into_iter().enumerate() {
                let current = if place == 0 { "!" } else { "" };
                let marker = if marker { "-" } else { "" };
                let mut version = version(&format!("{key}{}{marker}{current}", NOW - 12 + time));
                version.id = format!("{key}{place}").as_str().into();
                versions.push(version);
            }
        }
        versions
    })
}

/// Looks at the whole list for each version: what goes of it by the words of the documentation.
fn model(versions: &[KeptVersion], rules: Rules) -> Vec<KeptVersion> {
    let mut stays: Vec<bool> = Vec::new();
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    for (place, version) in versions.iter().enumerate() {
        let above: Vec<&KeptVersion> = versions[..place].iter().filter(|it| it.key == version.key).collect();
        let since = above.last().map_or(version.modified, |above| above.modified);
        let is_young = now.duration_since(since).unwrap() < rules.older_than;
        let objects = above.iter().filter(|it| !it.is_current && !it.is_delete_marker()).count() as u64;
        let is_kept = !version.is_delete_marker() && objects < rules.keep;
        let is_object_that_is_there = version.is_current && !version.is_delete_marker();
        stays.push(is_young || is_kept || is_object_that_is_there);
    }
    // From the bottom: a marker stays over whatever stays.
    for place in (0..versions.len()).rev().filter(|&place| versions[place].is_delete_marker()) {
        let below = (place + 1..versions.len()).filter(|&it| versions[it].key == versions[place].key);
        stays[place] |= below.into_iter().any(|it| stays[it]);
    }
    versions.iter().zip(stays).filter(|(_, stays)| !stays).map(|(version, _)| version.clone()).collect()
}

proptest! {
    #[test]
    fn what_goes_is_what_the_model_says(versions in buckets(), older_than in 0_u64..14, keep in 0_u64..3) {
        let rules = rules(older_than, keep);
        let mut goes = Vec::new();
        let mut told = 0;
        for decision in decided(rules, versions.clone()) {
            match decision {
                Decision::Told(_) => told += 1,
                Decision::Goes(version, _) => goes.push(version),
                Decision::MarkersGo(markers) => goes.extend(markers.into_iter().map(|(version, _)| version)),
            }
        }
        prop_assert_eq!(told + goes.len(), versions.len(), "each is accounted for");
        for version in &goes {
            prop_assert!(!version.is_current || version.is_delete_marker(), "what is there now never goes");
        }
        let order = |version: &KeptVersion| version.id.as_str().to_owned();
        let mut expected = model(&versions, rules);
        goes.sort_by_key(order);
        expected.sort_by_key(order);
        prop_assert_eq!(goes, expected);
    }
}
