//! One level of a place, as `ls` shows it: objects, and what looks like directories.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io, vec};

use brigade_s3::{Bucket, Client, Continuation, ErrorKind, HeadObject, ListObjectsV2, ListedPage};

use crate::s3::{Config, Names, entry};
use crate::time;
use crate::{Entry, Key, ListingError, Location, LocationError, OpenError, Version};

/// A place that can be looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// All the buckets of the account: `s3://`.
    Account,
    /// A location.
    Location(Location),
}

impl Place {
    /// Reads what a user wrote.
    pub fn parse(written: &OsStr) -> Result<Self, LocationError> {
        if written.eq_ignore_ascii_case("s3://") {
            Ok(Self::Account)
        } else {
            Location::parse(written).map(Self::Location)
        }
    }
}

/// Something on one level of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A bucket.
    Bucket(String),
    /// What looks like a directory: all keys that begin with this, which ends in `/`.
    Prefix(Key),
    /// An object.
    Object(Entry),
}

/// A look at one level of a place, under way. Of a bucket one page at a time is
/// held; a local directory's names are held all at once, to be sorted.
#[derive(Debug)]
pub struct Level(Source);

#[derive(Debug)]
enum Source {
    /// Page after page of a bucket.
    Bucket(BucketLevel),
    /// What was read at once.
    Whole(vec::IntoIter<Found>),
}

/// Items in a page of what was read at once.
const PAGE: usize = 1000;

/// Looks into a place. Keys are those below it, in the order in which the place
/// lists them; the program's temporary files are left out. Where there
/// is nothing below a prefix, but an object of that very name, it is that object.
pub async fn ls(place: &Place, s3: &Config) -> Result<Level, BrowseError> {
    let source = match place {
        Place::Account => {
            let buckets = Client::connect(s3.clone()).await.map_err(OpenError::from)?.list_buckets().await;
            let buckets = buckets.map_err(|error| listing_error("s3://", error.reason()))?;
            Source::Whole(buckets.into_iter().map(Found::Bucket).collect::<Vec<_>>().into_iter())
        }
        Place::Location(Location::Local(path)) => Source::Whole(directory(path.clone()).await?.into_iter()),
        Place::Location(Location::Bucket { service, bucket, prefix, written }) => {
            let client = Client::connect(service.settings(s3)).await.map_err(OpenError::from)?;
            Source::Bucket(BucketLevel {
                bucket: client.bucket(bucket),
                names: Names::below(prefix),
                written: written.clone(),
                continuation: Continuation::default(),
                is_over: false,
            })
        }
    };
    Ok(Level(source))
}

/// Why a place could not be looked into.
#[derive(Debug, thiserror::Error)]
pub enum BrowseError {
    /// It could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It could not be listed.
    #[error(transparent)]
    Listing(#[from] ListingError),
}

impl Level {
    /// The next page, never empty; `None` at the end.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Found>>, ListingError> {
        match &mut self.0 {
            Source::Bucket(level) => level.next_page().await,
            Source::Whole(found) => {
                let page: Vec<Found> = found.take(PAGE).collect();
                Ok((!page.is_empty()).then_some(page))
            }
        }
    }
}

#[derive(Debug)]
struct BucketLevel {
    bucket: Bucket,
    names: Names,
    written: String,
    continuation: Continuation,
    is_over: bool,
}

impl BucketLevel {
    async fn next_page(&mut self) -> Result<Option<Vec<Found>>, ListingError> {
        while !self.is_over {
            let token = self.continuation.token();
            let is_first = token.is_none();
            let page = ListObjectsV2 {
                prefix: self.names.prefix(),
                delimiter: Some("/"),
                continuation_token: token,
                ..ListObjectsV2::default()
            };
            let page = self.bucket.list_objects_v2(page).await;
            let page = page.map_err(|error| listing_error(&self.written, error.reason()))?;
            let follows = self.continuation.advance(&page);
            self.is_over = !follows.map_err(|endless| listing_error(&self.written, endless.to_string()))?;
            let found = self.found_in(page)?;
            if !found.is_empty() {
                return Ok(Some(found));
            }
            if is_first && self.is_over {
                return Ok(self.object_itself().await?.map(|object| vec![object]));
            }
        }
        Ok(None)
    }

    /// The object whose name was written, where there is nothing below it.
    async fn object_itself(&self) -> Result<Option<Found>, ListingError> {
        let Some(name) = self.names.prefix().strip_suffix('/').filter(|name| !name.is_empty()) else { return Ok(None) };
        match self.bucket.head_object(HeadObject { key: name, version_id: None }).await {
            Ok(head) => {
                let own_name = name.rsplit('/').next().unwrap_or(name);
                Ok(Some(Found::Object(entry(&own_name.into(), &head))))
            }
            // Who may list need not be allowed to read.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AccessDenied) => Ok(None),
            Err(error) => Err(listing_error(&self.written, error.reason())),
        }
    }

    /// What the page holds, objects and prefixes in one order.
    fn found_in(&self, page: ListedPage) -> Result<Vec<Found>, ListingError> {
        let mut found = Vec::with_capacity(page.objects.len() + page.common_prefixes.len());
        for object in page.objects {
            found.extend(
                self.names.entry(object).map_err(|reason| listing_error(&self.written, reason))?.map(Found::Object),
            );
        }
        for prefix in page.common_prefixes {
            let below = self.names.below_prefix(&prefix).map_err(|reason| listing_error(&self.written, reason))?;
            found.push(Found::Prefix(Key::from(below)));
        }
        found.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(found)
    }
}

impl Found {
    fn name(&self) -> &[u8] {
        match self {
            Self::Bucket(name) => name.as_bytes(),
            Self::Prefix(key) => key.as_bytes(),
            Self::Object(entry) => entry.key.as_bytes(),
        }
    }
}

fn listing_error(location: &str, reason: String) -> ListingError {
    ListingError { location: location.into(), reason }
}

/// What is in a local directory, sorted as a bucket would list it.
async fn directory(path: PathBuf) -> Result<Vec<Found>, ListingError> {
    let location = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || read_directory(&path)).await;
    read.map_err(io::Error::from).flatten().map_err(|error| listing_error(&location, error.to_string()))
}

fn read_directory(path: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for name in fs::read_dir(path)? {
        let name = name?;
        let key = Key::new(name.file_name().as_bytes());
        if key.is_temporary() {
            continue;
        }
        // A symlink stands for its target, and a broken one for itself.
        let metadata = fs::metadata(name.path()).or_else(|_| name.metadata())?;
        found.push(if metadata.is_dir() {
            Found::Prefix(Key::new([key.as_bytes(), b"/"].concat()))
        } else {
            Found::Object(file(key, &metadata))
        });
    }
    found.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(found)
}

fn file(key: Key, metadata: &fs::Metadata) -> Entry {
    let at = |seconds, nanoseconds| time::at(seconds, u32::try_from(nanoseconds).unwrap_or(0));
    let changed = at(metadata.ctime(), metadata.ctime_nsec());
    Entry {
        key,
        size: metadata.len(),
        modified: at(metadata.mtime(), metadata.mtime_nsec()),
        version: Version::File { changed, inode: metadata.ino(), device: metadata.dev() },
    }
}
