//! Uploads in parts that an earlier run began and did not end, until they are taken up again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use brigade_store::Key;

use super::BegunUpload;

/// They are no more than were in flight at once.
#[derive(Debug, Default)]
pub(crate) struct BegunUploads(Mutex<BTreeMap<Key, BegunUpload>>);

impl BegunUploads {
    pub(crate) fn new(uploads: Vec<BegunUpload>) -> Self {
        Self(Mutex::new(uploads.into_iter().map(|upload| (upload.key.clone(), upload)).collect()))
    }

    /// Takes out the upload of this key.
    pub(crate) fn take(&self, key: &Key) -> Option<BegunUpload> {
        self.open().remove(key)
    }

    /// Takes out those that nobody has taken up.
    pub(crate) fn take_rest(&self) -> Vec<BegunUpload> {
        std::mem::take(&mut *self.open()).into_values().collect()
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Key, BegunUpload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
