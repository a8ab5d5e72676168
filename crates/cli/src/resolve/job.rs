//! What is to be in step, as plain data: the two locations and the job spec.

use std::time::Duration;

use brigade_engine::job::{Comparison, DeleteLimit, Indexing, JobSpec};
use brigade_store::{Location, Symlinks};

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
    let filters = filters::resolve(&arguments.filters)?;
    let spec = JobSpec {
        filters: filters.filters,
        comparison: comparison(arguments.compare),
        clock_fudge_factor: Duration::from_secs(arguments.clock_fudge_factor),
        delete: arguments.delete.then_some(most),
        symlinks: symlinks(arguments.symlinks),
        indexing: Indexing::Off,
        carries_tags: !arguments.ignore_tags,
    };
    Ok(Job { source, dest, send, spec, origins: filters.origins })
}

/// What sending an object is called between these locations.
fn direction(source: &Location, dest: &Location) -> &'static str {
    match (source, dest) {
        (Location::Local(_), Location::Bucket { .. }) => "upload",
        (Location::Bucket { .. }, Location::Local(_)) => "download",
        (Location::Local(_), Location::Local(_)) | (Location::Bucket { .. }, Location::Bucket { .. }) => "copy",
    }
}

fn symlinks(symlinks: arguments::Symlinks) -> Symlinks {
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
