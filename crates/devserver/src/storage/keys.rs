//! The keys of a bucket with their versions, in listing order: pure.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::{Record, VersionId};

/// Objects by sort key (see [`crate::ListingOrder`]).
pub(crate) type Objects = BTreeMap<Vec<u8>, Arc<Record>>;

/// All keys and versions of a bucket. A bucket without versions is a map of objects.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    /// The current version of each key where that is an object.
    objects: Objects,
    /// All others of a key, the oldest first: behind its object, or up to the delete
    /// marker that is its current version. Never empty.
    others: BTreeMap<Vec<u8>, Vec<Arc<Record>>>,
}

impl Keys {
    /// What listings of objects show.
    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The object of a key, unless it is deleted.
    pub(crate) fn object(&self, key: &[u8]) -> Option<&Arc<Record>> {
        self.objects.get(key)
    }

    /// All versions of a key, the current one first.
    pub(crate) fn versions(&self, key: &[u8]) -> impl Iterator<Item = &Arc<Record>> {
        let others = self.others.get(key).into_iter().flatten().rev();
        self.objects.get(key).into_iter().chain(others)
    }

    /// That version of a key.
    pub(crate) fn version(&self, key: &[u8], id: &VersionId) -> Option<&Arc<Record>> {
        self.versions(key).find(|record| record.version == *id)
    }

    /// The keys from `start` on that have a version, each once.
    pub(crate) fn from(&self, start: Bound<&[u8]>) -> impl Iterator<Item = &[u8]> {
        let mut objects = self.objects.range::<[u8], _>((start, Bound::Unbounded)).peekable();
        let mut others = self.others.range::<[u8], _>((start, Bound::Unbounded)).peekable();
        std::iter::from_fn(move || {
            let next = match (objects.peek(), others.peek()) {
                (Some((object, _)), Some((other, _))) => object.min(other).as_slice(),
                (Some((key, _)), None) | (None, Some((key, _))) => key.as_slice(),
                (None, None) => return None,
            };
            objects.next_if(|(key, _)| key.as_slice() == next);
            others.next_if(|(key, _)| key.as_slice() == next);
            Some(next)
        })
    }

