//! What is refused before anything is done: objects that the destination has no place for.

use brigade_store::{Failure, FailureKind, Store};

use crate::events::Outcome;
use crate::plan::Decision;

/// What becomes of an object that the destination has no place for, if that is what was decided.
pub(crate) fn refusal(decision: &Decision, dest: &dyn Store) -> Option<Outcome> {
    let failed = |kind, reason: String| Some(Outcome::Failed(Failure::new(kind, reason)));
    match decision {
        Decision::Blocked(_) => failed(
            FailureKind::Failed,
            "the destination can't tell what stands there: a symlink, something that is no regular \
             file, or a place that could not be read; mend that, or exclude this key"
                .to_owned(),
        ),
        Decision::Shadowed { source, above } => match dest.could_hold(source) {
            Err(Failure { reason, .. }) => Some(Outcome::Unrepresentable { reason }),
            Ok(()) => failed(
                FailureKind::Obstructed,
                format!(
                    "{above} is an object too, and a tree can't hold a file and a directory of one name; \
                     rename or exclude one of them"
                ),
            ),
        },
        _ => None,
    }
}
