//! `brigade restore` as plain data: a sync down, from a bucket that may be seen as it was.

use std::collections::BTreeSet;
use std::time::Duration;

use brigade_engine::job::{Comparison, DeleteLimit, Indexing, JobSpec, RunOptions};
use brigade_store::{Location, RestoreRequest, RetrievalTier, Symlinks, Wanted};

use super::ledger::{self, Memory};
use super::prune::check_keeps_versions;
use super::s3::{Probed, Sides};
use super::sync::{Source, Sync};
use super::{UsageError, filters, output, s3};
use crate::arguments::{self, Tier};
use crate::output::text::Wording;
use crate::output::{Show, Task};
use crate::stores::Stores;

/// Decides everything that the arguments leave open.
pub(crate) fn resolve(arguments: &arguments::Restore, can_draw: bool) -> Result<Sync, UsageError> {
    let stores = Stores::read(arguments.s3.config.as_deref())?;
    let jobs = arguments.jobs.0.most();
    let (location, s3) = s3::place_among(&stores, &arguments.source, &arguments.s3, jobs, Probed::Believed)?;
    let dest = stores.locate(&arguments.dest)?.place;
    if let Location::Local(path) = &location {
        return Err(UsageError::RestoreFromDirectory { path: path.display().to_string() });
    }
    if let Location::Bucket { written, .. } = dest {
        return Err(UsageError::RestoreToBucket(written));
    }
    let wanted = wanted(arguments)?;
    if wanted.at.is_some() || !wanted.versions.is_empty() {
        check_keeps_versions(&location, s3.provider)?;
    }
    let output = output::resolve(&arguments.output, can_draw);
    Ok(Sync {
        source: Source::View { location, wanted },
        dest,
        sides: Sides { source: s3::read_with(s3.clone(), &arguments.key)?, dest: s3.clone() },
        s3,
        bucket: None,
        job: job(arguments)?,
        options: options(arguments),
        // What is there is proven by its content: nothing is believed that another run has settled.
        memory: Memory::None,
        locks: ledger::locks(&arguments.locks),
        show: Show {
            format: output.format,
            progress: output.progress,
            wording: Wording { verbosity: output.verbosity, send: "restore", dry_run: arguments.dry_run },
        },
        prune: None,
        task: Task::Restore(tier(arguments.tier)),
        report: output.report,
        prices: output::prices(&arguments.costs)?,
    })
}

fn wanted(arguments: &arguments::Restore) -> Result<Wanted, UsageError> {
    let mut keys = BTreeSet::new();
    if let Some(twice) = arguments.version_of.iter().find(|version| !keys.insert(&version.key)) {
        return Err(UsageError::TwoVersionsOf { key: twice.key.to_string() });
    }
    Ok(Wanted {
        at: arguments.at.map(|instant| instant.0),
        versions: arguments.version_of.iter().map(|version| (version.key.clone(), version.id.clone())).collect(),
        skip_generated: arguments.skip_generated,
        deletes: arguments.delete,
    })
}

fn job(arguments: &arguments::Restore) -> Result<JobSpec, UsageError> {
    let most = arguments.max_delete.map_or(DeleteLimit::Unlimited, |max_delete| max_delete.0);
    Ok(JobSpec {
        filters: filters::resolve(&arguments.filters)?.filters,
        comparison: Comparison::Auto,
        // The content decides.
        clock_fudge_factor: Duration::ZERO,
        delete: arguments.delete.then_some(most),
        symlinks: Symlinks::Skip,
        indexing: Indexing::Off,
        carries_tags: false,
        carries_grants: false,
        source_inventory: None,
    })
}

fn options(arguments: &arguments::Restore) -> RunOptions {
    RunOptions {
        jobs: arguments.jobs.0,
        listers: arguments.listers.0,
        memory: arguments.memory.0,
        limit: None,
        dry_run: arguments.dry_run,
        server_side_copy: false,
        restore_request: restore_request(arguments),
        allow_empty_source: arguments.allow_empty_source,
    }
}

fn restore_request(arguments: &arguments::Restore) -> Option<RestoreRequest> {
    arguments.days.map(|days| RestoreRequest { days: days.get(), tier: tier(arguments.tier) })
}

fn tier(tier: Tier) -> RetrievalTier {
    match tier {
        Tier::Bulk => RetrievalTier::Bulk,
        Tier::Standard => RetrievalTier::Standard,
        Tier::Expedited => RetrievalTier::Expedited,
    }
}

#[cfg(test)]
mod tests {
    use brigade_store::Moment;
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn parse(line: &[&str]) -> Result<Sync, String> {
        let line = ["brigade", "restore"].iter().chain(line);
        match Arguments::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Command::Restore(restore) => resolve(&restore, false).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bucket_is_seen_as_it_was_asked_for() {
        let plain = parse(&["s3://bucket/p", "/nonexistent/tree"]).unwrap();
        assert!(matches!(&plain.source, Source::View { wanted, .. } if *wanted == Wanted::default()));
        assert_eq!(
            (plain.job.delete, plain.task, plain.memory),
            (None, Task::Restore(RetrievalTier::Standard), Memory::None)
        );
        let line = ["s3://bucket/p", "tree", "--at=2d", "--version-of=a=v1", "--version-of=b=v2", "--skip-generated"];
        let all = parse(&line).unwrap();
        let Source::View { wanted, .. } = all.source else { panic!() };
        assert_eq!(wanted.at, Some(Moment::Ago(Duration::from_hours(48))));
        assert_eq!(wanted.versions, [("a".into(), "v1".into()), ("b".into(), "v2".into())]);
        assert!(wanted.skip_generated);
        assert_eq!(all.options.restore_request, None);
        let asking = parse(&["s3://bucket", "tree", "--request-restore=7", "--tier=bulk"]).unwrap();
        assert_eq!(asking.options.restore_request, Some(RestoreRequest { days: 7, tier: RetrievalTier::Bulk }));
        let deleting = parse(&["s3://bucket", "tree", "--delete", "--max-delete=1%"]).unwrap();
        assert_eq!(deleting.job.delete, Some(DeleteLimit::Percent(1.0)));
    }

    #[test]
    fn what_cannot_be_meant_is_a_usage_error() {
        let table: [(&[&str], &str); 10] = [
            (&["/tree", "/other"], "/tree is a directory; use `brigade sync`"),
            (&["s3://bucket", "s3://other"], "s3://other is a bucket; "),
            (&["s3://bucket", "tree", "--at=now"], "not a time; write 2026-11-20"),
            (&["s3://bucket", "tree", "--version-of=a"], "write KEY=ID"),
            (&["s3://bucket", "tree", "--version-of=a=v1", "--version-of=a=v2"], "names a twice"),
            (&["gs://bucket", "tree", "--at=2d"], "is at Google"),
            (&["s3://bucket", "tree", "--max-delete=3"], "--delete"),
            (&["s3://bucket", "tree", "--tier=bulk"], "--request-restore"),
            (&["s3://bucket", "tree", "--request-restore=0"], "--request-restore"),
            (&["s3://bucket"], "<DIR>"),
        ];
        for (line, part) in table {
            let error = parse(line).unwrap_err();
            assert!(error.contains(part), "{line:?}: {error}");
        }
        assert!(parse(&["gs://bucket", "tree"]).is_ok(), "as it is now");
    }
}
