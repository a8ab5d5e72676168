//! Comparing: whether two versions of a key are the same, as far as their
//! entries tell. The table stands in SEMANTICS.md; its test walks every row.

use std::time::{Duration, SystemTime};

use brigade_store::{ClockSkew, Digest, Entry, Version};

use crate::job::Comparison;
use crate::ledger::SettledPair;

/// What the entries tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are the same.
    InStep,
    /// They differ.
    Differs,
    /// Only the content can tell.
    AskContent,
}

/// The row of the table that applies to two versions: a verdict with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// Everything is taken to differ.
    Always,
    /// Their sizes differ.
    SizesDiffer,
    /// Their sizes are equal, and nothing more is asked.
    SizesEqual,
    /// The source's version is older than the moment the destination's was written, by the fudge at least.
    Older,
    /// It isn't.
    NotOlder,
    /// Both are the versions that were settled.
    Unchanged,
    /// Both listings give the same digest.
    DigestsEqual,
    /// The object was written so long after the file last changed that it can hold nothing older.
    ClearlyOlder,
    /// Nothing that is listed tells.
    Undecided,
}

impl Row {
    /// What the row tells.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Always | Self::SizesDiffer | Self::NotOlder => Verdict::Differs,
            Self::SizesEqual | Self::Older | Self::Unchanged | Self::DigestsEqual | Self::ClearlyOlder => {
                Verdict::InStep
            }
            Self::Undecided => Verdict::AskContent,
        }
    }

    /// Whether it says that both are in step only because that was the rule
    /// that was asked for: another one may see it otherwise.
    #[must_use]
    pub fn proves_nothing(self) -> bool {
        matches!(self, Self::SizesEqual | Self::Older)
    }
}

/// What two versions' content told, where the listings could not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Both have the same MD5.
    SameMd5,
    /// Both have the same CRC-64/NVME.
    SameCrc64,
    /// Both have the same CRC-32C, and there is no better digest.
    SameCrc32c,
    /// The file, cut into usual parts, gives the object's multipart `ETag`.
    SameMultipart,
    /// They have different MD5s, and there is no other digest.
    OtherMd5,
    /// Their CRC-64/NVMEs differ.
    OtherCrc64,
    /// Their CRC-32Cs differ.
    OtherCrc32c,
    /// The file gives the object's multipart `ETag` with none of the usual part sizes.
    OtherMultipart,
    /// There is no digest of one kind that proves anything.
    Unproven,
    /// Nor is there, of two objects; but the destination's was written after the source's was.
    WrittenLater,
}

impl Content {
    /// Of two versions that have this digest in common.
    pub(crate) fn same_by(digest: &Digest) -> Self {
        match digest {
            Digest::Md5(_) => Self::SameMd5,
            Digest::MultipartMd5 { .. } => Self::SameMultipart,
            Digest::Crc64Nvme(_) => Self::SameCrc64,
            Digest::Crc32c(_) => Self::SameCrc32c,
        }
    }

    /// Whether it is enough for both to count as in step: nothing better can be had of some objects than their times.
    #[must_use]
    pub fn is_enough(self) -> bool {
        self.is_same() || self == Self::WrittenLater
    }

    /// Whether the content is proven to be the same.
    #[must_use]
    pub fn is_same(self) -> bool {
        match self {
            Self::SameMd5 | Self::SameCrc64 | Self::SameCrc32c | Self::SameMultipart => true,
            Self::OtherMd5
            | Self::OtherCrc64
            | Self::OtherCrc32c
            | Self::OtherMultipart
            | Self::Unproven
            | Self::WrittenLater => false,
        }
    }
}

/// How two versions are compared.
#[derive(Clone, Copy, Debug)]
pub struct Comparer {
    /// The rule that the user chose.
    pub comparison: Comparison,
    /// How much earlier a time must be to be clearly before another.
    pub fudge: Duration,
}

