//! Multipart uploads under way, which survive a restart too.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::dto::Timestamp;
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Attributes, Bucket, ObjectHeaders, Part, at, read, trailer, write};
use crate::checksums::{Algorithm, Hasher, Kind};

/// A multipart upload under way.
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) begun: Begun,
    directory: PathBuf,
    state: Mutex<UploadState>,
}

/// What an upload was begun with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Begun {
    pub(crate) key: String,
    pub(crate) initiated: Timestamp,
    pub(crate) headers: ObjectHeaders,
    #[serde(default)]
    pub(crate) attributes: Attributes,
    /// The checksum of the object to be; `None` where the request named none
    /// and S3's default applies.
    pub(crate) checksum: Option<(Algorithm, Kind)>,
}

/// What changes of an upload.
#[derive(Default)]
pub(crate) struct UploadState {
    /// By part number.
    pub(crate) parts: BTreeMap<i32, Part>,
    /// Set by Complete and Abort, for those who still hold the upload.
    ended: bool,
}

const BEGUN: &str = "upload.json";

impl Upload {
    /// Reads an upload; `None` where it was not wholly begun or is half removed.
    pub(super) fn open(directory: &Path) -> io::Result<Option<Self>> {
        let id = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Ok(json) = fs::read(directory.join(BEGUN)) else {
            fs::remove_dir_all(directory)?;
            return Ok(None);
        };
        let mut state = UploadState::default();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_name() != BEGUN {
                let part: Part = trailer::load(&entry.path())?;
                state.parts.insert(part.number, part);
            }
        }
        let begun = serde_json::from_slice(&json).map_err(|error| at(&directory.join(BEGUN))(error.into()))?;
        Ok(Some(Self { id, begun, directory: directory.to_owned(), state: Mutex::new(state) }))
    }

    /// The upload's parts, or `NoSuchUpload` where it has ended meanwhile.
    pub(crate) fn state(&self) -> S3Result<MutexGuard<'_, UploadState>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.ended { Err(no_such_upload()) } else { Ok(state) }
    }

    /// Puts a part, in place of one of the same number. Blocks.
    pub(crate) fn put_part(&self, mut body: NamedTempFile, part: Part) -> S3Result<()> {
        trailer::append(body.as_file_mut(), &part).map_err(S3Error::internal_error)?;
        let mut state = self.state()?;
        body.persist(self.part_path(part.number)).map_err(S3Error::internal_error)?;
        state.parts.insert(part.number, part);
        Ok(())
    }

    /// Writes the bodies of `parts` one after another to `into`, and through
    /// `hasher`. Blocks.
    pub(crate) fn join(&self, parts: &[Part], into: &mut NamedTempFile, hasher: &mut Hasher) -> io::Result<()> {
        let mut buffer = vec![0_u8; 1 << 18];
        for part in parts {
            let mut body = File::open(self.part_path(part.number))?.take(part.size);
            loop {
                let count = body.read(&mut buffer)?;
                let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
                hasher.update(chunk);
                into.write_all(chunk)?;
            }
        }
        Ok(())
    }

    fn part_path(&self, number: i32) -> PathBuf {
        self.directory.join(format!("{number:05}"))
    }
}

impl Bucket {
    /// Begins an upload under a new id. Blocks.
    pub(crate) fn begin_upload(&self, mut begun: Begun) -> S3Result<Arc<Upload>> {
        begun.initiated = self.now();
        let make = || -> io::Result<Upload> {
            let directory = tempfile::Builder::new().prefix("").rand_bytes(32).tempdir_in(self.uploads_directory())?;
            fs::write(directory.path().join(BEGUN), serde_json::to_vec(&begun)?)?;
            let directory = directory.keep();
            let id = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Ok(Upload { id, begun, directory, state: Mutex::default() })
        };
        let upload = Arc::new(make().map_err(S3Error::internal_error)?);
        write(&self.uploads).insert(upload.id.clone(), Arc::clone(&upload));
        Ok(upload)
    }

    /// The upload of that id for that key, or `NoSuchUpload`.
    pub(crate) fn upload(&self, id: &str, key: &str) -> S3Result<Arc<Upload>> {
        read(&self.uploads).get(id).filter(|upload| upload.begun.key == key).cloned().ok_or_else(no_such_upload)
    }

    /// All uploads under way, by key and then by id.
    pub(crate) fn uploads(&self) -> Vec<Arc<Upload>> {
        let mut uploads: Vec<_> = read(&self.uploads).values().cloned().collect();
        uploads.sort_by(|a, b| (&a.begun.key, &a.id).cmp(&(&b.begun.key, &b.id)));
        uploads
    }

    /// Ends an upload and forgets its parts. Blocks.
    pub(crate) fn end_upload(&self, upload: &Upload, mut state: MutexGuard<'_, UploadState>) -> S3Result<()> {
        state.ended = true;
        write(&self.uploads).remove(&upload.id);
        fs::remove_dir_all(&upload.directory).map_err(S3Error::internal_error)
    }
}

fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
}
