//! A simulation: thousands of syncs between two stores in memory, with faults, delays,
//! interruptions, crashes, power cuts and somebody else at both sides, all drawn from seeds. Each
//! ends in step or says exactly what isn't, and never does what must not be done.
//!
//! The clock stands still, so that nothing takes time, and the same seed takes
//! the same course again. `BRIGADE_SIMULATION_SEEDS=17` lives through one seed, `=0..100000` through
//! many; `BRIGADE_SIMULATION_CRASHES=17:23` kills the run of seed 17 at its 23rd step,
//! `=0..1000` those of many seeds at each of theirs.

mod between;
mod chronicle;
mod course;
mod crash;
mod ends;
mod episode;
mod mending;
mod model;
mod past;
mod scenario;
mod storm;
mod sweep;
mod thrift;
mod witness;

use std::ops::Range;

use course::{Report, live};
use sweep::live_and_die;

/// Names the seeds to live through: one, or `from..to`.
const SEEDS_VARIABLE: &str = "BRIGADE_SIMULATION_SEEDS";

/// Those that every run of the tests lives through.
const SEEDS: Range<u64> = 0..2000;

/// Names the seeds whose runs are killed at every step: one with its step, or `from..to`.
const CRASHES_VARIABLE: &str = "BRIGADE_SIMULATION_CRASHES";

/// Those that every run of the tests kills.
const SEEDS_OF_CRASHES: Range<u64> = 0..120;

/// How many crashes every run of the tests has to come to.
const CRASHES: u64 = 10_000;

fn range(wanted: &str) -> Range<u64> {
    let number = |text: &str| text.parse::<u64>().unwrap();
    match wanted.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(wanted)..number(wanted) + 1,
    }
}

fn seeds() -> Range<u64> {
    std::env::var(SEEDS_VARIABLE).map_or(SEEDS, |wanted| range(&wanted))
}

/// What went wrong, with how to see it again.
#[derive(Default)]
struct Violations {
    found: Vec<String>,
    first: Option<(String, Vec<String>)>,
}

impl Violations {
    fn take(&mut self, report: Report, called: &str, again: &str) {
        if let Some(violation) = report.violation {
            self.found.push(format!("{called}: {violation}"));
            self.first
                .get_or_insert_with(|| (format!("the course of {called}, again with\n    {again}"), report.trace));
        }
    }

    /// All of them, with the course of the first.
    fn told(self, runs: u64) -> Option<String> {
        let (first, trace) = self.first?;
        let (count, found, trace) = (self.found.len(), self.found.join("\n"), trace.join("\n"));
        Some(format!("{first}\n{trace}\n\n{count} of {runs} runs:\n{found}\n{first}"))
    }
}

const AGAIN: &str = "cargo test -p brigade-engine --test it simulation";

#[test]
fn every_seed_ends_in_step_or_says_what_is_not() {
    let (mut runs, mut violations) = (0, Violations::default());
    for seed in seeds() {
        let report = live(seed);
        runs += report.runs;
        violations.take(report, &format!("seed {seed}"), &format!("{SEEDS_VARIABLE}={seed} {AGAIN}::every_seed"));
    }
    if let Some(violations) = violations.told(runs) {
        panic!("{violations}");
    }
    assert!(runs >= 3 * (seeds().end - seeds().start), "{runs} runs are too few");
}

#[test]
fn a_run_that_is_killed_at_any_step_is_taken_up() {
    let wanted = std::env::var(CRASHES_VARIABLE).ok();
    let one = wanted.as_deref().and_then(|wanted| wanted.split_once(':'));
    let seeds = match one {
        Some((seed, _)) => range(seed),
        None => wanted.as_deref().map_or(SEEDS_OF_CRASHES, range),
    };
    let steps = one.map_or(1..u64::MAX, |(_, step)| range(step));
    let (mut runs, mut crashes, mut violations) = (0, 0, Violations::default());
    for seed in seeds {
        for step in steps.clone() {
            let report = live_and_die(seed, step);
            (runs, crashes) = (runs + report.runs, crashes + report.crashes);
            let runs_through = report.crashes == 0;
            let again = format!("{CRASHES_VARIABLE}={seed}:{step} {AGAIN}::a_run");
            violations.take(report, &format!("seed {seed} step {step}"), &again);
            if runs_through {
                break;
            }
        }
    }
    println!("{crashes} crashes in {runs} runs");
    if let Some(violations) = violations.told(runs) {
        panic!("{violations}");
    }
    assert!(wanted.is_some() || crashes >= CRASHES, "{crashes} crashes are too few");
}

#[test]
fn the_same_seed_takes_the_same_course() {
    for seed in seeds().take(100) {
        let (one, other) = (live(seed).trace, live(seed).trace);
        let parts = one.iter().zip(&other).find(|(one, other)| one != other);
        assert_eq!((parts, one.len()), (None, other.len()), "seed {seed}");
    }
}
