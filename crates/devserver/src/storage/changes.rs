//! What changes a bucket's objects: each time one file, and the index, under its lock.

use std::fs::{self, File};
use std::io::{self, Read};
use std::sync::Arc;

use s3s::{S3Error, S3Result, s3_error};
use tempfile::NamedTempFile;

use super::bucket::{Index, Versioning, no_object_lock};
use super::{Bucket, Record, VersionId, trailer, write};
use crate::conditions::Writing;

/// What a removal did.
pub(crate) struct Removed {
    /// The version that was removed or, where a delete marker was made, that one.
    /// `None` where there are no versions.
    pub(crate) version: Option<VersionId>,
    /// Whether that is a delete marker.
    pub(crate) delete_marker: bool,
}

impl Bucket {
    /// Puts the object whose body `body` holds, if the conditions hold. Which version it is,
    /// and when it was written, is said here. Blocks.
    pub(crate) fn put(&self, body: NamedTempFile, record: Record, conditions: &Writing) -> S3Result<Arc<Record>> {
        let mut index = write(&self.index);
        if index.deleted {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        }
        if record.attributes.lock.is_set() && !index.object_lock {
            return Err(no_object_lock());
        }
        let current = index.keys.object(&self.shared.order.sort_key(&record.key));
        conditions.check(current.map(Arc::as_ref))?;
        self.add(&mut index, body, record, conditions)
    }

    /// Removes the version of that id or, where none is named, the object: as far as the
    /// bucket keeps versions, by a delete marker. A locked version is not removed; `bypass`
    /// bypasses governance. To remove nothing is no error. Blocks.
    pub(crate) fn remove(
        &self,
        key: &str,
        version: Option<&VersionId>,
        conditions: &Writing,
        bypass: bool,
    ) -> S3Result<Removed> {
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
            record.attributes.lock.check_deletion(bypass)?;
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
}
