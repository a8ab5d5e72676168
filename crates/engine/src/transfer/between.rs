//! What the two sides are to each other: who copies, and what goes along with the content.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use brigade_store::s3::{Grants, Provider};
use brigade_store::{Entry, Failure, FailureKind, Kind, ObjectHeaders, Store, Tags};
use tokio::sync::OnceCell;

use super::sending::Stopped;
use super::{Transfers, inside};
use crate::job::{Comparison, JobSpec, RunOptions};

/// What the two sides of a run are to each other.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Between {
    /// Whether the destination's service copies from the source by itself, as far as nothing has shown that it doesn't.
    pub(super) copies_inside: AtomicBool,
    /// Whether both are buckets: all that goes with an object there is known here.
    pub(super) are_buckets: bool,
    /// Whether the service copies in parts too, as far as nothing has shown that it doesn't.
    pub(super) copies_parts: AtomicBool,
    /// Bytes that it copies at once at the most.
    pub(super) most_copied_whole: u64,
    /// Whether it was to copy by itself when the run began.
    pub(super) was_to_copy: bool,
    /// Whether a storage class of the one is one of the other.
    same_provider: bool,
    carries_tags: bool,
    carries_grants: bool,
    /// Whether the source is known to tell of each object whether it has tags; of others each is asked.
    tells_tags: bool,
    /// Whether times may decide of two objects, where nothing else does.
    pub(super) times_decide: bool,
    /// By how much their clocks may run apart; `None` where both have the same.
    pub(super) clocks_apart: Option<Duration>,
    /// Why tags can't be read, if they can't: found out with the first object that shows none.
    unreadable_tags: OnceCell<Option<Failure>>,
}

impl Between {
    /// Of these sides in this job.
    pub(crate) fn of(job: &JobSpec, options: &RunOptions, source: &dyn Store, dest: &dyn Store) -> Self {
        let are_buckets = [source, dest].iter().all(|store| store.capabilities().kind == Kind::Remote);
        let is_one_service = are_buckets && dest.copies_from(source);
        let was_to_copy = is_one_service && options.server_side_copy;
        let is_google = dest.provider() == Some(Provider::Gcs);
        Self {
            copies_inside: AtomicBool::new(was_to_copy),
            was_to_copy,
            are_buckets,
            // https://cloud.google.com/storage/docs/xml-api/put-object-multipart: a part can't be copied, and an object
            // of any size can.
            copies_parts: AtomicBool::new(!is_google),
            most_copied_whole: if is_google { u64::MAX } else { inside::MOST_AT_ONCE },
            same_provider: are_buckets && source.provider() == dest.provider(),
            carries_tags: are_buckets && job.carries_tags,
            carries_grants: are_buckets && job.carries_grants,
            tells_tags: matches!(source.provider(), Some(Provider::Aws | Provider::BrigadeDev)),
            times_decide: are_buckets && job.comparison == Comparison::Auto,
            clocks_apart: (!is_one_service).then_some(job.clock_fudge_factor),
            unreadable_tags: OnceCell::new(),
        }
    }

    /// Whether the destination's service copies from the source by itself.
    pub(super) fn copies_inside(&self) -> bool {
        self.copies_inside.load(Ordering::Relaxed)
    }

    /// Whether it copies in parts too.
    pub(super) fn copies_parts(&self) -> bool {
        self.copies_parts.load(Ordering::Relaxed)
    }

    /// Whether a copy that the service makes leaves the tags out.
    pub(super) fn leaves_tags_out(&self) -> bool {
        !self.carries_tags
    }

    /// Whether an object's access control list goes along.
    pub(super) fn carries_grants(&self) -> bool {
        self.carries_grants
    }
}

impl Transfers {
    /// What goes along with the content of this version, of what the source says of it.
    pub(super) async fn carried(&self, entry: &Entry, headers: &ObjectHeaders) -> Result<ObjectHeaders, Stopped> {
        if let Some(name) = &headers.undecodable {
            let reason = format!("its header {name} is no UTF-8 text, and can't be carried as it is; write it anew");
            return Err(Stopped::Source(Failure::new(FailureKind::Failed, reason)));
        }
        let mut carried = headers.clone();
        if !self.between.same_provider {
            carried.storage_class = None;
        }
        carried.tags = self.tags_of(entry, &headers.tags).await?;
        Ok(carried)
    }

    /// Who is to be granted something of the copy of this version. It is to be asked before the content is read or
    /// copied, which is done only if the version is still there then: else what was granted of a later one, which may
    /// be for everybody, would be granted of this one.
    pub(super) async fn grants_of(&self, entry: &Entry) -> Result<Grants, Stopped> {
        if !self.between.carries_grants {
            return Ok(Grants::default());
        }
        self.source.grants(entry).await.map_err(|failure| match failure.kind {
            FailureKind::Denied => Stopped::Source(without_grants(&failure)),
            _ => Stopped::Source(failure),
        })
    }

    /// The tags that go along. Whoever may not read them is told of none
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>, `x-amz-tagging-count`): whether that is
    /// so is asked for once.
    async fn tags_of(&self, entry: &Entry, told: &Tags) -> Result<Tags, Stopped> {
        let Between { carries_tags, unreadable_tags, .. } = &*self.between;
        if !carries_tags {
            return Ok(Tags::None);
        }
        let asked = async || {
            self.source.tags(entry).await.map_err(|failure| match failure.kind {
                FailureKind::Denied => without_permission(&failure),
                _ => failure,
            })
        };
        if *told == Tags::Some || !self.between.tells_tags {
            return asked().await.map(Tags::Known).map_err(Stopped::Source);
        }
        let unreadable = unreadable_tags.get_or_try_init(|| async {
            match asked().await {
                Ok(_) => Ok(None),
                Err(failure) if failure.kind == FailureKind::Denied => Ok(Some(failure)),
                Err(failure) => Err(Stopped::Source(failure)),
            }
        });
        match unreadable.await? {
            Some(failure) => Err(Stopped::Source(failure.clone())),
            None => Ok(Tags::None),
        }
    }
}

fn without_grants(failure: &Failure) -> Failure {
    let reason =
        format!("its access control list may not be read ({failure}); leave out --acl source to copy without it");
    Failure::new(FailureKind::Denied, reason)
}

fn without_permission(failure: &Failure) -> Failure {
    let reason = format!("its tags may not be read ({failure}); --ignore-tags copies without them");
    Failure::new(FailureKind::Denied, reason)
}
