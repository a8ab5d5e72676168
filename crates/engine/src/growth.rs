//! How many of something are at work at once: as many as was said, or more and
//! more while that helps.

use std::time::Duration;

use tokio::time::Instant;

use crate::job::AtOnce;

/// How long a number is watched at least, and how much each must have done meanwhile.
const WATCHED: Duration = Duration::from_millis(120);
const DONE: u64 = 2;

/// By how much twice as many must be faster than half of them to be worth it.
const WORTH_IT: f64 = 1.2;

/// How long each must take for it to be waiting that more at once would fill, and not work.
const WAITING: Duration = Duration::from_millis(3);

/// How long those that help are left alone before it is tried whether more do by now.
const CONTENT: Duration = Duration::from_secs(10);

/// How many are wanted.
#[derive(Debug)]
pub(crate) struct Growth {
    wanted: usize,
    most: usize,
    /// `None` where their number was said.
    trial: Option<Trial>,
}

/// The number that is wanted now, on trial.
#[derive(Debug)]
struct Trial {
    since: Instant,
    done: u64,
    /// The number before, and what those did a second; `None` where nothing is known of fewer.
    before: Option<(usize, f64)>,
}

impl Growth {
    pub(crate) fn new(at_once: AtOnce) -> Self {
        let trial = Trial { since: Instant::now(), done: 0, before: None };
        match at_once {
            AtOnce::Exactly(wanted) => Self { wanted: wanted.max(1), most: wanted, trial: None },
            AtOnce::Growing { from, to } => Self { wanted: from.max(1), most: to, trial: Some(trial) },
        }
    }

    pub(crate) fn wanted(&self) -> usize {
        self.wanted
    }

    /// Lets there be no more than so many from now on, unless their number was said.
    pub(crate) fn keep_within(&mut self, most: usize) {
        if let Some(trial) = &mut self.trial {
            // What fewer did before were more than there may be.
            trial.before = None;
            self.most = self.most.min(most.max(1));
            self.wanted = self.wanted.min(self.most);
        }
    }

    /// Whether their number may change.
    pub(crate) fn may_change(&self) -> bool {
        self.trial.is_some() && self.most > 1
    }

    /// Takes note of how much was done so far, and how many are at work now.
    pub(crate) fn look(&mut self, done: u64, at_work: usize) {
        let Some(trial) = &mut self.trial else { return };
        let now = Instant::now();
        if now < trial.since {
            // What is done until then is not on trial.
            trial.done = done;
            return;
        }
        if at_work < self.wanted {
            // There is nothing for more of them to do, and nothing is learnt.
            (trial.since, trial.done) = (now, done);
            return;
        }
        let (elapsed, did) = (now - trial.since, done.saturating_sub(trial.done));
        if elapsed < WATCHED || did < DONE * self.wanted as u64 {
            return;
        }
        // Exact enough: a count is rounded only above 2^53.
        #[expect(clippy::cast_precision_loss)]
        let (rate, wanted) = (did as f64 / elapsed.as_secs_f64(), self.wanted as f64);
        let are_waiting = wanted / rate >= WAITING.as_secs_f64();
        match trial.before.take() {
            Some((fewer, before)) if rate < before * WORTH_IT => {
                self.wanted = fewer;
                *trial = Trial { since: now + CONTENT, done, before: None };
            }
            _ if self.wanted < self.most && are_waiting => {
                let before = Some((self.wanted, rate));
                self.wanted = (self.wanted * 2).min(self.most);
                *trial = Trial { since: now, done, before };
            }
            _ => *trial = Trial { since: now + CONTENT, done, before: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are wanted after each time that they were watched, where so many do so much a second.
    async fn wanted(at_once: AtOnce, a_second: impl Fn(usize) -> u64, is_busy: bool) -> Vec<usize> {
        let mut growth = Growth::new(at_once);
        let mut done = 0;
        let mut wanted = vec![];
        for _ in 0..6 {
            tokio::time::advance(WATCHED).await;
            done += a_second(growth.wanted()) / 5;
            growth.look(done, if is_busy { growth.wanted() } else { growth.wanted() - 1 });
            wanted.push(growth.wanted());
        }
        wanted
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_more_and_more_while_that_helps() {
        let growing = |from, to| AtOnce::Growing { from, to };
        let linear = |at_work| 20 * at_work as u64;
        assert_eq!(wanted(growing(1, 16), linear, true).await, [2, 4, 8, 16, 16, 16]);
        assert_eq!(wanted(growing(1, 5), linear, true).await, [2, 4, 5, 5, 5, 5]);
        assert_eq!(wanted(growing(64, 512), linear, true).await, [128, 256, 512, 512, 512, 512]);
        assert_eq!(wanted(growing(1, 16), |_| 20, true).await, [2, 1, 1, 1, 1, 1], "one does");
        let up_to_four = |at_work| linear(usize::min(at_work, 4));
        assert_eq!(wanted(growing(1, 16), up_to_four, true).await, [2, 4, 8, 4, 4, 4]);
        assert_eq!(wanted(growing(2, 16), linear, false).await, [2; 6], "there is not enough to do");
        assert_eq!(wanted(AtOnce::Exactly(3), linear, true).await, [3; 6]);
        let mut growth = Growth::new(growing(64, 512));
        growth.keep_within(56);
        assert_eq!((growth.wanted(), growth.may_change()), (56, true));
        let mut said = Growth::new(AtOnce::Exactly(64));
        said.keep_within(56);
        assert_eq!(said.wanted(), 64);
        let busy = |at_work| 1000 * at_work as u64;
        assert_eq!(wanted(growing(64, 512), busy, true).await, [64; 6], "each takes a millisecond: nobody waits");
        let slow = |at_work| 5 * at_work as u64;
        assert_eq!(wanted(growing(1, 16), slow, true).await, [1, 2, 2, 4, 4, 8], "it takes two each to know");
    }

    #[tokio::test(start_paused = true)]
    async fn what_did_not_help_may_help_later() {
        let mut growth = Growth::new(AtOnce::Growing { from: 1, to: 4 });
        let mut done = 0;
        let mut seen = vec![];
        for tenth in 0..150 {
            tokio::time::advance(Duration::from_millis(100)).await;
            // After ten seconds, the other end has become faster.
            done += if tenth < 100 { 10 } else { 10 * growth.wanted() as u64 };
            growth.look(done, growth.wanted());
            if seen.last() != Some(&growth.wanted()) {
                seen.push(growth.wanted());
            }
        }
        assert_eq!(seen, [1, 2, 1, 2, 4]);
    }
}
