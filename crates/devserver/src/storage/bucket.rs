//! One bucket: its index, and objects put, opened and removed under its lock.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use s3s::crypto::{Checksum as _, Sha256};
use s3s::dto::Timestamp;
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Record, Upload, at, now, read, trailer, write};
use crate::change_log::ChangeLog;
use crate::checksums::hex;
use crate::conditions::Writing;
use crate::config::ListingOrder;

/// A bucket.
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    directory: PathBuf,
    order: ListingOrder,
    /// `None` where changes aren't kept.
    changes: Option<Arc<ChangeLog>>,
    index: RwLock<Index>,
    /// What listings show in place of the index, while they lag behind it.
    lagging: RwLock<Option<Objects>>,
    /// Multipart uploads under way, by id.
    pub(super) uploads: RwLock<BTreeMap<String, Arc<Upload>>>,
}

/// Objects by sort key (see [`ListingOrder`]).
pub(crate) type Objects = BTreeMap<Vec<u8>, Arc<Record>>;

/// The objects of a bucket in listing order.
#[derive(Default)]
struct Index {
    objects: Objects,
    /// Set when the bucket is removed, for those who still hold it.
    deleted: bool,
}

/// The file that says that a directory is a bucket.
#[derive(Serialize, Deserialize)]
struct Description {
    created: Timestamp,
}

const DESCRIPTION: &str = "bucket.json";
const OBJECTS: &str = "objects";
const TEMPORARY: &str = "temporary";
const UPLOADS: &str = "uploads";

impl Bucket {
    /// Makes a bucket in a directory that doesn't exist.
    pub(super) fn create(
        name: &str,
        directory: &Path,
        order: ListingOrder,
        changes: Option<Arc<ChangeLog>>,
    ) -> io::Result<Self> {
        for part in [OBJECTS, TEMPORARY, UPLOADS] {
            fs::create_dir_all(directory.join(part))?;
        }
        let description = Description { created: now() };
        fs::write(directory.join(DESCRIPTION), serde_json::to_vec(&description)?)?;
        Ok(Self::new(name, directory, order, changes, description))
    }

    /// Reads a bucket; `None` where the directory is no bucket.
    pub(super) fn open(
        name: &str,
        directory: &Path,
        order: ListingOrder,
        changes: Option<Arc<ChangeLog>>,
    ) -> io::Result<Option<Self>> {
        let description = directory.join(DESCRIPTION);
        let description = match fs::read(&description) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| at(&description)(error.into()))?,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(at(&description)(error)),
        };
        let bucket = Self::new(name, directory, order, changes, description);
        fs::remove_dir_all(bucket.temporary())?;
        fs::create_dir(bucket.temporary())?;
        let mut index = write(&bucket.index);
        for shelf in fs::read_dir(directory.join(OBJECTS))? {
            let shelf = shelf?.path();
            for object in fs::read_dir(&shelf).map_err(at(&shelf))? {
                let record: Record = trailer::load(&object?.path())?;
                index.objects.insert(order.sort_key(&record.key), Arc::new(record));
            }
        }
        drop(index);
        for entry in fs::read_dir(directory.join(UPLOADS))? {
            if let Some(upload) = Upload::open(&entry?.path())? {
                write(&bucket.uploads).insert(upload.id.clone(), Arc::new(upload));
            }
        }
        Ok(Some(bucket))
    }

    fn new(
        name: &str,
        directory: &Path,
        order: ListingOrder,
        changes: Option<Arc<ChangeLog>>,
        description: Description,
    ) -> Self {
        Self {
            name: name.to_owned(),
            created: description.created,
            directory: directory.to_owned(),
            order,
            changes,
            index: RwLock::default(),
            lagging: RwLock::default(),
            uploads: RwLock::default(),
        }
    }

    /// Where files are written before they are renamed into place.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.directory.join(TEMPORARY)
    }

    pub(super) fn uploads_directory(&self) -> PathBuf {
        self.directory.join(UPLOADS)
    }

    fn path(&self, key: &str) -> PathBuf {
        let name = hex(Sha256::checksum(key.as_bytes()));
        let first = name.get(..2).unwrap_or_default();
        self.directory.join(OBJECTS).join(first).join(&name)
    }

    /// Hands what listings show to `look`, which must be quick: writers wait.
    pub(crate) fn with_listed<T>(&self, look: impl FnOnce(&Objects) -> T) -> T {
        match &*read(&self.lagging) {
            Some(objects) => look(objects),
            None => look(&read(&self.index).objects),
        }
    }

    /// From now on listings show what is there now, or with `false` what is there then.
    pub(super) fn set_lagging(&self, lags: bool) {
        let objects = lags.then(|| read(&self.index).objects.clone());
        *write(&self.lagging) = objects;
    }

    /// What is kept of `key`, or `NoSuchKey`.
    pub(crate) fn record(&self, key: &str) -> S3Result<Arc<Record>> {
        read(&self.index).objects.get(&self.order.sort_key(key)).cloned().ok_or_else(no_such_key)
    }

    /// The object and its file, which stays readable whatever happens to the
    /// key. Blocks.
    pub(crate) fn open_object(&self, key: &str) -> S3Result<(Arc<Record>, File)> {
        // The lock is held until the file is open, so that they belong together.
        let index = read(&self.index);
        let record = index.objects.get(&self.order.sort_key(key)).cloned().ok_or_else(no_such_key)?;
        let file = File::open(self.path(key)).map_err(S3Error::internal_error)?;
        Ok((record, file))
    }

    /// Puts the object whose body `body` holds, if the conditions hold. Blocks.
    pub(crate) fn put(&self, mut body: NamedTempFile, record: Record, conditions: &Writing) -> S3Result<Arc<Record>> {
        trailer::append(body.as_file_mut(), &record).map_err(S3Error::internal_error)?;
        let path = self.path(&record.key);
        let sort_key = self.order.sort_key(&record.key);
        let mut index = write(&self.index);
        if index.deleted {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        }
        let current = index.objects.get(&sort_key).map(Arc::as_ref);
        conditions.check(current)?;
        if let Some(shelf) = path.parent() {
            fs::create_dir_all(shelf).map_err(S3Error::internal_error)?;
        }
        body.persist(&path).map_err(S3Error::internal_error)?;
        self.tell([current, Some(&record)], &record.key, conditions);
        let record = Arc::new(record);
        index.objects.insert(sort_key, Arc::clone(&record));
        Ok(record)
    }

    /// Removes the object if the conditions hold. To remove nothing is no error. Blocks.
    pub(crate) fn remove(&self, key: &str, conditions: &Writing) -> S3Result<()> {
        let sort_key = self.order.sort_key(key);
        let mut index = write(&self.index);
        let current = index.objects.get(&sort_key).map(Arc::as_ref);
        conditions.check(current)?;
        if current.is_some() {
            fs::remove_file(self.path(key)).map_err(S3Error::internal_error)?;
            self.tell([current, None], key, conditions);
            index.objects.remove(&sort_key);
        }
        Ok(())
    }

    fn tell(&self, versions: [Option<&Record>; 2], key: &str, conditions: &Writing) {
        if let Some(changes) = &self.changes {
            changes.push([&self.name, key], versions, conditions);
        }
    }

    /// Removes the bucket if it is empty. Blocks.
    pub(super) fn delete(&self) -> S3Result<()> {
        let mut index = write(&self.index);
        if !index.objects.is_empty() {
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
        }
        index.deleted = true;
        fs::remove_dir_all(&self.directory).map_err(S3Error::internal_error)
    }
}

fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}
