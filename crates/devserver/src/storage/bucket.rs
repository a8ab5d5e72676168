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

use super::keys::{Keys, Objects};
use super::{Record, Shared, Upload, VersionId, at, read, trailer, write};
use crate::checksums::hex;
use crate::errors;

/// A bucket.
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    /// The region that it was made in, if one was named.
    pub(crate) region: Option<String>,
    directory: PathBuf,
    pub(super) shared: Shared,
    pub(super) index: RwLock<Index>,
    /// What listings show in place of the index, while they lag behind it.
    lagging: RwLock<Option<Keys>>,
    /// Multipart uploads under way, by id.
    pub(super) uploads: RwLock<BTreeMap<String, Arc<Upload>>>,
}

/// What a bucket has, and how it keeps it.
#[derive(Default)]
pub(super) struct Index {
    pub(super) keys: Keys,
    /// How many versions were written.
    pub(super) written: u64,
    pub(super) versioning: Versioning,
    /// Whether versions can be locked.
    pub(super) object_lock: bool,
    /// Set when the bucket is removed, for those who still hold it.
    pub(super) deleted: bool,
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
    region: Option<String>,
    #[serde(default)]
    versioning: Versioning,
    #[serde(default)]
    object_lock: bool,
}

const DESCRIPTION: &str = "bucket.json";
const OBJECTS: &str = "objects";
const TEMPORARY: &str = "temporary";
const UPLOADS: &str = "uploads";

impl Bucket {
    /// Makes a bucket in a directory that doesn't exist.
    pub(super) fn create(name: &str, directory: &Path, region: Option<String>, shared: Shared) -> io::Result<Self> {
        for part in [OBJECTS, TEMPORARY, UPLOADS] {
            fs::create_dir_all(directory.join(part))?;
        }
        let description =
            Description { created: shared.clock.now(), region, versioning: Versioning::Never, object_lock: false };
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
            region: description.region.clone(),
            directory: directory.to_owned(),
            shared,
            index: RwLock::new(Index {
                versioning: description.versioning,
                object_lock: description.object_lock,
                ..Index::default()
            }),
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

    pub(super) fn path(&self, key: &str, version: &VersionId) -> PathBuf {
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
        if index.object_lock && versioning != Versioning::Enabled {
            let message = "An Object Lock configuration is present on this bucket, so the versioning state cannot be \
                           changed.";
            return Err(s3_error!(InvalidBucketState, "{message}"));
        }
        self.describe(versioning, index.object_lock).map_err(S3Error::internal_error)?;
        index.versioning = versioning;
        Ok(())
    }

    /// From now on versions can be locked. Blocks.
    pub(crate) fn enable_object_lock(&self) -> S3Result<()> {
        let mut index = write(&self.index);
        if index.versioning != Versioning::Enabled {
            let message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
            return Err(s3_error!(InvalidBucketState, "{message}"));
        }
        self.describe(index.versioning, true).map_err(S3Error::internal_error)?;
        index.object_lock = true;
        Ok(())
    }

    pub(crate) fn has_object_lock(&self) -> bool {
        read(&self.index).object_lock
    }

    /// Refuses what locks versions where they can't be locked.
    pub(crate) fn check_object_lock(&self) -> S3Result<()> {
        if self.has_object_lock() { Ok(()) } else { Err(no_object_lock()) }
    }

    fn describe(&self, versioning: Versioning, object_lock: bool) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(self.temporary())?;
        let (created, region) = (self.created.clone(), self.region.clone());
        serde_json::to_writer(&mut file, &Description { created, region, versioning, object_lock })?;
        file.persist(self.directory.join(DESCRIPTION))?;
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

    pub(super) fn find<'a>(
        &self,
        index: &'a Index,
        key: &str,
        version: Option<&VersionId>,
    ) -> S3Result<&'a Arc<Record>> {
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

pub(super) fn no_object_lock() -> S3Error {
    s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration")
}

fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}
