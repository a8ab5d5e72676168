//! The blocks that wait, by their sizes.

use std::collections::BTreeMap;

/// Blocks that wait for a body; none of the lists is empty.
pub(crate) struct Idle(BTreeMap<usize, Vec<Vec<u8>>>);

impl Idle {
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The smallest block that has so many bytes, and not more than a quarter above.
    pub(crate) fn take(&mut self, capacity: usize) -> Option<Vec<u8>> {
        let most = capacity.saturating_add(capacity / 4);
        let size = self.0.range(capacity..=most).next().map(|(&size, _)| size)?;
        self.take_one(size)
    }

    /// Blocks that have so many bytes together, or all: for a new one of this size to take their place.
    pub(crate) fn give_up(&mut self, bytes: usize) -> Vec<Vec<u8>> {
        let mut given_up = Vec::new();
        let mut left = bytes;
        while left > 0
            && let Some((&size, _)) = self.0.first_key_value()
        {
            given_up.extend(self.take_one(size));
            left = left.saturating_sub(size);
        }
        given_up
    }

    /// Lets a block wait.
    pub(crate) fn put(&mut self, block: Vec<u8>) {
        self.0.entry(block.len()).or_default().push(block);
    }

    fn take_one(&mut self, size: usize) -> Option<Vec<u8>> {
        let waiting = self.0.get_mut(&size)?;
        // The last to come is the likeliest to be in a cache still.
        let block = waiting.pop();
        if waiting.is_empty() {
            self.0.remove(&size);
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sizes(idle: &Idle) -> Vec<usize> {
        idle.0.values().flatten().map(Vec::len).collect()
    }

    #[test]
    fn the_smallest_that_fits_is_taken_and_none_that_is_much_too_long() {
        let mut idle = Idle::new();
        for size in [80, 20, 40, 80, 80] {
            idle.put(vec![0; size]);
        }
        assert_eq!(idle.take(35).unwrap().len(), 40);
        assert_eq!(idle.take(80).unwrap().len(), 80);
        assert_eq!(idle.take(81), None);
        assert_eq!(idle.take(63), None);
        assert_eq!(sizes(&idle), [20, 80, 80]);
    }

    #[test]
    fn the_smallest_are_given_up_first() {
        let mut idle = Idle::new();
        for size in [80, 20, 40] {
            idle.put(vec![0; size]);
        }
        assert_eq!(idle.give_up(30).iter().map(Vec::len).collect::<Vec<_>>(), [20, 40]);
        assert_eq!(idle.give_up(1000).len(), 1);
        assert!(idle.give_up(1).is_empty());
    }

    proptest! {
        #[test]
        fn what_waits_never_adds_to_the_most_in_use(
            steps in proptest::collection::vec((any::<bool>(), 1..50_usize), 0..200)
        ) {
            let mut idle = Idle::new();
            let mut used: Vec<Vec<u8>> = Vec::new();
            let total = |blocks: &[Vec<u8>]| blocks.iter().map(Vec::len).sum::<usize>();
            let mut most = 0;
            for (takes, length) in steps {
                if takes {
                    used.push(idle.take(length).unwrap_or_else(|| {
                        idle.give_up(length);
                        vec![0; length]
                    }));
                } else if !used.is_empty() {
                    idle.put(used.swap_remove(length % used.len()));
                }
                most = most.max(total(&used));
                prop_assert!(total(&used) + sizes(&idle).iter().sum::<usize>() <= most);
            }
        }
    }
}
