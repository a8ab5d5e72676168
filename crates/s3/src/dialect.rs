//! What may be counted on: a provider's table, and what was found out by trying.

pub(crate) mod google;
mod provider;
mod remembered;
mod table;

pub use provider::{Provider, UnknownProvider};
pub use remembered::Remembered;

/// Whether a provider has something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Support {
    /// It has.
    Yes,
    /// It hasn't, or it is wrong there.
    No,
    /// Nobody has said so: not counted on.
    #[default]
    Unknown,
}

impl Support {
    /// Whether it may be counted on.
    #[must_use]
    pub const fn is_certain(self) -> bool {
        matches!(self, Self::Yes)
    }

    /// What is to be believed of what a table says, when it was tried too. What
    /// was found fills what the table leaves open, and takes away what it
    /// promises. What the table denies stays denied: its source may know of a
    /// fault that a few tries don't meet, such as writes that race.
    #[must_use]
    pub const fn with_found(self, found: Self) -> Self {
        match (self, found) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Unknown, Self::Unknown) => Self::Unknown,
        }
    }
}

/// What a provider can and can't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// `ListObjectsV2` gives keys in the order of their bytes.
    pub lists_by_bytes: Support,
    /// `PutObject` honours `If-None-Match: *`, or what its provider has in its place.
    pub put_if_absent: Support,
    /// `PutObject` honours `If-Match`, or what its provider has in its place.
    pub put_if_match: Support,
    /// `CompleteMultipartUpload` honours both.
    pub complete_conditions: Support,
    /// `CopyObject` honours both, of what it replaces.
    pub copy_conditions: Support,
    /// `DeleteObject` honours `If-Match`, or what its provider has in its place, and `DeleteObjects` an `ETag` with a
    /// key.
    pub delete_if_match: Support,
    /// There is a `DeleteObjects`, with all the conditions that `DeleteObject` has.
    pub bulk_delete: Support,
    /// `x-amz-checksum-crc64nvme` is checked on the way in and given back.
    pub crc64nvme: Support,
}

impl Dialect {
    /// Nothing may be counted on.
    pub const UNKNOWN: Self = Self {
        lists_by_bytes: Support::Unknown,
        put_if_absent: Support::Unknown,
        put_if_match: Support::Unknown,
        complete_conditions: Support::Unknown,
        copy_conditions: Support::Unknown,
        delete_if_match: Support::Unknown,
        bulk_delete: Support::Unknown,
        crc64nvme: Support::Unknown,
    };

    /// What it says of one of them.
    #[must_use]
    pub const fn of(&self, fact: Fact) -> Support {
        match fact {
            Fact::ListsByBytes => self.lists_by_bytes,
            Fact::PutIfAbsent => self.put_if_absent,
            Fact::PutIfMatch => self.put_if_match,
            Fact::CompleteConditions => self.complete_conditions,
            Fact::CopyConditions => self.copy_conditions,
            Fact::DeleteIfMatch => self.delete_if_match,
            Fact::BulkDelete => self.bulk_delete,
            Fact::Crc64Nvme => self.crc64nvme,
        }
    }

    /// The same, but for this one.
    #[must_use]
    pub const fn with(mut self, fact: Fact, support: Support) -> Self {
        let place = match fact {
            Fact::ListsByBytes => &mut self.lists_by_bytes,
            Fact::PutIfAbsent => &mut self.put_if_absent,
            Fact::PutIfMatch => &mut self.put_if_match,
            Fact::CompleteConditions => &mut self.complete_conditions,
            Fact::CopyConditions => &mut self.copy_conditions,
            Fact::DeleteIfMatch => &mut self.delete_if_match,
            Fact::BulkDelete => &mut self.bulk_delete,
            Fact::Crc64Nvme => &mut self.crc64nvme,
        };
        *place = support;
        self
    }

    /// What was found out, but what a table denies: a few tries don't disprove it,
    /// and it may be looked at some day without the table.
    #[must_use]
    pub fn unless_denied(self, table: Self) -> Self {
        let is_denied = |fact: &Fact| self.of(*fact) == Support::Yes && table.of(*fact) == Support::No;
        Fact::ALL.into_iter().filter(is_denied).fold(self, |dialect, fact| dialect.with(fact, Support::Unknown))
    }

    /// What is to be believed, when what was found out by trying is known too:
    /// [`Support::with_found`] of each.
    #[must_use]
    pub fn with_found(self, found: Self) -> Self {
        Fact::ALL.into_iter().fold(self, |dialect, fact| dialect.with(fact, self.of(fact).with_found(found.of(fact))))
    }
}

/// What a [`Dialect`] says something of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// [`Dialect::lists_by_bytes`].
    ListsByBytes,
    /// [`Dialect::put_if_absent`].
    PutIfAbsent,
    /// [`Dialect::put_if_match`].
    PutIfMatch,
    /// [`Dialect::complete_conditions`].
    CompleteConditions,
    /// [`Dialect::copy_conditions`].
    CopyConditions,
    /// [`Dialect::delete_if_match`].
    DeleteIfMatch,
    /// [`Dialect::bulk_delete`].
    BulkDelete,
    /// [`Dialect::crc64nvme`].
    Crc64Nvme,
}

impl Fact {
    /// Every fact, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::ListsByBytes,
        Self::PutIfAbsent,
        Self::PutIfMatch,
        Self::CompleteConditions,
        Self::CopyConditions,
        Self::DeleteIfMatch,
        Self::BulkDelete,
        Self::Crc64Nvme,
    ];

    /// Its name in files and events: that of the field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ListsByBytes => "lists_by_bytes",
            Self::PutIfAbsent => "put_if_absent",
            Self::PutIfMatch => "put_if_match",
            Self::CompleteConditions => "complete_conditions",
            Self::CopyConditions => "copy_conditions",
            Self::DeleteIfMatch => "delete_if_match",
            Self::BulkDelete => "bulk_delete",
            Self::Crc64Nvme => "crc64nvme",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Support::{No, Unknown, Yes};
    use super::*;

    #[test]
    fn only_what_is_known_is_counted_on() {
        assert!(!Unknown.is_certain() && !No.is_certain() && Yes.is_certain());
    }

    #[test]
    fn what_was_found_fills_gaps_and_takes_away_but_never_overrules_a_no() {
        let table = [
            (Unknown, Yes, Yes),
            (Unknown, No, No),
            (Unknown, Unknown, Unknown),
            (Yes, No, No),
            (Yes, Yes, Yes),
            (Yes, Unknown, Yes),
            (No, Yes, No),
            (No, No, No),
            (No, Unknown, No),
        ];
        for (told, found, expected) in table {
            assert_eq!(told.with_found(found), expected, "{told:?} {found:?}");
        }
    }

    #[test]
    fn each_fact_has_a_place_of_its_own() {
        for fact in Fact::ALL {
            let dialect = Dialect::UNKNOWN.with(fact, Yes);
            assert_eq!(Fact::ALL.into_iter().filter(|other| dialect.of(*other) == Yes).collect::<Vec<_>>(), [fact]);
            let denied = Dialect::UNKNOWN.with(fact, No);
            assert_eq!(dialect.with_found(denied), denied);
            assert_eq!(Dialect::UNKNOWN.with_found(dialect), dialect);
            assert_eq!(dialect.unless_denied(denied), Dialect::UNKNOWN);
            assert_eq!((dialect.unless_denied(dialect), denied.unless_denied(denied)), (dialect, denied));
        }
    }
}
