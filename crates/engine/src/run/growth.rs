//! How many listers there are: as many as was said, or more and more while that helps.

use std::time::Duration;

use tokio::time::Instant;

use crate::job::Listers;

/// How long a number of listers is watched.
const WATCHED: Duration = Duration::from_millis(200);

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
    items: u64,
    /// Items a second that half of them listed.
    before: f64,
}

impl Growth {
    pub(super) fn new(listers: Listers) -> Self {
        match listers {
            Listers::Exactly(wanted) => Self { wanted: wanted.max(1), most: wanted, trial: None },
            Listers::UpTo(most) => {
                let trial = Trial { since: Instant::now(), items: 0, before: 0.0 };
                Self { wanted: 1, most, trial: Some(trial) }
            }
        }
    }

    pub(super) fn wanted(&self) -> usize {
        self.wanted
    }

    /// Takes note of how many items came so far, and how many are at work now.
    pub(super) fn look(&mut self, items: u64, working: usize) {
        let Some(trial) = &mut self.trial else { return };
        if working < self.wanted {
            // There is nothing for more of them to do, and nothing is learnt.
            (trial.since, trial.items) = (Instant::now(), items);
            return;
        }
        let elapsed = trial.since.elapsed();
        if elapsed < WATCHED {
            return;
        }
        // Exact enough: a count is rounded only above 2^53 items.
        #[expect(clippy::cast_precision_loss)]
        let rate = items.saturating_sub(trial.items) as f64 / elapsed.as_secs_f64();
        if rate >= trial.before * WORTH_IT && self.wanted < self.most {
            self.wanted = (self.wanted * 2).min(self.most);
            *trial = Trial { since: Instant::now(), items, before: rate };
        } else {
            self.trial = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are wanted after each time that they were watched, where so many list so much.
    async fn wanted(listers: Listers, items_a_second: impl Fn(usize) -> u64, busy: bool) -> Vec<usize> {
        let mut growth = Growth::new(listers);
        let mut items = 0;
        let mut wanted = vec![];
        for _ in 0..6 {
            tokio::time::advance(WATCHED).await;
            items += items_a_second(growth.wanted()) / 5;
            growth.look(items, if busy { growth.wanted() } else { growth.wanted() - 1 });
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
    }
}
