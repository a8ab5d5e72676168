//! The one place that opens a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use brigade_s3::Client;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use tokio_util::sync::CancellationToken;

use crate::inventory::{Inventory, Reported};
use crate::local::{LocalStore, Symlinks};
use crate::s3::{BucketStore, Config, ConfigError};
use crate::{InventoryError, ListingError, Location, RequestCount, Store, ViewError};

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To be read: it must be there.
    Source {
        /// What is done with the symlinks of a local tree.
        symlinks: Symlinks,
    },
    /// To be written: a local directory that isn't there is made with the first write.
    Destination,
    /// To be looked at as the destination of a dry run: nothing there is changed.
    Preview,
    /// To be emptied or measured: whatever is there is listed. Of a bucket it may be removed; a directory, in which no
    /// symlink is followed, must be there, and is only read.
    Whole,
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A source that isn't there.
    #[error("{0}: there is no such directory; check the path{hint}", hint = hint(.0))]
    Missing(PathBuf),
    /// Something else than a directory.
    #[error("{0} is not a directory; give the directory that it is in, and choose with --include")]
    NotADirectory(PathBuf),
    /// A destination on whose path a symlink leads nowhere: neither can it be
    /// followed, nor a directory be made in its place.
    #[error("{path}: {link} is a symlink whose target does not exist; make the target, or remove the symlink")]
    DanglingLink {
        /// The destination.
        path: PathBuf,
        /// The symlink.
        link: PathBuf,
    },
    /// A destination that isn't there, and can't be made.
    #[error("{path} is not there, and can't be made in {above}: {reason}; make it, or choose another place")]
    CanNotBeMade {
        /// The destination.
        path: PathBuf,
        /// The nearest directory above it that is there.
        above: PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// A directory that can't be looked at.
    #[error("{path}: {reason}; check the path, and who may read it and the directories above it")]
    Unreadable {
        /// The directory.
        path: PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// Two places of which one is the other, or lies in it.
    #[error(
        "{one} and {other} overlap: they are the same place, or one lies in the other, and a sync between them would \
         read what it writes; give places that lie apart"
    )]
    Overlap {
        /// Where objects come from.
        one: String,
        /// Where they go.
        other: String,
    },
    /// The S3 client could not be made.
    #[error(transparent)]
    S3(#[from] ConfigError),
    /// It can't be seen as it was to be.
    #[error(transparent)]
    View(#[from] ViewError),
    /// It could not be looked into.
    #[error("{reason}")]
    Unlisted {
        /// What went wrong and what to do about it.
        reason: ListingError,
        /// What was sent to look.
        requests: Vec<RequestCount>,
    },
    /// The report that was to stand for the bucket's listing can't.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// What a path that isn't there may have been meant for.
fn hint(path: &Path) -> &'static str {
    let written = path.to_str().and_then(|written| written.split_once(':'));
    match written {
        Some((name, below)) if !name.contains('/') && !below.is_empty() => {
            " (if it begins with a store's name, see `brigade config check`)"
        }
        _ => "",
    }
}

/// Opens the store at a location. The S3 settings are for buckets; nothing is
/// sent to a bucket yet, so that whether it is there shows at the first request.
///
/// Once `abandon` is cancelled, calls of the store fail that still wait, for a
/// server or a disk. What only cleans up goes on for a moment.
pub async fn open(
    location: &Location,
    role: Role,
    s3: &Config,
    abandon: &CancellationToken,
) -> Result<Arc<dyn Store>, OpenError> {
    match location {
        Location::Local(path) => {
            check_directory(path, role)?;
            let store = match role {
                Role::Source { symlinks } => LocalStore::source(path, symlinks),
                Role::Whole => LocalStore::source(path, Symlinks::Skip),
                Role::Destination => LocalStore::destination(path),
                Role::Preview => LocalStore::preview(path),
            };
            Ok(Arc::new(store.abandoned_with(abandon.clone())))
        }
        Location::Bucket { service, bucket, prefix, written } => {
            let client = Client::connect(Config { abandon: abandon.clone(), ..service.settings(s3) }).await?;
            Ok(Arc::new(BucketStore::new(client.bucket(bucket), prefix, written, role)))
        }
    }
}

/// Opens a place of which all that is below the location is listed, of a bucket markers of directories and names that
/// are reserved as well, to be removed or counted. Where nothing is, and the location is the name of an object, it is
/// that object.
pub async fn open_whole(
    location: &Location,
    s3: &Config,
    abandon: &CancellationToken,
) -> Result<Arc<dyn Store>, OpenError> {
    let Location::Bucket { service, bucket, prefix, written } = location else {
        return open(location, Role::Whole, s3, abandon).await;
    };
    let client = Client::connect(Config { abandon: abandon.clone(), ..service.settings(s3) }).await?;
    let bucket = client.bucket(bucket);
    let below = BucketStore::new(bucket.clone(), prefix, written, Role::Whole);
    let Some(name) = location.object_name().filter(|name| !name.ends_with('/')) else {
        return Ok(Arc::new(below));
    };
    match below.first().await {
        Ok(None) => {}
        Ok(Some(_)) => return Ok(Arc::new(below)),
        Err(reason) => return Err(OpenError::Unlisted { reason, requests: below.requests() }),
    }
    let (above, key) = name.rsplit_once('/').map_or(("", name), |(above, key)| (&name[..=above.len()], key));
    Ok(Arc::new(BucketStore::new(bucket, above, written, Role::Whole).only(key.into())))
}

/// Opens two stores that one sync is between, each by its own S3 settings; they may not overlap. If
/// there is a report of S3 Inventory, the first one, a bucket, is listed from that.
pub async fn open_both(
    locations: [&Location; 2],
    roles: [Role; 2],
    reported: Option<Reported<'_>>,
    s3: [&Config; 2],
    abandon: &CancellationToken,
) -> Result<[Arc<dyn Store>; 2], OpenError> {
    let overlap = || OpenError::Overlap { one: locations[0].to_string(), other: locations[1].to_string() };
    if locations[0].overlaps(locations[1]) {
        return Err(overlap());
    }
    let one = match reported {
        Some(reported) => open_listed_from(reported, locations[0], roles[0], s3[0], abandon).await,
        None => open(locations[0], roles[0], s3[0], abandon).await,
    };
    let other = open(locations[1], roles[1], s3[1], abandon).await;
    let (one, other) = (one?, other?);
    match (one.in_bucket(), other.in_bucket()) {
        (Some(bucket), Some(other)) if bucket.overlaps(other) => Err(overlap()),
        _ => Ok([one, other]),
    }
}

/// Opens a store as [`open`] does. Where it is a bucket, its listing is read from the report of S3
/// Inventory, and nothing else is: what is looked at, read or compared is what the
/// bucket holds. The manifest, which is an object or a file, is read now.
async fn open_listed_from(
    reported: Reported<'_>,
    location: &Location,
    role: Role,
    s3: &Config,
    abandon: &CancellationToken,
) -> Result<Arc<dyn Store>, OpenError> {
    let Location::Bucket { service, bucket, prefix, written } = location else {
        return open(location, role, s3, abandon).await;
    };
    let client = Client::connect(Config { abandon: abandon.clone(), ..service.settings(s3) }).await?;
    // A report is not encrypted with the key that the objects are.
    let reports = Config { abandon: abandon.clone(), customer_key: None, ..service.settings(s3) };
    let reports = if s3.customer_key.is_some() { Client::connect(reports).await? } else { client.clone() };
    let bucket = BucketStore::new(client.bucket(bucket), prefix, written, role);
    let inventory = Inventory::open(&reports, reported, bucket.clone()).await?;
    Ok(Arc::new(bucket.listed_from(inventory)))
}

/// Tells a wrong path at once, before anything is listed on the other side.
fn check_directory(path: &Path, role: Role) -> Result<(), OpenError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(OpenError::NotADirectory(path.into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match role {
            Role::Source { .. } | Role::Whole => Err(OpenError::Missing(path.into())),
            Role::Destination | Role::Preview => check_can_be_made(path),
        },
        Err(reason) => Err(OpenError::Unreadable { path: path.into(), reason }),
    }
}

/// Tells a path whose directories can't be made because a symlink is in the way.
fn check_can_be_made(path: &Path) -> Result<(), OpenError> {
    // The nearest that is there is a directory, or a symlink of which `metadata` says that it isn't.
    let nearest = path.ancestors().find(|above| above.symlink_metadata().is_ok());
    match nearest {
        Some(link) if link.is_symlink() && !link.exists() => {
            Err(OpenError::DanglingLink { path: path.into(), link: link.into() })
        }
        Some(above) if above.is_dir() => accessat(CWD, above, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
            .map_err(|error| OpenError::CanNotBeMade { path: path.into(), above: above.into(), reason: error.into() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_inside_each_other_overlap() {
        let root = tempfile::tempdir().unwrap();
        let local = root.path().display().to_string();
        let at = |endpoint: &str| Config { endpoint_url: Some(endpoint.into()), sign: false, ..Config::default() };
        let (here, there) = (at("http://127.0.0.1:1"), at("http://127.0.0.1:2"));
        let below = format!("{local}/new");
        let table = [
            ("s3://bucket", "s3://bucket/", &here, true),
            ("s3://bucket/p", "s3://bucket/p/", &here, true),
            ("s3://bucket/p", "s3://bucket", &here, true),
            ("s3://bucket/p/q", "s3://bucket/p", &here, true),
            ("s3://bucket/p", "s3://bucket/p//", &here, true),
            ("s3://bucket/p", "s3://bucket/pq", &here, false),
            ("s3://bucket/p", "s3://other/p", &here, false),
            ("s3://bucket/p", "s3://bucket/p", &there, false),
            ("s3://bucket/p", &local, &here, false),
            (&local, &below, &here, true),
        ];
        for (one, other, config, expected) in table {
            let locations = [one, other].map(|written| Location::parse(written.as_ref()).unwrap());
            let roles = [Role::Source { symlinks: Symlinks::Follow }, Role::Destination];
            let [one, other] = &locations;
            let opened = open_both([one, other], roles, None, [&here, config], &CancellationToken::new()).await;
            assert_eq!(matches!(opened, Err(OpenError::Overlap { .. })), expected, "{one} {other}");
        }
    }

    #[tokio::test]
    async fn wrong_paths_are_told_at_once() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("file"), "x").unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("dangling")).unwrap();
        std::os::unix::fs::symlink(".", root.path().join("link")).unwrap();
        let source = Role::Source { symlinks: Symlinks::Follow };
        let table = [
            ("", source, None),
            ("", Role::Destination, None),
            ("new", source, Some("there is no such directory")),
            ("new", Role::Destination, None),
            ("new", Role::Whole, Some("there is no such directory")),
            ("file", source, Some("is not a directory")),
            ("file", Role::Destination, Some("is not a directory")),
            ("dangling", source, Some("there is no such directory")),
            ("dangling", Role::Destination, Some("dangling is a symlink whose target does not exist")),
            ("dangling/below/it", Role::Destination, Some("dangling is a symlink whose target does not exist")),
            ("link", Role::Destination, None),
            ("link/new", Role::Destination, None),
            ("file/below", Role::Destination, Some("Not a directory")),
        ];
        for (path, role, expected) in table {
            let location = Location::Local(root.path().join(path));
            let error = open(&location, role, &Config::default(), &CancellationToken::new()).await;
            let error = error.err().map(|error| error.to_string());
            match (expected, error) {
                (None, None) => {}
                (Some(part), Some(message)) if message.contains(part) => {}
                (expected, error) => panic!("{path:?} {role:?}: expected {expected:?}, got {error:?}"),
            }
        }
    }
}
