//! `brigade sync` as plain data: the two locations, the job spec, the run options.

use std::path::PathBuf;

use brigade_engine::job::{DeleteLimit, Indexing, JobSpec, RunOptions};
use brigade_engine::prune::Prune;
use brigade_store::s3::{Config, Provider};
use brigade_store::{Location, NewBucket, Wanted};

use super::job::{self, Job};
use super::ledger::{self, Locks, Memory};
use super::prune::{check_keeps_versions, older_than};
use super::s3::{Probed, Sides};
use super::{UsageError, output, s3, writing};
use crate::arguments;
use crate::output::text::Wording;
use crate::output::{Show, Task};
use crate::prices::PriceList;
use crate::stores::Stores;

/// A sync, decided in everything.
#[derive(Clone, Debug)]
pub(crate) struct Sync {
    /// Where objects come from.
    pub(crate) source: Source,
    /// Where they go.
    pub(crate) dest: Location,
    /// How S3 is reached for what is of neither side: a ledger.
    pub(crate) s3: Config,
    /// How each side is reached.
    pub(crate) sides: Sides,
    /// What is done to the destination's bucket before.
    pub(crate) bucket: Option<NewBucket>,
    /// What is to be in step.
    pub(crate) job: JobSpec,
    /// How the run goes about it.
    pub(crate) options: RunOptions,
    /// Where what is remembered is kept.
    pub(crate) memory: Memory,
    /// What keeps this run and others apart.
    pub(crate) locks: Locks,
    /// How the run is shown.
    pub(crate) show: Show,
    /// What the run is to the person.
    pub(crate) task: Task,
    /// Where every event is written besides.
    pub(crate) report: Option<PathBuf>,
    /// Which versions are removed from the destination afterwards.
    pub(crate) prune: Option<Prune>,
    /// What requests cost, if the person said so.
    pub(crate) prices: Option<PriceList>,
}

/// Where objects come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A directory or a bucket.
    Place {
        /// Which.
        location: Location,
        /// The manifest of the report that it is listed from, if it is.
        inventory: Option<Location>,
    },
    /// A bucket, seen otherwise than it is now.
    View {
        /// Which.
        location: Location,
        /// How.
        wanted: Wanted,
    },
    /// Nowhere: all is to be deleted.
    Nothing,
}

impl Source {
    /// The place that it is, if it is one.
    pub(crate) fn location(&self) -> Option<&Location> {
        match self {
            Self::Place { location, .. } | Self::View { location, .. } => Some(location),
            Self::Nothing => None,
        }
    }
}

/// Decides everything that the arguments leave open. `can_draw` says whether
/// progress can be drawn on standard error.
pub(crate) fn resolve(arguments: &arguments::Sync, can_draw: bool) -> Result<Sync, UsageError> {
    let most = arguments.max_delete.map_or(DeleteLimit::Unlimited, |max_delete| max_delete.0);
    let stores = Stores::read(arguments.s3.config.as_deref())?;
    let job = job::resolve(&arguments.job, most, &stores)?;
    let Job { source, dest, stores: named, source_inventory, send, mut spec, .. } = job;
    let (memory, ledger_store) = ledger::resolve(&arguments.ledger, &stores)?;
    spec.indexing = indexing(arguments, &dest, &memory)?;
    // What is replaced needn't be read.
    spec.carries_tags &= arguments.writing.tagging.is_none();
    let s3 = s3::resolve(&arguments.s3, arguments.jobs.0.most(), Probed::unless(arguments.ledger.no_ledger));
    let output = output::resolve(&arguments.output, can_draw);
    let wording = Wording { verbosity: output.verbosity, send, dry_run: arguments.dry_run };
    let sides = s3::sides(&s3, &arguments.sides, [&source, &dest], named.each_ref().map(Option::as_ref))?;
    spec.carries_grants = writing::carries_grants(&arguments.writing, [&source, &dest], &sides)?;
    let prune = pruning(arguments, &dest, sides.dest.provider)?;
    Ok(Sync {
        memory,
        locks: ledger::locks(&arguments.locks),
        sides: writing::resolve(sides, &arguments.writing, &dest)?,
        bucket: writing::bucket(&arguments.bucket, &dest)?,
        source: Source::Place { location: source, inventory: source_inventory },
        dest,
        s3: s3::of_store(&s3, ledger_store.as_ref()),
        job: spec,
        options: options(arguments),
        show: Show { format: output.format, progress: output.progress, wording },
        prune,
        task: Task::Sync,
        report: output.report,
        prices: output::prices(&arguments.costs)?,
    })
}

/// What a killed run did must not go unnoticed: a ledger in a bucket is written back at the end only.
fn indexing(arguments: &arguments::Sync, dest: &Location, memory: &Memory) -> Result<Indexing, UsageError> {
    match (arguments.index, arguments.rebuild_index, dest) {
        (false, false, _) => Ok(Indexing::Off),
        _ if matches!(memory, Memory::InBucket(_)) => Err(UsageError::IndexInBucket),
        (_, _, Location::Local(_)) => Err(UsageError::IndexOfDirectory),
        (_, true, Location::Bucket { .. }) => Ok(Indexing::Rebuild),
        (true, false, Location::Bucket { .. }) => Ok(Indexing::Use),
    }
}

