//! `brigade probe` as it was typed, to the bucket that is asked about.

use brigade_store::Location;
use brigade_store::s3::Config;

use super::s3::Probed;
use super::{UsageError, s3};
use crate::arguments;

/// Connections that are kept open: what was written is removed over them, many objects at once.
const CONNECTIONS: usize = 16;

/// How often a request is sent at most: a service that fails at something each time has said enough.
const ATTEMPTS: u32 = 4;

/// What is to be found out about.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The bucket's name.
    pub(crate) bucket: String,
    /// What all names begin with that are looked at or written: empty, or ending in `/`.
    pub(crate) prefix: String,
    /// How to reach it. What is remembered has no part in it.
    pub(crate) s3: Config,
    /// Whether it may be written to.
    pub(crate) write: bool,
    /// Whether what is found out is remembered.
    pub(crate) remember: bool,
}

/// Decides what was asked for.
pub(crate) fn resolve(arguments: &arguments::Probe) -> Result<Asked, UsageError> {
    let (place, s3) = s3::one_place(&arguments.location, &arguments.s3, CONNECTIONS, Probed::NotLookedAt)?;
    match place {
        Location::Local(path) => Err(UsageError::NoService { path: path.display().to_string() }),
        Location::Bucket { service, bucket, prefix, .. } => Ok(Asked {
            bucket,
            prefix,
            s3: few_attempts(service.settings(&s3)),
            write: arguments.write,
            remember: !arguments.no_ledger,
        }),
    }
}

fn few_attempts(s3: Config) -> Config {
    Config { max_attempts: s3.max_attempts.min(ATTEMPTS), ..s3 }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn parse(line: &[&str]) -> Result<Asked, String> {
        match Arguments::try_parse_from(["brigade", "probe"].iter().chain(line)).unwrap().command {
            Command::Probe(probe) => resolve(&probe).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bucket_is_asked_about_and_nothing_is_written_unasked() {
        let asked = parse(&["s3://bucket/p"]).unwrap();
        assert_eq!((asked.bucket.as_str(), asked.prefix.as_str()), ("bucket", "p/"));
        assert!(!asked.write && asked.remember && asked.s3.remembered.is_none());
        let asked = parse(&["s3://bucket", "--write", "--no-ledger"]).unwrap();
        assert!(asked.write && !asked.remember && asked.prefix.is_empty());
        assert!(parse(&["tree"]).unwrap_err().contains("tree is a directory"));
    }
}
