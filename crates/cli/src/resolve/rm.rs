//! `brigade rm` as plain data: a sync from nothing.

use std::time::Duration;

use brigade_engine::job::{Comparison, DeleteLimit, Indexing, JobSpec, RunOptions};
use brigade_store::{Location, Symlinks};

use super::ledger::{Locks, Memory};
use super::s3::{Probed, Sides};
use super::sync::{Source, Sync};
use super::{UsageError, filters, output, s3};
use crate::arguments;
use crate::output::text::Wording;
use crate::output::{Show, Task};

/// Decides everything that the arguments leave open.
pub(crate) fn resolve(arguments: &arguments::Rm, can_draw: bool) -> Result<Sync, UsageError> {
    let (dest, s3) = s3::one_place(&arguments.location, &arguments.s3, arguments.jobs.0.most(), Probed::Believed)?;
    match &dest {
        Location::Local(path) => return Err(UsageError::NoRemoval { path: path.display().to_string() }),
        Location::Bucket { prefix, written, .. } if prefix.is_empty() && !arguments.whole_bucket => {
            return Err(UsageError::WholeBucket(written.clone()));
        }
        Location::Bucket { .. } => {}
    }
    let output = output::resolve(&arguments.output, can_draw);
    Ok(Sync {
        source: Source::Nothing,
        dest,
        sides: Sides { source: s3.clone(), dest: s3.clone() },
        s3,
        bucket: None,
        job: job(arguments)?,
        options: options(arguments),
        // What is deleted is listed no more: there is nothing to remember.
        memory: Memory::None,
        locks: Locks::default(),
        show: Show {
            format: output.format,
            progress: output.progress,
            wording: Wording { verbosity: output.verbosity, send: "send", dry_run: arguments.dry_run },
        },
        prune: None,
        task: Task::Removal,
        report: output.report,
        prices: output::prices(&arguments.costs)?,
    })
}

fn job(arguments: &arguments::Rm) -> Result<JobSpec, UsageError> {
    Ok(JobSpec {
        filters: filters::resolve(&arguments.filters)?.filters,
        comparison: Comparison::Auto,
        clock_fudge_factor: Duration::ZERO,
        delete: Some(arguments.max_delete.map_or(DeleteLimit::Unlimited, |max_delete| max_delete.0)),
        symlinks: Symlinks::Skip,
        indexing: Indexing::Off,
        carries_tags: false,
        carries_grants: false,
        source_inventory: None,
    })
}

fn options(arguments: &arguments::Rm) -> RunOptions {
    RunOptions {
        jobs: arguments.jobs.0,
        listers: arguments.listers.0,
        // No content passes through.
        memory: 1,
        limit: None,
        dry_run: arguments.dry_run,
        server_side_copy: false,
        restore_request: None,
        allow_empty_source: true,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn parse(line: &[&str]) -> Result<Sync, String> {
        let line = ["brigade", "rm"].iter().chain(line);
        match Arguments::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Command::Rm(rm) => resolve(&rm, false).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_is_deleted_that_nothing_does_not_have() {
        let rm = parse(&["s3://bucket/p", "-n", "--max-delete=3", "--exclude=*.html"]).unwrap();
        assert_eq!((rm.dest.to_string().as_str(), rm.task), ("s3://bucket/p", Task::Removal));
        assert_eq!((rm.job.delete, rm.job.filters.rules().len()), (Some(DeleteLimit::Objects(3)), 1));
        assert!(rm.options.dry_run && rm.options.allow_empty_source && rm.memory == Memory::None);
        assert_eq!(parse(&["s3://bucket/p"]).unwrap().job.delete, Some(DeleteLimit::Unlimited));
        assert!(parse(&["s3://bucket", "--whole-bucket"]).is_ok());
    }

    #[test]
    fn a_slip_is_a_usage_error() {
        let table = [
            ("s3://bucket", "--whole-bucket"),
            ("s3://bucket/", "--whole-bucket"),
            ("/tree", "is a directory"),
            ("s3://", "the bucket is missing"),
        ];
        for (url, part) in table {
            let error = parse(&[url]).unwrap_err();
            assert!(error.contains(part), "{url}: {error}");
        }
    }
}
