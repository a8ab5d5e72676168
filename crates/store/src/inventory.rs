//! A report of S3 Inventory, which stands for the listing of a huge bucket: read, verified and
//! sorted once, through a spill file, and then listed like anything else.
//!
//! What S3 writes: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html>.

mod columns;
mod coverage;
pub(crate) mod csv;
mod error;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod listing;
mod manifest;
#[cfg(feature = "parquet")]
mod parquet;
mod rows;

use std::fs::File;
use std::io;
use std::sync::Arc;

use brigade_s3::{Client, ListedObject};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::s3::{BucketStore, Names};
use crate::spill::SortedFile;
use crate::{Key, KeyRange, Listed, Listing, ListingError, Location, Sorter, Store};
use coverage::Common;
pub use error::InventoryError;
use files::Files;
use listing::InventoryListing;
use manifest::Manifest;
use rows::Rows;

/// Rows that are read at a time.
const ROWS: usize = 10_000;

/// A report that stands for the listing of a bucket.
#[derive(Clone, Copy, Debug)]
pub struct Reported<'a> {
    /// Its manifest, an object or a file.
    pub manifest: &'a Location,
    /// Whether what is not listed is to be deleted elsewhere.
    pub deletes: bool,
}

/// A report, and the part of its bucket that is listed from it.
pub(crate) struct Inventory {
    manifest: Manifest,
    files: Files,
    /// The place that is listed, itself.
    bucket: BucketStore,
    /// Whether what is not listed is to be deleted elsewhere.
    deletes: bool,
    sorted: OnceCell<SortedFile>,
}

impl Inventory {
    /// Reads the manifest, with this client, and sees whether it is of this bucket and says all that is needed. The
    /// files that it names are read when the first page is asked for.
    pub(crate) async fn open(
        client: &Client,
        reported: Reported<'_>,
        bucket: BucketStore,
    ) -> Result<Self, InventoryError> {
        let Reported { manifest, deletes } = reported;
        let (text, beside) = files::read_manifest(client, manifest).await?;
        let manifest = Manifest::parse(&text, &manifest.to_string())?;
        manifest.check_bucket(bucket.bucket_name())?;
        let files = Files { manifest: manifest.written.clone(), beside, bucket: client.bucket(&manifest.dest_bucket) };
        Ok(Self { manifest, files, bucket, deletes, sorted: OnceCell::new() })
    }

    /// A listing of the range.
    pub(crate) fn list(self: &Arc<Self>, range: &KeyRange) -> Box<dyn Listing> {
        Box::new(InventoryListing::new(Arc::clone(self), range.clone()))
    }

    /// The first key after this one.
    pub(crate) async fn first_after(self: &Arc<Self>, key: &Key) -> Result<Option<Key>, ListingError> {
        let mut pages = self.sorted().await?.after(Some(key.clone()));
        let page = self.spilling(move || pages.next_page(1)).await?;
        Ok(page.and_then(|page| page.first().map(|item| item.key().clone())))
    }

    /// All that the report lists below the prefix, in key order: read when it is first asked for.
    async fn sorted(&self) -> Result<&SortedFile, ListingError> {
        self.sorted.get_or_try_init(|| self.read_all()).await
    }

    async fn read_all(&self) -> Result<SortedFile, ListingError> {
        let (mut taken, mut counts) = (Sorter::new(), Counts::default());
        let mut fetching = self.files.fetch_all(&self.manifest.files);
        for file in &self.manifest.files {
            let name = self.files.name(file);
            let content = fetching.next(&name).await.map_err(|error| self.error(&error))?;
            (taken, counts) = self.read(content, taken, counts).await.map_err(|error| match error {
                TakeError::Row(reason) => self.error(&InventoryError::unreadable(&name, reason)),
                TakeError::Spill(error) => self.spill(&error),
            })?;
        }
        let sorted = self.spilling(move || taken.finish().and_then(SortedFile::of)).await?;
        self.tell(&counts);
        self.check_coverage(&counts.common).await?;
        Ok(sorted)
    }

