//! Cursors: which ranges of keys a run has done, and what is left between them. Pure.

use brigade_store::{Key, KeyRange};

use super::Unseen;

/// How far the listing of one range has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Where the range begins, which is after this key; with `None`, at the very first key.
    pub after: Option<Key>,
    /// Every key from there up to this one; with `None`, every key that comes then.
    pub through: Option<Key>,
    /// What was counted up to here and can't be counted again from settled pairs and files.
    pub unseen: Unseen,
}

impl Cursor {
    /// Whether the key lies behind it.
    #[must_use]
    pub fn has_passed(&self, key: &Key) -> bool {
        self.range().contains(key)
    }

    /// What lies behind it.
    #[must_use]
    pub fn range(&self) -> KeyRange {
        KeyRange { after: self.after.clone(), through: self.through.clone() }
    }
}

/// Puts cursors in order, and makes one of those that meet.
pub(super) fn joined(mut cursors: Vec<Cursor>) -> Vec<Cursor> {
    cursors.sort_by(|one, other| one.after.cmp(&other.after));
    let mut joined: Vec<Cursor> = Vec::with_capacity(cursors.len());
    for next in cursors {
        match joined.last_mut() {
            Some(last) if reaches(last, &next) => {
                last.through = last.through.take().zip(next.through).map(|(one, other)| one.max(other));
                last.unseen += next.unseen;
            }
            _ => joined.push(next),
        }
    }
    joined
}

fn reaches(last: &Cursor, next: &Cursor) -> bool {
    match (&last.through, &next.after) {
        (None, _) | (_, None) => true,
        (Some(through), Some(after)) => through >= after,
    }
}

/// What no cursor has passed, in order.
pub(crate) fn gaps(cursors: &[Cursor]) -> Vec<KeyRange> {
    let mut gaps = Vec::with_capacity(cursors.len() + 1);
    // Up to where everything was passed; the end of all keys is no key.
    let mut from = Some(None);
    for cursor in cursors {
        if let Some(after) = &from
            && *after < cursor.after
        {
            gaps.push(KeyRange { after: after.clone(), through: cursor.after.clone() });
        }
        from = cursor.through.clone().map(Some);
    }
    gaps.extend(from.map(|after| KeyRange { after, through: None }));
    gaps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursor(after: Option<&str>, through: Option<&str>) -> Cursor {
        let unseen = Unseen { extra: 1, ..Unseen::default() };
        Cursor { after: after.map(Key::from), through: through.map(Key::from), unseen }
    }

    #[test]
    fn cursors_that_meet_are_one() {
        let cursors = joined(vec![
            cursor(Some("f"), Some("h")),
            cursor(Some("b"), Some("d")),
            cursor(None, Some("b")),
            cursor(Some("x"), None),
        ]);
        let unseen = Unseen { extra: 2, ..Unseen::default() };
        let first = Cursor { unseen, ..cursor(None, Some("d")) };
        assert_eq!(cursors, [first, cursor(Some("f"), Some("h")), cursor(Some("x"), None)]);
        let range = |after: &str, through: &str| KeyRange { after: Some(after.into()), through: Some(through.into()) };
        assert_eq!(gaps(&cursors), [range("d", "f"), range("h", "x")]);
        assert_eq!(gaps(&[]), [KeyRange::everything()]);
        assert_eq!(gaps(&[cursor(None, None)]), []);
    }

    proptest! {
        #[test]
        fn each_key_lies_behind_a_cursor_or_in_one_gap(
            bounds in proptest::collection::vec((proptest::option::of("[a-e]{0,2}"), proptest::option::of("[a-e]{0,2}")), 0..6),
            key in "[a-f]{0,3}",
        ) {
            let cursors: Vec<Cursor> = bounds
                .iter()
                .map(|(after, through)| cursor(after.as_deref(), through.as_deref()))
                .filter(|cursor| cursor.through.as_ref().is_none_or(|through| Some(through) > cursor.after.as_ref()))
                .collect();
            let key = Key::from(key);
            let is_behind = cursors.iter().any(|cursor| cursor.has_passed(&key));
            let joined = joined(cursors);
            prop_assert_eq!(joined.iter().filter(|cursor| cursor.has_passed(&key)).count(), usize::from(is_behind));
            prop_assert_eq!(gaps(&joined).iter().filter(|gap| gap.contains(&key)).count(), usize::from(!is_behind));
        }
    }
}
