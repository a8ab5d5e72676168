//! The watermark: how far everything is done, where what was planned in order
//! is carried out in any order. Pure.

use std::collections::VecDeque;

use brigade_store::Key;

use super::{Cursor, Unseen};

/// How far everything is done. Holds no more than what is in flight: stretches
/// of keys that are done are joined.
#[derive(Debug, Default)]
pub(crate) struct Watermark {
    /// Where the range begins.
    after: Option<Key>,
    /// Stretches of keys, in order, from the first that has something in flight.
    stretches: VecDeque<Stretch>,
    /// The number of the first of them.
    first: u64,
    passed: Unseen,
}

/// The keys after the stretch before, up to and including one.
#[derive(Debug)]
struct Stretch {
    /// How many numbers were given to what this one was joined of.
    numbers: u64,
    /// The last key; `None` for the end of all keys.
    through: Option<Key>,
    /// How many of its actions are in flight.
    in_flight: usize,
    unseen: Unseen,
}

impl Watermark {
    /// That of a range that begins here.
    pub(crate) fn starting_after(after: Option<Key>) -> Self {
        Self { after, ..Self::default() }
    }

    /// So many actions were planned for the keys up to this one. The number
    /// stands for them; with it comes the cursor, if it has moved.
    pub(crate) fn planned(&mut self, through: Option<Key>, actions: usize, unseen: Unseen) -> (u64, Option<Cursor>) {
        match self.stretches.back_mut() {
            Some(last) if last.in_flight == 0 && actions == 0 => {
                last.numbers += 1;
                last.through = through;
                last.unseen += unseen;
            }
            _ => self.stretches.push_back(Stretch { numbers: 1, through, in_flight: actions, unseen }),
        }
        let number = self.first + self.stretches.iter().map(|stretch| stretch.numbers).sum::<u64>() - 1;
        (number, self.advance())
    }

    /// One of the actions that this number stands for is done.
    pub(crate) fn done(&mut self, number: u64) -> Option<Cursor> {
        let mut first = self.first;
        let place = self.stretches.iter().position(|stretch| {
            first += stretch.numbers;
            number < first
        })?;
        let stretch = self.stretches.get_mut(place)?;
        stretch.in_flight = stretch.in_flight.saturating_sub(1);
        if stretch.in_flight == 0 {
            self.join(place);
        }
        self.advance()
    }

    /// Joins a stretch that is done with the one before it, or after it, that is done too.
    fn join(&mut self, place: usize) {
        for before in [place, place.wrapping_sub(1)] {
            let is_done = |place: usize| self.stretches.get(place).is_some_and(|stretch| stretch.in_flight == 0);
            if is_done(before)
                && is_done(before.wrapping_add(1))
                && let Some(next) = self.stretches.remove(before + 1)
                && let Some(stretch) = self.stretches.get_mut(before)
            {
                stretch.numbers += next.numbers;
                stretch.through = next.through;
                stretch.unseen += next.unseen;
            }
        }
    }

    fn advance(&mut self) -> Option<Cursor> {
        let mut moved = None;
        while let Some(stretch) = self.stretches.pop_front_if(|stretch| stretch.in_flight == 0) {
            self.first += stretch.numbers;
            self.passed += stretch.unseen;
            moved = Some(Cursor { after: self.after.clone(), through: stretch.through, unseen: self.passed });
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn extra(extra: u64) -> Unseen {
        Unseen { extra, ..Unseen::default() }
    }

    proptest! {
        /// Beside the simplest that can be: a list of all stretches.
        #[test]
        fn it_stands_where_the_first_that_is_not_done_begins(
            actions in proptest::collection::vec(0usize..4, 1..40),
            order in proptest::collection::vec(any::<prop::sample::Index>(), 200),
        ) {
            let after = Some(Key::from("\0"));
            let mut watermark = Watermark::starting_after(after.clone());
            let mut left: Vec<usize> = Vec::new();
            let mut numbers = Vec::new();
            let mut in_flight: Vec<usize> = Vec::new();
            let mut order = order.into_iter();
            let mut stood = None;
            let mut coming = actions.iter().enumerate();
            loop {
                let ends_one = !in_flight.is_empty() && order.next().is_some_and(|index| index.index(2) == 0);
                let moved = if ends_one || (coming.len() == 0 && !in_flight.is_empty()) {
                    let place = order.next().map_or(0, |index| index.index(in_flight.len()));
                    let stretch = in_flight.remove(place);
                    left[stretch] -= 1;
                    watermark.done(numbers[stretch])
                } else if let Some((stretch, &actions)) = coming.next() {
                    left.push(actions);
                    in_flight.extend(std::iter::repeat_n(stretch, actions));
                    let key = Key::from(format!("{stretch:03}"));
                    let (number, moved) = watermark.planned(Some(key), actions, extra(1));
                    numbers.push(number);
                    moved
                } else {
                    break;
                };
                let done = left.iter().take_while(|&&left| left == 0).count();
                let expected = done.checked_sub(1).map(|last| Cursor {
                    after: after.clone(),
                    through: Some(Key::from(format!("{last:03}"))),
                    unseen: extra(done as u64),
                });
                stood = moved.or(stood);
                prop_assert_eq!(&stood, &expected);
                prop_assert!(watermark.stretches.len() <= 2 * in_flight.len() + 1);
            }
            prop_assert!(watermark.stretches.is_empty());
        }
    }
}
