//! Comparing content: when entries can't tell, digests are had from the stores.

use brigade_store::{Digest, DigestKind, Entry, Kind, Store};

use super::Transfers;
use super::parts::part_size;
use super::sending::Stopped;
use crate::compare::{Content, Dated};
use crate::ledger::SettledPair;
use crate::plan::Transfer;

/// Part sizes that uploaders are known to use, in MiB: a multipart `ETag` that
/// fits none of them stays unexplained, and the object is sent.
const USUAL_PART_SIZES: [u64; 14] = [5, 6, 7, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128];

impl Transfers {
    /// What the content tells, where the plan leaves it to the content; `None`
    /// where it doesn't, and where it could not be had.
    pub(crate) async fn content_tells(&self, transfer: &Transfer) -> Option<Content> {
        let dest = transfer.replaces.as_ref().filter(|_| transfer.if_content_differs)?;
        self.enough_alike(&transfer.source, dest).await.ok()
    }

    /// The MD5 of an object's content: that for which the service vouches, or else the one that was noted.
    async fn md5_of(&self, held: &Held<'_>) -> Result<Option<Digest>, Stopped> {
        match held.digests(&[DigestKind::Md5]).await?.first() {
            Some(md5) => Ok(Some(*md5)),
            None => Ok(held.store.noted_md5(held.entry).await.map_err(held.blame)?.map(Digest::Md5)),
        }
    }

    /// What was settled before, for sure: where a side has changed since, nothing but content tells of it.
    async fn settled_pair(&self, source: &Entry) -> Result<Option<SettledPair>, Stopped> {
        let Some(ledger) = &self.settled else { return Ok(None) };
        let pair = ledger.pair(&source.key).await.map_err(Stopped::Ledger)?;
        Ok(pair.filter(|pair| !pair.assumed))
    }

    /// What the content of both versions tells; where nothing does, of two objects what was noted of them, as long as
    /// neither has changed since they were settled, and then the times of those that never were.
    pub(super) async fn enough_alike(&self, source: &Entry, dest: &Entry) -> Result<Content, Stopped> {
        let content = self.same_content(source, dest).await?;
        if content != Content::Unproven || !self.between.are_buckets {
            return Ok(content);
        }
        let pair = self.settled_pair(source).await?;
        // What is unsure of two objects shows whatever is there, and is no ground for believing a note.
        if pair.as_ref().is_some_and(|pair| pair.unsure || !pair.shows_in(source, dest)) {
            return Ok(content);
        }
        let left = Held { store: self.source.as_ref(), entry: source, blame: Stopped::Source };
        let right = Held { store: self.dest.as_ref(), entry: dest, blame: Stopped::Dest };
        if let (Some(left), Some(right)) = (self.md5_of(&left).await?, self.md5_of(&right).await?) {
            return Ok(if left == right { Content::SameMd5 } else { Content::OtherMd5 });
        }
        let may_be_later = pair.is_none() && self.between.times_decide;
        Ok(if may_be_later && self.is_written_later(source, dest) { Content::WrittenLater } else { content })
    }

    /// Whether the destination's object was written after the source's. Within one service both times are of its clock.
    fn is_written_later(&self, source: &Entry, dest: &Entry) -> bool {
        let Some(clocks_apart) = self.between.clocks_apart else { return dest.modified > source.modified };
        let written = |store: &dyn Store, entry| Dated::new(entry, store.clock_skew().unwrap_or_default()).written();
        let last = written(self.source.as_ref(), source).checked_add(clocks_apart);
        last.is_some_and(|last| written(self.dest.as_ref(), dest) > last)
    }

    /// What the content of both versions, which are of one size, tells.
    pub(super) async fn same_content(&self, source: &Entry, dest: &Entry) -> Result<Content, Stopped> {
        same_content(self.source.as_ref(), source, self.dest.as_ref(), dest).await
    }
}

