//! Two writers at once in one prefix, and a third that isn't this program: nobody's
//! object is overwritten or deleted by who has not seen it.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::SystemTime;

use crate::harness::{Action, Ended, Files, Occurrence, Scene, wait_until};

/// What makes the embedded server be trusted with conditions.
const TRUSTED: [&str; 2] = ["--provider", "brigade-dev"];

/// How often the storm is let loose.
const ROUNDS: usize = 15;

/// Small objects at most.
const KEYS: u64 = 24;

fn key(number: u64) -> String {
    format!("k{number:02}")
}

/// Whether every other writing of it meets a conflict; the other client leaves it alone.
fn conflicts(number: u64) -> bool {
    number % 4 == 3
}

fn sync(scene: &Scene, tree: &str) -> Command {
    // Each has a ledger of its own, so that neither waits for the other's.
    let (state, tree) = (scene.path(&format!("state-of-{tree}")), scene.arg(tree));
    let args = ["sync", &tree, &scene.url(""), "--delete", "--max-delete", "100%", "--compare", "checksum", "-v"];
    let mut command = scene.brigade_command(args.iter().chain(&TRUSTED));
    command.env("BRIGADE_STATE_DIR", state);
    command
}

/// Asserts that each change which replaced or removed something named just that.
#[track_caller]
fn assert_nothing_was_overwritten_unseen(scene: &Scene, is_ours: impl Fn(&str) -> bool) {
    for change in scene.log().changes() {
        if change.after.as_deref().is_some_and(|etag| !is_ours(etag)) {
            continue;
        }
        match &change.before {
            Some(before) => assert_eq!(change.if_match.as_ref(), Some(before), "{change:?}"),
            None => assert!(change.if_absent, "{change:?}"),
        }
    }
}

/// Asserts that it ended with all in step, or with what is not done named.
#[track_caller]
fn assert_tells(ended: &Ended) {
    match ended.code {
        Some(0) => {}
        Some(3) => {
            let failures: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("failed: ")).collect();
            assert!(!failures.is_empty(), "nothing is named:\n{}{}", ended.stdout, ended.stderr);
            for failure in failures {
                assert!(failure.contains("run again"), "{failure}");
            }
        }
        other => panic!("{other:?}:\n{}{}", ended.stdout, ended.stderr),
    }
}

#[test]
fn what_one_deletes_while_the_other_writes_it_stays() {
    for extras in [&["k"][..], &["k", "other"]] {
        let scene = Scene::public();
        scene.write("without", &Files::new([("kept", b"1")]));
        scene.write("with", &Files::new([("kept", b"1"), ("k", b"newer"), ("other", b"as it was")]));
        for (key, content) in [("kept", &b"1"[..]), ("k", b"older"), ("other", b"as it was")] {
            scene.put_exactly(key, content);
        }
        if extras.len() == 1 {
            scene.remove_exactly("other");
        }
        scene.log().forget_requests();
        for operation in ["DeleteObject", "DeleteObjects"] {
            scene.log().hold_the(operation, &[1]);
        }
        let one = Ended::of_while(sync(&scene, "without"), || {
            wait_until("no deletion came", || (scene.log().deletions() > 0).then_some(()));
            Ended::of(sync(&scene, "with")).exits(0);
            scene.log().heal();
        });
        one.exits(3).complains_of("k", "run again");
        assert_nothing_was_overwritten_unseen(&scene, |_| true);
        assert_eq!(scene.objects()["k"], b"newer");
    }
}

/// A refusal for a conflict is no success, and neither is what was refused done in secret.
#[test]
fn a_conflict_on_a_deletion_is_tried_again() {
    for extras in [1, 3] {
        let scene = Scene::public();
        scene.write("tree", &Files::new([("kept", b"1")]));
        scene.put_exactly("kept", b"1");
        for number in 0..extras {
            scene.put_exactly(&format!("extra/{number}"), b"2");
        }
        for operation in ["DeleteObject", "DeleteObjects"] {
            scene.log().befall(Action::status(409, "ConditionalRequestConflict"), operation, Occurrence::Nth(1));
        }
        scene.log().forget_requests();
        Ended::of(sync(&scene, "tree")).exits(0);
        assert!(scene.log().deletions() > 1);
        assert_nothing_was_overwritten_unseen(&scene, |_| true);
        assert_eq!(scene.objects().into_keys().collect::<Vec<_>>(), ["kept"]);
    }
}