fn pruning(
    arguments: &arguments::Sync,
    dest: &Location,
    provider: Option<Provider>,
) -> Result<Option<Prune>, UsageError> {
    let Some(span) = arguments.prune_older_than else { return Ok(None) };
    check_keeps_versions(dest, provider)?;
    Ok(Some(older_than(span.0, arguments.dry_run)))
}

fn options(arguments: &arguments::Sync) -> RunOptions {
    RunOptions {
        jobs: arguments.jobs.0,
        listers: arguments.listers.0,
        memory: arguments.memory.0,
        limit: arguments.limit,
        dry_run: arguments.dry_run,
        server_side_copy: !arguments.no_server_side_copy,
        restore_request: None,
        allow_empty_source: arguments.allow_empty_source,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brigade_engine::job::{AtOnce, Comparison};
    use brigade_store::Symlinks;
    use clap::Parser;
    use clap::error::ErrorKind;

    use super::*;
    use crate::arguments::{Arguments, Command, Format};
    use crate::output::progress::Style;
    use crate::output::text::Verbosity;

    fn parse(line: &[&str]) -> Result<arguments::Sync, ErrorKind> {
        let line = ["brigade", "sync"].iter().chain(line);
        match Arguments::try_parse_from(line).map_err(|error| error.kind())?.command {
            Command::Sync(sync) => Ok(*sync),
            other => panic!("{other:?}"),
        }
    }

    fn sync(options: &[&str]) -> Sync {
        let line: Vec<&str> = options.iter().chain(&["site", "s3://bucket/site"]).copied().collect();
        resolve(&parse(&line).unwrap(), false).unwrap()
    }

    #[test]
    fn without_options_the_defaults_hold() {
        let sync = sync(&[]);
        assert_eq!(sync.job.comparison, Comparison::Auto);
        assert_eq!(sync.job.clock_fudge_factor, Duration::from_mins(20));
        assert_eq!(sync.job.delete, None);
        assert_eq!((sync.options.jobs, sync.options.memory), (AtOnce::Growing { from: 64, to: 512 }, 256 << 20));
        assert_eq!((sync.options.limit, sync.options.dry_run), (None, false));
        assert!(!sync.options.allow_empty_source);
        assert_eq!(sync.job.symlinks, Symlinks::Follow);
        assert_eq!((sync.show.format, sync.show.progress), (Format::Text, Style::Lines));
        assert_eq!((sync.show.wording.verbosity, sync.show.wording.send), (Verbosity::Normal, "upload"));
    }

    #[test]
    fn a_key_of_kms_is_for_kms() {
        let refused = |how: &str| {
            let line = ["site", "s3://bucket", "--sse", how, "--sse-kms-key-id=k"];
            resolve(&parse(&line).unwrap(), false).err().map(|error| error.to_string())
        };
        assert_eq!((refused("aws:kms"), refused("aws:kms:dsse")), (None, None));
        assert!(refused("AES256").unwrap().contains("with AES256 the service encrypts with keys of its own"));
    }

    #[test]
    fn each_option_has_its_place() {
        let all = sync(&[
            "--delete",
            "--max-delete=10%",
            "--compare=checksum",
            "--clock-fudge-factor=0",
            "--jobs=3",
            "--memory=1G",
            "--dry-run",
            "--allow-empty-source",
            "--symlinks=skip",
            "--output=json",
            "--progress=none",
            "-vv",
        ]);
        assert_eq!(all.job.delete, Some(DeleteLimit::Percent(10.0)));
        assert_eq!(all.job.comparison, Comparison::Checksum);
        assert_eq!(all.job.clock_fudge_factor, Duration::ZERO);
        assert_eq!((all.options.jobs, all.options.memory, all.options.dry_run), (AtOnce::Exactly(3), 1 << 30, true));
        assert!(all.options.allow_empty_source);
        assert_eq!(all.job.symlinks, Symlinks::Skip);
        assert_eq!((all.show.format, all.show.progress), (Format::Json, Style::Hidden));
        assert_eq!(all.show.wording.verbosity, Verbosity::VeryVerbose);
        assert!(all.show.wording.dry_run);

        assert_eq!(sync(&["--delete"]).job.delete, Some(DeleteLimit::Unlimited));
        assert_eq!(sync(&["--limit=5"]).options.limit, Some(5));
        assert_eq!(sync(&["-q"]).show.wording.verbosity, Verbosity::Quiet);
    }

    #[test]
    fn what_cannot_be_meant_is_a_usage_error() {
        let table: [(&[&str], ErrorKind); 9] = [
            (&["a"], ErrorKind::MissingRequiredArgument),
            (&["a", "s3://bucket", "c"], ErrorKind::UnknownArgument),
            (&["a", "s3://bucket", "--max-delete=5"], ErrorKind::MissingRequiredArgument),
            (&["a", "s3://bucket", "--delete", "--max-delete=ten"], ErrorKind::ValueValidation),
            (&["a", "s3://bucket", "-q", "-v"], ErrorKind::ArgumentConflict),
            (&["a", "s3://bucket", "--jobs=0"], ErrorKind::ValueValidation),
            (&["a", "s3://bucket", "--memory=0"], ErrorKind::ValueValidation),
            (&["a", "s3://bucket", "--compare=guess"], ErrorKind::InvalidValue),
            (&["a", "s3://bucket", "--provider=nobody"], ErrorKind::InvalidValue),
        ];
        for (line, expected) in table {
            assert_eq!(parse(line).unwrap_err(), expected, "{line:?}");
        }
    }

    #[test]
    fn a_report_is_of_a_bucket_and_is_part_of_the_job() {
        let with = |source: &str, manifest: &str| {
            let option = format!("--source-inventory={manifest}");
            resolve(&parse(&[source, "/nonexistent/a", &option]).unwrap(), false)
        };
        let digest = |manifest: &str| with("s3://bucket", manifest).unwrap().job.digest();
        let none = resolve(&parse(&["s3://bucket", "/nonexistent/a"]).unwrap(), false).unwrap().job.digest();
        assert_eq!(digest("s3://reports/a/manifest.json"), digest("s3://reports/a/manifest.json"));
        for other in [digest("s3://reports/b/manifest.json"), digest("manifest.json"), none] {
            assert_ne!(other, digest("s3://reports/a/manifest.json"));
        }
        let table = [
            ("/nonexistent/b", "manifest.json", "is for a bucket as the source"),
            ("s3://bucket", "s3://reports/", "name the manifest.json of a report in it"),
            ("s3://bucket", "", "the location is empty"),
            ("gs://bucket", "manifest.json", "gs://bucket is at Google"),
            ("s3://bucket", "gs://reports/manifest.json", "gs://reports/manifest.json is at Google"),
        ];
        for (source, manifest, part) in table {
            let error = with(source, manifest).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn access_control_lists_are_carried_between_buckets_of_s3() {
        let with = |line: &[&str]| {
            let line: Vec<&str> = ["s3://bucket/a", "s3://bucket/b"].into_iter().chain(line.iter().copied()).collect();
            resolve(&parse(&line).unwrap(), false).unwrap()
        };
        let said = |line: &[&str]| {
            let sync = with(line);
            (sync.job.carries_grants, sync.sides.dest.writing.acl)
        };
        assert_eq!(said(&[]), (false, None));
        assert_eq!(said(&["--acl=public-read"]), (false, Some("public-read".to_owned())));
        assert_eq!(said(&["--acl=source"]), (true, None));
        assert_ne!(with(&["--acl=source"]).job.digest(), with(&[]).job.digest());
        let table: [(&[&str], &str); 7] = [
            (&["/nonexistent/a", "s3://bucket"], "/nonexistent/a is a directory"),
            (&["s3://bucket", "/nonexistent/a"], "/nonexistent/a is a directory"),
            (&["gs://bucket", "s3://bucket"], "gs://bucket is at Google"),
            (&["s3://bucket", "gs://bucket"], "gs://bucket is at Google"),
            (&["s3://abc", "s3://xyz", "--provider=gcs"], "s3://abc is at Google"),
            (&["s3://abc", "s3://xyz", "--source-provider=gcs"], "s3://abc is at Google"),
            (&["s3://abc", "s3://xyz", "--dest-provider=gcs"], "s3://xyz is at Google"),
        ];
        for (line, part) in table {
            let line: Vec<&str> = line.iter().copied().chain(["--acl=source"]).collect();
            let error = resolve(&parse(&line).unwrap(), false).unwrap_err().to_string();
            assert!(error.contains(part), "{line:?}: {error}");
        }
        let twice = ["s3://abc", "s3://xyz", "--acl=source", "--acl=private"];
        assert_eq!(parse(&twice).unwrap_err(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn a_sync_is_between_any_two_places() {
        let table = [
            ("/a", "s3://bucket", Ok("upload")),
            ("s3://bucket/p", "/a", Ok("download")),
            ("/nonexistent/a", "/nonexistent/b", Ok("copy")),
            ("s3://bucket/a", "s3://bucket/b", Ok("copy")),
            ("", "s3://bucket", Err("empty")),
            ("a", "s3://", Err("bucket is missing")),
        ];
        for (source, dest, expected) in table {
            let resolved = resolve(&parse(&[source, dest]).unwrap(), false);
            match (resolved, expected) {
                (Ok(sync), Ok(send)) => assert_eq!(sync.show.wording.send, send),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (other, _) => panic!("{source} {dest}: {other:?}"),
            }
        }
    }
}
