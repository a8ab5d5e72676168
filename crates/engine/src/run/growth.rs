//! How many listers there are: as many as was said, or more and more while that helps.

use std::time::Duration;

use tokio::time::Instant;

use crate::job::Listers;

/// How long a number of listers is watched at least, and how many pages each must have got meanwhile.
const WATCHED: Duration = Duration::from_millis(200);
const PAGES: u64 = 2;

/// By how much twice as many must be faster than half of them to be worth it.
const WORTH_IT: f64 = 1.2;

/// How many listers are wanted.
#[derive(Debug)]
pub(super) struct Growth {
    wanted: usize,
    most: usize,
    /// `None` once more of them didn't help, or where their number was said.
    trial: Option<Trial>,
}

/// The number of listers that is wanted now, on trial.
#[derive(Debug)]
struct Trial {
    since: Instant,
    pages: u64,
    /// Pages a second that half of them got.
    before: f64,
}

impl Growth {
    pub(super) fn new(listers: Listers) -> Self {
        match listers {
            Listers::Exactly(wanted) => Self { wanted: wanted.max(1), most: wanted, trial: None },
            Listers::UpTo(most) => {
                let trial = Trial { since: Instant::now(), pages: 0, before: 0.0 };
                Self { wanted: 1, most, trial: Some(trial) }
            }
        }
    }

    pub(super) fn wanted(&self) -> usize {
        self.wanted
    }

    /// Takes note of how many pages came so far, and how many listers are at work now.
    pub(super) fn look(&mut self, pages: u64, working: usize) {
        let Some(trial) = &mut self.trial else { return };
        if working < self.wanted {
            // There is nothing for more of them to do, and nothing is learnt.
            (trial.since, trial.pages) = (Instant::now(), pages);
            return;
        }
        let (elapsed, got) = (trial.since.elapsed(), pages.saturating_sub(trial.pages));
        if elapsed < WATCHED || got < PAGES * self.wanted as u64 {
            return;
        }
        // Exact enough: a count is rounded only above 2^53.
        #[expect(clippy::cast_precision_loss)]
        let rate = got as f64 / elapsed.as_secs_f64();
        if rate >= trial.before * WORTH_IT && self.wanted < self.most {
            self.wanted = (self.wanted * 2).min(self.most);
            *trial = Trial { since: Instant::now(), pages, before: rate };
        } else {
            self.trial = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are wanted after each time that they were watched, where so many get so much.
    async fn wanted(listers: Listers, pages_a_second: impl Fn(usize) -> u64, busy: bool) -> Vec<usize> {
        let mut growth = Growth::new(listers);
        let mut pages = 0;
        let mut wanted = vec![];
        for _ in 0..6 {
            tokio::time::advance(WATCHED).await;
            pages += pages_a_second(growth.wanted()) / 5;
            growth.look(pages, if busy { growth.wanted() } else { growth.wanted() - 1 });
            wanted.push(growth.wanted());
        }
        wanted
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_more_and_more_while_that_helps() {
        let linear = |listers| 20_000 * listers as u64;
        assert_eq!(wanted(Listers::UpTo(16), linear, true).await, [2, 4, 8, 16, 16, 16]);
        assert_eq!(wanted(Listers::UpTo(5), linear, true).await, [2, 4, 5, 5, 5, 5]);
        assert_eq!(wanted(Listers::UpTo(16), |_| 20_000, true).await, [2; 6], "one would have done");
        let up_to_four = |listers| linear(usize::min(listers, 4));
        assert_eq!(wanted(Listers::UpTo(16), up_to_four, true).await, [2, 4, 8, 8, 8, 8]);
        assert_eq!(wanted(Listers::UpTo(16), linear, false).await, [1; 6], "there is not enough to do for one");
        assert_eq!(wanted(Listers::Exactly(3), linear, true).await, [3; 6]);
        let slow = |listers| 5 * listers as u64;
        assert_eq!(wanted(Listers::UpTo(16), slow, true).await, [1, 2, 2, 4, 4, 8], "it takes two pages each to know");
    }
}
