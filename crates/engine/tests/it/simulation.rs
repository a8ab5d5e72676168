//! A simulation: thousands of syncs between two stores in memory, with faults, delays,
//! interruptions and somebody else at both sides, all drawn from seeds. Each
//! ends in step or says exactly what isn't, and never does what must not be done.
//!
//! The clock stands still, so that nothing takes time, and the same seed takes
//! the same course again. `BRIGADE_SIMULATION_SEEDS=17` lives through one seed, `=0..100000` through many.

mod between;
mod chronicle;
mod course;
mod crash;
mod ends;
mod model;
mod past;
mod scenario;
mod storm;
mod thrift;
mod witness;

use std::ops::Range;

use course::{Report, live};

/// Names the seeds to live through: one, or `from..to`.
const VARIABLE: &str = "BRIGADE_SIMULATION_SEEDS";

/// Those that every run of the tests lives through.
const SEEDS: Range<u64> = 0..2000;

fn seeds() -> Range<u64> {
    let Ok(wanted) = std::env::var(VARIABLE) else { return SEEDS };
    let number = |text: &str| text.parse::<u64>().unwrap();
    match wanted.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(&wanted)..number(&wanted) + 1,
    }
}

#[test]
fn every_seed_ends_in_step_or_says_what_is_not() {
    let mut runs = 0;
    let mut violations: Vec<(u64, String)> = vec![];
    let mut first_trace = None;
    for seed in seeds() {
        let Report { runs: more, trace, violation, .. } = live(seed);
        runs += more;
        if let Some(violation) = violation {
            violations.push((seed, violation));
            first_trace.get_or_insert(trace);
        }
    }
    if let (Some((seed, _)), Some(trace)) = (violations.first(), first_trace) {
        let violations: Vec<String> = violations.iter().map(|(seed, what)| format!("seed {seed}: {what}")).collect();
        panic!(
            "the course of seed {seed}:\n{}\n\n{} of {runs} runs:\n{}\nlive through the first again with\n    \
             {VARIABLE}={seed} cargo test -p brigade-engine --test it simulation",
            trace.join("\n"),
            violations.len(),
            violations.join("\n")
        );
    }
    assert!(runs >= 3 * (seeds().end - seeds().start), "{runs} runs are too few");
}

#[test]
fn the_same_seed_takes_the_same_course() {
    for seed in seeds().take(100) {
        assert_eq!(live(seed).trace, live(seed).trace, "seed {seed}");
    }
}