#[test]
fn what_is_gone_when_it_is_to_be_compared_is_named_so() {
    let scene = Scene::public();
    scene.write("tree", &Files::new([("k", b"newer")]));
    scene.put_exactly("k", b"older");
    scene.log().hold_the("HeadObject", &[1]);
    let ended = Ended::of_while(sync(&scene, "tree"), || {
        scene.log().wait_for("HeadObject", "k");
        scene.remove_exactly("k");
        scene.log().heal();
    });
    ended.exits(3).complains_of("k", "what it was to replace is gone; run again");
    Ended::of(sync(&scene, "tree")).exits(0);
    assert_eq!(scene.objects()["k"], b"newer");
}

/// Numbers that look like chance (xorshift64, from a seed other than 0).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Versions of some of the keys, each of its own content; the large one goes in parts.
fn versions(writer: char, round: usize, chance: &mut Chance) -> Files {
    let mut files = Files::new([("kept", b"always there")]);
    for number in (0..KEYS).filter(|_| chance.below(2) == 0) {
        files.put(&key(number), format!("{writer} {round} {number}"));
    }
    if round.is_multiple_of(5) {
        files.put("large", vec![u8::try_from(u32::from(writer)).unwrap(); (16 << 20) + 1]);
    }
    files
}

/// Writes at random until it is told to stop; what it wrote.
fn meddle(scene: &Scene, round: usize, mut chance: Chance, stop: &AtomicBool) -> Vec<(String, Vec<u8>)> {
    let mut written = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let number = chance.below(KEYS);
        if conflicts(number) {
            continue;
        }
        let key = key(number);
        let content = format!("somebody else's {round} {}", written.len()).into_bytes();
        scene.put_exactly(&key, &content);
        written.push((key, content));
        thread::yield_now();
    }
    written
}

#[test]
fn in_a_storm_of_writers_each_key_has_what_somebody_wrote_and_nobody_is_overwritten_unseen() {
    let scene = Scene::public_with_pages_of(7);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = u64::from(since.subsec_nanos()) | 1;
    println!("the seed is {seed}");
    let mut chance = Chance(seed);
    let conflict = || Action::status(409, "ConditionalRequestConflict");
    for operation in ["DeleteObject", "DeleteObjects"] {
        scene.log().befall(conflict(), operation, Occurrence::EveryNth(3));
    }
    for number in (0..KEYS).filter(|number| conflicts(*number)) {
        scene.log().befall_key(conflict(), "PutObject", &key(number), Occurrence::EveryNth(2));
    }
    // What may stand at each key: what was there, or anything that was written since.
    let mut known: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for round in 0..ROUNDS {
        let trees = [("one", versions('a', round, &mut chance)), ("other", versions('b', round, &mut chance))];
        for (tree, files) in &trees {
            scene.write(tree, files);
            for (key, content) in &files.0 {
                known.entry(key.clone()).or_default().push(content.clone());
            }
        }
        scene.log().forget_requests();
        let stop = AtomicBool::new(false);
        let meddling = Chance(chance.below(u64::MAX) | 1);
        let (ended, meddled) = thread::scope(|scope| {
            let third = scope.spawn(|| meddle(&scene, round, meddling, &stop));
            let running = trees.each_ref().map(|(tree, _)| {
                let command = sync(&scene, tree);
                scope.spawn(|| Ended::of(command))
            });
            let ended = running.map(|running| running.join().unwrap());
            stop.store(true, Ordering::Relaxed);
            (ended, third.join().unwrap())
        });
        ended.iter().for_each(assert_tells);
        let changes = scene.log().changes();
        let mut theirs: Vec<String> = Vec::new();
        let mut puts = meddled.iter();
        // The other client writes one after the other, without any condition; nobody else does.
        for change in &changes {
            if change.after.is_some() && change.if_match.is_none() && !change.if_absent {
                assert_eq!(puts.next().map(|(key, _)| key), Some(&change.key), "{change:?}");
                theirs.extend(change.after.clone());
            }
        }
        assert!(puts.next().is_none(), "what the other client wrote is not in the log");
        assert_nothing_was_overwritten_unseen(&scene, |etag| !theirs.iter().any(|theirs| theirs == etag));
        for (key, content) in meddled {
            known.entry(key).or_default().push(content);
        }
        for (key, content) in scene.objects() {
            assert!(known[&key].contains(&content), "{key} has what nobody wrote");
        }
    }
    // When the others have stopped, one run brings everything in step.
    scene.log().heal();
    Ended::of(sync(&scene, "one")).exits(0);
    Files(scene.objects()).assert_are(&scene.read("one"));
}
