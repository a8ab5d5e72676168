//! What is to be in step, as plain data: the two locations and the job spec.

use std::ffi::OsStr;
use std::time::Duration;

use brigade_engine::job::{Comparison, DeleteLimit, Indexing, JobSpec};
use brigade_store::{Location, Service, Symlinks};

use super::UsageError;
use super::filters::{self, Origin};
use crate::arguments::{self, Compare, JobArguments};

/// What is to be in step.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Where objects come from.
    pub(crate) source: Location,
    /// Where they go.
    pub(crate) dest: Location,
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
pub(crate) fn resolve(arguments: &JobArguments, most: DeleteLimit) -> Result<Job, UsageError> {
    let source = Location::parse(&arguments.source)?;
    let dest = Location::parse(&arguments.dest)?;
    let send = direction(&source, &dest);
    let source_inventory = inventory(arguments.source_inventory.as_deref(), &source)?;
    let filters = filters::resolve(&arguments.filters)?;
    let spec = JobSpec {
        filters: filters.filters,
        comparison: comparison(arguments.compare),
        clock_fudge_factor: Duration::from_secs(arguments.clock_fudge_factor),
        delete: arguments.delete.then_some(most),
        symlinks: symlinks(arguments.symlinks),
        indexing: Indexing::Off,
        carries_tags: !arguments.ignore_tags,
        source_inventory: source_inventory.as_ref().map(ToString::to_string),
    };
    Ok(Job { source, dest, source_inventory, send, spec, origins: filters.origins })
}

/// The manifest, where the source is what S3 Inventory reports of.
fn inventory(manifest: Option<&OsStr>, source: &Location) -> Result<Option<Location>, UsageError> {
    let Some(manifest) = manifest else { return Ok(None) };
    match (Location::parse(manifest)?, source) {
        (Location::Bucket { prefix, written, .. }, _) if prefix.is_empty() => {
            Err(UsageError::InventoryIsBucket(written))
        }
        (_, Location::Local(_)) => Err(UsageError::InventoryOfDirectory),
        (Location::Bucket { service: Service::Google, written, .. }, _) => Err(UsageError::InventoryAtGoogle(written)),
        (_, Location::Bucket { service: Service::Google, written, .. }) => {
            Err(UsageError::InventoryAtGoogle(written.clone()))
        }
        (manifest, _) => Ok(Some(manifest)),
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
