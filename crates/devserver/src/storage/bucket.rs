//! One bucket: its index, and objects put, opened and removed under its lock.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use s3s::crypto::{Checksum as _, Sha256};
use s3s::dto::Timestamp;
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::keys::{Keys, Objects};
use super::{Record, Shared, Upload, VersionId, at, read, trailer, write};
use crate::checksums::hex;
use crate::conditions::Writing;
use crate::errors;

/// A bucket.
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    directory: PathBuf,
    pub(super) shared: Shared,
    index: RwLock<Index>,
    /// What listings show in place of the index, while they lag behind it.
    lagging: RwLock<Option<Keys>>,
    /// Multipart uploads under way, by id.
    pub(super) uploads: RwLock<BTreeMap<String, Arc<Upload>>>,
}

/// What a bucket has, and how it keeps it.
#[derive(Default)]
struct Index {
    keys: Keys,
    /// How many versions were written.
    written: u64,
    versioning: Versioning,
    /// Set when the bucket is removed, for those who still hold it.
    deleted: bool,
}

/// Whether a bucket keeps what is replaced and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Versioning {
    /// It doesn't and never did.
    #[default]
    Never,
    /// All of it.
    Enabled,
    /// What was written while it was enabled.
    Suspended,
}

/// The file that says that a directory is a bucket.
#[derive(Serialize, Deserialize)]
struct Description {
    created: Timestamp,
    #[serde(default)]
    versioning: Versioning,
}

/// What a removal did.
pub(crate) struct Removed {
    /// The version that was removed or, where a delete marker was made, that one.
    /// `None` where there are no versions.
    pub(crate) version: Option<VersionId>,
    /// Whether that is a delete marker.
    pub(crate) delete_marker: bool,
}

const DESCRIPTION: &str = "bucket.json";
const OBJECTS: &str = "objects";
const TEMPORARY: &str = "temporary";
const UPLOADS: &str = "uploads";

impl Bucket {
    /// Makes a bucket in a directory that doesn't exist.
    pub(super) fn create(name: &str, directory: &Path, shared: Shared) -> io::Result<Self> {
        for part in [OBJECTS, TEMPORARY, UPLOADS] {
            fs::create_dir_all(directory.join(part))?;
        }
        let description = Description { created: shared.clock.now(), versioning: Versioning::Never };
        fs::write(directory.join(DESCRIPTION), serde_json::to_vec(&description)?)?;
        Ok(Self::new(name, directory, shared, &description))
    }

