//! Open files: as many as the system lets this process have, and no more work
//! at once than they suffice for.

use brigade_engine::job::AtOnce;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are open whatever is in flight: the standard streams, the
/// runtime's, the directories that listings are in (a run that is taken up has
/// two of a tree at once), temporary files.
const AT_REST: u64 = 42;

/// Files that one request in flight may need: a connection, and one that is
/// being made in its place; a file, and two directories on the way to it.
const PER_JOB: u64 = 5;

/// Files that one more lister may need: the directories of a tree that it is
/// in, the one that it reads, a temporary file, and two connections.
const PER_LISTER: u64 = 13;

/// Raises the limit that holds to the one that may not be passed.
pub(crate) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    // Where the system refuses, the old limit holds, and is kept to.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// How many of the wanted requests can be in flight at once; the reason, where not even one can.
pub(crate) fn jobs(wanted: AtOnce) -> Result<AtOnce, String> {
    Ok(wanted.within(jobs_within(getrlimit(Resource::Nofile).current, wanted.most())?))
}

/// Says that fewer requests are in flight than were wanted, where they are.
pub(crate) fn tell_of_fewer(jobs: AtOnce, wanted: AtOnce) {
    let most = jobs.most();
    if most < wanted.at_first() {
        tracing::warn!("only {most} requests at once, because no more files may be open: raise the limit (ulimit -n)");
    }
}

/// How many of the wanted ranges can be listed at once beside so many requests in flight.
pub(crate) fn listers(wanted: AtOnce, jobs: usize) -> AtOnce {
    listers_within(getrlimit(Resource::Nofile).current, wanted, jobs)
}

fn listers_within(limit: Option<u64>, wanted: AtOnce, jobs: usize) -> AtOnce {
    let Some(limit) = limit else { return wanted };
    let left = limit.saturating_sub(AT_REST + PER_JOB * jobs as u64);
    wanted.within(usize::try_from(1 + left / PER_LISTER).unwrap_or(usize::MAX))
}

fn jobs_within(limit: Option<u64>, wanted: usize) -> Result<usize, String> {
    let Some(limit) = limit else { return Ok(wanted) };
    let possible = limit.saturating_sub(AT_REST) / PER_JOB;
    if possible == 0 {
        let least = AT_REST + PER_JOB;
        return Err(format!(
            "only {limit} files may be open at once, and {least} are needed; raise the limit (ulimit -n)"
        ));
    }
    Ok(wanted.min(usize::try_from(possible).unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_as_many_as_files_suffice_for() {
        let table =
            [(None, 99, Some(99)), (Some(1024), 16, Some(16)), (Some(64), 16, Some(4)), (Some(47), 16, Some(1))];
        for (limit, wanted, jobs) in table {
            assert_eq!(jobs_within(limit, wanted).ok(), jobs, "{limit:?}");
        }
        let table = [(None, 16), (Some(1_048_576), 16), (Some(1024), 16), (Some(384), 2), (Some(64), 1)];
        for (limit, expected) in table {
            assert_eq!(listers_within(limit, AtOnce::Exactly(16), 64), AtOnce::Exactly(expected), "{limit:?}");
        }
        assert!(jobs_within(Some(46), 1).unwrap_err().contains("ulimit -n"));
    }
}
