//! A store in memory, for tests and simulation: it keeps every promise of the
//! trait, and breaks the ones it is told to break.

mod faults;
mod listing;
mod objects;
mod options;
mod transfer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

pub use faults::Call;
pub use options::{Clock, MemoryOptions, Sequence, ticking_clock};

use crate::{
    Capabilities, Digest, DigestKind, Entry, Failure, FailureKind, Key, KeyRange, Kind, Listing, NewObject, Object,
    ObjectHeaders, Reader, Receipt, Store, Unknown, Upload, Verified,
};
use faults::Faults;
use objects::{Content, Objects};

/// A store in memory. Clones share their objects.
#[derive(Clone)]
pub struct MemoryStore {
    options: Arc<MemoryOptions>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: Objects,
    unknowns: Vec<Unknown>,
    hidden: Vec<Key>,
    faults: Faults,
    calls: Vec<(Call, Key)>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(options: MemoryOptions) -> Self {
        Self { options: Arc::new(options), state: Arc::default() }
    }

    /// An empty local tree: [`MemoryOptions::local`].
    #[must_use]
    pub fn local() -> Self {
        Self::new(MemoryOptions::local())
    }

    /// An empty bucket: [`MemoryOptions::remote`].
    #[must_use]
    pub fn remote() -> Self {
        Self::new(MemoryOptions::remote())
    }

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
        self.state().objects.insert(self.options.kind, key.into(), content)
    }

    /// Takes an object away as somebody else would.
    pub fn take(&self, key: impl Into<Key>) {
        self.state().objects.remove(&key.into());
    }

    /// Every key with its content.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<Key, Bytes> {
        self.state().objects.contents()
    }

    /// What was written with the object at this key.
    #[must_use]
    pub fn headers(&self, key: impl Into<Key>) -> Option<ObjectHeaders> {
        self.state().objects.get(&key.into()).map(|stored| stored.content.headers.clone())
    }

    /// Uploads that were begun and neither finished nor abandoned.
    #[must_use]
    pub fn open_uploads(&self) -> usize {
        self.state().objects.open_uploads
    }

    /// Makes listings say from now on that this is unknown, and leave out what it covers.
    pub fn add_unknown(&self, unknown: Unknown) {
        self.state().unknowns.push(unknown);
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs the call and fails if it is to fail; else hands out the state.
    fn call(&self, call: Call, key: &Key) -> Result<MutexGuard<'_, State>, Failure> {
        let mut state = self.state();
        state.calls.push((call, key.clone()));
        match state.faults.strike(call, key) {
            Some(failure) => Err(failure),
            None => Ok(state),
        }
    }

    fn check_represents(&self, key: &Key) -> Result<(), Failure> {
        if key.is_reserved() || !(self.options.represents)(key) {
            return Err(Failure::new(FailureKind::Unrepresentable, "this store can't hold a key like this one"));
        }
        Ok(())
    }

    /// Whether the new object may be written now.
    fn admit(&self, state: &State, object: &NewObject) -> Result<(), Failure> {
        self.check_represents(&object.key)?;
        if self.options.obstructs {
            state.objects.check_not_obstructed(&object.key)?;
        }
        state.objects.check_condition(object)
    }

    fn store(&self, state: &mut State, object: &NewObject, body: Bytes, part_size: Option<u64>) -> Receipt {
        let changed = (self.options.clock)();
        let modified = match self.options.kind {
            Kind::Local => object.headers.modified.unwrap_or(changed),
            Kind::Remote => changed,
        };
        let content = Content { body, part_size, headers: object.headers.clone(), modified, changed };
        let entry = state.objects.insert(self.options.kind, object.key.clone(), content);
        Receipt { entry, verified: Verified::Yes }
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn location(&self) -> &str {
        &self.options.location
    }

    fn capabilities(&self) -> Capabilities {
        let MemoryOptions { kind, order, whole_limit, removal_batch, .. } = *self.options;
        Capabilities { kind, order, whole_limit, removal_batch }
    }

    fn list(&self, range: &KeyRange) -> Box<dyn Listing> {
        Box::new(listing::MemoryListing::new(self.clone(), range.clone()))
    }

    async fn look(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        self.check_represents(key)?;
        Ok(self.call(Call::Look, key)?.objects.get(key).map(|stored| stored.entry.clone()))
    }

    async fn read(&self, entry: &Entry) -> Result<Object, Failure> {
        let state = self.call(Call::Read, &entry.key)?;
        let stored = state.objects.version(entry)?;
        Ok(Object {
            entry: stored.entry.clone(),
            headers: stored.headers_read(),
            body: stored.content.body.clone(),
            verified: Verified::Yes,
        })
    }

    async fn open(&self, entry: &Entry) -> Result<Box<dyn Reader>, Failure> {
        let stored = self.call(Call::Open, &entry.key)?.objects.version(entry)?.clone();
        Ok(Box::new(transfer::MemoryReader::new(self.clone(), stored)))
    }

    async fn digests(&self, entry: &Entry, wanted: &[DigestKind]) -> Result<Vec<Digest>, Failure> {
        let state = self.call(Call::Digests, &entry.key)?;
        let stored = state.objects.version(entry)?;
        Ok(wanted.iter().filter_map(|&kind| stored.known_digest(kind)).collect())
    }

    async fn write(&self, object: &NewObject, body: Bytes) -> Result<Receipt, Failure> {
        let mut state = self.call(Call::Write, &object.key)?;
        self.admit(&state, object)?;
        objects::check_size(object, &body)?;
        Ok(self.store(&mut state, object, body, None))
    }

    async fn begin(&self, object: &NewObject) -> Result<Box<dyn Upload>, Failure> {
        let mut state = self.call(Call::Begin, &object.key)?;
        self.admit(&state, object)?;
        state.objects.open_uploads += 1;
        Ok(Box::new(transfer::MemoryUpload::new(self.clone(), object.clone())))
    }

    async fn remove(&self, entries: &[Entry]) -> Vec<Result<(), Failure>> {
        let remove = |entry: &Entry| {
            let mut state = self.call(Call::Remove, &entry.key)?;
            match state.objects.version(entry) {
                Ok(_) => state.objects.remove(&entry.key),
                Err(failure) if failure.kind == FailureKind::Absent => {}
                Err(failure) => return Err(failure),
            }
            Ok(())
        };
        entries.iter().map(remove).collect()
    }
}

#[cfg(test)]
mod tests;