    /// Reads a bucket; `None` where the directory is no bucket.
    pub(super) fn open(name: &str, directory: &Path, shared: Shared) -> io::Result<Option<Self>> {
        let description = directory.join(DESCRIPTION);
        let description: Description = match fs::read(&description) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| at(&description)(error.into()))?,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(at(&description)(error)),
        };
        let bucket = Self::new(name, directory, shared, &description);
        fs::remove_dir_all(bucket.temporary())?;
        fs::create_dir(bucket.temporary())?;
        bucket.load()?;
        for entry in fs::read_dir(directory.join(UPLOADS))? {
            if let Some(upload) = Upload::open(&entry?.path())? {
                write(&bucket.uploads).insert(upload.id.clone(), Arc::new(upload));
            }
        }
        Ok(Some(bucket))
    }

    fn new(name: &str, directory: &Path, shared: Shared, description: &Description) -> Self {
        Self {
            name: name.to_owned(),
            created: description.created.clone(),
            directory: directory.to_owned(),
            shared,
            index: RwLock::new(Index { versioning: description.versioning, ..Index::default() }),
            lagging: RwLock::default(),
            uploads: RwLock::default(),
        }
    }

    /// Fills the index from the files.
    fn load(&self) -> io::Result<()> {
        let mut versions: Vec<Arc<Record>> = Vec::new();
        for directory in fs::read_dir(self.directory.join(OBJECTS))? {
            let directory = directory?.path();
            for file in fs::read_dir(&directory).map_err(at(&directory))? {
                versions.push(Arc::new(trailer::load(&file?.path())?));
            }
        }
        versions.sort_by_key(|record| record.sequence);
        let mut index = write(&self.index);
        index.written = versions.last().map_or(0, |last| last.sequence);
        for record in versions {
            index.keys.put(self.shared.order.sort_key(&record.key), record);
        }
        Ok(())
    }

    /// The time that what is written now is dated with.
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Where files are written before they are renamed into place.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.directory.join(TEMPORARY)
    }

    pub(super) fn uploads_directory(&self) -> PathBuf {
        self.directory.join(UPLOADS)
    }

    fn path(&self, key: &str, version: &VersionId) -> PathBuf {
        let name = hex(Sha256::checksum(key.as_bytes()));
        let first = name.get(..2).unwrap_or_default();
        self.directory.join(OBJECTS).join(first).join(name.clone() + &version.suffix())
    }

    /// Hands the objects that listings show to `look`, which must be quick: writers wait.
    pub(crate) fn with_listed<T>(&self, look: impl FnOnce(&Objects) -> T) -> T {
        self.with_versions(|keys| look(keys.objects()))
    }

    /// The same for all versions.
    pub(crate) fn with_versions<T>(&self, look: impl FnOnce(&Keys) -> T) -> T {
        match &*read(&self.lagging) {
            Some(keys) => look(keys),
            None => look(&read(&self.index).keys),
        }
    }

    /// From now on listings show what is there now, or with `false` what is there then.
    pub(super) fn set_lagging(&self, lags: bool) {
        let keys = lags.then(|| read(&self.index).keys.clone());
        *write(&self.lagging) = keys;
    }

    pub(crate) fn versioning(&self) -> Versioning {
        read(&self.index).versioning
    }

    /// From now on the bucket keeps versions so. Blocks.
    pub(crate) fn set_versioning(&self, versioning: Versioning) -> S3Result<()> {
        let mut index = write(&self.index);
        let replace = || -> io::Result<()> {
            let mut file = NamedTempFile::new_in(self.temporary())?;
            serde_json::to_writer(&mut file, &Description { created: self.created.clone(), versioning })?;
            file.persist(self.directory.join(DESCRIPTION))?;
            Ok(())
        };
        replace().map_err(S3Error::internal_error)?;
        index.versioning = versioning;
        Ok(())
    }

    /// The id that an answer shows; `None` where the bucket never had versions.
    pub(crate) fn shown(&self, record: &Record) -> Option<String> {
        (self.versioning() != Versioning::Never).then(|| record.version.to_string())
    }

    /// What is kept of a version of `key`, of the current one where none is named, or the
    /// error that says that there is none.
    pub(crate) fn record(&self, key: &str, version: Option<&VersionId>) -> S3Result<Arc<Record>> {
        let index = read(&self.index);
        self.find(&index, key, version).cloned()
    }

    /// A version and its file, which stays readable whatever happens to the
    /// key. Blocks.
    pub(crate) fn open_object(&self, key: &str, version: Option<&VersionId>) -> S3Result<(Arc<Record>, File)> {
        // The lock is held until the file is open, so that they belong together.
        let index = read(&self.index);
        let record = self.find(&index, key, version)?;
        let file = File::open(self.path(key, &record.version)).map_err(S3Error::internal_error)?;
        Ok((Arc::clone(record), file))
    }

    fn find<'a>(&self, index: &'a Index, key: &str, version: Option<&VersionId>) -> S3Result<&'a Arc<Record>> {
        let sort_key = self.shared.order.sort_key(key);
        let Some(id) = version else {
            let current = index.keys.versions(&sort_key).next();
            return match current {
                Some(record) if record.delete_marker => Err(errors::deleted(record)),
                Some(record) => Ok(record),
                None => Err(no_such_key()),
            };
        };
        match index.keys.version(&sort_key, id) {
            Some(record) if record.delete_marker => Err(errors::is_delete_marker(record)),
            Some(record) => Ok(record),
            None => Err(s3_error!(NoSuchVersion, "The specified version does not exist.")),
        }
    }

    /// Puts the object whose body `body` holds, if the conditions hold. Which version it is,
    /// and when it was written, is said here. Blocks.
    pub(crate) fn put(&self, body: NamedTempFile, record: Record, conditions: &Writing) -> S3Result<Arc<Record>> {
        let mut index = write(&self.index);
        if index.deleted {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        }
        let current = index.keys.object(&self.shared.order.sort_key(&record.key));
        conditions.check(current.map(Arc::as_ref))?;
        self.add(&mut index, body, record, conditions)
    }

    /// Removes the version of that id or, where none is named, the object: as far as the
    /// bucket keeps versions, by a delete marker. To remove nothing is no error. Blocks.
    pub(crate) fn remove(&self, key: &str, version: Option<&VersionId>, conditions: &Writing) -> S3Result<Removed> {
        let sort_key = self.shared.order.sort_key(key);
        let mut index = write(&self.index);
        let current = index.keys.object(&sort_key).cloned();
        conditions.check(current.as_deref())?;
        let never = index.versioning == Versioning::Never;
        if version.is_none() && !never {
            let body = NamedTempFile::new_in(self.temporary()).map_err(S3Error::internal_error)?;
            let marker = Record { key: key.to_owned(), delete_marker: true, ..Record::default() };
            let marker = self.add(&mut index, body, marker, conditions)?;
            return Ok(Removed { version: Some(marker.version.clone()), delete_marker: true });
        }
        let id = version.cloned().unwrap_or_default();
        let mut delete_marker = false;
        if let Some(record) = index.keys.version(&sort_key, &id) {
            delete_marker = record.delete_marker;
            fs::remove_file(self.path(key, &id)).map_err(S3Error::internal_error)?;
            index.keys.remove(&sort_key, &id);
            self.tell(&index, current.as_deref(), key, conditions);
        }
        Ok(Removed { version: Some(id).filter(|_| version.is_some()), delete_marker })
    }

    /// Changes what is kept of a version beside its bytes, unless `change` refuses. Blocks.
    pub(crate) fn change(
        &self,
        key: &str,
        version: Option<&VersionId>,
        change: impl FnOnce(&mut Record) -> S3Result<()>,
    ) -> S3Result<Arc<Record>> {
        let mut index = write(&self.index);
        let mut record = Record::clone(self.find(&index, key, version)?);
        change(&mut record)?;
        let path = self.path(key, &record.version);
        let rewrite = || -> io::Result<()> {
            let mut file = NamedTempFile::new_in(self.temporary())?;
            io::copy(&mut File::open(&path)?.take(record.size), &mut file)?;
            trailer::append(file.as_file_mut(), &record)?;
            file.persist(&path)?;
            Ok(())
        };
        rewrite().map_err(S3Error::internal_error)?;
        let record = Arc::new(record);
        index.keys.replace(&self.shared.order.sort_key(key), &record);
        Ok(record)
    }

    /// Makes `record` the current version of its key.
    fn add(
        &self,
        index: &mut Index,
        mut body: NamedTempFile,
        mut record: Record,
        conditions: &Writing,
    ) -> S3Result<Arc<Record>> {
        index.written += 1;
        record.sequence = index.written;
        record.modified = self.now();
        if index.versioning == Versioning::Enabled {
            record.version = VersionId::new(record.sequence);
        }
        trailer::append(body.as_file_mut(), &record).map_err(S3Error::internal_error)?;
        let path = self.path(&record.key, &record.version);
        if let Some(shelf) = path.parent() {
            fs::create_dir_all(shelf).map_err(S3Error::internal_error)?;
        }
        body.persist(&path).map_err(S3Error::internal_error)?;
        let sort_key = self.shared.order.sort_key(&record.key);
        let before = index.keys.object(&sort_key).cloned();
        let record = Arc::new(record);
        index.keys.put(sort_key, Arc::clone(&record));
        self.tell(index, before.as_deref(), &record.key, conditions);
        Ok(record)
    }

    /// Tells the log of changes that another object, or none, is there now.
    fn tell(&self, index: &Index, before: Option<&Record>, key: &str, conditions: &Writing) {
        let after = index.keys.object(&self.shared.order.sort_key(key)).map(Arc::as_ref);
        let same = |a: &Record, b: &Record| a.sequence == b.sequence;
        let unchanged = before.zip(after).map_or(before.is_none() && after.is_none(), |(a, b)| same(a, b));
        if let Some(changes) = self.shared.changes.as_ref().filter(|_| !unchanged) {
            changes.push([&self.name, key], [before, after], conditions);
        }
    }

    /// Removes the bucket if it is empty. Blocks.
    pub(super) fn delete(&self) -> S3Result<()> {
        let mut index = write(&self.index);
        if !index.keys.is_empty() {
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
        }
        index.deleted = true;
        fs::remove_dir_all(&self.directory).map_err(S3Error::internal_error)
    }
}

fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}
