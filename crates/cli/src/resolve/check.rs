//! `brigade check` as plain data: the two locations, what is verified, and how.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

use brigade_engine::check::sampling::Sampling;
use brigade_engine::check::{CheckOptions, Proof};
use brigade_store::s3::Config;
use brigade_store::{Location, Symlinks};

use super::job::symlinks;
use super::ledger::{self, Locks, Memory};
use super::s3::{Probed, Sides};
use super::{UsageError, filters, output, s3};
use crate::arguments;
use crate::output::checking::Shown;
use crate::stores::Stores;

/// A check, decided in everything.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// What the copy was made of.
    pub(crate) source: Location,
    /// The copy.
    pub(crate) dest: Location,
    /// What is done with the symlinks of directories.
    pub(crate) symlinks: Symlinks,
    /// What is verified, and how.
    pub(crate) options: CheckOptions,
    /// Whether it is remembered what was checked, and asked for.
    pub(crate) since_last: bool,
    /// Where that is kept; nowhere if it isn't asked for.
    pub(crate) memory: Memory,
    /// What keeps this check and runs apart.
    pub(crate) locks: Locks,
    /// How S3 is reached for what is of neither side.
    pub(crate) s3: Config,
    /// How each side is reached.
    pub(crate) sides: Sides,
    /// How it is shown.
    pub(crate) shown: Shown,
    /// Where each object is written besides.
    pub(crate) report: Option<PathBuf>,
}

/// Decides everything that the arguments leave open. `can_draw` says whether
/// progress can be drawn on standard error.
pub(crate) fn resolve(arguments: &arguments::Check, can_draw: bool) -> Result<Check, UsageError> {
    let sampling = match (arguments.sample, arguments.percent) {
        (Some(most), _) => Sampling::Number(most),
        (None, Some(percent)) => Sampling::Percent(percent.0),
        (None, None) => Sampling::All,
    };
    let options = CheckOptions {
        filters: filters::resolve(&arguments.filters)?.filters,
        proof: if arguments.trust_checksums { Proof::StoredChecksums } else { Proof::Content },
        metadata: arguments.metadata,
        sampling,
        seed: arguments.seed.unwrap_or_else(any_seed),
        jobs: arguments.jobs.0,
        memory: arguments.memory.0,
    };
    let s3 = s3::resolve(&arguments.s3, arguments.jobs.0.most(), Probed::unless(arguments.ledger.no_ledger));
    let stores = Stores::read(arguments.s3.config.as_deref())?;
    let [source, dest] = [stores.locate(&arguments.source)?, stores.locate(&arguments.dest)?];
    let named = [source.store.as_ref(), dest.store.as_ref()];
    let sides = s3::sides(&s3, &arguments.sides, [&source.place, &dest.place], named)?;
    let (source, dest) = (source.place, dest.place);
    if arguments.ledger.ledger.is_some() && !arguments.since_last {
        return Err(UsageError::LedgerOfNoChecks);
    }
    let memory = if arguments.since_last { ledger::resolve(&arguments.ledger, &stores)?.0 } else { Memory::None };
    if matches!(memory, Memory::InBucket(_)) {
        return Err(UsageError::ChecksInBucket);
    }
    let output = output::resolve(&arguments.output, can_draw);
    Ok(Check {
        symlinks: symlinks(arguments.symlinks),
        since_last: arguments.since_last,
        memory,
        locks: ledger::locks(&arguments.locks),
        sides,
        source,
        dest,
        s3,
        shown: Shown {
            format: output.format,
            progress: output.progress,
            verbosity: output.verbosity,
            confidence: arguments.confidence.0,
            ignore_extra: arguments.ignore_extra,
            seed: (sampling != Sampling::All).then_some(options.seed),
        },
        options,
        report: output.report,
    })
}

/// Another one each time, short enough to be typed again.
fn any_seed() -> u64 {
    RandomState::new().hash_one(()) >> 32
}

#[cfg(test)]
mod tests {
    use brigade_engine::job::AtOnce;
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command, Format};
    use crate::output::text::Verbosity;

    fn parse(line: &[&str]) -> Result<Check, String> {
        let line = ["brigade", "check", "site", "s3://bucket/p"].iter().chain(line);
        match Arguments::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Command::Check(check) => resolve(&check, false).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_options_everything_is_read_and_nothing_remembered() {
        let check = parse(&[]).unwrap();
        let options = &check.options;
        assert_eq!((options.sampling, options.proof, options.metadata), (Sampling::All, Proof::Content, false));
        assert_eq!((options.jobs, options.memory), (AtOnce::Growing { from: 64, to: 512 }, 256 << 20));
        assert_eq!((check.since_last, &check.memory, check.shown.seed), (false, &Memory::None, None));
        assert_eq!((check.shown.format, check.shown.ignore_extra), (Format::Text, false));
        assert!((check.shown.confidence - 0.95).abs() < 1e-12);
    }

    #[test]
    fn each_option_has_its_place() {
        let check = parse(&["--sample=7", "--seed=9", "--since-last", "--ledger=l", "--trust-checksums"]).unwrap();
        let options = &check.options;
        assert_eq!((options.sampling, options.seed, options.proof), (Sampling::Number(7), 9, Proof::StoredChecksums));
        assert_eq!((check.since_last, &check.memory), (true, &Memory::At("l".into())));
        let check = parse(&["--percent=0.5%", "--metadata", "--ignore-extra", "--confidence=99", "-v"]).unwrap();
        assert_eq!((check.options.sampling, check.options.metadata), (Sampling::Percent(0.5), true));
        assert!(check.shown.ignore_extra && check.shown.verbosity == Verbosity::Verbose);
        assert!(check.shown.seed.is_some_and(|seed| seed < 1 << 32), "it is told, so that it can be given");
    }

    #[test]
    fn what_cannot_be_meant_is_a_usage_error() {
        let table: [(&[&str], &str); 9] = [
            (&["--sample=0"], "from 1 to 100000"),
            (&["--sample=100001"], "use --percent"),
            (&["--percent=0"], "above 0"),
            (&["--confidence=100"], "below 100"),
            (&["--sample=5", "--percent=5"], "cannot be used with"),
            (&["--since-last", "--percent=5"], "cannot be used with"),
            (&["--since-last", "--no-ledger"], "cannot be used with"),
            (&["--ledger=l"], "where --since-last remembers"),
            (&["--since-last", "--ledger=s3://bucket/l"], "one in a bucket has no lock"),
        ];
        for (line, expected) in table {
            let error = parse(line).unwrap_err();
            assert!(error.contains(expected), "{line:?}: {error}");
        }
    }
}
