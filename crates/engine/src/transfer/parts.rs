//! Large objects: copied in parts, several at once, and made visible at the end.

use std::sync::Arc;
use std::time::Duration;

use brigade_store::{
    Digest, DigestKind, Entry, Failure, FailureKind, Kind, NewObject, Part, Reader, Receipt, Verified,
};
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use super::Transfers;
use super::inside::{self, Way, copied, has_its_etag};
use super::resuming::UnderWay;
use super::sending::{Copied, Stopped, both};
use crate::events::Event;

/// S3's limit on the parts of an upload (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const MOST_PARTS: u64 = 10_000;

/// The fewest bytes that a part other than the last may have, and the most that any may (the same page).
const SMALLEST_PART: u64 = 5 << 20;
const LARGEST_PART: u64 = 5 << 30;

/// How long content is waited for, after one of the first parts was asked for, before the next is asked for too. Where it
/// comes fast, these are on their way to the destination while others come; asked for at once, all would come last, and
/// the destination have nothing to do meanwhile.
const HEAD_START: Duration = Duration::from_millis(20);

/// How many of the first parts have a head start: where all come late, the others don't wait for long.
const FIRST_PARTS: usize = 8;

/// Bytes in each part but the last of an object of this size: the usual size, or
/// as many whole MiB as keep the parts few enough, so that others can work out
/// a multipart `ETag` from the size alone.
pub(crate) fn part_size(usual: u64, size: u64) -> u64 {
    let usual = usual.max(1);
    if size.div_ceil(usual) <= MOST_PARTS { usual } else { size.div_ceil(MOST_PARTS).next_multiple_of(1 << 20) }
}

/// Why an upload was not finished.
struct Unfilled {
    stopped: Stopped,
    /// Whether only the finish failed.
    has_all_parts: bool,
}

impl Unfilled {
    /// Whether an upload that an earlier run began is of no use: it is gone, or
    /// what is there of it can't be made an object.
    fn shows_it_useless(&self) -> bool {
        let Stopped::Dest(failure) = &self.stopped else { return false };
        match failure.kind {
            FailureKind::Absent | FailureKind::Corrupt => true,
            FailureKind::Failed => self.has_all_parts,
            _ => false,
        }
    }
}

impl Transfers {
    pub(super) async fn copy_in_parts(
        &self,
        listed: &Entry,
        replaces: Option<&Entry>,
        way: Way,
    ) -> Result<Copied, Stopped> {
        let reader: Arc<dyn Reader> = self.source.open(listed).await.map_err(Stopped::Source)?.into();
        let size = reader.entry().size;
        if size != listed.size {
            let reason = "its size is not what was listed";
            return Err(Stopped::Source(Failure::new(FailureKind::Changed, reason)));
        }
        let mut new = self.new_object(reader.entry(), reader.headers(), replaces).await?;
        new.headers.grants = self.grants_of(reader.entry()).await?;
        new.part_size = self.cut_as_the_source(reader.as_ref(), way).await;
        new.digest = self.digest_wanted(reader.as_ref());
        let (mut under_way, mut taken_up) = self.begin_or_take_up(&new, reader.entry(), way).await?;
        let mut finished = self.fill(&reader, &new, &under_way, way).await;
        if let Err(unfilled) = &finished
            && taken_up.is_some()
            && unfilled.shows_it_useless()
            && !self.cancel.is_cancelled()
            && self.give_up(&new, under_way.upload.as_ref()).await
        {
            // Once more, from the first part.
            (under_way, taken_up) = (self.begin_upload(&new, reader.entry()).await?, None);
            finished = self.fill(&reader, &new, &under_way, way).await;
        }
        let receipt = match finished {
            Ok(receipt) => receipt,
            Err(Unfilled { stopped, .. }) => {
                self.heed_stop(&stopped);
                if let (Stopped::NotCopied, Some(begun)) = (&stopped, taken_up) {
                    self.leave_to_writing(begun, &under_way);
                    return Err(stopped);
                }
                self.leave(&new, under_way.upload.as_ref(), &stopped).await;
                return Err(stopped);
            }
        };
        self.forget(&new, under_way.upload.as_ref());
        if way == Way::Inside || has_its_etag(reader.entry(), &receipt) {
            return Ok(copied(reader.entry(), receipt));
        }
        let is_checked = reader.digest().is_some() || listed.etag().is_none();
        let source = if is_checked { Verified::Yes } else { Verified::Unverifiable };
        let verified = both(source, receipt.verified);
        Ok(Copied { source: reader.entry().clone(), receipt, verified })
    }

    /// What the copy is checked with: a file is read once more from end to end, of an object only its parts are known.
    fn digest_of(&self, reader: &dyn Reader) -> Option<(DigestKind, Digest)> {
        if self.kinds[1] == Kind::Remote { reader.digest_of_parts() } else { reader.digest() }
    }

    /// What is worked out of the parts: what the copy is checked with, and of a file's that by which it is known again.
    fn digest_wanted(&self, reader: &dyn Reader) -> Option<DigestKind> {
        let of_a_file = (self.kinds[0] == Kind::Local).then_some(DigestKind::Crc64Nvme);
        self.digest_of(reader).map(|(kind, _)| kind).or(of_a_file)
    }

