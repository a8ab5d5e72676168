//! The files of a report: where they are, and their content, whole and verified, in temporary files.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use brigade_s3::{Bucket, Client, Error, ErrorKind, GetObject};
use bytes::Bytes;
use md5::{Digest, Md5};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;

use super::error::InventoryError;
use super::manifest::{DataFile, parse_md5};
use crate::{Key, Location};

/// Bytes that are fetched at a time.
const PIECE: u64 = 8 << 20;

/// Bytes that a manifest may have: some hundred thousand files.
const LONGEST_MANIFEST: u64 = 64 << 20;

/// What a manifest is called where the digest of it lies beside it, and what that is called.
const MANIFEST: &str = "manifest.json";
const CHECKSUM: &str = "manifest.checksum";

/// Where the files are that a manifest names.
#[derive(Clone)]
pub(super) struct Files {
    /// The manifest, as the user wrote it.
    pub(super) manifest: String,
    /// The directory of a local manifest: what is there is not fetched.
    pub(super) beside: Option<PathBuf>,
    /// The report's destination bucket.
    pub(super) bucket: Bucket,
}

/// What stands in the manifest, and the directory that it is in, if it is a local one. Where the file
/// that S3 writes beside it is there as well, the manifest must be what that says.
pub(super) async fn read_manifest(
    client: &Client,
    manifest: &Location,
) -> Result<(Bytes, Option<PathBuf>), InventoryError> {
    let written = manifest.to_string();
    let unreadable = |reason| InventoryError::unreadable(&written, reason);
    let (text, checksum, beside) = match manifest {
        Location::Local(path) => {
            let text = read_file(path.clone()).await.map_err(|error| unreadable(hint(&error.to_string())))?;
            let beside = path.parent().map(Path::to_path_buf).unwrap_or_default();
            let checksum = if path.ends_with(MANIFEST) {
                match read_file(beside.join(CHECKSUM)).await {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => unchecked(&written, &error.to_string()),
                    read => read.ok(),
                }
            } else {
                None
            };
            (text, checksum, Some(beside))
        }
        Location::Bucket { bucket, .. } => {
            let bucket = client.bucket(bucket);
            let key = manifest.object_name().unwrap_or_default();
            let text = get(&bucket, key).await.map_err(|error| unreadable(hint(&error.reason())))?;
            let checksum = match key.strip_suffix(MANIFEST) {
                Some(above) if above.is_empty() || above.ends_with('/') => {
                    match get(&bucket, &format!("{above}{CHECKSUM}")).await {
                        Err(error) if error.kind() != ErrorKind::NotFound => unchecked(&written, &error.reason()),
                        got => got.ok(),
                    }
                }
                _ => None,
            };
            (text, checksum, None)
        }
    };
    let said = checksum.map(|checksum| parse_md5(checksum.trim_ascii()));
    if said.is_some_and(|said| said != Some(Md5::digest(&text).into())) {
        let checksum = CHECKSUM.to_owned();
        return Err(InventoryError::ManifestChecksum { manifest: written, checksum });
    }
    Ok((text, beside))
}

/// Tells that there is a digest, or may be, which could not be read: no two permissions need be the same.
fn unchecked(manifest: &str, reason: &str) -> Option<Bytes> {
    tracing::warn!("{manifest} is not compared with the {CHECKSUM} beside it, which could not be read: {reason}");
    None
}

fn hint(reason: &str) -> String {
    format!("{reason}; name a report's manifest.json")
}

async fn get(bucket: &Bucket, key: &str) -> Result<Bytes, Error> {
    let wanted = GetObject { key, version_id: None, range: None, if_match: None, limit: LONGEST_MANIFEST };
    Ok(bucket.get_object(wanted).await?.body)
}

async fn read_file(path: PathBuf) -> io::Result<Bytes> {
    let read = move || {
        let mut text = Vec::new();
        File::open(path)?.take(LONGEST_MANIFEST).read_to_end(&mut text)?;
        Ok(text.into())
    };
    spawn_blocking(read).await?
}

impl Files {
    /// Where a file is read from, for messages.
    pub(super) fn name(&self, file: &DataFile) -> String {
        let path = self.local(file).map(|path| path.display().to_string());
        // What a manifest says may be anything.
        Key::from(path.unwrap_or_else(|| format!("s3://{}/{}", self.bucket.name(), file.key))).to_string()
    }

    /// Fetches these files one after the other, one ahead of whoever reads them.
    pub(super) fn fetch_all(&self, files: &[DataFile]) -> Fetching {
        let (sender, fetched) = mpsc::channel(1);
        let (this, files) = (self.clone(), files.to_vec());
        let task = tokio::spawn(async move {
            for file in files {
                let Ok(permit) = sender.reserve().await else { return };
                permit.send(this.fetch(&file).await);
            }
        });
        Fetching { fetched, _task: AbortOnDropHandle::new(task) }
    }

