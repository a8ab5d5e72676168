//! What is to be in step, as plain data: the two locations and the job spec.

use std::time::Duration;

use brigade_engine::job::{Comparison, DeleteLimit, Indexing, JobSpec};
use brigade_store::{Location, Service, Symlinks};

use super::UsageError;
use super::filters::{self, Origin};
use crate::arguments::{self, Compare, JobArguments};
use crate::stores::{Located, NamedStore, Stores};

/// What is to be in step.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Where objects come from.
    pub(crate) source: Location,
    /// Where they go.
    pub(crate) dest: Location,
    /// The stores that the two were named with, if they were.
    pub(crate) stores: [Option<NamedStore>; 2],
    /// The manifest of the report that the source is listed from, if it is.
    pub(crate) source_inventory: Option<Location>,
    /// What sending an object is called here: `upload`, `download`.
    pub(crate) send: &'static str,
    /// All the rest.
    pub(crate) spec: JobSpec,
    /// Where each of the filters' rules was written.
    pub(crate) origins: Vec<Origin>,
}

/// Decides everything that the arguments leave open. So many deletions are allowed at most, if any are.
pub(crate) fn resolve(arguments: &JobArguments, most: DeleteLimit, stores: &Stores) -> Result<Job, UsageError> {
    let source = stores.locate(&arguments.source)?;
    let dest = stores.locate(&arguments.dest)?;
    let manifest = arguments.source_inventory.as_deref().map(|manifest| stores.locate(manifest)).transpose()?;
    let source_inventory = manifest.map(|manifest| inventory(manifest, &source)).transpose()?;
    let stores = [source.store, dest.store];
    let (source, dest) = (source.place, dest.place);
    let send = direction(&source, &dest);
    let filters = filters::resolve(&arguments.filters)?;
    let spec = JobSpec {
        filters: filters.filters,
        comparison: comparison(arguments.compare),
        clock_fudge_factor: Duration::from_secs(arguments.clock_fudge_factor),
        delete: arguments.delete.then_some(most),
        symlinks: symlinks(arguments.symlinks),
        indexing: Indexing::Off,
        carries_tags: !arguments.ignore_tags,
        carries_grants: false,
        source_inventory: source_inventory.as_ref().map(ToString::to_string),
    };
    Ok(Job { source, dest, stores, source_inventory, send, spec, origins: filters.origins })
}

/// The manifest, where the source is what S3 Inventory reports of.
fn inventory(manifest: Located, source: &Located) -> Result<Location, UsageError> {
    if manifest.store.is_some() && manifest.store != source.store {
        return Err(UsageError::InventoryElsewhere { manifest: manifest.place.to_string() });
    }
    match (manifest.place, &source.place) {
        (Location::Bucket { prefix, written, .. }, _) if prefix.is_empty() => {
            Err(UsageError::InventoryIsBucket(written))
        }
        (_, Location::Local(_)) => Err(UsageError::InventoryOfDirectory),
        (Location::Bucket { service: Service::Google, written, .. }, _) => Err(UsageError::InventoryAtGoogle(written)),
        (_, Location::Bucket { service: Service::Google, written, .. }) => {
            Err(UsageError::InventoryAtGoogle(written.clone()))
        }
        (manifest, _) => Ok(manifest),
    }
}

/// What sending an object is called between these locations.
fn direction(source: &Location, dest: &Location) -> &'static str {
    match (source, dest) {
        (Location::Local(_), Location::Bucket { .. }) => "upload",
        (Location::Bucket { .. }, Location::Local(_)) => "download",
        (Location::Local(_), Location::Local(_)) | (Location::Bucket { .. }, Location::Bucket { .. }) => "copy",
    }
}

/// What is done with symlinks.
pub(super) fn symlinks(symlinks: arguments::Symlinks) -> Symlinks {
    match symlinks {
        arguments::Symlinks::Follow => Symlinks::Follow,
        arguments::Symlinks::Skip => Symlinks::Skip,
    }
}

fn comparison(compare: Compare) -> Comparison {
    match compare {
        Compare::Auto => Comparison::Auto,
        Compare::Size => Comparison::Size,
        Compare::Mtime => Comparison::Mtime,
        Compare::Checksum => Comparison::Checksum,
        Compare::Always => Comparison::Always,
    }
}
