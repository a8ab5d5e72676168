//! The blocks that wait, by their sizes.

use std::collections::BTreeMap;

/// Blocks that wait for a body; none of the lists is empty.
#[derive(Debug)]
pub(crate) struct Idle(BTreeMap<usize, Vec<Vec<u8>>>);

impl Idle {
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The smallest block that has so many bytes and not twice as many. Where
    /// none waits, as many bytes as the new one will have are given up.
    pub(crate) fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        let fitting = self.0.range(length..length.saturating_mul(2)).next().map(|(&size, _)| size);
        let taken = fitting.and_then(|size| self.take_one(size));
        if taken.is_none() {
            self.give_up(length);
        }
        taken
    }

    /// Lets a block wait.
    pub(crate) fn put(&mut self, block: Vec<u8>) {
        self.0.entry(block.len()).or_default().push(block);
    }

    fn give_up(&mut self, bytes: usize) {
        let mut left = bytes;
        while left > 0
            && let Some((&size, _)) = self.0.first_key_value()
        {
            self.take_one(size);
            left = left.saturating_sub(size);
        }
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
    fn the_smallest_that_fits_is_taken_and_none_that_is_too_long() {
        let mut idle = Idle::new();
        for size in [8, 2, 4, 8, 8] {
            idle.put(vec![0; size]);
        }
        assert_eq!(idle.take(3).unwrap().len(), 4);
        assert_eq!(idle.take(8).unwrap().len(), 8);
        assert_eq!(sizes(&idle), [2, 8, 8]);
        assert_eq!(idle.take(4), None);
        assert_eq!(sizes(&idle), [8]);
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
                    used.push(idle.take(length).unwrap_or_else(|| vec![0; length]));
                } else if !used.is_empty() {
                    idle.put(used.swap_remove(length % used.len()));
                }
                most = most.max(total(&used));
                prop_assert!(total(&used) + sizes(&idle).iter().sum::<usize>() <= most);
            }
        }
    }
}