    async fn fetch(&self, file: &DataFile) -> Result<File, InventoryError> {
        let copy = match self.local(file) {
            Some(path) => in_background(move || Copy::of(&path)).await,
            None => self.download(file).await,
        };
        let (content, md5) = copy.and_then(Copy::end).map_err(|unfetched| self.error(file, unfetched))?;
        if md5 != file.md5 {
            return Err(self.error(file, Unfetched::Damaged("its MD5 is another one".to_owned())));
        }
        Ok(content)
    }

    /// Fetches it piece by piece, each of the version that came first.
    async fn download(&self, file: &DataFile) -> Result<Copy, Unfetched> {
        let mut copy = in_background(Copy::begin).await?;
        let mut etag: Option<String> = None;
        loop {
            let start = copy.size;
            let range = start..file.size.min(start + PIECE);
            let wanted = GetObject {
                key: &file.key,
                version_id: None,
                // An empty one can't be asked for in ranges.
                range: (!range.is_empty()).then_some(range),
                if_match: etag.as_deref().filter(|etag| !etag.is_empty()),
                limit: PIECE,
            };
            let got = self.bucket.get_object(wanted).await?;
            if got.head.size != file.size {
                return Err(Unfetched::Damaged(other_size(got.head.size, file)));
            }
            copy = in_background(move || copy.append(&got.body)).await?;
            if copy.size >= file.size {
                return Ok(copy);
            }
            etag.get_or_insert(got.head.etag);
        }
    }

    fn error(&self, file: &DataFile, unfetched: Unfetched) -> InventoryError {
        let (name, manifest) = (self.name(file), self.manifest.clone());
        match unfetched {
            Unfetched::Missing => InventoryError::Missing { name, manifest },
            Unfetched::Damaged(reason) => InventoryError::Damaged { name, manifest, reason },
            Unfetched::Failed(reason) => InventoryError::Unreadable { name, reason },
        }
    }

    /// Where it lies beside a local manifest: as in the bucket, from where the directory of the report
    /// may have been copied, or right there.
    fn local(&self, file: &DataFile) -> Option<PathBuf> {
        let (beside, name) = (self.beside.as_ref()?, file.name());
        // Whatever a manifest says, what is read lies in these three.
        if matches!(name, "" | "." | "..") {
            return None;
        }
        let places = [beside.join("data"), beside.join("../data"), beside.clone()];
        places.into_iter().map(|place| place.join(name)).find(|path| path.is_file())
    }
}

/// Why a file could not be copied.
enum Unfetched {
    Missing,
    /// It isn't what it should be.
    Damaged(String),
    Failed(String),
}

impl From<Error> for Unfetched {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Missing,
            _ => Self::Failed(error.reason()),
        }
    }
}

fn other_size(size: u64, file: &DataFile) -> String {
    format!("it has {size} bytes, and should have {}", file.size)
}

/// A copy under way, in a temporary file.
struct Copy {
    file: File,
    size: u64,
    md5: Md5,
}

impl Copy {
    fn begin() -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, size: 0, md5: Md5::new() })
    }

    /// All of this file.
    fn of(path: &Path) -> io::Result<Self> {
        let (mut copy, source) = (Self::begin()?, File::open(path)?);
        loop {
            let mut piece = Vec::new();
            (&source).take(PIECE).read_to_end(&mut piece)?;
            if piece.is_empty() {
                return Ok(copy);
            }
            copy = copy.append(&piece)?;
        }
    }

    fn append(mut self, piece: &[u8]) -> io::Result<Self> {
        self.file.write_all(piece)?;
        self.md5.update(piece);
        self.size += piece.len() as u64;
        Ok(self)
    }

    /// The content, to be read from its beginning, and its digest.
    fn end(mut self) -> Result<(File, [u8; 16]), Unfetched> {
        self.file.rewind().map_err(|error| Unfetched::Failed(error.to_string()))?;
        Ok((self.file, self.md5.finalize().into()))
    }
}

/// Does this where blocking is allowed.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Unfetched> {
    let done = spawn_blocking(work).await.map_err(io::Error::from).and_then(|done| done);
    done.map_err(|error| Unfetched::Failed(format!("could not copy it to a temporary file: {error}")))
}

/// Files that are being fetched. It ends when this is dropped.
pub(super) struct Fetching {
    fetched: mpsc::Receiver<Result<File, InventoryError>>,
    _task: AbortOnDropHandle<()>,
}

impl Fetching {
    /// The content of the next file, which must be the one named: whole, as the manifest says.
    pub(super) async fn next(&mut self, name: &str) -> Result<File, InventoryError> {
        let interrupted = || Err(InventoryError::unreadable(name, "it was interrupted"));
        self.fetched.recv().await.unwrap_or_else(interrupted)
    }
}
