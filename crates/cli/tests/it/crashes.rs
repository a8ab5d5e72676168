//! The program killed at random instants of everything that it does, and run to
//! its end after that: both sides are in step, and the server's own log says
//! that nothing was done twice but what was in flight.
//!
//! `BRIGADE_CRASH_ROUNDS` says how many rounds there are, `BRIGADE_CRASH_SEED`
//! what is drawn in them, and `BRIGADE_CRASH_FIRST` which is the first.

mod committed;
mod dice;
mod kill;
mod stage;
mod witness;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::Ended;
use committed::Committed;
use dice::Dice;
use kill::{Doing, Killed, Trigger, run_until};
use stage::{Kind, Stage};
use witness::{Repeated, Witness};

/// How many rounds there are unless it is said: each kind of work is in them once.
const ROUNDS: u64 = 7;

/// What was seen in all rounds.
#[derive(Default)]
struct Totals {
    kills: BTreeMap<Doing, usize>,
    in_flight: usize,
    /// Runs that had committed some of their listing when they were killed.
    committed: usize,
    /// Runs to the end that took up what a killed one had committed.
    taken_up: usize,
    parts_taken_up: u64,
    /// Runs that came to their end before they could be killed.
    survivors: usize,
    repeated: Repeated,
    /// Uploads that were begun and never heard of, because the kill came before their name.
    nameless: usize,
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn killed_at_any_instant_it_ends_in_step_and_does_nothing_twice() {
    let now = || u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos());
    let seed = variable("BRIGADE_CRASH_SEED").unwrap_or_else(now);
    let first = variable("BRIGADE_CRASH_FIRST").unwrap_or(0);
    let rounds = variable("BRIGADE_CRASH_ROUNDS").unwrap_or(ROUNDS);
    println!("seed {seed}");
    let mut totals = Totals::default();
    for round in first..first + rounds {
        let story = RefCell::new(Vec::new());
        let played = catch_unwind(AssertUnwindSafe(|| play(seed, round, &story, &mut totals)));
        if let Err(panic) = played {
            println!("round {round} of seed {seed} failed:\n  {}", story.borrow().join("\n  "));
            println!(
                "again: BRIGADE_CRASH_SEED={seed} BRIGADE_CRASH_FIRST={round} BRIGADE_CRASH_ROUNDS=1 \
                 cargo test -p brigade --test it -- crashes --nocapture"
            );
            resume_unwind(panic);
        }
    }
    totals.tell(rounds);
}

/// One round: runs that are killed, one that is not, and one that finds nothing to do.
fn play(seed: u64, round: u64, story: &RefCell<Vec<String>>, totals: &mut Totals) {
    let mut dice = Dice::new(seed, round);
    let kind = Kind::ROUNDS[usize::try_from(round).unwrap() % Kind::ROUNDS.len()];
    let stage = Stage::set(kind, &mut dice);
    story.borrow_mut().push(stage.to_string());
    let mut beginnings = Vec::new();
    let mut committed = Vec::new();
    for _ in 0..dice.number(1..=3) {
        let trigger = Trigger::draw(&stage, &mut dice);
        story.borrow_mut().push(format!("to be killed at {trigger:?}"));
        beginnings.push(stage.scene.log().requests());
        let killed = run_until(&stage, trigger);
        story.borrow_mut().push(killed.as_ref().map_or("came to its end".to_owned(), Killed::to_string));
        let Some(killed) = killed else {
            totals.survivors += 1;
            break;
        };
        *totals.kills.entry(killed.doing).or_default() += 1;
        totals.in_flight += killed.in_flight;
        let reached = Committed::by(&stage);
        totals.committed += usize::from(!reached.ranges.is_empty());
        story.borrow_mut().push(format!("which had committed {:?} as listed", reached.ranges));
        committed.push(reached);
    }
    beginnings.push(stage.scene.log().requests());
    stage.scene.log().heal();
    let summary = Ended::of(stage.command()).exits(0).summary();
    totals.taken_up += usize::from(!summary.0["taken_up"].is_null());
    totals.parts_taken_up += summary.0["parts_taken_up"].as_u64().unwrap();
    let witness = Witness::new(stage.scene.log().records(), &beginnings, stage.jobs);
    totals.repeated += witness.testify();
    witness.assert_nothing_committed_was_done_again(&committed);
    totals.nameless += assert_nothing_is_left(&stage, &witness);
    assert_nothing_is_left_to_do(&stage);
}

/// Both sides hold what they should, and nothing else; how many nameless uploads there are.
fn assert_nothing_is_left(stage: &Stage, witness: &Witness) -> usize {
    stage.dest().assert_are(&stage.wanted);
    let left = stage.scene.read("tmp");
    assert!(left.0.is_empty(), "temporary files: {:?}", left.paths());
    let uploads = stage.scene.upload_ids();
    for upload_id in &uploads {
        witness.assert_empty(upload_id);
    }
    uploads.len()
}

/// The same command once more reads no content and changes nothing.
fn assert_nothing_is_left_to_do(stage: &Stage) {
    stage.scene.log().forget_requests();
    let ended = Ended::of(stage.command()).exits(0);
    ended.summary().counts([("in_step", stage.wanted.count())]);
    for record in stage.scene.log().records() {
        assert_eq!(record.operation.as_deref(), Some("ListObjectsV2"), "{record:?}");
    }
}

impl Totals {
    fn tell(&self, rounds: u64) {
        let Self { kills, in_flight, committed, taken_up, parts_taken_up, survivors, repeated, nameless } = self;
        println!("{} kills in {rounds} rounds, {in_flight} requests in flight:", kills.values().sum::<usize>());
        for doing in Doing::ALL {
            println!("{:>6} {doing:?}", kills.get(&doing).unwrap_or(&0));
        }
        println!(
            "{committed} of them had committed some of what they listed; {taken_up} runs to the end took that up, \
             and {parts_taken_up} parts"
        );
        println!("{survivors} runs came to their end first; {nameless} uploads were left without a name");
        println!("done again: {repeated:?}");
    }
}
