//! A store in memory, for tests and simulation: it keeps every promise of the
//! trait, and breaks the ones it is told to break.

mod by_hand;
mod calls;
mod directories;
mod durability;
mod fates;
mod faults;
mod listing;
mod objects;
mod options;
mod reader;
mod upload;
mod versions;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

pub use durability::Loss;
pub use fates::{Change, Fate, Fates, Step, Strike};
pub use faults::Call;
pub use options::{Clock, MemoryOptions, Sequence, ticking_clock};

use crate::{
    Capabilities, ClockSkew, Conditions, Digest, DigestKind, Entry, Failure, FailureKind, KeptVersion, Key, KeyRange,
    Kind, Listing, ListingError, NewObject, Object, OpenUploads, Reader, Receipt, Resumed, Store, Unknown, Upload,
    Verified, VersionListing, Versioning,
};
use durability::Unwritten;
use faults::Faults;
use objects::{Content, Objects, Stored};
use upload::{MemoryUpload, MemoryUploads, Uploads};

/// A store in memory. Clones share their objects.
#[derive(Clone)]
pub struct MemoryStore {
    options: Arc<MemoryOptions>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: Objects,
    uploads: Uploads,
    unwritten: Unwritten,
    versions: Vec<KeptVersion>,
    /// What [`MemoryStore::set_versioning`] said.
    versioning: Option<Versioning>,
    unknowns: Vec<Unknown>,
    hidden: Vec<Key>,
    faults: Faults,
    fates: Option<Arc<dyn Fates>>,
    calls: Vec<(Call, Key)>,
}

impl State {
    fn put(&mut self, kind: Kind, key: &Key, content: Content, by_call: bool) -> Entry {
        let before = self.objects.get(key).cloned();
        self.unwritten.note(key, before.as_ref());
        let stored = self.objects.insert(kind, key.clone(), content, !by_call);
        self.tell(key, before.as_ref(), Some(&stored), by_call);
        stored.entry
    }

    fn take(&mut self, key: &Key, by_call: bool) {
        let before = self.objects.remove(key);
        if before.is_some() {
            self.unwritten.note(key, before.as_ref());
        }
        self.tell(key, before.as_ref(), None, by_call);
    }