impl Comparer {
    /// The row for the versions that both sides list.
    #[must_use]
    pub fn compare(&self, source: Dated<'_>, settled: Option<&SettledPair>, dest: Dated<'_>) -> Row {
        if self.comparison == Comparison::Always {
            return Row::Always;
        }
        if source.entry.size != dest.entry.size {
            return Row::SizesDiffer;
        }
        match self.comparison {
            Comparison::Size => Row::SizesEqual,
            Comparison::Mtime => self.by_time(source, dest),
            Comparison::Checksum => by_listed_digest(source.entry, dest.entry),
            Comparison::Auto | Comparison::Always => self.auto(source, settled, dest),
        }
    }

    /// The row behind the cursor of a run that is taken up: what it took to be
    /// in step is, by whatever rule, as long as neither side has changed since.
    #[must_use]
    pub(crate) fn compare_again(&self, source: Dated<'_>, settled: Option<&SettledPair>, dest: Dated<'_>) -> Row {
        match settled {
            // What it took to be in step by a rule that proves nothing is not looked at more closely.
            Some(pair) if pair.shows_in(source.entry, dest.entry) && (pair.assumed || !pair.unsure) => Row::Unchanged,
            _ => self.compare(source, settled, dest),
        }
    }

    fn auto(&self, source: Dated<'_>, settled: Option<&SettledPair>, dest: Dated<'_>) -> Row {
        if let Some(pair) = settled.filter(|pair| !pair.assumed) {
            let unchanged = pair.shows_in(source.entry, dest.entry) && !pair.unsure;
            return if unchanged { Row::Unchanged } else { by_listed_digest(source.entry, dest.entry) };
        }
        match by_listed_digest(source.entry, dest.entry) {
            Row::Undecided if self.clearly_older(source, dest) => Row::ClearlyOlder,
            row => row,
        }
    }

    /// The old tools' rule, in whole seconds: sent again unless the source's
    /// version is older than the moment the destination was written, by more than the fudge.
    fn by_time(&self, source: Dated<'_>, dest: Dated<'_>) -> Row {
        let limit = whole_seconds(dest.written()) - i128::from(self.fudge.as_secs());
        if whole_seconds(source.modified) > limit { Row::NotOlder } else { Row::Older }
    }

    /// Whether an object was written so long after the file last changed that
    /// it can hold nothing older than the file's present content. The inode's
    /// time counts too: a file put in place with an old mtime is not old.
    fn clearly_older(&self, source: Dated<'_>, dest: Dated<'_>) -> bool {
        let (Version::File { changed, .. }, Version::Object { .. }) = (&source.entry.version, &dest.entry.version)
        else {
            return false;
        };
        let latest = source.modified.max(*changed);
        latest.checked_add(self.fudge).is_some_and(|limit| limit < dest.modified)
    }
}

/// A version, with its time told by the local clock.
#[derive(Clone, Copy, Debug)]
pub struct Dated<'a> {
    entry: &'a Entry,
    modified: SystemTime,
}

impl<'a> Dated<'a> {
    /// What the store's clock is ahead is taken off its objects' times. Files
    /// are in local time already.
    #[must_use]
    pub fn new(entry: &'a Entry, skew: ClockSkew) -> Self {
        let listed = entry.modified;
        let shifted = match entry.version {
            Version::File { .. } => None,
            Version::Object { .. } if skew.store_ahead => listed.checked_sub(skew.by),
            Version::Object { .. } => listed.checked_add(skew.by),
        };
        Self { entry, modified: shifted.unwrap_or(listed) }
    }

    /// The version.
    pub(crate) fn entry(&self) -> &'a Entry {
        self.entry
    }

    /// When the version was put where it is: for an object, `LastModified`; for a
    /// file, when its inode last changed, because its mtime is the source's.
    pub(crate) fn written(self) -> SystemTime {
        match self.entry.version {
            Version::File { changed, .. } => changed,
            Version::Object { .. } => self.modified,
        }
    }
}

/// The row of `mtime` where the destination's times are not known: what was
/// settled for sure is in step, and all else was modified since.
pub(crate) fn by_pair(source: &Entry, settled: Option<&SettledPair>, dest: &Entry) -> Row {
    match settled {
        _ if source.size != dest.size => Row::SizesDiffer,
        Some(pair) if pair.shows_in(source, dest) && (pair.unsure || pair.assumed) => Row::Undecided,
        Some(pair) if pair.shows_in(source, dest) => Row::Unchanged,
        _ => Row::NotOlder,
    }
}

