//! Brigade's S3 protocol client: sign, send, retry, parse.
//!
//! A [`Client`] is made from a [`Config`]; it gives a [`Bucket`], whose methods
//! are S3's operations. It knows nothing of syncing.

mod address;
mod bandwidth;
mod billing;
mod bucket;
mod checksum;
mod client;
mod clock;
mod config;
mod config_error;
mod connect;
mod counters;
mod crc_row;
mod credentials;
mod dialect;
mod encoding;
mod error;
mod error_kind;
mod exchange;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod grants;
mod hashing;
mod identity;
mod incoming;
mod lanes;
#[cfg(feature = "measuring")]
pub mod measuring;
mod operations;
mod outgoing;
mod overheard;
mod pace;
pub mod probe;
mod proxy;
mod request;
mod resolve;
mod retry;
mod route;
mod sending;
mod sign;
mod surroundings;
mod tcp;
mod timestamp;
mod writing;
mod xml;

pub use bandwidth::Bandwidth;
pub use billing::RequestClass;
pub use bucket::Bucket;
pub use checksum::{Verified, format_md5};
pub use client::Client;
pub use clock::ClockSkew;
pub use config::{AccessKey, Account, Addressing, Config};
pub use counters::RequestCount;
pub use crc_row::{crc32c_in_a_row, crc64nvme_in_a_row};
pub use credentials::CredentialsOrigin;
pub use dialect::{Dialect, Fact, Provider, Remembered, Support, UnknownProvider};
pub use encoding::decode_listed;
pub use error::{ConfigError, Error, ErrorKind};
pub use grants::{AccessControlList, GrantError, Grants};
pub use operations::{
    CompleteMultipartUpload, Condition, Continuation, CopyObject, CopySource, CreateMultipartUpload, DeleteObject,
    Endless, GetObject, GotObject, HeadObject, ListMultipartUploads, ListObjectVersions, ListObjectsV2, ListParts,
    ListedObject, ListedPage, ListedUpload, ListedVersion, MultipartUpload, NOTED_MD5, NewHeaders, ObjectHead,
    PartsPage, PutObject, RestoreObject, Restoring, RetrievalTier, Stored, USUAL_CLASS, UploadPart, UploadPartCopy,
    UploadedPart, UploadsContinuation, UploadsMarker, UploadsPage, VersionContent, VersionName, Versioning,
    VersionsContinuation, VersionsMarker, VersionsPage,
};
pub use pace::RequestLimit;
pub use timestamp::parse_iso8601;
pub use writing::{CustomerKey, Encryption, Writing};
