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
    pub(super) fn comes_back(self, summary: &Summary) -> Option<&'static str> {
        let Self::Restore(tier) = self else { return None };
        (summary.restoring > 0).then_some(match tier {
            RetrievalTier::Bulk => {
                "What was asked for can be read in 5 to 12 hours, from a deep archive in 48: run the same command then."
            }
            RetrievalTier::Standard => {
                "What was asked for can be read in 3 to 5 hours, from a deep archive in 12: run the same command then."
            }
            RetrievalTier::Expedited => "What was asked for can be read in a few minutes: run the same command then.",
        })
    }
}
