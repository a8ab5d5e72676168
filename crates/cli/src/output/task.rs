//! What a run of the engine is to the person who started it, and how its end is worded.

use brigade_engine::events::Summary;

/// What a run is to the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Task {
    /// Two places are to be in step.
    #[default]
    Sync,
    /// What a bucket holds, or held, is to be back.
    Restore,
    /// What is in one place is to be gone.
    Removal,
}

impl Task {
    /// Whether objects are sent at all.
    pub(super) fn sends(self) -> bool {
        match self {
            Self::Sync | Self::Restore => true,
            Self::Removal => false,
        }
    }

    /// That it is done.
    pub(super) fn done(self, summary: &Summary) -> &'static str {
        match self {
            Self::Sync if summary.extra > 0 => "In step, but for what is only at the destination.",
            Self::Sync => "In step.",
            Self::Restore if summary.extra > 0 => "Restored; what only the directory has was left there.",
            Self::Restore => "Restored.",
            Self::Removal if summary.deleted == 0 => "There was nothing to delete.",
            Self::Removal => "Deleted.",
        }
    }

    /// That it isn't.
    pub(super) fn undone(self) -> &'static str {
        match self {
            Self::Sync => "Not in step",
            Self::Restore => "Not all is restored",
            Self::Removal => "Not all is deleted",
        }
    }
}
