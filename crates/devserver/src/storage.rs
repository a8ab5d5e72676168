//! Buckets, objects and uploads on disk, with an index in memory.
//!
//! ```text
//! DIR/.lock                            locked by the server that uses DIR
//! DIR/BUCKET/bucket.json               says that this directory is a bucket
//! DIR/BUCKET/objects/4f/4f2c…          one object, named by the SHA-256 of its key
//! DIR/BUCKET/objects/4f/4f2c….ID       one version of it, or a delete marker
//! DIR/BUCKET/uploads/ID/upload.json    what a multipart upload was begun with
//! DIR/BUCKET/uploads/ID/00001          one part
//! DIR/BUCKET/temporary/                what is being written; emptied at start
//! ```
//!
//! A file of an object or part is its body, then its record (see [`trailer`]).
//! It is written as a temporary file and renamed, so a kill at any moment leaves
//! the whole old object or the whole new one. The index of a bucket is read from
//! the records at start; replacing and removing happens under its lock, which
//! makes conditions atomic.

mod attributes;
mod bucket;
mod changes;
mod keys;
mod receive;
mod record;
mod trailer;
mod upload;
mod version_id;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use s3s::{S3Error, S3Result, s3_error};
use thiserror::Error;

pub(crate) use self::attributes::{Attributes, take_attributes};
pub(crate) use self::bucket::{Bucket, Versioning};
pub(crate) use self::changes::Removed;
pub(crate) use self::keys::Keys;
pub(crate) use self::receive::{Expected, Received, copy_body, receive};
pub(crate) use self::record::{ObjectHeaders, Part, Record, take_headers};
pub(crate) use self::upload::{Begun, Upload, UploadState};
pub(crate) use self::version_id::VersionId;
use crate::change_log::ChangeLog;
use crate::clock::Clock;
use crate::config::ListingOrder;

/// All buckets of a directory.
pub(crate) struct Storage {
    directory: PathBuf,
    shared: Shared,
    page_limit: usize,
    buckets: RwLock<BTreeMap<String, Arc<Bucket>>>,
    /// Keeps other servers out of the directory for as long as it is open.
    _lock: File,
}

/// What all buckets have in common.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) order: ListingOrder,
    pub(crate) clock: Arc<Clock>,
    /// `None` where changes aren't kept.
    pub(crate) changes: Option<Arc<ChangeLog>>,
}

/// Why a directory could not be opened.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    /// Another server uses it.
    #[error("another server uses it")]
    InUse,
    /// It could not be made or read.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// No bucket can have this name.
const LOCK: &str = ".lock";

impl Storage {
    /// Opens `directory`, making it if missing, and reads every bucket's index.
    /// Blocks.
    pub(crate) fn open(directory: &Path, page_limit: usize, shared: Shared) -> Result<Self, OpenError> {
        fs::create_dir_all(directory)?;
        // Before anything is read: opening a bucket sweeps what is being written there.
        let lock = lock(&directory.join(LOCK))?;
        let mut buckets = BTreeMap::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if s3s::path::check_bucket_name(&name)
                && let Some(bucket) = Bucket::open(&name, &entry.path(), shared.clone())?
            {
                buckets.insert(name, Arc::new(bucket));
            }
        }
        Ok(Self { directory: directory.to_owned(), shared, page_limit, buckets: RwLock::new(buckets), _lock: lock })
    }

    pub(crate) fn order(&self) -> ListingOrder {
        self.shared.order
    }

    /// The most elements in a page of a listing.
    pub(crate) fn page_limit(&self) -> usize {
        self.page_limit
    }

    /// The bucket of that name, or `NoSuchBucket`.
    pub(crate) fn bucket(&self, name: &str) -> S3Result<Arc<Bucket>> {
        read(&self.buckets)
            .get(name)
            .cloned()
            .ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))
    }

    /// All buckets by name.
    pub(crate) fn buckets(&self) -> Vec<Arc<Bucket>> {
        read(&self.buckets).values().cloned().collect()
    }

    /// From now on the listings of all buckets show what is there now, or with `false` what is there then.
    pub(crate) fn set_lagging(&self, lags: bool) {
        self.buckets().iter().for_each(|bucket| bucket.set_lagging(lags));
    }

    /// Makes a bucket, in this region if one is named. Blocks.
    pub(crate) fn create_bucket(&self, name: &str, region: Option<String>) -> S3Result<()> {
        let mut buckets = write(&self.buckets);
        if buckets.contains_key(name) {
            return Err(s3_error!(BucketAlreadyOwnedByYou, "You already have a bucket of that name."));
        }
        let path = self.directory.join(name);
        if path.exists() {
            return Err(s3_error!(BucketAlreadyExists, "There is a directory of that name that is not a bucket."));
        }
        let bucket = Bucket::create(name, &path, region, self.shared.clone()).map_err(S3Error::internal_error)?;
        buckets.insert(name.to_owned(), Arc::new(bucket));
        Ok(())
    }

    /// Removes an empty bucket. Blocks.
    pub(crate) fn delete_bucket(&self, name: &str) -> S3Result<()> {
        let mut buckets = write(&self.buckets);
        let Some(bucket) = buckets.get(name) else {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        };
        bucket.delete()?;
        buckets.remove(name);
        Ok(())
    }
}

/// Locks a file, which is made if missing, until it is closed: at the latest
/// when the process ends, however it ends.
fn lock(path: &Path) -> Result<File, OpenError> {
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(at(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(error)) => Err(at(path)(error).into()),
    }
}

/// Puts the path into an error that doesn't name it.
fn at(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Runs file work where it may block, and hands back what it returned.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> S3Result<T> + Send + 'static) -> S3Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(S3Error::internal_error)?
}

/// Locks for reading. A panic elsewhere can't leave an index half changed: each
/// change is one insertion or removal.
pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Locks for writing, as [`read`] does for reading.
pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
