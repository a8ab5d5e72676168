//! Uploads in parts that an earlier run began and did not end, until they are taken up again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use brigade_store::Key;

use super::BegunUpload;

/// They are no more than were in flight at once.
#[derive(Debug, Default)]
pub(crate) struct BegunUploads(Mutex<BTreeMap<Key, Vec<BegunUpload>>>);

impl BegunUploads {
    pub(crate) fn new(uploads: Vec<BegunUpload>) -> Self {
        let mut by_key: BTreeMap<Key, Vec<BegunUpload>> = BTreeMap::new();
        for upload in uploads {
            by_key.entry(upload.key.clone()).or_default().push(upload);
        }
        Self(Mutex::new(by_key))
    }

    /// Takes out the uploads of this key: one, but where an earlier one could not be given up.
    pub(crate) fn take(&self, key: &Key) -> Vec<BegunUpload> {
        self.open().remove(key).unwrap_or_default()
    }

    /// Puts one back that may be taken up yet.
    pub(crate) fn put_back(&self, upload: BegunUpload) {
        self.open().entry(upload.key.clone()).or_default().push(upload);
    }

    /// Takes out those that nobody has taken up.
    pub(crate) fn take_rest(&self) -> Vec<BegunUpload> {
        std::mem::take(&mut *self.open()).into_values().flatten().collect()
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Key, Vec<BegunUpload>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