    /// How the source is cut, where the copy can be cut so too: then both have the same `ETag`.
    async fn cut_as_the_source(&self, reader: &dyn Reader, way: Way) -> Option<u64> {
        let usual = (way == Way::Inside).then_some(inside::PART_SIZE);
        let Some(Digest::MultipartMd5 { parts, .. }) = reader.entry().listed_digest() else { return usual };
        // What travels through is in memory meanwhile, and several parts should be at once.
        let most = if way == Way::Inside { LARGEST_PART } else { self.memory / 4 };
        let smallest = SMALLEST_PART.min(self.dest.capabilities().part_size);
        let fits =
            |size: &u64| (smallest..=most).contains(size) && reader.entry().size.div_ceil(*size) == u64::from(parts);
        if self.kinds[1] == Kind::Remote { reader.part_size().await.filter(fits).or(usual) } else { None }
    }

    /// Copies what is missing of an upload, and finishes it.
    async fn fill(
        &self,
        reader: &Arc<dyn Reader>,
        new: &NewObject,
        under_way: &UnderWay,
        way: Way,
    ) -> Result<Receipt, Unfilled> {
        let unfilled = |stopped| Unfilled { stopped, has_all_parts: false };
        self.copy_parts(reader, under_way, new, way).await.map_err(unfilled)?;
        // The second look at the source comes before the object becomes visible.
        reader.check_unchanged().await.map_err(Stopped::Source).map_err(unfilled)?;
        self.prove(&new.key, &new.condition, |conditions| conditions.finishing).await.map_err(unfilled)?;
        let finished = under_way.upload.finish(self.digest_of(reader.as_ref())).await;
        finished.map_err(|failure| Unfilled { stopped: Stopped::Dest(failure), has_all_parts: true })
    }

    /// Copies all parts, or as many as can be until one fails; none is in flight afterwards.
    async fn copy_parts(
        &self,
        reader: &Arc<dyn Reader>,
        under_way: &UnderWay,
        new: &NewObject,
        way: Way,
    ) -> Result<(), Stopped> {
        let mut parts = JoinSet::new();
        let mut copied = self.begin_parts(reader, under_way, (new, way), &mut parts).await;
        while let Some(ended) = parts.join_next().await {
            copied = copied.and(part_ended(ended));
        }
        copied
    }

    async fn begin_parts(
        &self,
        reader: &Arc<dyn Reader>,
        UnderWay { upload, there }: &UnderWay,
        (new, way): (&NewObject, Way),
        parts: &mut JoinSet<Result<(), Stopped>>,
    ) -> Result<(), Stopped> {
        let (size, part_size) = (new.size, self.part_size_of(new));
        let mut part = Part { number: 1, offset: 0 };
        // While others are under way, the destination has something to do.
        let mut head_starts = if way == Way::Through && self.permits.are_idle() { FIRST_PARTS } else { 0 };
        let came = Arc::new(Notify::new());
        while part.offset < size {
            let end = size.min(part.offset + part_size);
            let next = Part { number: part.number + 1, offset: end };
            if there.contains(&part.number) {
                part = next;
                continue;
            }
            let held = if way == Way::Inside { 0 } else { end - part.offset };
            let memory = self.permits.memory(held).await;
            // Waited for here: not all parts of an object are begun before the first has failed.
            let request = self.permits.request().await;
            let (reader, upload) = (Arc::clone(reader), Arc::clone(upload));
            let (source, between) = (Arc::clone(&self.source), Arc::clone(&self.between));
            let (tally, cancel) = (Arc::clone(&self.tally), self.cancel.clone());
            let comes = Arc::clone(&came);
            parts.spawn(async move {
                let _held = (memory, request);
                if cancel.is_cancelled() {
                    return Err(Stopped::Interrupted);
                }
                match way {
                    Way::Through => {
                        let body = reader.read(part.offset..end).await;
                        comes.notify_one();
                        upload.write(part, body.map_err(Stopped::Source)?).await.map_err(Stopped::Dest)?;
                    }
                    Way::Inside => {
                        let copied = upload.copy(part, source.as_ref(), reader.entry(), part.offset..end).await;
                        copied.map_err(|failure| inside::stopped(failure, &between.copies_parts))?;
                    }
                }
                tally.tell(Event::Progress { bytes: end - part.offset });
                Ok(())
            });
            if head_starts > 0 {
                head_starts -= 1;
                // Whether it came is the part's own affair.
                let _ = timeout(HEAD_START, came.notified()).await;
            }
            while let Some(ended) = parts.try_join_next() {
                part_ended(ended)?;
            }
            part = next;
        }
        Ok(())
    }
}

fn part_ended(ended: Result<Result<(), Stopped>, JoinError>) -> Result<(), Stopped> {
    ended.unwrap_or_else(|error| {
        let reason = format!("a part ended abnormally, which is a defect of the program: {error}");
        Err(Stopped::Source(Failure::new(FailureKind::Failed, reason)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_mebibytes_and_few_enough() {
        const GIB: u64 = 1 << 30;
        const TIB: u64 = 1 << 40;
        const PART_SIZE: u64 = 8 << 20;
        for size in [1, PART_SIZE, 100 * GIB, 5 * TIB, 5 * TIB - 1, 48 * TIB] {
            let part = part_size(PART_SIZE, size);
            assert!(part >= PART_SIZE && part.is_multiple_of(1 << 20), "{size}");
            assert!(size.div_ceil(part) <= MOST_PARTS, "{size}");
        }
        assert_eq!(part_size(PART_SIZE, 5 * TIB), 525 << 20);
        assert_eq!(part_size(PART_SIZE, MOST_PARTS * PART_SIZE), PART_SIZE);
    }
}
