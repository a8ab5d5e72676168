//! What a store lists at one key.

use brigade_store::{Entry, Key, KeyRange, Listed, ListingError, Store, Unknown};

use crate::merge::Presence;

/// What one side lists at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// This.
    Present(Entry),
    /// Proven to be nothing.
    Absent,
    /// It can't tell, for this reason: of the key, or of a place that it lies in.
    Unknown(Unknown),
}

impl Sighting {
    pub(crate) fn presence(&self) -> Presence {
        match self {
            Self::Present(entry) => Presence::Present(entry.clone()),
            Self::Absent => Presence::Absent,
            Self::Unknown(_) => Presence::Unknown,
        }
    }
}

/// What the store lists at the key. A listing, and no look, because only that tells of what it can't know exactly as it
/// does in a run; and because some file systems find a file by its name in another case, or another normal form, too.
pub(crate) async fn sight(store: &dyn Store, key: &Key) -> Result<Sighting, ListingError> {
    let mut listing = store.list(&KeyRange::around(key));
    let mut sighting = Sighting::Absent;
    while let Some(page) = listing.next_page().await? {
        for item in page {
            match item {
                Listed::Present(entry) if entry.key == *key => return Ok(Sighting::Present(entry)),
                // The key's own item, which comes later, tells more than that of a place above it.
                Listed::Unknown(unknown) if unknown.covers(key) => sighting = Sighting::Unknown(unknown),
                Listed::Present(_) | Listed::Unknown(_) => {}
            }
        }
    }
    Ok(sighting)
}

#[cfg(test)]
mod tests {
    use brigade_store::memory::{MemoryOptions, MemoryStore};
    use brigade_store::{Extent, UnknownReason};

    use super::*;

    #[tokio::test]
    async fn a_name_is_there_or_not_or_nobody_can_tell() {
        let store = MemoryStore::new(MemoryOptions::local());
        let there = Sighting::Present(store.put("b", "x"));
        for key in ["d/b", "e"] {
            store.put(key, "x");
        }
        let unknown = Unknown { key: "d/".into(), extent: Extent::Below, reason: UnknownReason::SpecialFile };
        store.add_unknown(unknown.clone());
        let untold = Sighting::Unknown(unknown);
        let table =
            [("b", there), ("B", Sighting::Absent), ("c", Sighting::Absent), ("d/b", untold.clone()), ("d/B", untold)];
        for (key, expected) in table {
            assert_eq!(sight(&store, &Key::from(key)).await.unwrap(), expected, "{key}");
        }
    }
}
