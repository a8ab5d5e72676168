//! Finds out what a service does, by asking it: it may promise more than it does, and do more than is known of it.
//!
//! Whatever must hold is tried several times in a row, each time on a
//! connection of its own: several servers may stand behind one name, and differ.

mod checksums;
mod conditions;
mod deletes;
mod latency;
mod multipart;
mod order;
mod scratch;
mod trial;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::bucket::Bucket;
use crate::dialect::{Dialect, Fact, Support};
pub use latency::{Latency, Times, latency};
pub use order::page;
use scratch::{Halt, Scratch, Tried};
use trial::Try;
pub use trial::{Subject, Trial, Verdict};

/// How often a request is sent that must be refused: a server that ignores what
/// a quarter of them ask for is missed once in 300 times.
const REFUSALS: usize = 20;
/// How often at least to each address of the service's name.
const REFUSALS_OF_EACH: usize = 6;
/// How often a request is sent that must be taken, to each address.
const SUCCESSES: usize = 3;

/// How a probe that writes is ended before its time.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// Cancelled when nothing new is to be tried.
    pub stop: CancellationToken,
    /// Cancelled when what is under way is given up. The client must not obey
    /// the same one ([`crate::Config::abandon`]), or nothing could be removed after it.
    pub abandon: CancellationToken,
    /// How long removing may take from then on.
    pub cleaning_up: Duration,
}

/// How a probe that writes ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// Whether somebody asked to stop before all was tried.
    pub interrupted: bool,
    /// Objects and uploads of the probe that could not be removed, each with the reason.
    pub left: Vec<(String, String)>,
}

/// Tries everything that takes writing, under names below the prefix that
/// nobody else has, which all begin with `.brigade-probe-`, and removes what it
/// has written, however it ends. Each trial is told when it is done.
pub async fn write(bucket: &Bucket, prefix: &str, ending: &Ending, mut tell: impl FnMut(&Trial)) -> Ended {
    let scratch = Scratch::new(bucket, prefix, &ending.stop);
    let mut under_way = None;
    let outcome = tokio::select! {
        outcome = try_everything(&scratch, &mut under_way, &mut tell) => outcome,
        () = ending.abandon.cancelled() => Err(Halt::Stopped),
    };
    if let Some((subject, tries)) = under_way {
        let trial = Trial::broken_off(subject, &tries, "interrupted".to_owned());
        if trial.verdict != Verdict::Unknown {
            tell(&trial);
        }
    }
    let too_late = async {
        ending.abandon.cancelled().await;
        tokio::time::sleep(ending.cleaning_up).await;
    };
    tokio::select! {
        () = scratch.clean_up() => {}
        () = too_late => {}
    }
    Ended { interrupted: matches!(outcome, Err(Halt::Stopped)), left: scratch.left() }
}

/// Tries one after the other. One that somebody ends stays under way.
async fn try_everything(
    scratch: &Scratch<'_>,
    under_way: &mut Option<(Subject, Vec<Try>)>,
    tell: &mut impl FnMut(&Trial),
) -> Result<(), Halt> {
    for subject in Subject::ALL {
        let (_, tries) = under_way.insert((subject, Vec::new()));
        let trial = match try_out(subject, scratch, tries).await {
            Ok(()) => Trial::judge(subject, tries),
            Err(Halt::Failed(error)) => Trial::broken_off(subject, tries, error.reason()),
            Err(Halt::Stopped) => return Err(Halt::Stopped),
        };
        *under_way = None;
        tell(&trial);
    }
    Ok(())
}

async fn try_out(subject: Subject, scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    match subject {
        Subject::Order => order::written(scratch, tries).await,
        Subject::PutIfAbsent => conditions::put_if_absent(scratch, tries).await,
        Subject::PutIfMatch => conditions::put_if_match(scratch, tries).await,
        Subject::CompleteConditions => multipart::conditions(scratch, tries).await,
        Subject::DeleteIfMatch => deletes::one_if_match(scratch, tries).await,
        Subject::BulkDelete => deletes::many(scratch, tries).await,
        Subject::BulkDeleteIfMatch => deletes::many_if_match(scratch, tries).await,
        Subject::Crc64Nvme => checksums::crc64nvme(scratch, tries).await,
        Subject::TwoParts => multipart::two_parts(scratch, tries).await,
        Subject::ShortPart => multipart::short_part(scratch, tries).await,
        Subject::PartNumber => multipart::part_number(scratch, tries).await,
    }
}

/// What is known after these trials.
#[must_use]
pub fn found(trials: &[Trial]) -> Dialect {
    let support = |subject| {
        let trial = trials.iter().find(|trial| trial.subject == subject);
        trial.map_or(Support::Unknown, |trial| trial.verdict.support())
    };
    Subject::ALL.into_iter().fold(Dialect::UNKNOWN, |dialect, subject| match subject {
        // Keys are deleted together only where that is known to work at all.
        Subject::BulkDeleteIfMatch if support(Subject::BulkDelete) == Support::No => dialect,
        Subject::BulkDeleteIfMatch => {
            let together = match (dialect.of(Fact::DeleteIfMatch), support(subject)) {
                (Support::Yes, Support::Yes) => Support::Yes,
                (Support::No, _) | (_, Support::No) => Support::No,
                _ => Support::Unknown,
            };
            dialect.with(Fact::DeleteIfMatch, together)
        }
        _ => subject.fact().map_or(dialect, |fact| dialect.with(fact, support(subject))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletes_have_conditions_only_where_both_ways_of_deleting_have_them() {
        use Verdict::{Ignored, No, Unknown, Yes};
        let table = [
            (Yes, Yes, Yes, Support::Yes),
            (Yes, Yes, Ignored, Support::No),
            (Yes, No, Ignored, Support::Yes),
            (Yes, Yes, Unknown, Support::Unknown),
            (Ignored, Yes, Yes, Support::No),
            (Unknown, Yes, Yes, Support::Unknown),
        ];
        for (one, many, many_if_match, expected) in table {
            let subjects = [Subject::DeleteIfMatch, Subject::BulkDelete, Subject::BulkDeleteIfMatch];
            let verdicts = [one, many, many_if_match];
            let trials = subjects.into_iter().zip(verdicts);
            let trials: Vec<Trial> =
                trials.map(|(subject, verdict)| Trial { subject, verdict, reason: String::new() }).collect();
            assert_eq!(found(&trials).delete_if_match, expected, "{verdicts:?}");
        }
        assert_eq!(found(&[]), Dialect::UNKNOWN);
    }
}