    /// Whether there is nothing, not even a delete marker.
    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.others.is_empty()
    }

    /// Makes a version the current one of its key. The null version takes the place of
    /// the null version that was there.
    pub(crate) fn put(&mut self, key: Vec<u8>, record: Arc<Record>) {
        if record.version == VersionId::NULL {
            self.remove(&key, &VersionId::NULL);
        }
        let before = if record.delete_marker {
            let before = self.objects.remove(&key);
            self.others.entry(key.clone()).or_default().extend(before);
            Some(record)
        } else {
            self.objects.insert(key.clone(), record)
        };
        if let Some(other) = before {
            self.others.entry(key).or_default().push(other);
        }
    }

    /// Puts `record` in the place of the version of the same id.
    pub(crate) fn replace(&mut self, key: &[u8], record: &Arc<Record>) {
        let object = self.objects.get_mut(key).into_iter();
        let all = object.chain(self.others.get_mut(key).into_iter().flatten());
        all.filter(|it| it.version == record.version).for_each(|it| *it = Arc::clone(record));
    }

    /// Removes a version; the one behind the current one becomes current in its place.
    pub(crate) fn remove(&mut self, key: &[u8], id: &VersionId) -> Option<Arc<Record>> {
        let is_current = self.objects.get(key).is_some_and(|record| record.version == *id);
        let Some(others) = self.others.get_mut(key) else {
            return if is_current { self.objects.remove(key) } else { None };
        };
        let removed = if is_current {
            self.objects.remove(key)
        } else {
            others.iter().position(|record| record.version == *id).map(|place| others.remove(place))
        };
        if !self.objects.contains_key(key) {
            let next = others.pop_if(|record| !record.delete_marker);
            self.objects.extend(next.map(|record| (key.to_vec(), record)));
        }
        if others.is_empty() {
            self.others.remove(key);
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(sequence: u64, delete_marker: bool, null: bool) -> Arc<Record> {
        let version = if null { VersionId::NULL } else { VersionId::new(sequence) };
        Arc::new(Record { version, delete_marker, sequence, ..Record::default() })
    }

    fn sequences(keys: &Keys, key: &str) -> Vec<u64> {
        keys.versions(key.as_bytes()).map(|record| record.sequence).collect()
    }

    #[test]
    fn a_delete_marker_hides_the_object_and_its_removal_brings_it_back() {
        let mut keys = Keys::default();
        let [first, second, marker] = [version(1, false, true), version(2, false, false), version(3, true, false)];
        for record in [&first, &second, &marker] {
            keys.put(b"k".to_vec(), Arc::clone(record));
        }
        assert_eq!((keys.object(b"k").is_none(), sequences(&keys, "k")), (true, vec![3, 2, 1]));
        keys.remove(b"k", &marker.version);
        assert_eq!((keys.object(b"k").map(|it| it.sequence), sequences(&keys, "k")), (Some(2), vec![2, 1]));
        keys.put(b"k".to_vec(), version(4, false, true));
        assert_eq!(sequences(&keys, "k"), [4, 2], "the null version was replaced");
        keys.remove(b"k", &VersionId::NULL);
        assert_eq!(keys.object(b"k").map(|it| it.sequence), Some(2));
        assert!(keys.remove(b"k", &VersionId::NULL).is_none());
        keys.remove(b"k", &second.version);
        assert!(keys.is_empty());
    }

    #[test]
    fn what_is_changed_stays_where_it_is() {
        let mut keys = Keys::default();
        let written = [version(1, false, true), version(2, false, false), version(3, false, false)];
        for record in &written {
            keys.put(b"k".to_vec(), Arc::clone(record));
        }
        for record in &written {
            keys.replace(b"k", &Arc::new(Record { size: record.sequence, ..Record::clone(record) }));
        }
        let sizes: Vec<u64> = keys.versions(b"k").map(|it| it.size).collect();
        assert_eq!((sequences(&keys, "k"), sizes), (vec![3, 2, 1], vec![3, 2, 1]));
    }

    proptest! {
        /// Against one list of versions for each key, the newest last.
        #[test]
        fn it_is_a_list_of_versions_for_each_key(
            steps in proptest::collection::vec((0_u8..3, any::<bool>(), any::<bool>(), proptest::option::of(0_usize..4)), 0..40)
        ) {
            let mut keys = Keys::default();
            let mut model: BTreeMap<Vec<u8>, Vec<Arc<Record>>> = BTreeMap::new();
            for (sequence, (key, marker, null, removed)) in (1..).zip(steps) {
                let key = vec![key];
                let list = model.entry(key.clone()).or_default();
                if let Some(place) = removed.filter(|place| *place < list.len()) {
                    let id = list.remove(place).version.clone();
                    prop_assert!(keys.remove(&key, &id).is_some());
                } else {
                    let record = version(sequence, marker, null);
                    list.retain(|it| !null || it.version != VersionId::NULL);
                    list.push(Arc::clone(&record));
                    keys.put(key, record);
                }
            }
            model.retain(|_, list| !list.is_empty());
            let all: Vec<Vec<u8>> = keys.from(Bound::Unbounded).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(all, model.keys().cloned().collect::<Vec<_>>());
            prop_assert_eq!(keys.is_empty(), model.is_empty());
            for (key, list) in model {
                let found: Vec<u64> = keys.versions(&key).map(|it| it.sequence).collect();
                prop_assert_eq!(found, list.iter().rev().map(|it| it.sequence).collect::<Vec<_>>());
                let object = list.last().filter(|it| !it.delete_marker).map(|it| it.sequence);
                prop_assert_eq!(keys.object(&key).map(|it| it.sequence), object);
            }
        }
    }
}
