//! Copies that the destination's service makes by itself: nothing of the content travels here.

use std::sync::atomic::{AtomicBool, Ordering};

use brigade_store::{Condition, CopyFailure, Copying, Digest, Entry, Failure, FailureKind, Receipt, Verified};

use super::Transfers;
use super::sending::{Copied, Stopped};
use crate::events::Event;

/// Up to so many bytes the service copies an object that was uploaded in parts as a whole: it is one request, but its
/// `ETag` is another one then.
const COPIED_WHOLE: u64 = 64 << 20;

/// The most bytes that a service copies as a whole: 5 GiB
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>).
pub(super) const MOST_AT_ONCE: u64 = 5 << 30;

/// Bytes in each part that the service copies, where the source doesn't give them.
pub(super) const PART_SIZE: u64 = 256 << 20;

/// How the content of an object gets into the parts of its copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is read and written.
    Through,
    /// The service copies it.
    Inside,
}

impl Transfers {
    /// Has the service copy a version; [`Stopped::NotCopied`] where it doesn't, or could copy another one unnoticed.
    pub(super) async fn copy_inside(&self, listed: &Entry, replaces: Option<&Entry>) -> Result<Copied, Stopped> {
        if is_named(listed) && self.is_cut(listed) {
            match self.copy_in_parts(listed, replaces, Way::Inside).await {
                Err(Stopped::NotCopied) => {}
                copied => return copied,
            }
        }
        if !self.is_copied_whole(listed) {
            return Err(Stopped::NotCopied);
        }
        self.copy_whole_inside(listed, replaces).await
    }

    /// Whether the service copies this version with one request.
    pub(super) fn is_copied_whole(&self, listed: &Entry) -> bool {
        let fits = listed.size <= self.between.most_copied_whole;
        self.between.copies_inside() && is_named(listed) && fits && !self.is_cut(listed)
    }

    /// Whether the service copies this version in parts.
    pub(super) fn is_cut(&self, listed: &Entry) -> bool {
        let was_cut = matches!(listed.listed_digest(), Some(Digest::MultipartMd5 { .. }));
        let is_too_large = listed.size > self.between.most_copied_whole;
        self.between.copies_parts() && (is_too_large || (listed.size > COPIED_WHOLE && was_cut))
    }

    async fn copy_whole_inside(&self, listed: &Entry, replaces: Option<&Entry>) -> Result<Copied, Stopped> {
        let _request = self.permits.request().await;
        if self.cancel.is_cancelled() {
            return Err(Stopped::Interrupted);
        }
        let grants = self.grants_of(listed).await?;
        let condition = replaces.map_or(Condition::Absent, |replaced| Condition::Replaces(replaced.clone()));
        self.prove(&listed.key, &condition, |conditions| conditions.copying).await?;
        let (without_tags, source) = (self.between.leaves_tags_out(), self.source.as_ref());
        let copying = Copying { source, entry: listed, condition: &condition, without_tags, grants: &grants };
        let copied_there = self.dest.copy(&copying).await;
        let receipt = copied_there.map_err(|failure| stopped(failure, &self.between.copies_inside))?;
        self.tally.tell(Event::Progress { bytes: listed.size });
        Ok(copied(listed, receipt))
    }
}

/// Whether it can be told that what is copied is this very version.
fn is_named(listed: &Entry) -> bool {
    listed.version_id().is_some() || listed.etag().is_some_and(|etag| !etag.is_empty())
}

/// What the service has copied.
pub(super) fn copied(source: &Entry, receipt: Receipt) -> Copied {
    let verified = if has_its_etag(source, &receipt) { Verified::Yes } else { receipt.verified };
    Copied { source: source.clone(), receipt, verified }
}

/// Whether the copy has the `ETag` of its source, which proves it, as far as it is one of the content.
pub(super) fn has_its_etag(source: &Entry, receipt: &Receipt) -> bool {
    source.etag().is_some_and(|etag| !etag.is_empty() && receipt.entry.etag() == Some(etag))
}

/// By whose object a copy was stopped. What a service turns out not to do, it isn't asked for again.
pub(super) fn stopped(failure: CopyFailure, does: &AtomicBool) -> Stopped {
    match failure {
        CopyFailure::NotDone => {
            if does.swap(false, Ordering::Relaxed) {
                tracing::warn!(
                    "the service does not copy by itself what it was asked to: it is copied otherwise, or read and written"
                );
            }
            Stopped::NotCopied
        }
        CopyFailure::Source(failure) => Stopped::Source(failure),
        CopyFailure::Dest(failure) if failure.kind == FailureKind::Denied => {
            let reason = format!(
                "{failure}. A copy that the service makes reads the source's tags too: --ignore-tags leaves them \
                 out, and --no-server-side-copy reads and writes instead"
            );
            Stopped::Dest(Failure::new(FailureKind::Denied, reason))
        }
        CopyFailure::Dest(failure) => Stopped::Dest(failure),
    }
}
