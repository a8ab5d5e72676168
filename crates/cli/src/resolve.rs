//! From the command line as typed to plain data: the job spec, the run
//! options, how to reach S3. An option is decided once, here: the flag, then
//! the environment, then the default.

pub(crate) mod at_once;
pub(crate) mod bandwidth;
pub(crate) mod byte_range;
pub(crate) mod cat;
pub(crate) mod check;
pub(crate) mod cleanup;
pub(crate) mod customer_key;
pub(crate) mod duration;
pub(crate) mod environment;
pub(crate) mod explain;
pub(crate) mod filters;
pub(crate) mod job;
pub(crate) mod ledger;
pub(crate) mod max_delete;
pub(crate) mod moment;
pub(crate) mod output;
pub(crate) mod percent;
pub(crate) mod probe;
pub(crate) mod prune;
pub(crate) mod restore;
pub(crate) mod rm;
pub(crate) mod s3;
#[cfg(feature = "devserver")]
pub(crate) mod serve;
pub(crate) mod size;
pub(crate) mod sync;
pub(crate) mod version_of;
pub(crate) mod writing;

/// A command line that parses and still can't be meant: a usage error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsageError {
    /// A check would write to a ledger that nothing locks.
    #[error(
        "--since-last needs a ledger that is a file: one in a bucket has no lock, and a sync meanwhile would lose what \
         either of them writes; give --ledger FILE"
    )]
    ChecksInBucket,
    /// A ledger in which nothing would be kept, or looked up.
    #[error("--ledger says where --since-last remembers what was checked: give that as well, or leave --ledger out")]
    LedgerOfNoChecks,
    /// One key in two versions.
    #[error("--version-of names {key} twice; a key comes back in one version")]
    TwoVersionsOf {
        /// The key.
        key: String,
    },
    /// A pattern is no glob.
    #[error(transparent)]
    Pattern(#[from] brigade_engine::filters::PatternError),
    /// A line of a file is no glob.
    #[error("{path}, line {line}: {reason}")]
    PatternInFile {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: brigade_engine::filters::PatternError,
    },
    /// A file of patterns can't be read.
    #[error("could not read the patterns in {path}: {reason}")]
    PatternFile {
        /// The file.
        path: String,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A location names no place.
    #[error(transparent)]
    Location(#[from] brigade_store::LocationError),
    /// A ledger that is a bucket.
    #[error("--ledger {0} is a bucket; name an object in it: {0}/brigade.ledger")]
    LedgerIsBucket(String),
    /// A key that is written as a URL, and of another place.
    #[error("{key} does not lie below {root}; give the key as it is below SOURCE and DEST")]
    KeyElsewhere {
        /// The key as written.
        key: String,
        /// What it would have to begin with.
        root: String,
    },
    /// Uploads are looked for where there are none.
    #[error(
        "{path} is a directory, which has no uploads: what a killed run left there, the next sync to it removes; \
         write s3://bucket[/prefix]"
    )]
    NoUploads {
        /// The directory.
        path: String,
    },
    /// Versions are looked for where there are none.
    #[error("{path} is a directory, which keeps no versions; write s3://bucket[/prefix]")]
    NoVersions {
        /// The directory.
        path: String,
    },
    /// Versions are looked for at Google, which has generations.
    #[error(
        "{0} is at Google, whose generations are not looked at yet; its own tools show them and bring them back, and a \
         lifecycle rule with daysSinceNoncurrentTime removes what is old"
    )]
    VersionsAtGoogle(String),
    /// What is no object is to be shown.
    #[error("{path} is no object; use cat, or write s3://bucket/key")]
    CatOfFile {
        /// The file.
        path: String,
    },
    /// A bucket is to be shown.
    #[error("{0} is a bucket; name an object in it")]
    CatOfBucket(String),
    /// A directory is to be restored from.
    #[error("{path} is a directory; use `brigade sync`, or write s3://bucket[/prefix]")]
    RestoreFromDirectory {
        /// The directory.
        path: String,
    },
    /// A bucket is to be restored to.
    #[error("{0} is a bucket; restore to a directory, and sync from that, or use `brigade sync`")]
    RestoreToBucket(String),
    /// Objects are to be deleted where there are files.
    #[error("{path} is a directory, which brigade does not delete: use rm; write s3://bucket/prefix")]
    NoRemoval {
        /// The directory.
        path: String,
    },
    /// A whole bucket, which may be a slip.
    #[error("{0} is a whole bucket; to delete all that is in it, give --whole-bucket")]
    WholeBucket(String),
    /// An index of a tree, which is walked anyway.
    #[error("--index is for a bucket as the destination: a directory is always walked")]
    IndexOfDirectory,
    /// A report of a tree, which is walked anyway.
    #[error("--source-inventory is for a bucket as the source: a directory is always walked")]
    InventoryOfDirectory,
    /// A report of a service that writes others.
    #[error(
        "--source-inventory is for reports of S3 Inventory, and {0} is at Google: leave it out, and the source is listed"
    )]
    InventoryAtGoogle(String),
    /// A report that is a bucket.
    #[error("--source-inventory {0} is a bucket; name the manifest.json of a report in it")]
    InventoryIsBucket(String),
    /// A file holds no key.
    #[error(transparent)]
    KeyFile(#[from] customer_key::KeyFileError),
    /// What is said of objects in a bucket, for files.
    #[error("--storage-class, --acl, --sse and --tagging are for a bucket as the destination")]
    WrittenToDirectory,
    /// A key for a way of encrypting that takes none.
    #[error(
        "--sse-kms-key-id is for --sse aws:kms or aws:kms:dsse; with AES256 the service encrypts with keys of its own"
    )]
    KeyWithoutKms,
    /// The access control lists of files.
    #[error(
        "--acl source takes access control lists from one bucket to another, and {path} is a directory: leave it out, or \
         name a canned one for all that is written to a bucket, such as --acl private"
    )]
    AclOfDirectory {
        /// The directory.
        path: String,
    },
    /// The access control lists of Google.
    #[error(
        "--acl source is for buckets of S3, and {0} is at Google, whose access control lists are others: leave it out"
    )]
    AclAtGoogle(String),
    /// What is said of a bucket, for a directory.
    #[error("--create-bucket and --enable-versioning are for a bucket as the destination: a directory is made anyway")]
    BucketOfDirectory,
    /// The file of stores is wrong.
    #[error(transparent)]
    Stores(#[from] crate::stores::StoresError),
    /// A store, and no bucket in it.
    #[error("{written} names a store; write {written}bucket[/prefix]")]
    StoreWithoutBucket {
        /// The location as written.
        written: String,
    },
    /// A store's name written as a scheme.
    #[error("{written}: a store's name has no slashes after it: write {meant}")]
    StoreWithSlashes {
        /// The location as written.
        written: String,
        /// As it is to be written.
        meant: String,
    },
    /// What looks like a store's name and is none, where there are stores.
    #[error("{written}: no store is called {name}; {hint} (a directory of this name is written ./{written})")]
    NoSuchStore {
        /// The location as written.
        written: String,
        /// What would be the store's name.
        name: String,
        /// Which there are, or the one that may have been meant.
        hint: String,
    },
    /// A report in another store than what it is of.
    #[error(
        "--source-inventory {manifest} is read as SOURCE is: name it in the same store as SOURCE, as s3://bucket/key, or as a path"
    )]
    InventoryElsewhere {
        /// The manifest as written.
        manifest: String,
    },
    /// A file is no list of prices.
    #[error(transparent)]
    PriceList(#[from] crate::prices::PriceListError),
    /// A directory is nothing to be probed.
    #[error("{path} is a directory: nothing about it has to be found out; write s3://bucket[/prefix]")]
    NoService {
        /// The directory.
        path: String,
    },
    /// An index that a killed run would leave as it was.
    #[error(
        "--index can't be kept in a ledger that is in a bucket: a run that is killed could not say so there; give --ledger a file"
    )]
    IndexInBucket,
}

impl UsageError {
    /// Each reason by itself: a file may have several mistakes.
    pub(crate) fn reasons(&self) -> Vec<String> {
        match self {
            Self::Stores(error) => error.reasons(),
            other => vec![other.to_string()],
        }
    }
}