/// What the digests of both versions, which are of one size, tell: a file is
/// read, of an object nothing is fetched.
pub(crate) async fn same_content(
    left: &dyn Store,
    source: &Entry,
    right: &dyn Store,
    dest: &Entry,
) -> Result<Content, Stopped> {
    match (left.capabilities().kind, right.capabilities().kind) {
        (Kind::Local, Kind::Remote) => {
            let file = Held { store: left, entry: source, blame: Stopped::Source };
            file.same_as_object(&Held { store: right, entry: dest, blame: Stopped::Dest }).await
        }
        (Kind::Remote, Kind::Local) => {
            let file = Held { store: right, entry: dest, blame: Stopped::Dest };
            file.same_as_object(&Held { store: left, entry: source, blame: Stopped::Source }).await
        }
        (kind, _) => {
            if let (Some(left), Some(right)) = (source.listed_digest(), dest.listed_digest())
                && left == right
            {
                return Ok(Content::same_by(&left));
            }
            let left = Held { store: left, entry: source, blame: Stopped::Source };
            let right = Held { store: right, entry: dest, blame: Stopped::Dest };
            // What a tree has to work out is worked out once.
            let wanted: &[DigestKind] = match kind {
                Kind::Local => &[DigestKind::Crc64Nvme],
                Kind::Remote => &[DigestKind::Crc64Nvme, DigestKind::Md5, DigestKind::Crc32c],
            };
            Ok(by_stored(&left.digests(wanted).await?, &right.digests(wanted).await?))
        }
    }
}

/// One side's version, and whom a failure is due to.
struct Held<'a> {
    store: &'a dyn Store,
    entry: &'a Entry,
    blame: fn(brigade_store::Failure) -> Stopped,
}

impl Held<'_> {
    async fn digests(&self, wanted: &[DigestKind]) -> Result<Vec<Digest>, Stopped> {
        self.store.digests(self.entry, wanted).await.map_err(self.blame)
    }

    /// Compares a file with an object: by the digest that the object's ETag
    /// gives, else by the best that the store keeps beside it.
    async fn same_as_object(&self, object: &Held<'_>) -> Result<Content, Stopped> {
        let listed = object.entry.listed_digest();
        let mut md5 = Vec::new();
        if let Some(Digest::Md5(_)) = listed {
            // An equal MD5 settles it without a request. A different one may be
            // an ETag that is no MD5 (SSE-KMS).
            md5 = self.digests(&[DigestKind::Md5]).await?;
            if md5.first() == listed.as_ref() {
                return Ok(Content::SameMd5);
            }
        }
        let stored = object.digests(&[DigestKind::Crc64Nvme, DigestKind::Md5, DigestKind::Crc32c]).await?;
        let has = |is: fn(&Digest) -> bool| stored.iter().any(is);
        if has(|digest| matches!(digest, Digest::Crc64Nvme(_))) {
            return Ok(by_stored(&stored, &self.digests(&[DigestKind::Crc64Nvme]).await?));
        }
        if has(|digest| matches!(digest, Digest::Md5(_))) {
            if md5.is_empty() {
                md5 = self.digests(&[DigestKind::Md5]).await?;
            }
            return Ok(by_stored(&stored, &md5));
        }
        let told = self.by_etag(object, listed).await?;
        if told.is_same() || !has(|digest| matches!(digest, Digest::Crc32c(_))) {
            return Ok(told);
        }
        Ok(by_stored(&stored, &self.digests(&[DigestKind::Crc32c]).await?))
    }

    /// What an ETag that is no MD5 of the file tells.
    async fn by_etag(&self, object: &Held<'_>, listed: Option<Digest>) -> Result<Content, Stopped> {
        match listed {
            Some(Digest::MultipartMd5 { parts, .. }) => {
                let ours = part_size(object.store.capabilities().part_size, self.entry.size);
                let wanted = fitting_part_sizes(ours, self.entry.size, parts);
                let fits = self.digests(&wanted).await?.iter().any(|digest| Some(digest) == listed.as_ref());
                Ok(if fits { Content::SameMultipart } else { Content::OtherMultipart })
            }
            Some(Digest::Md5(_)) => Ok(Content::OtherMd5),
            _ => Ok(Content::Unproven),
        }
    }
}

