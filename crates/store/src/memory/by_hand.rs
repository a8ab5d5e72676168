//! What a test does by hand to a store in memory, and sees of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::objects::Content;
use super::upload::Uploads;
use super::{Call, Fates, MemoryStore};
use crate::{Entry, Failure, Key, ObjectHeaders, Unknown};

impl MemoryStore {
    /// Puts an object there as somebody else would, unconditionally, without
    /// being logged; it is modified now by the store's clock.
    pub fn put(&self, key: impl Into<Key>, body: impl Into<Bytes>) -> Entry {
        let now = (self.options.clock)();
        self.put_modified(key, body, now)
    }

    /// Like [`Self::put`], with the time that listings are to give for it.
    pub fn put_modified(&self, key: impl Into<Key>, body: impl Into<Bytes>, modified: SystemTime) -> Entry {
        let headers = ObjectHeaders::default();
        let content = Content { body: body.into(), part_size: None, headers, modified, changed: modified };
        self.state().put(self.options.kind, &key.into(), content, false)
    }

    /// Gives the object at this key another content, of the same length, and leaves
    /// no trace of it: as an edit does within the tick of a file system's clock.
    pub fn edit_unseen(&self, key: impl Into<Key>, body: impl Into<Bytes>) {
        if let Some(stored) = self.state().objects.stored.get_mut(&key.into()) {
            stored.content.body = body.into();
        }
    }

    /// Takes an object away as somebody else would; in a tree, with a key that
    /// ends in `/`, the directories there that hold no file.
    pub fn take(&self, key: impl Into<Key>) {
        self.state().take(&key.into(), false);
    }

    /// Every key with its content.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<Key, Bytes> {
        self.state().objects.contents()
    }

    /// Every object as listings would tell of it, with its content.
    #[must_use]
    pub fn versions(&self) -> Vec<(Entry, Bytes)> {
        let state = self.state();
        state.objects.stored.values().map(|stored| (stored.entry.clone(), stored.content.body.clone())).collect()
    }

    /// What was written with the object at this key.
    #[must_use]
    pub fn headers(&self, key: impl Into<Key>) -> Option<ObjectHeaders> {
        self.state().objects.get(&key.into()).map(|stored| stored.content.headers.clone())
    }

    /// Uploads that were begun and neither finished nor abandoned.
    #[must_use]
    pub fn unfinished_uploads(&self) -> usize {
        self.state().uploads.count()
    }

    /// Ends all of them, as a tree's temporary files are swept.
    pub fn forget_uploads(&self) {
        self.state().uploads = Uploads::default();
    }

    /// Makes listings say from now on that this is unknown, and leave out what it covers.
    pub fn add_unknown(&self, unknown: Unknown) {
        self.state().unknowns.push(unknown);
    }

    /// Makes listings tell of everything again.
    pub fn forget_unknowns(&self) {
        self.state().unknowns.clear();
    }

    /// Makes listings leave out this key, as those of a store do that shows writes late.
    pub fn hide_from_listings(&self, key: impl Into<Key>) {
        self.state().hidden.push(key.into());
    }

    /// Makes the next `times` calls of this kind at this key fail.
    pub fn fail(&self, call: Call, key: impl Into<Key>, times: usize, failure: Failure) {
        self.state().faults.add(call, key.into(), times, failure);
    }

    /// Makes listings break off after this many items from now on; `None` mends them.
    pub fn break_listings_after(&self, items: Option<usize>) {
        self.state().faults.listing_breaks_after = items;
    }

    /// Makes every call from now on meet its fate; `None` ends that.
    pub fn set_fates(&self, fates: Option<Arc<dyn Fates>>) {
        self.state().fates = fates;
    }

    /// Every call so far, in order, with its key (of a listing, the key it starts after).
    #[must_use]
    pub fn calls(&self) -> Vec<(Call, Key)> {
        self.state().calls.clone()
    }

    /// How often this call was made so far.
    #[must_use]
    pub fn count(&self, call: Call) -> usize {
        self.state().calls.iter().filter(|(made, _)| *made == call).count()
    }
}
