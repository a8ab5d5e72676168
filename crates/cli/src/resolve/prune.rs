//! `brigade prune` as it was typed, to where versions are looked for.

use std::time::{Duration, SystemTime};

use brigade_engine::prune::Prune;
use brigade_store::Location;
use brigade_store::s3::{Config, Provider};

use super::s3::Probed;
use super::{UsageError, s3};
use crate::arguments;

/// Bulk deletions in flight at once, each of a thousand versions.
const JOBS: usize = 8;

/// What is to be pruned.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Where.
    pub(crate) location: Location,
    /// How to reach it.
    pub(crate) s3: Config,
    /// Which versions, and how.
    pub(crate) prune: Prune,
}

/// Decides what was asked for.
pub(crate) fn resolve(arguments: &arguments::Prune) -> Result<Asked, UsageError> {
    let (location, s3) = s3::one_place(&arguments.location, &arguments.s3, JOBS, Probed::Believed)?;
    check_keeps_versions(&location, s3.provider)?;
    let prune = Prune { keep: arguments.keep, ..older_than(arguments.older_than.0, arguments.dry_run) };
    Ok(Asked { location, s3, prune })
}

/// Refuses a place where no versions are looked for; the provider is the one that was said, if any was.
pub(crate) fn check_keeps_versions(location: &Location, provider: Option<Provider>) -> Result<(), UsageError> {
    match location {
        Location::Local(path) => Err(UsageError::NoVersions { path: path.display().to_string() }),
        Location::Bucket { service, written, .. } if s3::is_google(*service, provider) => {
            Err(UsageError::VersionsAtGoogle(written.clone()))
        }
        Location::Bucket { .. } => Ok(()),
    }
}

/// All versions that were superseded at least this long ago.
pub(crate) fn older_than(older_than: Duration, dry_run: bool) -> Prune {
    Prune { older_than, keep: 0, dry_run, jobs: JOBS, local_clock: SystemTime::now }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn parse(line: &[&str]) -> Result<Asked, String> {
        let line = ["brigade", "prune"].iter().chain(line);
        match Arguments::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Command::Prune(prune) => resolve(&prune).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bucket_and_an_age_are_asked_for() {
        let Prune { older_than, keep, dry_run, .. } =
            parse(&["s3://bucket/p", "--older-than", "30d", "--keep", "3", "-n"]).unwrap().prune;
        assert_eq!((older_than, keep, dry_run), (Duration::from_hours(30 * 24), 3, true));
        let table = [
            (&["s3://bucket"][..], "--older-than <DURATION>"),
            (&["s3://bucket", "--older-than", "30"], "90s, 15m, 36h, 7d"),
            (&["s3://bucket", "--older-than", "30d", "--keep", "some"], "invalid digit"),
            (&["tree", "--older-than", "7d"], "tree is a directory, which keeps no versions"),
            (&["gs://bucket", "--older-than", "7d"], "gs://bucket is at Google"),
            (&["s3://", "--older-than", "7d"], "the bucket is missing"),
        ];
        for (line, expected) in table {
            let error = parse(line).unwrap_err();
            assert!(error.contains(expected), "{line:?}: {error}");
        }
    }
}
