//! Places that hold objects, behind one trait: local trees, buckets, memory.
//!
//! The engine knows only what this module exports. A new kind of store is one
//! file here and one line in [`open`].

pub mod browse;
mod capabilities;
mod digest;
mod entry;
mod failure;
mod forecast;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod hashers;
mod inventory;
mod key;
mod listing;
mod local;
mod location;
pub mod memory;
mod new_bucket;
mod nothing;
mod object;
mod open;
pub mod record;
pub mod s3;
pub mod spill;
mod store;
pub mod time;
mod upload;
mod versions;
mod view;

pub use capabilities::{Capabilities, ClockSkew, Conditions, Kind, Order, RequestCount};
pub use digest::{Digest, DigestKind};
pub use entry::{Entry, Version, VersionId};
pub use failure::{CopyFailure, Failure, FailureKind};
pub use forecast::{Forecast, Work};
pub use hashers::Hashers;
pub use inventory::{InventoryError, Reported};
pub use key::{Key, is_unprintable};
pub use listing::{Extent, KeyRange, Listed, Listing, ListingError, Unknown, UnknownReason};
pub use local::{LocalStore, Symlinks, remove_temporary_files};
pub use location::{Location, LocationError, Service};
pub use new_bucket::{NewBucket, NewBucketError};
pub use nothing::Nothing;
pub use object::{Condition, Copying, NewObject, Object, ObjectHeaders, Receipt, RestoreRequest, Tags, Verified};
pub use open::{OpenError, Role, open, open_both, open_whole};
pub use s3::{Restoring, RetrievalTier};
pub use spill::{Sorted, Sorter};
pub use store::{Reader, Store};
pub use upload::{FinishedPart, OpenUpload, OpenUploads, Part, Resumed, Upload};
pub use versions::{KeptContent, KeptVersion, Succession, VersionListing, Versioning};
pub use view::{Moment, View, ViewError, Wanted};
