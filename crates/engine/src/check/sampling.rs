//! Which objects have their content verified: all, a share, or so many, drawn
//! at random without the list of them in memory.
//!
//! Each key draws a lot, a number that only the seed and the key decide. A share takes
//! those whose lot lies below it; so many are those with the lowest lots, kept in a
//! heap as the keys come by. So a sample is the same whatever order the keys come
//! in, and the same again where the seed is.

use std::collections::BinaryHeap;
use std::time::SystemTime;

use brigade_store::Key;
use md5::{Digest, Md5};

/// Which objects have their content verified.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampling {
    /// All.
    All,
    /// Each with this chance, in percent from 0 to 100.
    Percent(f64),
    /// So many, each as likely as any other; at most [`MOST_SAMPLED`].
    Number(usize),
}

/// How many objects a sample of so many has at most: they are held in memory, some 500 bytes each.
pub const MOST_SAMPLED: usize = 100_000;

/// What a key draws: evenly spread over all numbers, and nobody can tell it from the key without the seed.
/// MD5 makes it the same on every machine.
pub(super) fn lot(seed: u64, key: &Key) -> u64 {
    let digest: [u8; 16] = Md5::new().chain_update(seed.to_be_bytes()).chain_update(key.as_bytes()).finalize().into();
    let (first, _) = digest.split_at(8);
    first.iter().fold(0, |lot, byte| lot << 8 | u64::from(*byte))
}

/// Whether a lot lies in this share, in percent.
#[expect(clippy::cast_precision_loss, reason = "a share has no more digits")]
pub(super) fn lies_within(lot: u64, percent: f64) -> bool {
    percent >= 100.0 || (lot as f64) < percent / 100.0 * 2f64.powi(64)
}

/// When an object has its turn: those that were never checked come first, then
/// those whose last check lies longest ago, and among equals their lots decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) last_checked: Option<SystemTime>,
    pub(super) lot: u64,
}

/// The objects whose turn comes first, at most so many.
pub(super) struct Reservoir<T> {
    most: usize,
    drawn: BinaryHeap<Drawn<T>>,
}

struct Drawn<T> {
    turn: Turn,
    what: T,
}

impl<T> Reservoir<T> {
    pub(super) fn of(most: usize) -> Self {
        Self { most, drawn: BinaryHeap::new() }
    }

    /// Takes it, in the place of the one whose turn comes last if it is full. Gives the turn of what is left out.
    pub(super) fn offer(&mut self, turn: Turn, what: impl FnOnce() -> T) -> Option<Turn> {
        let mut left_out = None;
        if self.drawn.len() >= self.most {
            match self.drawn.peek() {
                Some(last) if turn < last.turn => left_out = self.drawn.pop().map(|drawn| drawn.turn),
                _ => return Some(turn),
            }
        }
        self.drawn.push(Drawn { turn, what: what() });
        left_out
    }

    /// All that it holds, in the order of their turns.
    pub(super) fn into_turns(self) -> impl Iterator<Item = T> {
        self.drawn.into_sorted_vec().into_iter().map(|drawn| drawn.what)
    }
}

impl<T> PartialEq for Drawn<T> {
    fn eq(&self, other: &Self) -> bool {
        self.turn == other.turn
    }
}

impl<T> Eq for Drawn<T> {}

impl<T> PartialOrd for Drawn<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Drawn<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.turn.cmp(&other.turn)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn keys(most: usize) -> Vec<Key> {
        (0..most).map(|number| Key::from(format!("dir/{number:04}"))).collect()
    }

    fn sample<'a>(keys: impl Iterator<Item = &'a Key>, seed: u64, most: usize) -> Vec<&'a Key> {
        let mut reservoir = Reservoir::of(most);
        for key in keys {
            reservoir.offer(Turn { last_checked: None, lot: lot(seed, key) }, || key);
        }
        reservoir.into_turns().collect()
    }

    /// Pearson's test, over 2,000 seeds: how often each of 200 keys is drawn, against how often it should be.
    #[test]
    fn each_key_is_as_likely_as_any_other() {
        let keys = keys(200);
        let mut drawn = vec![0.0f64; keys.len()];
        for seed in 0..2000 {
            for key in sample(keys.iter(), seed, 20) {
                drawn[keys.binary_search(key).unwrap()] += 1.0;
            }
        }
        let expected = 200.0;
        // 199 degrees of freedom; nothing is put back, so that the spread is smaller by what is left: 180 of 200.
        let spread: f64 = drawn.iter().map(|count| (count - expected) * (count - expected) / expected).sum();
        let chi_square = spread / 0.9;
        // Between the quantiles 0.001 and 0.999 of the distribution.
        assert!((140.0..267.0).contains(&chi_square), "{chi_square}");
    }

    #[test]
    fn a_sample_is_the_same_in_any_order_and_another_with_another_seed() {
        let keys = keys(1000);
        let forth = sample(keys.iter(), 7, 50);
        assert_eq!(forth.len(), 50);
        assert_eq!(forth, sample(keys.iter().rev(), 7, 50));
        assert_ne!(forth, sample(keys.iter(), 8, 50));
        assert_eq!(sample(keys.iter().take(5), 7, 50).len(), 5);
        assert!(sample(keys.iter(), 7, 0).is_empty());
    }

    #[test]
    fn a_share_is_about_that_share_and_a_larger_one_holds_it() {
        let keys = keys(10_000);
        let within = |percent: f64| keys.iter().filter(move |key| lies_within(lot(3, key), percent)).count();
        assert_eq!((within(0.0), within(100.0)), (0, 10_000));
        // Six standard deviations: sqrt(10,000 x 0.1 x 0.9) is 30.
        assert!((820..=1180).contains(&within(10.0)), "{}", within(10.0));
        let holds = keys.iter().all(|key| !lies_within(lot(3, key), 10.0) || lies_within(lot(3, key), 10.1));
        assert!(holds && within(0.1) > 0);
    }

    #[test]
    fn what_was_never_checked_has_its_turn_first_then_what_was_longest_ago() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let mut reservoir = Reservoir::of(3);
        for (last_checked, lot, name) in
            [(at(9), 0, "new"), (None, 9, "never"), (at(5), 1, "old"), (None, 3, "nor"), (at(4), 8, "oldest")]
        {
            reservoir.offer(Turn { last_checked, lot }, || name);
        }
        assert_eq!(reservoir.into_turns().collect::<Vec<_>>(), ["nor", "never", "oldest"]);
    }
}
