//! Listings: pages of entries, and of what can't be known, in key order.

use std::fmt;

use async_trait::async_trait;

use crate::{Entry, Key};

/// An interval of keys, open below and closed above, because that is what
/// S3's `start-after` can express. `None` is without bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// Only keys greater than this one.
    pub after: Option<Key>,
    /// Only keys up to and including this one.
    pub through: Option<Key>,
}

impl KeyRange {
    /// Every key.
    #[must_use]
    pub fn everything() -> Self {
        Self::default()
    }

    /// This key, and next to no other.
    #[must_use]
    pub fn around(key: &Key) -> Self {
        Self { after: just_before(key), through: Some(key.clone()) }
    }

    /// Whether the key lies in the range.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        self.after.as_ref().is_none_or(|after| key > after)
            && self.through.as_ref().is_none_or(|through| key <= through)
    }
}

/// A key shortly before this one, which S3 can be asked to start at if it can
/// hold this one; `None` where nothing is before it.
fn just_before(key: &Key) -> Option<Key> {
    let (last, start) = key.as_bytes().split_last()?;
    let Some(text) = key.as_text() else {
        let end: &[u8] = if *last == 0 { &[] } else { &[last - 1, u8::MAX] };
        return Some(Key::new([start, end].concat()));
    };
    let mut characters = text.chars();
    let last = u32::from(characters.next_back()?);
    let mut before = characters.as_str().to_owned();
    // Not every number is a character: the surrogates are none.
    if let Some(end) = (0..last).rev().find_map(char::from_u32) {
        before.extend([end, char::MAX]);
    }
    Some(Key::from(before))
}

/// One item of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// An object that is there.
    Present(Entry),
    /// A key, or all keys below one, of which the store can't say whether
    /// they are there.
    Unknown(Unknown),
}

impl Listed {
    /// The key that decides the item's place in the order.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Present(entry) => &entry.key,
            Self::Unknown(unknown) => &unknown.key,
        }
    }
}

/// What a store can't say: neither present nor absent, so nothing may be
/// deleted, or written over it, on the strength of the listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The key, or with [`Extent::Below`] the prefix, ending in `/` (empty for
    /// the whole store).
    pub key: Key,
    /// How far the ignorance reaches.
    pub extent: Extent,
    /// Why.
    pub reason: UnknownReason,
}

impl Unknown {
    /// Whether it is about this key.
    #[must_use]
    pub fn covers(&self, key: &Key) -> bool {
        match self.extent {
            Extent::Key => self.key == *key,
            Extent::Below => key.as_bytes().starts_with(self.key.as_bytes()),
        }
    }

    /// Whether this only says how far a symlink's own item, of the key without
    /// the `/`, reaches: what it may have led to is unknown with it.
    #[must_use]
    pub fn is_reach_of_symlink(&self) -> bool {
        self.extent == Extent::Below
            && match self.reason {
                UnknownReason::Symlink
                | UnknownReason::BrokenSymlink
                | UnknownReason::SymlinkLoop
                | UnknownReason::UnreadableSymlink(_) => true,
                UnknownReason::SpecialFile
                | UnknownReason::Unreadable(_)
                | UnknownReason::NotKept
                | UnknownReason::NotTold
                | UnknownReason::Generated => false,
            }
    }
}

/// How far an [`Unknown`] reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Just this key.
    Key,
    /// Every key that begins with it.
    Below,
}

/// Why a store can't say what is at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownReason {
    /// A FIFO, socket or device: counted, no error.
    SpecialFile,
    /// A symlink that the user asked to leave out, or one in a destination.
    Symlink,
    /// A symlink whose target isn't there.
    BrokenSymlink,
    /// A symlink to itself, by whatever way, or to a directory that contains it.
    SymlinkLoop,
    /// A symlink whose target could not be looked at; with the system's reason.
    UnreadableSymlink(String),
    /// It could not be read; with the system's reason.
    Unreadable(String),
    /// It was replaced, or may have been, while the bucket kept no versions: what was there is not kept.
    NotKept,
    /// The service doesn't list all versions of it, or not in the order in which they were written.
    NotTold,
    /// A page that was generated, and is left out on request.
    Generated,
}

impl UnknownReason {
    /// Whether it makes the run incomplete (exit code 3); the others are only counted.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        match self {
            Self::SpecialFile | Self::Symlink | Self::Generated => false,
            Self::BrokenSymlink
            | Self::SymlinkLoop
            | Self::UnreadableSymlink(_)
            | Self::Unreadable(_)
            | Self::NotKept
            | Self::NotTold => true,
        }
    }
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SpecialFile => f.write_str("not a regular file (FIFO, socket or device)"),
            Self::Symlink => f.write_str("a symlink, which is not followed here"),
            Self::BrokenSymlink => f.write_str("a symlink whose target does not exist; remove it or mend it"),
            Self::SymlinkLoop => {
                f.write_str("a symlink that leads back to itself or above; remove it, or use --symlinks skip")
            }
            Self::UnreadableSymlink(reason) => write!(f, "a symlink whose target could not be looked at: {reason}"),
            Self::Unreadable(reason) => write!(f, "could not be read: {reason}"),
            Self::NotKept => f.write_str(
                "it was written later, while the bucket kept no versions, and what it took the place of is not known; \
                 `brigade versions` lists what there is, and --version-of KEY=ID takes it",
            ),
            Self::NotTold => f.write_str(
                "the service does not list all of its versions, or not in the order in which they were written, so that \
                 what was there is not known; `brigade versions` lists what there is, and --version-of KEY=ID takes it",
            ),
            Self::Generated => f.write_str("a generated page, which is left out"),
        }
    }
}

/// A listing under way: pages in strictly ascending key order, if the store
/// keeps its word (the engine checks).
#[async_trait]
pub trait Listing: Send {
    /// The next page, never empty; `None` at the proven end.
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError>;
}

/// A listing that broke off: what came before is true, what is missing is
/// unknown, and the run can't go on.
#[derive(Clone, Debug, thiserror::Error)]
#[error("could not list {location}: {reason}")]
pub struct ListingError {
    /// The store, as the user wrote it.
    pub location: String,
    /// What went wrong and what to do about it.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_around_a_key_holds_it_and_none_of_its_neighbours() {
        let keys: [&[u8]; 9] = [b"", b"a", b"a/b", b"a\0", b"\0", "é".as_bytes(), b"caf\xe9", b"x\xff\0", b"dir/"];
        for key in keys.map(Key::new) {
            let range = KeyRange::around(&key);
            assert!(range.contains(&key), "{key}");
            let above = key.as_bytes().split_last().map(|(_, above)| Key::new(above));
            let below = Key::new([key.as_bytes(), b"\0"].concat());
            for other in above.into_iter().chain([below]) {
                assert!(!range.contains(&other), "{key}: {other}");
            }
        }
        for (key, before) in [("a/b", "a/a~"), ("\u{e000}", "\u{d7ff}\u{10ffff}")] {
            assert!(!KeyRange::around(&key.into()).contains(&before.into()), "{key}");
        }
        assert!(!KeyRange::around(&Key::new(&b"caf\xe9"[..])).contains(&Key::new(&b"caf\xe8\xa8"[..])));
    }
}
