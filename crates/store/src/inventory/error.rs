//! Why a report can't stand for a listing.

/// Why a report can't stand for a listing.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A file of the report could not be read, or not as what it should be.
    #[error("could not read {name}, of the inventory: {reason}")]
    Unreadable {
        /// The file, as a path or URL.
        name: String,
        /// What went wrong.
        reason: String,
    },
    /// The manifest is none.
    #[error("{manifest} is no manifest of S3 Inventory: {reason}; name a report's manifest.json")]
    NotAManifest {
        /// The manifest, as the user wrote it.
        manifest: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The manifest isn't what the `manifest.checksum` beside it says.
    #[error("{manifest} is not what {checksum} says: one of them is damaged, or of another report")]
    ManifestChecksum {
        /// The manifest, as the user wrote it.
        manifest: String,
        /// The file beside it.
        checksum: String,
    },
    /// The report is of another bucket.
    #[error("{manifest} is of the bucket {listed}, and the source is in {bucket}: name a report of that one")]
    OtherBucket {
        /// The manifest, as the user wrote it.
        manifest: String,
        /// The bucket that it lists.
        listed: String,
        /// The source's.
        bucket: String,
    },
    /// The report lists nothing where the source has something.
    #[error(
        "{manifest} lists nothing where {key} is: the inventory may have a narrower prefix than the source, which objects \
         outside of it would be left out of; use a report of all of the source, or a newer one, or list the bucket"
    )]
    NotCovered {
        /// The manifest, as the user wrote it.
        manifest: String,
        /// An object there, below the source.
        key: crate::Key,
    },
    /// The files are of a format that isn't read.
    #[error(
        "{manifest}: files of the format {format} are not read{hint}; let the inventory be written as CSV or Parquet"
    )]
    Format {
        /// The manifest, as the user wrote it.
        manifest: String,
        /// The format.
        format: String,
        /// Why, where that is to be said.
        hint: &'static str,
    },
    /// Columns are missing.
    #[error(
        "{manifest} has no {missing}: add {missing} to the fields of the inventory's configuration, and use its next report"
    )]
    Columns {
        /// The manifest, as the user wrote it.
        manifest: String,
        /// What they are called, with commas.
        missing: String,
    },
    /// A file that the manifest names isn't there.
    #[error(
        "{name}, which {manifest} names, is not there: the report is not whole, or its files were deleted; use another report"
    )]
    Missing {
        /// The file, as a URL.
        name: String,
        /// The manifest, as the user wrote it.
        manifest: String,
    },
    /// A file isn't what the manifest says.
    #[error("{name} is not what {manifest} says: {reason}; nothing of the report is used")]
    Damaged {
        /// The file, as a path or URL.
        name: String,
        /// The manifest, as the user wrote it.
        manifest: String,
        /// What differs.
        reason: String,
    },
}

impl InventoryError {
    pub(super) fn unreadable(name: &str, reason: impl Into<String>) -> Self {
        Self::Unreadable { name: name.to_owned(), reason: reason.into() }
    }
}