/// Compares two versions by a digest that both stores keep, or have worked out: under SSE-KMS and SSE-C an `ETag` is
/// none.
fn by_stored(left: &[Digest], right: &[Digest]) -> Content {
    let crc64 = |digest: &&Digest| matches!(digest, Digest::Crc64Nvme(_));
    let md5 = |digest: &&Digest| matches!(digest, Digest::Md5(_));
    let crc32c = |digest: &&Digest| matches!(digest, Digest::Crc32c(_));
    match (left.iter().find(crc64), right.iter().find(crc64)) {
        (Some(left), Some(right)) if left == right => return Content::SameCrc64,
        (Some(_), Some(_)) => return Content::OtherCrc64,
        _ => {}
    }
    match (left.iter().find(md5), right.iter().find(md5)) {
        (Some(left), Some(right)) if left == right => return Content::SameMd5,
        (Some(_), Some(_)) => return Content::OtherMd5,
        _ => {}
    }
    match (left.iter().find(crc32c), right.iter().find(crc32c)) {
        (Some(left), Some(right)) if left == right => Content::SameCrc32c,
        (Some(_), Some(_)) => Content::OtherCrc32c,
        _ => Content::Unproven,
    }
}

/// The ways, besides ours, in which an object of this size may have been cut into so many parts.
pub(crate) fn fitting_part_sizes(ours: u64, size: u64, parts: u32) -> Vec<DigestKind> {
    let mut candidates: Vec<u64> = USUAL_PART_SIZES.iter().map(|mebibytes| mebibytes << 20).collect();
    candidates.push(ours);
    // One part only: whatever its size was, it held everything.
    candidates.push(size.max(1));
    candidates.sort_unstable();
    candidates.dedup();
    let fits = |part_size: &u64| size.div_ceil(*part_size).max(1) == u64::from(parts);
    let mut fitting: Vec<u64> = candidates.into_iter().filter(fits).collect();
    if parts == 1 {
        // They would all give the same digest.
        fitting.truncate(1);
    }
    fitting.into_iter().map(|part_size| DigestKind::MultipartMd5 { part_size }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_objects_are_compared_by_the_best_that_both_have() {
        let (crc, md5) = (Digest::Crc64Nvme, |byte| Digest::Md5([byte; 16]));
        let table = [
            (vec![crc(1)], vec![crc(1), md5(2)], Content::SameCrc64),
            (vec![crc(1), md5(2)], vec![crc(3), md5(2)], Content::OtherCrc64),
            (vec![crc(1), md5(2)], vec![md5(2)], Content::SameMd5),
            (vec![md5(1)], vec![crc(1), md5(2)], Content::OtherMd5),
            (vec![md5(1)], vec![crc(1)], Content::Unproven),
            (vec![Digest::Crc32c(1)], vec![Digest::Crc32c(1)], Content::SameCrc32c),
            (vec![Digest::Crc32c(1)], vec![Digest::Crc32c(2)], Content::OtherCrc32c),
            (vec![md5(1), Digest::Crc32c(1)], vec![Digest::Crc32c(1), md5(1)], Content::SameMd5),
            (vec![], vec![], Content::Unproven),
        ];
        for (left, right, expected) in table {
            assert_eq!(by_stored(&left, &right), expected, "{left:?} {right:?}");
        }
    }

    #[test]
    fn only_part_sizes_that_give_the_number_of_parts_are_tried() {
        const MIB: u64 = 1 << 20;
        let table = [
            (20 * MIB, 3, vec![7, 8]),
            (20 * MIB, 4, vec![5, 6]),
            (20 * MIB, 2, vec![10, 15, 16]),
            (20 * MIB, 1, vec![20]),
            (20 * MIB, 9, vec![]),
        ];
        for (size, parts, mebibytes) in table {
            let expected: Vec<DigestKind> =
                mebibytes.into_iter().map(|n: u64| DigestKind::MultipartMd5 { part_size: n << 20 }).collect();
            assert_eq!(fitting_part_sizes(8 * MIB, size, parts), expected, "{parts} parts");
        }
    }
}
