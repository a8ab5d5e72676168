//! The local tree: files below a directory, as a [`Store`].

mod digests;
mod directory;
mod durable;
mod failures;
mod hops;
mod key_path;
mod leftovers;
mod listing;
mod look;
mod marker;
mod publish;
mod read;
mod remove;
mod room;
mod root;
mod stat;
mod temporary;
mod unfinished;
mod walk;
mod write;

#[cfg(test)]
mod scenery;
#[cfg(test)]
mod tests;

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::{
    Capabilities, Conditions, Digest, DigestKind, Entry, Failure, Key, KeyRange, Kind, Listing, NewObject, Object,
    Order, Reader, Receipt, Store, Upload,
};
use hops::Hops;
use root::{Role, Root};
pub use unfinished::remove_temporary_files;

/// Bytes up to which a file is best read or written in one call.
const WHOLE_LIMIT: u64 = 16 << 20;

/// Bytes in a part of a larger file: what is written at once.
const PART_SIZE: u64 = 8 << 20;

/// Bytes that are read, written or hashed so fast that no thread of its own is worth it.
const SMALL: u64 = 256 << 10;

/// Files that are removed in one hop to a thread that may block.
const REMOVAL_BATCH: usize = 100;

/// What is done with symlinks below a source's root. The root itself is
/// always followed: the user named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Symlinks {
    /// A symlink stands for what it points to.
    #[default]
    Follow,
    /// A symlink is listed as unknown, and never followed.
    Skip,
}

/// The files below a directory. Symlinks in a destination are never followed.
#[derive(Debug)]
pub struct LocalStore {
    location: String,
    root: Arc<Root>,
    hops: Hops,
}

impl LocalStore {
    /// The tree below `path` as a source: its root must exist once it is listed.
    pub fn source(path: impl Into<PathBuf>, symlinks: Symlinks) -> Self {
        Self::new(path.into(), symlinks, Role::Source)
    }

    /// The tree below `path` as a destination: a missing root lists as empty,
    /// and is made with the first write.
    ///
    /// Listing it removes the temporary files that a killed process left there.
    pub fn destination(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Symlinks::Skip, Role::Destination)
    }

    /// The same for a dry run: nothing there is changed.
    pub fn preview(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Symlinks::Skip, Role::Preview)
    }

    fn new(path: PathBuf, symlinks: Symlinks, role: Role) -> Self {
        Self {
            location: path.display().to_string(),
            root: Arc::new(Root::new(path, symlinks, role)),
            hops: Hops::default(),
        }
    }

    /// The same, whose calls wait no longer for a slow disk once the token is cancelled.
    #[must_use]
    pub fn abandoned_with(self, abandon: CancellationToken) -> Self {
        Self { hops: Hops::abandoned_with(abandon), ..self }
    }

    /// Runs work that is quick where it may block.
    async fn quick<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Root>) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let root = self.root.clone();
        self.hops.quick(move || work(&root)).await
    }

    /// The same for work that goes over so many bytes.
    async fn over<T: Send + 'static>(
        &self,
        bytes: u64,
        work: impl FnOnce(&Arc<Root>) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        if bytes <= SMALL {
            return self.quick(work).await;
        }
        let root = self.root.clone();
        self.hops.long(move || work(&root)).await
    }
}

#[async_trait]
impl Store for LocalStore {
    fn location(&self) -> &str {
        &self.location
    }

    fn identity(&self) -> String {
        let path = self.root.real_path();
        // Bytes that are no text are told apart by their escapes.
        path.to_str().map_or_else(|| path.as_os_str().as_bytes().escape_ascii().to_string(), str::to_owned)
    }

    async fn make_durable(&self) -> Result<(), Failure> {
        let root = self.root.clone();
        self.hops.long(move || durable::make_durable(&root)).await?
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            kind: Kind::Local,
            order: Order::ByBytes,
            whole_limit: WHOLE_LIMIT,
            part_size: PART_SIZE,
            removal_batch: REMOVAL_BATCH,
            conditions: Conditions::ALL,
        }
    }

    fn list(&self, range: &KeyRange) -> Box<dyn Listing> {
        Box::new(listing::LocalListing::new(self.location.clone(), self.root.clone(), range.clone()))
    }

    async fn look(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        let key = key.clone();
        self.quick(move |root| if key.is_marker() { marker::look(root, key) } else { look::look(root, key) }).await?
    }

    fn could_hold(&self, entry: &Entry) -> Result<(), Failure> {
        key_path::KeyPath::of_object(&entry.key, entry.size).map(drop)
    }

    async fn check_room(&self, key: &Key) -> Result<(), Failure> {
        let key = key.clone();
        self.quick(move |root| room::check_room(root, &key)).await?
    }

    async fn read(&self, entry: &Entry) -> Result<Object, Failure> {
        let entry = entry.clone();
        self.over(entry.size, move |root| read::read_whole(root, &entry)).await?
    }

    async fn open(&self, entry: &Entry) -> Result<Box<dyn Reader>, Failure> {
        let key = entry.key.clone();
        let hops = self.hops.clone();
        let reader = self.quick(move |root| read::FileReader::open(root, &key, hops)).await??;
        Ok(Box::new(reader))
    }

    async fn digests(&self, entry: &Entry, wanted: &[DigestKind]) -> Result<Vec<Digest>, Failure> {
        let (entry, wanted) = (entry.clone(), wanted.to_vec());
        self.over(entry.size, move |root| read::digests(root, &entry, &wanted)).await?
    }

    async fn write(&self, object: &NewObject, body: Bytes) -> Result<Receipt, Failure> {
        let object = object.clone();
        if object.key.is_marker() {
            return self.quick(move |root| marker::write(root, object)).await?;
        }
        self.over(object.size, move |root| write::write_whole(root, object, &body)).await?
    }

    async fn begin(&self, object: &NewObject) -> Result<Box<dyn Upload>, Failure> {
        let object = object.clone();
        let hops = self.hops.clone();
        let upload = self.quick(move |root| write::FileUpload::begin(root, object, hops)).await??;
        Ok(Box::new(upload))
    }

    async fn remove(&self, entries: &[Entry]) -> Vec<Result<(), Failure>> {
        let batch = entries.to_vec();
        let root = self.root.clone();
        match self.hops.long(move || remove::remove(&root, &batch)).await {
            Ok(results) => results,
            Err(failure) => vec![Err(failure); entries.len()],
        }
    }
}
