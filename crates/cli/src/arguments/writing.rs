//! What is said of the objects that a sync writes, and of the bucket that they go to.

use clap::Args;

/// How objects are written to DEST, a bucket.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Objects in S3")]
pub(crate) struct WritingArguments {
    /// The storage class of what is written: STANDARD_IA, GLACIER_IR, ...
    ///
    /// Otherwise an object that comes from a bucket of the same provider keeps its own.
    #[arg(long, value_name = "CLASS")]
    pub(crate) storage_class: Option<String>,

    /// The access control list of what is written: a canned one (bucket-owner-full-control, public-read, ...), or
    /// source
    ///
    /// `source` gives each copy, from bucket to bucket, what its object grants, to the same accounts and groups. That
    /// takes one request more for each object that is copied, and is not for Google.
    #[arg(long, value_name = "ACL")]
    pub(crate) acl: Option<String>,

    /// How the service encrypts what is written: AES256, aws:kms or aws:kms:dsse
    #[arg(long, value_name = "HOW", value_parser = ["AES256", "aws:kms", "aws:kms:dsse"], conflicts_with = "dest_sse_c_key")]
    pub(crate) sse: Option<String>,

    /// The key for --sse aws:kms or aws:kms:dsse, by its id or ARN
    #[arg(long, value_name = "ID", requires = "sse")]
    pub(crate) sse_kms_key_id: Option<String>,

    /// Tags for what is written, instead of those that it had: project=web&keep=1
    #[arg(long, value_name = "TAGS")]
    pub(crate) tagging: Option<String>,
}

/// What is done to the bucket that a sync writes to.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The bucket of DEST")]
pub(crate) struct BucketArguments {
    /// Make the bucket of DEST if it isn't there
    #[arg(long)]
    pub(crate) create_bucket: bool,

    /// Where to make it; otherwise in the region of DEST
    #[arg(long, value_name = "REGION", requires = "create_bucket")]
    pub(crate) location: Option<String>,

    /// Have the bucket of DEST keep what is replaced and deleted, as versions
    #[arg(long)]
    pub(crate) enable_versioning: bool,
}
