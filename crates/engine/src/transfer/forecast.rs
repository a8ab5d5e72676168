//! What a dry run foresees: whether the deletions that it only shows would
//! make room for what waits for them.

use brigade_store::{Entry, Failure, FailureKind, Key, KeyRange, Listed};

use super::Transfers;
use crate::filters::Filters;

impl Transfers {
    /// From now on the deletions of this dry run count as done.
    pub(crate) fn count_deletions_as_done(&self, filters: &Filters) {
        // A run has one such moment.
        let _ = self.shown_deletions.set(filters.clone());
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
        let below = [bytes, b"/"].concat();
        let range = KeyRange { after: Some(Key::new(&*below)), through: Some(Key::new([bytes, b"0"].concat())) };
        let mut listing = self.dest.list(&range);
        let failed = |error: brigade_store::ListingError| Failure::new(FailureKind::Failed, error.to_string());
        while let Some(page) = listing.next_page().await.map_err(failed)? {
            for item in page.into_iter().filter(|item| item.key().as_bytes().starts_with(&below)) {
                match item {
                    Listed::Present(file) if self.would_be_deleted(&file, filters).await? => {}
                    Listed::Present(_) | Listed::Unknown(_) => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    async fn would_be_deleted(&self, entry: &Entry, filters: &Filters) -> Result<bool, Failure> {
        let takes_part = filters.includes(&entry.key, &mut filters.none_matched());
        Ok(takes_part && self.source.could_hold(entry).is_ok() && self.source.look(&entry.key).await?.is_none())
    }
}
