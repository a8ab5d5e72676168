//! The extent of a range that is under way. It may be cut, and ends earlier then:
//! what lies after the cut is another range's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use brigade_store::{Key, KeyRange};

use super::cut::Cut;
use crate::events::Side;
use crate::merge::Keyed;

/// Pages of one side that must have been read since a range was last cut before it is cut again.
const PAGES_BETWEEN_CUTS: u32 = 2;

/// Pages that must still be to come, as far as can be told, for a cut to be worth its questions.
const WORTH_A_CUT: f64 = 4.0;

/// From where to where a range goes, and how far it was read.
#[derive(Debug)]
pub(crate) struct Extent {
    after: Option<Key>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    through: Option<Key>,
    /// After this there was nothing when it was last asked for.
    nothing_after: Option<Key>,
    /// The last key that came of any strip.
    read: Option<Key>,
    sides: [Reading; 2],
    /// The first one that came of a listing.
    first: Option<Key>,
    pages: u64,
    is_being_cut: bool,
    /// Whether all of it was read: it can't be cut any more.
    is_closed: bool,
}

/// How far the listing of one side has come.
#[derive(Clone, Debug, Default)]
struct Reading {
    /// The last key of the range that it showed.
    last: Option<Key>,
    pages: u32,
    pages_since_cut: u32,
    has_ended: bool,
}

/// What whoever wants to cut a range has to know.
#[derive(Debug)]
pub(crate) struct Prospect {
    /// The side of which most is still to come.
    pub(crate) side: Side,
    /// About how many pages of it.
    pub(crate) pages: f64,
    /// What is between these can be cut: the last key that was read, and the end, if it is known.
    pub(crate) read: Key,
    pub(crate) end: Option<Key>,
}

impl Extent {
    pub(crate) fn of(range: KeyRange) -> Self {
        let state = State { through: range.through, ..State::default() };
        Self { after: range.after, state: Mutex::new(state) }
    }

    /// The range, as far as it goes now.
    pub(crate) fn range(&self) -> KeyRange {
        KeyRange { after: self.after.clone(), through: self.state().through.clone() }
    }

    /// How many pages of listings it was given so far.
    pub(crate) fn pages(&self) -> u64 {
        self.state().pages
    }

    /// Takes out of a page of a listing what lies beyond; says whether the listing goes on.
    pub(super) fn admit_listed<T: Keyed>(&self, side: Side, page: &mut Vec<T>) -> bool {
        let mut state = self.state();
        let goes_on = state.admit(page);
        state.pages += 1;
        if state.first.is_none() {
            state.first = page.first().map(|item| item.key().clone());
        }
        let reading = &mut state.sides[side as usize];
        if let Some(item) = page.last() {
            reading.last = Some(item.key().clone());
        }
        reading.pages += 1;
        reading.pages_since_cut += 1;
        reading.has_ended = !goes_on;
        goes_on
    }

    /// The same of a page of what is settled.
    pub(super) fn admit<T: Keyed>(&self, page: &mut Vec<T>) -> bool {
        self.state().admit(page)
    }

    /// The last key that the listing of a side showed, or where the range begins.
    pub(super) fn last_of(&self, side: Side) -> Option<Key> {
        self.state().sides[side as usize].last.clone().or_else(|| self.after.clone())
    }

    /// Takes note that the listing of a side has come to its end.
    pub(super) fn end_of(&self, side: Side) {
        self.state().sides[side as usize].has_ended = true;
    }

    /// Where it ends, for good: it is cut no more.
    pub(super) fn close(&self) -> Option<Key> {
        let mut state = self.state();
        state.is_closed = true;
        state.through.clone()
    }

    /// Whether it could be cut, of these sides that can be asked, and what is to be known for that.
    pub(crate) fn prospect(&self, sides: &[Side]) -> Option<Prospect> {
        let state = self.state();
        let read = state.read.clone().filter(|_| !state.is_being_cut && !state.is_closed)?;
        let end = state.end(&read);
        let share = end.as_ref().zip(state.first.as_ref()).map_or(0.0, |(end, first)| share(first, &read, end));
        let reading = |side: &Side| (*side, &state.sides[*side as usize]);
        let (side, pages) = sides
            .iter()
            .map(reading)
            .filter(|(_, reading)| !reading.has_ended && reading.pages_since_cut >= PAGES_BETWEEN_CUTS)
            .map(|(side, reading)| (side, to_come(reading.pages, share)))
            .max_by(|(_, one), (_, other)| one.total_cmp(other))?;
        (pages >= WORTH_A_CUT).then_some(Prospect { side, pages, read, end })
    }

    /// Nobody else cuts it, until it is cut.
    pub(crate) fn begin_cut(&self) {
        self.state().is_being_cut = true;
    }