    fn tell(&self, key: &Key, before: Option<&Stored>, after: Option<&Stored>, by_call: bool) {
        if let Some(fates) = &self.fates {
            let [before, after] =
                [before, after].map(|stored| stored.map(|stored| (&stored.entry, &stored.content.body)));
            fates.changed(Change { key, before, after, by_call });
        }
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(options: MemoryOptions) -> Self {
        let objects = Objects::taking_for_the_same(options.folds);
        let state = State { objects, ..State::default() };
        Self { options: Arc::new(options), state: Arc::new(Mutex::new(state)) }
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the key can only be that of a directory.
    fn is_directory(&self, key: &Key) -> bool {
        self.options.kind == Kind::Local && key.is_marker()
    }

    fn check_represents(&self, key: &Key) -> Result<(), Failure> {
        let name = if self.is_directory(key) { directories::without_slash(key) } else { key.clone() };
        if name.is_reserved() || !(self.options.represents)(&name) {
            return Err(Failure::new(FailureKind::Unrepresentable, "this store can't hold a key like this one"));
        }
        Ok(())
    }

    /// Whether the new object may be written now.
    fn admit(&self, state: &State, object: &NewObject) -> Result<(), Failure> {
        self.check_holds_content(&object.key)?;
        if self.options.obstructs {
            state.objects.check_not_obstructed(&object.key)?;
        }
        state.objects.check_condition(object)
    }

    fn check_holds_content(&self, key: &Key) -> Result<(), Failure> {
        self.check_represents(key)?;
        if self.is_directory(key) {
            return Err(Failure::new(FailureKind::Unrepresentable, "no file can have a key that ends in a slash"));
        }
        Ok(())
    }

    /// Makes the directory that a marker stands for, in a tree.
    fn make_directory(&self, state: &mut State, object: &NewObject) -> Result<Receipt, Failure> {
        self.check_represents(&object.key)?;
        if self.options.obstructs {
            state.objects.check_not_obstructed(&object.key)?;
        }
        let entry = state.make_directory(&object.key);
        Ok(Receipt { entry, verified: Verified::Yes, digest: None })
    }

    fn store(&self, state: &mut State, object: &NewObject, body: Bytes, part_size: Option<u64>) -> Receipt {
        let changed = (self.options.clock)();
        let modified = match self.options.kind {
            Kind::Local => object.headers.modified.unwrap_or(changed),
            Kind::Remote => changed,
        };
        let content = Content { body, part_size, headers: object.headers.clone(), modified, changed };
        let entry = state.put(self.options.kind, &object.key, content, true);
        Receipt { entry, verified: Verified::Yes, digest: None }
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn location(&self) -> &str {
        &self.options.location
    }

    fn capabilities(&self) -> Capabilities {
        let MemoryOptions { kind, order, whole_limit, part_size, removal_batch, .. } = *self.options;
        let conditions = Conditions::ALL;
        Capabilities { kind, order, whole_limit, part_size, removal_batch, conditions }
    }

    fn list(&self, range: &KeyRange) -> Box<dyn Listing> {
        Box::new(listing::MemoryListing::new(self.clone(), range.clone()))
    }

    async fn first_after(&self, key: &Key) -> Result<Option<Key>, ListingError> {
        let first =
            self.call(Call::FirstAfter, key, |state| Ok(listing::first_after(state, key, self.options.sequence))).await;
        first.map_err(|failure| ListingError { location: self.options.location.clone(), reason: failure.reason })
    }

    async fn look(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        self.check_represents(key)?;
        self.call(Call::Look, key, |state| {
            Ok(match state.objects.found(key) {
                Some(found) => Some(found),
                None if self.is_directory(key) => state.objects.directory(key),
                None => None,
            })
        })
        .await
    }

    fn could_hold(&self, entry: &Entry) -> Result<(), Failure> {
        if entry.size == 0 { self.check_represents(&entry.key) } else { self.check_holds_content(&entry.key) }
    }

    async fn check_room(&self, key: &Key) -> Result<(), Failure> {
        self.check_represents(key)?;
        if self.options.obstructs { self.state().objects.check_not_obstructed(key) } else { Ok(()) }
    }

    async fn read(&self, entry: &Entry) -> Result<Object, Failure> {
        self.call(Call::Read, &entry.key, |state| {
            let stored = state.objects.openable(entry)?;
            if stored.entry.size > entry.size {
                return Err(Failure::new(FailureKind::Changed, "it has grown since it was listed"));
            }
            Ok(Object {
                entry: stored.entry.clone(),
                headers: stored.headers_read(),
                body: stored.content.body.clone(),
                verified: Verified::Yes,
            })
        })
        .await
    }

    async fn open(&self, entry: &Entry) -> Result<Box<dyn Reader>, Failure> {
        let stored = self.call(Call::Open, &entry.key, |state| state.objects.openable(entry).cloned()).await?;
        Ok(Box::new(reader::MemoryReader::new(self.clone(), stored)))
    }

    async fn digests(&self, entry: &Entry, wanted: &[DigestKind]) -> Result<Vec<Digest>, Failure> {
        self.call(Call::Digests, &entry.key, |state| {
            let stored = state.objects.version(entry)?;
            Ok(wanted.iter().filter_map(|&kind| stored.known_digest(kind)).collect())
        })
        .await
    }

    async fn noted_md5(&self, entry: &Entry) -> Result<Option<[u8; 16]>, Failure> {
        self.call(Call::Digests, &entry.key, |state| Ok(state.objects.version(entry)?.content.headers.md5)).await
    }

    async fn write(&self, object: &NewObject, body: Bytes) -> Result<Receipt, Failure> {
        self.call(Call::Write, &object.key, |state| {
            if self.is_directory(&object.key) && object.size == 0 {
                return self.make_directory(state, object);
            }
            self.admit(state, object)?;
            objects::check_size(object, &body)?;
            Ok(self.store(state, object, body, None))
        })
        .await
    }

    fn terms(&self, object: &NewObject) -> Result<[u8; 32], Failure> {
        Ok(objects::terms(object))
    }

    async fn begin(&self, object: &NewObject) -> Result<Box<dyn Upload>, Failure> {
        let begun = self.call(Call::Begin, &object.key, |state| {
            self.admit(state, object)?;
            Ok(state.uploads.begin(object, (self.options.clock)()))
        });
        Ok(Box::new(MemoryUpload::new(self.clone(), object.clone(), begun.await?)))
    }

    async fn resume(&self, object: &NewObject, upload_id: &str) -> Result<Option<Resumed>, Failure> {
        if self.options.kind == Kind::Local {
            return Ok(None);
        }
        let listed = |state: &mut State| Ok(state.uploads.finished_parts(&object.key, upload_id));
        let Some(parts) = self.call(Call::Resume, &object.key, listed).await? else { return Ok(None) };
        let upload = Box::new(MemoryUpload::new(self.clone(), object.clone(), upload_id.into()));
        Ok(Some(Resumed { upload, parts }))
    }

    async fn abandon_upload(&self, key: &Key, upload_id: &str) -> Result<(), Failure> {
        if self.options.kind == Kind::Local {
            return Ok(());
        }
        let abandoned = self.call(Call::AbandonUpload, key, |state| Ok(state.uploads.end(key, upload_id)));
        abandoned.await.map(drop)
    }

    fn open_uploads(&self) -> Box<dyn OpenUploads> {
        match self.options.kind {
            Kind::Local => Box::new(crate::upload::NoUploads),
            Kind::Remote => Box::new(MemoryUploads::new(self.clone())),
        }
    }

    async fn remove(&self, entries: &[Entry]) -> Vec<Result<(), Failure>> {
        let mut results = Vec::with_capacity(entries.len());
        for entry in entries {
            let removed = self.call(Call::Remove, &entry.key, |state| match state.objects.version(entry) {
                Ok(_) => {
                    state.take(&entry.key, true);
                    Ok(())
                }
                Err(failure) if failure.kind == FailureKind::Absent => Ok(()),
                Err(failure) => Err(failure),
            });
            results.push(removed.await);
        }
        results
    }

    async fn versioning(&self) -> Result<Versioning, Failure> {
        let versioning = |state: &mut State| Ok(state.versioning.unwrap_or(self.options.versioning));
        self.call(Call::Versioning, &Key::from(""), versioning).await
    }

    fn clock_skew(&self) -> Option<ClockSkew> {
        self.options.tells_time.then(ClockSkew::default)
    }

    fn list_versions(&self, of: Option<&Key>) -> Box<dyn VersionListing> {
        Box::new(versions::MemoryVersions::new(self.clone(), of.cloned()))
    }

    async fn remove_versions(&self, versions: &[KeptVersion]) -> Vec<Result<(), Failure>> {
        let mut results = Vec::with_capacity(versions.len());
        for version in versions {
            results.push(self.remove_version(version).await);
        }
        results
    }

    async fn make_durable(&self) -> Result<(), Failure> {
        self.call(Call::MakeDurable, &Key::from(""), |state| {
            state.unwritten.forget();
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests;