/// What the listings' own digests tell, where both have one of a kind.
fn by_listed_digest(source: &Entry, dest: &Entry) -> Row {
    match (source.listed_digest(), dest.listed_digest()) {
        // Equal is proof; unequal ones may come of other part sizes, or of encryption: then an `ETag` only looks like
        // an MD5.
        (Some(left), Some(right)) if left == right => Row::DigestsEqual,
        _ => Row::Undecided,
    }
}

fn whole_seconds(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i128::from(since.as_secs()),
        Err(before) => -i128::from(before.duration().as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use brigade_store::Key;

    use super::*;
    use crate::ledger::Fingerprint;

    const NOON: u64 = 1_700_000_000;
    const FUDGE: u64 = 100;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// A file, with its mtime and ctime in seconds after noon.
    fn file(size: u64, modified: u64, changed: u64) -> Entry {
        let version = Version::File { changed: at(NOON + changed), inode: 1, device: 1 };
        Entry { key: Key::from("k"), size, modified: at(NOON + modified), version }
    }

    /// An object, with its LastModified in seconds after noon.
    fn object(size: u64, modified: u64, etag: &str) -> Entry {
        let version = Version::object(etag);
        Entry { key: Key::from("k"), size, modified: at(NOON + modified), version }
    }

    /// A version by a clock that runs as ours does.
    fn listed(entry: &Entry) -> Dated<'_> {
        Dated::new(entry, ClockSkew::default())
    }

    fn pair(left: &Entry, right: &Entry, unsure: bool) -> SettledPair {
        let (key, left, right) = (left.key.clone(), Fingerprint::of(left), Fingerprint::of(right));
        SettledPair { key, left, right, digest: None, unsure, assumed: false, lost: false }
    }

    const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const OTHER_MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const MULTIPART: &str = "d41d8cd98f00b204e9800998ecf8427e-2";
    const OTHER_MULTIPART: &str = "900150983cd24fb0d6963f7d28e17f72-3";
    const OPAQUE: &str = "not-a-digest";

    #[test]
    fn every_row_of_the_table_holds() {
        use Comparison::{Always, Auto, Checksum, Mtime, Size};
        use Verdict::{AskContent, Differs, InStep};
        let table = [
            // Always: nothing else is asked.
            ("always", Always, file(1, 0, 0), object(1, 500, MD5), Differs),
            // The size decides first, in every other mode.
            ("size differs: auto", Auto, file(1, 0, 0), object(2, 500, MD5), Differs),
            ("size differs: auto, down", Auto, object(1, 0, MD5), file(2, 500, 500), Differs),
            ("size differs: size", Size, file(1, 0, 0), object(2, 500, MD5), Differs),
            ("size differs: mtime", Mtime, file(1, 0, 0), object(2, 500, MD5), Differs),
            ("size differs: checksum", Checksum, file(1, 0, 0), object(2, 500, MD5), Differs),
            // Size: nothing more.
            ("size, up", Size, file(1, 900, 900), object(1, 0, MD5), InStep),
            ("size, down", Size, object(1, 900, MD5), file(1, 0, 0), InStep),
            // Mtime, up: the file against LastModified less the fudge; ctime has no say.
            ("mtime, up, older", Mtime, file(1, 0, 900), object(1, FUDGE, MD5), InStep),
            ("mtime, up, within the fudge", Mtime, file(1, 1, 0), object(1, FUDGE, MD5), Differs),
            ("mtime, up, newer", Mtime, file(1, 900, 0), object(1, 0, MD5), Differs),
            // Mtime, down: LastModified against when the file was put there.
            ("mtime, down, older", Mtime, object(1, 0, MD5), file(1, 0, FUDGE), InStep),
            ("mtime, down, within the fudge", Mtime, object(1, 1, MD5), file(1, 900, FUDGE), Differs),
            ("mtime, down, newer", Mtime, object(1, 900, MD5), file(1, 900, 0), Differs),
            // Checksum: time has no say; a file's content is asked.
            ("checksum, up", Checksum, file(1, 0, 0), object(1, 900, MD5), AskContent),
            ("checksum, down", Checksum, object(1, 900, MD5), file(1, 0, 0), AskContent),
            ("checksum, equal digests", Checksum, object(1, 900, MD5), object(1, 0, MD5), InStep),
            ("checksum, other digests", Checksum, object(1, 0, MD5), object(1, 900, OTHER_MD5), AskContent),
            // Auto, digests in both listings.
            ("auto, equal digests", Auto, object(1, 900, MD5), object(1, 0, MD5), InStep),
            ("auto, other digests", Auto, object(1, 0, MD5), object(1, 900, OTHER_MD5), AskContent),
            ("auto, equal multipart", Auto, object(1, 900, MULTIPART), object(1, 0, MULTIPART), InStep),
            ("auto, other multipart", Auto, object(1, 0, MULTIPART), object(1, 900, OTHER_MULTIPART), AskContent),
            ("auto, multipart and plain", Auto, object(1, 0, MULTIPART), object(1, 900, MD5), AskContent),
            ("auto, equal but no digest", Auto, object(1, 0, OPAQUE), object(1, 900, OPAQUE), AskContent),
            // Auto, up: time is proof only if mtime and ctime are both clearly before LastModified.
            ("auto, up, clearly older", Auto, file(1, 0, 0), object(1, FUDGE + 1, MD5), InStep),
            ("auto, up, within the fudge", Auto, file(1, 0, 0), object(1, FUDGE, MD5), AskContent),
            ("auto, up, moved in since", Auto, file(1, 0, 900), object(1, FUDGE + 1, MD5), AskContent),
            ("auto, up, newer", Auto, file(1, 900, 900), object(1, 0, MD5), AskContent),
            // Auto, down: a file's times prove nothing about an object.
            ("auto, down, older", Auto, object(1, 0, MD5), file(1, 900, 900), AskContent),
            ("auto, down, newer", Auto, object(1, 900, MD5), file(1, 0, 0), AskContent),
        ];
        for (row, comparison, source, dest, expected) in table {
            let comparer = Comparer { comparison, fudge: Duration::from_secs(FUDGE) };
            assert_eq!(comparer.compare(listed(&source), None, listed(&dest)).verdict(), expected, "{row}");
        }
    }

    #[test]
    fn with_a_settled_pair_time_never_decides() {
        use Verdict::{AskContent, InStep};
        let comparer = Comparer { comparison: Comparison::Auto, fudge: Duration::from_secs(FUDGE) };
        let (source, dest) = (file(1, 0, 0), object(1, 900, MD5));
        let touched = file(1, 50, 50);
        let rewritten = object(1, 900, OTHER_MD5);
        let table = [
            ("neither changed", &source, pair(&source, &dest, false), &dest, InStep),
            ("neither changed, unsure", &source, pair(&source, &dest, true), &dest, AskContent),
            ("the source changed, older than the object", &touched, pair(&source, &dest, false), &dest, AskContent),
            ("the destination changed", &source, pair(&source, &dest, false), &rewritten, AskContent),
        ];
        for (row, source, settled, dest, expected) in table {
            assert_eq!(comparer.compare(listed(source), Some(&settled), listed(dest)).verdict(), expected, "{row}");
            // The other direction: the same pair, seen from the bucket.
            let turned = SettledPair { left: settled.right, right: settled.left, ..settled };
            assert_eq!(
                comparer.compare(listed(dest), Some(&turned), listed(source)).verdict(),
                expected,
                "{row}, down"
            );
        }
    }

    #[test]
    fn a_stores_time_is_told_by_the_local_clock() {
        let by = Duration::from_hours(1);
        let told = |entry: Entry, store_ahead| Dated::new(&entry, ClockSkew { by, store_ahead }).modified;
        assert_eq!(told(object(1, 7200, MD5), true), at(NOON + 3600));
        assert_eq!(told(object(1, 0, MD5), false), at(NOON + 3600));
        assert_eq!(told(file(1, 0, 0), true), at(NOON));
    }
}
