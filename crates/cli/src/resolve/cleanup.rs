//! `brigade cleanup` as it was typed, to where uploads are looked for.

use std::time::SystemTime;

use brigade_engine::cleanup::Cleanup;
use brigade_store::Location;
use brigade_store::s3::Config;

use super::s3::Probed;
use super::{UsageError, s3};
use crate::arguments;

/// Requests in flight at once: each takes a service a moment, and there are seldom many.
const JOBS: usize = 16;

/// What is to be cleaned up.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Where.
    pub(crate) location: Location,
    /// How to reach it.
    pub(crate) s3: Config,
    /// Which uploads, and how.
    pub(crate) cleanup: Cleanup,
}

/// Decides what was asked for.
pub(crate) fn resolve(arguments: &arguments::Cleanup) -> Result<Asked, UsageError> {
    let (location, s3) = s3::one_place(&arguments.location, &arguments.s3, JOBS, Probed::Believed)?;
    if let Location::Local(path) = &location {
        return Err(UsageError::NoUploads { path: path.display().to_string() });
    }
    let cleanup = Cleanup {
        older_than: arguments.older_than.0,
        dry_run: arguments.dry_run,
        jobs: JOBS,
        local_clock: SystemTime::now,
    };
    Ok(Asked { location, s3, cleanup })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn parse(line: &[&str]) -> Result<Asked, String> {
        let line = ["brigade", "cleanup"].iter().chain(line);
        match Arguments::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Command::Cleanup(cleanup) => resolve(&cleanup).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bucket_and_an_age_are_asked_for() {
        let asked = parse(&["s3://bucket/p", "--older-than", "36h", "-n"]).unwrap();
        assert_eq!(asked.location, Location::parse("s3://bucket/p".as_ref()).unwrap());
        assert_eq!((asked.cleanup.older_than, asked.cleanup.dry_run), (Duration::from_hours(36), true));
        let table = [
            (&["s3://bucket"][..], "--older-than <DURATION>"),
            (&["s3://bucket", "--older-than", "7"], "90s, 15m, 36h, 7d"),
            (&["tree", "--older-than", "7d"], "tree is a directory, which has no uploads"),
            (&["s3://", "--older-than", "7d"], "the bucket is missing"),
        ];
        for (line, expected) in table {
            let error = parse(line).unwrap_err();
            assert!(error.contains(expected), "{line:?}: {error}");
        }
    }
}