    /// Where the inventory may have another prefix than the source, what it doesn't list is not absent.
    async fn check_coverage(&self, common: &Common) -> Result<(), ListingError> {
        let outside = coverage::outside(common, self.bucket.names().prefix(), &self.bucket).await;
        let key = match outside {
            Ok(Some(key)) => key,
            Ok(None) => return Ok(()),
            Err(error) if self.deletes => return Err(error),
            Err(error) => {
                let manifest = &self.manifest.written;
                tracing::warn!("whether {manifest} covers all of the source can't be told: {error}");
                return Ok(());
            }
        };
        let error = InventoryError::NotCovered { manifest: self.manifest.written.clone(), key };
        if self.deletes {
            return Err(self.error(&error));
        }
        tracing::warn!("{error}");
        Ok(())
    }

    /// Takes the rows of one file, so many at a time that whoever gives up doesn't have to wait.
    async fn read(&self, content: File, sorter: Sorter, counts: Counts) -> Result<(Sorter, Counts), TakeError> {
        let format = self.manifest.format.clone();
        let rows = in_background(move || Rows::open(&format, content).map_err(TakeError::Row)).await?;
        let (mut rest, mut sorter, mut counts) = (Some(rows), sorter, counts);
        while let Some(rows) = rest {
            let names = self.bucket.names().clone();
            (rest, sorter, counts) = in_background(move || take(rows, sorter, counts, &names)).await?;
        }
        Ok((sorter, counts))
    }

    fn tell(&self, counts: &Counts) {
        let Counts { listed, elsewhere, older, .. } = counts;
        tracing::info!(
            "{} is listed from {}: {listed} objects; {elsewhere} elsewhere in the bucket and {older} versions that are \
             not current are left out",
            self.bucket.location(),
            self.manifest.written
        );
    }

    fn error(&self, error: &InventoryError) -> ListingError {
        ListingError { location: self.bucket.location().to_owned(), reason: error.to_string() }
    }

    fn interrupted(&self) -> ListingError {
        ListingError { location: self.bucket.location().to_owned(), reason: "it was interrupted".to_owned() }
    }

    /// Works on the temporary file where blocking is allowed.
    async fn spilling<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, ListingError> {
        let done = spawn_blocking(work).await.map_err(io::Error::from).and_then(|done| done);
        done.map_err(|error| self.spill(&error))
    }

    fn spill(&self, error: &io::Error) -> ListingError {
        let reason = format!("could not use the temporary file for sorting: {error}; see what TMPDIR has room for");
        ListingError { location: self.bucket.location().to_owned(), reason }
    }
}

/// How many rows there were.
#[derive(Default)]
struct Counts {
    listed: u64,
    elsewhere: u64,
    older: u64,
    common: Common,
}

/// Why rows could not be taken.
enum TakeError {
    Row(String),
    Spill(io::Error),
}

/// Takes the next rows, as far as they lie below the prefix; gives back what has more.
fn take(
    mut rows: Rows,
    mut sorter: Sorter,
    mut counts: Counts,
    names: &Names,
) -> Result<(Option<Rows>, Sorter, Counts), TakeError> {
    let Some(page) = rows.next_page(ROWS).map_err(TakeError::Row)? else { return Ok((None, sorter, counts)) };
    counts.older += page.older;
    for object in page.objects {
        counts.common = counts.common.with(&object.key);
        match entry(object, names) {
            Some(item) => {
                counts.listed += 1;
                sorter.push(&item).map_err(TakeError::Spill)?;
            }
            None => counts.elsewhere += 1,
        }
    }
    Ok((Some(rows), sorter, counts))
}

/// Parses where blocking is allowed. A panic is one of somebody else's parser, at a file that it can't read.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TakeError> + Send + 'static,
) -> Result<T, TakeError> {
    let broken = |_| Err(TakeError::Row("it can't be parsed".to_owned()));
    spawn_blocking(work).await.unwrap_or_else(broken)
}

/// What is listed for this object, if it lies below the prefix, as in any listing of the bucket.
fn entry(object: ListedObject, names: &Names) -> Option<Listed> {
    if !object.key.starts_with(names.prefix()) {
        return None;
    }
    names.entry(object).ok().flatten().map(Listed::Present)
}
