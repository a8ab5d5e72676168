//! What a dry run foresees: the requests that sending would take, and whether
//! the deletions that it only shows would make room for what waits for them.

use brigade_store::{Entry, Failure, FailureKind, Key, KeyRange, Listed, Work};

use super::Transfers;
use super::inside;
use super::parts::part_size;
use crate::filters::Filters;

/// What deletions leave of the files in a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    NothingWasThere,
    Nothing,
    Something,
}

impl Transfers {
    /// From now on the deletions of this dry run count as done.
    pub(crate) fn count_deletions_as_done(&self, filters: &Filters) {
        // A run has one such moment.
        let _ = self.shown_deletions.set(filters.clone());
    }

    /// Counts the requests that sending this version would take, as [`Transfers::copy_version`] goes about it, but for
    /// those that find out how it is cut and what tags it has.
    pub(super) fn foresee_requests(&self, source: &Entry) {
        let (read, write, store_looks) = self.works(source);
        if self.between.carries_grants() {
            self.tally.foresee(&self.source, Work::ReadGrants);
        }
        if let Some(read) = read {
            self.tally.foresee(&self.source, read);
        }
        if self.index.is_trusted() && !store_looks {
            self.tally.foresee(&self.dest, Work::Look(1));
        }
        self.tally.foresee(&self.dest, write);
    }

    /// What is read at the source and written at the destination, and whether the write looks at what is there.
    fn works(&self, source: &Entry) -> (Option<Work<'static>>, Work<'static>, bool) {
        let (dest, size) = (self.dest.capabilities(), source.size);
        let in_parts = |usual| size.div_ceil(part_size(usual, size));
        match self.between.copies_inside().then(|| self.is_cut(source)) {
            Some(true) => {
                let parts = in_parts(inside::PART_SIZE);
                (Some(Work::Look(2)), Work::CopyInParts(parts), dest.conditions.finishing)
            }
            Some(false) => (None, Work::Copy, dest.conditions.copying),
            None if size <= dest.whole_limit => (Some(Work::Read), Work::Write, dest.conditions.writing),
            None => {
                let parts = in_parts(dest.part_size);
                (Some(Work::ReadInRanges(parts)), Work::WriteInParts(parts), dest.conditions.finishing)
            }
        }
    }

    /// Fails as sending a new object would, for what stands in its way.
    pub(super) async fn foresee_room(&self, key: &Key) -> Result<(), Failure> {
        let _request = self.permits.request().await;
        match self.dest.check_room(key).await {
            Err(failure) if failure.kind == FailureKind::Obstructed => {
                let Some(filters) = self.shown_deletions.get() else { return Err(failure) };
                if self.would_be_cleared(key, filters).await? { Ok(()) } else { Err(failure) }
            }
            checked => checked,
        }
    }

    /// Fails as reading the object would, if it lies in an archive.
    pub(super) async fn foresee_reading(&self, entry: &Entry) -> Result<(), Failure> {
        let _request = self.permits.request().await;
        self.source.check_readable(entry).await
    }

    /// Whether the deletions remove every file that the key has in its way: in
    /// the place of a directory that leads to it, or below it.
    async fn would_be_cleared(&self, key: &Key, filters: &Filters) -> Result<bool, Failure> {
        let bytes = key.as_bytes();
        for (slash, _) in bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'/') {
            match self.dest.look(&Key::new(&bytes[..slash])).await? {
                Some(file) if !self.would_be_deleted(&file, filters).await? => return Ok(false),
                _ => {}
            }
        }
        Ok(self.left_below(&[bytes, b"/"].concat(), filters).await? != Left::Something)
    }

    /// Whether the deletions that this dry run has shown would take a marker's
    /// directory with them, so that it would be made again.
    pub(super) async fn would_be_emptied(&self, marker: &Key) -> Result<bool, Failure> {
        match self.shown_deletions.get() {
            Some(filters) => Ok(self.left_below(marker.as_bytes(), filters).await? == Left::Nothing),
            None => Ok(false),
        }
    }

    /// What the deletions leave of the files below a prefix, which ends in `/`.
    async fn left_below(&self, below: &[u8], filters: &Filters) -> Result<Left, Failure> {
        let through = [below.strip_suffix(b"/").unwrap_or(below), b"0"].concat();
        let range = KeyRange { after: Some(Key::new(below)), through: Some(Key::new(through)) };
        let mut listing = self.dest.list(&range);
        let failed = |error: brigade_store::ListingError| Failure::new(FailureKind::Failed, error.to_string());
        let mut left = Left::NothingWasThere;
        while let Some(page) = listing.next_page().await.map_err(failed)? {
            for item in page.into_iter().filter(|item| item.key().as_bytes().starts_with(below)) {
                match item {
                    Listed::Present(file) if self.would_be_deleted(&file, filters).await? => left = Left::Nothing,
                    Listed::Present(_) | Listed::Unknown(_) => return Ok(Left::Something),
                }
            }
        }
        Ok(left)
    }

    async fn would_be_deleted(&self, entry: &Entry, filters: &Filters) -> Result<bool, Failure> {
        if self.cancel.is_cancelled() {
            // Nobody hears of it.
            return Err(Failure::new(FailureKind::Failed, "interrupted"));
        }
        let takes_part = filters.includes(&entry.key, &mut filters.none_matched());
        Ok(takes_part && self.source.could_hold(entry).is_ok() && self.source.look(&entry.key).await?.is_none())
    }
}