    /// Cuts it, if a place was found that has not been read yet: gives what lies after it.
    pub(crate) fn cut(&self, cut: Option<Cut>) -> Option<Self> {
        let mut state = self.state();
        state.is_being_cut = false;
        for reading in &mut state.sides {
            reading.pages_since_cut = 0;
        }
        let Cut { at, nothing_after } = cut.filter(|_| !state.is_closed)?;
        let is_ahead = state.read.as_ref().is_none_or(|read| *read < at);
        let is_within = state.through.as_ref().is_none_or(|through| at < *through);
        if !is_ahead || !is_within {
            return None;
        }
        let through = state.through.replace(at.clone());
        let upper = State { through, nothing_after, ..State::default() };
        Some(Self { after: Some(at), state: Mutex::new(upper) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn admit<T: Keyed>(&mut self, page: &mut Vec<T>) -> bool {
        let beyond = page.iter().position(|item| self.through.as_ref().is_some_and(|through| item.key() > through));
        page.truncate(beyond.unwrap_or(page.len()));
        self.read = self.read.take().max(page.last().map(|item| item.key().clone()));
        beyond.is_none()
    }

    /// Where whoever cuts need not look any more.
    fn end(&self, read: &Key) -> Option<Key> {
        let nothing_after = self.nothing_after.as_ref().filter(|after| *after > read);
        nothing_after.into_iter().chain(&self.through).min().cloned()
    }
}

/// About how many pages are still to come where so many made up this share; more than can be told where none is known.
fn to_come(pages: u32, share: f64) -> f64 {
    f64::from(pages) * (1.0 - share) / share
}

/// About which share of the keys between the first and the end was read,
/// if they were spread evenly over what their letters can be.
fn share(first: &Key, read: &Key, end: &Key) -> f64 {
    let [first, read, end] = [first, read, end].map(Key::as_bytes);
    let shared = first.iter().zip(end).take_while(|(one, other)| one == other).count();
    let place = |key: &[u8]| {
        let digits = key.iter().skip(shared).chain(std::iter::repeat(&0)).take(6);
        digits.fold(0.0, |place, &digit| place * 256.0 + f64::from(digit))
    };
    ((place(read) - place(first)) / (place(end) - place(first)).max(1.0)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Keyed for Key {
        fn key(&self) -> &Key {
            self
        }
    }

    fn keys(keys: &[&str]) -> Vec<Key> {
        keys.iter().map(|&key| Key::from(key)).collect()
    }

    fn range(after: Option<&str>, through: Option<&str>) -> KeyRange {
        KeyRange { after: after.map(Key::from), through: through.map(Key::from) }
    }

    fn cut(at: &str) -> Cut {
        Cut { at: at.into(), nothing_after: None }
    }

    #[test]
    fn what_lies_beyond_a_cut_is_admitted_no_more() {
        let extent = Extent::of(range(None, Some("x")));
        let mut page = keys(&["a", "b"]);
        assert!(extent.admit_listed(Side::Source, &mut page));
        let upper = extent.cut(Some(cut("m"))).unwrap();
        assert_eq!((extent.range(), upper.range()), (range(None, Some("m")), range(Some("m"), Some("x"))));
        let mut page = keys(&["c", "m", "n"]);
        assert!(!extent.admit_listed(Side::Source, &mut page));
        assert_eq!(page, keys(&["c", "m"]));
        let mut page = keys(&["n"]);
        assert!(!extent.admit(&mut page) && page.is_empty());
        assert_eq!(extent.close(), Some("m".into()));
    }

    #[test]
    fn what_was_read_of_any_strip_is_not_cut_off() {
        let extent = Extent::of(range(None, None));
        extent.admit_listed(Side::Source, &mut keys(&["a", "b"]));
        extent.admit(&mut keys(&["c", "m"]));
        for at in ["a", "m"] {
            assert!(extent.cut(Some(cut(at))).is_none(), "{at}");
        }
        assert!(extent.cut(None).is_none());
        assert!(extent.cut(Some(cut("n"))).is_some());
        assert!(extent.cut(Some(cut("n"))).is_none(), "nothing would be left");
        extent.close();
        assert!(extent.cut(Some(cut("mm"))).is_none(), "it has been read to its end");
    }

    #[test]
    fn only_what_has_much_to_come_is_worth_a_cut() {
        let extent = Extent::of(range(None, Some("d/999")));
        let prospect = || extent.prospect(&[Side::Source, Side::Dest]);
        assert!(prospect().is_none(), "nothing was read");
        extent.admit_listed(Side::Source, &mut keys(&["d/000", "d/010"]));
        assert!(prospect().is_none(), "it has just begun");
        extent.admit_listed(Side::Source, &mut keys(&["d/011", "d/020"]));
        let found = prospect().unwrap();
        assert_eq!((found.side, found.read, found.end), (Side::Source, "d/020".into(), Some("d/999".into())));
        assert!(extent.prospect(&[Side::Dest]).is_none(), "of that side nothing came");
        extent.begin_cut();
        assert!(prospect().is_none(), "somebody else is at it");
        extent.cut(None);
        assert!(prospect().is_none(), "it was tried only just now");
        extent.admit_listed(Side::Source, &mut keys(&["d/7", "d/8"]));
        extent.admit_listed(Side::Source, &mut keys(&["d/80", "d/81"]));
        assert!(prospect().is_none(), "little is left");
        extent.end_of(Side::Source);
        assert!(prospect().is_none());
    }

    #[test]
    fn where_the_end_is_not_known_everything_may_come() {
        let extent = Extent::of(range(None, None));
        for page in [["a", "b"], ["c", "d"]] {
            extent.admit_listed(Side::Dest, &mut keys(&page));
        }
        assert!(extent.prospect(&[Side::Dest]).unwrap().pages.is_infinite());
        let found = Cut { at: "m".into(), nothing_after: Some("q".into()) };
        let upper = extent.cut(Some(found)).unwrap();
        for page in [["n", "nn"], ["nnn", "o"]] {
            upper.admit_listed(Side::Dest, &mut keys(&page));
        }
        assert_eq!(upper.state().end(&"o".into()), Some("q".into()));
        assert_eq!(upper.state().end(&"r".into()), None, "something came there after all");
    }
}
