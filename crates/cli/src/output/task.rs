//! What a run of the engine is to the person who started it, and how its end is worded.

use brigade_engine::events::Summary;
use brigade_store::RetrievalTier;

/// What a run is to the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Task {
    /// Two places are to be in step.
    #[default]
    Sync,
    /// What a bucket holds, or held, is to be back; what lies in an archive is asked for so fast.
    Restore(RetrievalTier),
    /// What is in one place is to be gone.
    Removal,
}

impl Task {
    /// Whether objects are sent at all.
    pub(super) fn sends(self) -> bool {
        match self {
            Self::Sync | Self::Restore(_) => true,
            Self::Removal => false,
        }
    }

    /// That it is done.
    pub(super) fn done(self, summary: &Summary) -> &'static str {
        match self {
            Self::Sync if summary.extra > 0 => "In step, but for what is only at the destination.",
            Self::Sync => "In step.",
            Self::Restore(_) if summary.extra > 0 => "Restored; what only the directory has was left there.",
            Self::Restore(_) => "Restored.",
            Self::Removal if summary.deleted == 0 => "There was nothing to delete.",
            Self::Removal => "Deleted.",
        }
    }

    /// That it isn't.
    pub(super) fn undone(self) -> &'static str {
        match self {
            Self::Sync => "Not in step",
            Self::Restore(_) => "Not all is restored",
            Self::Removal => "Not all is deleted",
        }
    }

    /// When what was asked for can be read
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html>).
    pub(super) fn comes_back(self, summary: &Summary) -> Option<String> {
        let Self::Restore(tier) = self else { return None };
        if summary.restoring == 0 {
            return None;
        }
        if summary.ready == summary.restoring {
            return Some("What was asked for can be read by now: run the same command again.".to_owned());
        }
        // How fast it was asked for the first time, nobody says: most will have used the same command.
        let later = match tier {
            RetrievalTier::Bulk => "5 to 12 hours after it was first asked for, from a deep archive 48",
            RetrievalTier::Standard => "3 to 5 hours after it was first asked for, from a deep archive 12",
            RetrievalTier::Expedited => "a few minutes after it was first asked for",
        };
        Some(format!("What was asked for can be read {later}: run the same command then."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_comes_back_when_its_time_has_come() {
        let bulk =
            Some("5 to 12 hours after it was first asked for, from a deep archive 48: run the same command then.");
        let standard =
            Some("3 to 5 hours after it was first asked for, from a deep archive 12: run the same command then.");
        let expedited = Some("a few minutes after it was first asked for: run the same command then.");
        let now = Some("by now: run the same command again.");
        let table = [
            (Task::Restore(RetrievalTier::Bulk), 2, 0, bulk),
            (Task::Restore(RetrievalTier::Standard), 2, 1, standard),
            (Task::Restore(RetrievalTier::Expedited), 2, 1, expedited),
            (Task::Restore(RetrievalTier::Standard), 2, 2, now),
            (Task::Restore(RetrievalTier::Standard), 0, 0, None),
            (Task::Sync, 0, 0, None),
        ];
        for (task, restoring, ready, expected) in table {
            let summary = Summary { restoring, ready, ..Summary::default() };
            let expected = expected.map(|when| format!("What was asked for can be read {when}"));
            assert_eq!(task.comes_back(&summary), expected, "{task:?}, {restoring} of which {ready} ready");
        }
    }
}
