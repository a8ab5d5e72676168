//! What was seen of a key, and what that means for what is remembered of it. Pure.

use brigade_store::{Key, Kind};

use crate::ledger::{Change, SettledPair};
use crate::merge::Presence;
use crate::plan::{Action, Decision, Phase};

/// What both sides showed of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) source: Sight,
    pub(crate) dest: Sight,
}

/// What one side showed of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    Present,
    Absent,
    Unknown,
}

impl Sight {
    pub(crate) fn of(presence: &Presence) -> Self {
        match presence {
            Presence::Present(_) => Self::Present,
            Presence::Absent => Self::Absent,
            Presence::Unknown => Self::Unknown,
        }
    }
}

impl Seen {
    /// Whether a run that is taken up doesn't see the key again behind its
    /// cursor: trees are walked again, and what is known of the destination read, but no bucket is listed.
    pub(crate) fn is_not_seen_again(self, decision: &Decision, is_known: bool, kinds: [Kind; 2]) -> bool {
        let is_present_in =
            |wanted| kinds.into_iter().zip([self.source, self.dest]).any(|side| side == (wanted, Sight::Present));
        // What is sent is settled then, or fails and is looked at by itself; so is what is in step, or refused.
        let will_be_seen = matches!(
            decision,
            Decision::InStep(_) | Decision::Act(_, Action::Send(_)) | Decision::Blocked(_) | Decision::Shadowed { .. }
        );
        is_present_in(Kind::Remote) && !is_present_in(Kind::Local) && !is_known && !will_be_seen
    }

    /// What is no longer so of what was remembered.
    pub(crate) fn outdates(self, key: &Key, settled: Option<&SettledPair>, decision: &Decision) -> Option<Change> {
        let pair = settled?;
        match decision {
            Decision::Gone => Some(Change::Unsettle(key.clone())),
            Decision::Excluded => None,
            _ if !pair.lost && self.source == Sight::Absent => {
                Some(Change::Settle(SettledPair { lost: true, ..pair.clone() }))
            }
            // It is back: an earlier run may have wanted to delete it.
            _ if pair.lost && self.source != Sight::Absent => Some(Change::Unspool(Phase::Deletions, key.clone())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use brigade_store::{Entry, Version};

    use super::*;
    use crate::ledger::Fingerprint;

    fn entry() -> Entry {
        let version = Version::object("e");
        Entry { key: Key::from("k"), size: 1, modified: SystemTime::UNIX_EPOCH, version }
    }

    fn pair(lost: bool) -> SettledPair {
        let side = Fingerprint::of(&entry());
        let (left, right) = (side.clone(), side);
        SettledPair { key: Key::from("k"), left, right, digest: None, unsure: false, assumed: false, lost }
    }

    #[test]
    fn what_is_remembered_follows_what_is_seen() {
        use Sight::{Absent, Present};
        let delete = Decision::Act(Phase::Deletions, Action::Delete(entry()));
        let unspooled = Change::Unspool(Phase::Deletions, Key::from("k"));
        let table = [
            ("gone on both sides", Absent, Decision::Gone, false, Some(Change::Unsettle(Key::from("k")))),
            ("lost", Absent, delete.clone(), false, Some(Change::Settle(pair(true)))),
            ("lost already", Absent, delete, true, None),
            ("back", Present, Decision::InStep(None), true, Some(unspooled)),
            ("there as ever", Present, Decision::InStep(None), false, None),
            ("lost, and deletions not asked for", Absent, Decision::Extra, false, Some(Change::Settle(pair(true)))),
            ("lost already, and deletions no longer asked for", Absent, Decision::Extra, true, None),
            ("lost, and the destination can't tell", Absent, Decision::Held, false, Some(Change::Settle(pair(true)))),
            ("excluded, and lost", Absent, Decision::Excluded, false, None),
        ];
        for (row, source, decision, lost, expected) in table {
            let seen = Seen { source, dest: Present };
            assert_eq!(seen.outdates(&Key::from("k"), Some(&pair(lost)), &decision), expected, "{row}");
            assert_eq!(seen.outdates(&Key::from("k"), None, &decision), None, "{row}, without a pair");
        }
    }

    #[test]
    fn only_what_a_bucket_alone_shows_is_not_seen_again() {
        use Sight::{Absent, Present, Unknown};
        const UP: [Kind; 2] = [Kind::Local, Kind::Remote];
        const DOWN: [Kind; 2] = [Kind::Remote, Kind::Local];
        let table = [
            ("up, at the bucket only", Absent, Present, UP, Decision::Extra, false, true),
            ("up, remembered", Absent, Present, UP, Decision::Extra, true, false),
            ("up, the tree can't tell", Unknown, Present, UP, Decision::Held, false, true),
            ("up, excluded, and in neither", Unknown, Absent, UP, Decision::Excluded, false, false),
            ("down, at the tree only", Absent, Present, DOWN, Decision::Extra, false, false),
            ("down, excluded in the bucket", Present, Absent, DOWN, Decision::Excluded, false, true),
            ("down, blocked", Present, Unknown, DOWN, Decision::Blocked(entry()), false, false),
            ("down, in step", Present, Present, DOWN, Decision::InStep(None), false, false),
        ];
        for (row, source, dest, kinds, decision, is_settled, expected) in table {
            assert_eq!(Seen { source, dest }.is_not_seen_again(&decision, is_settled, kinds), expected, "{row}");
        }
    }
}
