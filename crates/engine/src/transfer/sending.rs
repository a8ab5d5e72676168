//! Sending one object: compared if need be, read, written, and once more if it changed meanwhile.

use brigade_store::{Condition, Entry, Failure, FailureKind, NewObject, ObjectHeaders, Verified};

use super::Transfers;
use crate::events::{Event, Outcome};
use crate::plan::Transfer;
use crate::representation;

/// How often an object that changes while it is read is begun again.
const READ_AGAIN: u32 = 1;

/// What came of sending an object.
pub(super) enum Sent {
    Outcome(Outcome),
    /// A directory stands where the file must go, or the reverse.
    Obstructed(Failure),
    /// `--limit` was reached.
    OverLimit,
    /// The run was cancelled, and nothing of the object is left at the destination.
    Interrupted,
}

/// Why an object didn't arrive, by the side that it is due to.
pub(super) enum Stopped {
    Source(Failure),
    Dest(Failure),
    Interrupted,
}

impl Transfers {
    /// Brings an object over, and says what came of it.
    pub(super) async fn bring(&self, transfer: &Transfer) -> Sent {
        match self.already_there(transfer).await {
            Ok(true) => return Sent::Outcome(Outcome::InStep),
            Ok(false) => {}
            Err(stopped) => return self.account(stopped),
        }
        if !self.within_limit() {
            return Sent::OverLimit;
        }
        if self.dry_run {
            let verified = Verified::Yes;
            return Sent::Outcome(Outcome::Sent {
                bytes: transfer.source.size,
                replaced: transfer.replaces.is_some(),
                verified,
            });
        }
        match self.copy(transfer).await {
            Ok(outcome) => Sent::Outcome(outcome),
            Err(stopped) => self.account(stopped),
        }
    }

    /// Whether the destination turns out to have this very content, where the
    /// plan could not tell.
    async fn already_there(&self, transfer: &Transfer) -> Result<bool, Stopped> {
        let source = &transfer.source;
        match &transfer.replaces {
            Some(dest) if transfer.if_content_differs => self.same_content(source, dest).await,
            // A tree lists no directories: whether a marker's is there is looked up.
            None if source.key.is_marker() && source.size == 0 => {
                Ok(self.dest.look(&source.key).await.map_err(Stopped::Dest)?.is_some())
            }
            _ => Ok(false),
        }
    }

    async fn copy(&self, transfer: &Transfer) -> Result<Outcome, Stopped> {
        let mut listed = transfer.source.clone();
        for again in (0..=READ_AGAIN).rev() {
            match self.copy_version(&listed, transfer.replaces.as_ref()).await {
                Err(Stopped::Source(failure)) if failure.kind == FailureKind::Changed && again > 0 => {
                    match self.source.look(&listed.key).await.map_err(Stopped::Source)? {
                        Some(now) => listed = now,
                        None => return Ok(withdrawn()),
                    }
                }
                Err(Stopped::Source(failure)) if failure.kind == FailureKind::Absent => return Ok(withdrawn()),
                copied => return copied,
            }
        }
        let reason = "it changed each time while it was read; run again when it is at rest";
        Err(Stopped::Source(Failure::new(FailureKind::Changed, reason)))
    }

    async fn copy_version(&self, listed: &Entry, replaces: Option<&Entry>) -> Result<Outcome, Stopped> {
        let (bytes, verified) = if listed.size <= self.dest.capabilities().whole_limit {
            self.copy_whole(listed, replaces).await?
        } else {
            self.copy_in_parts(listed, replaces).await?
        };
        Ok(Outcome::Sent { bytes, replaced: replaces.is_some(), verified })
    }

    async fn copy_whole(&self, listed: &Entry, replaces: Option<&Entry>) -> Result<(u64, Verified), Stopped> {
        let _memory = self.permits.memory(listed.size).await;
        let _request = self.permits.request().await;
        if self.cancel.is_cancelled() {
            return Err(Stopped::Interrupted);
        }
        let object = self.source.read(listed).await.map_err(Stopped::Source)?;
        let new = new_object(&object.entry, &object.headers, replaces);
        let receipt = self.dest.write(&new, object.body).await.map_err(Stopped::Dest)?;
        self.tally.tell(Event::Progress { bytes: new.size });
        Ok((new.size, both(object.verified, receipt.verified)))
    }

    fn account(&self, stopped: Stopped) -> Sent {
        match stopped {
            Stopped::Interrupted => Sent::Interrupted,
            // Whatever failed after the person asked to stop may have failed because of it.
            Stopped::Source(_) | Stopped::Dest(_) if self.cancel.is_cancelled() => Sent::Interrupted,
            Stopped::Dest(failure) if failure.kind == FailureKind::Obstructed => Sent::Obstructed(failure),
            Stopped::Dest(Failure { kind: FailureKind::Unrepresentable, reason }) => {
                Sent::Outcome(Outcome::Unrepresentable { reason })
            }
            Stopped::Source(failure) | Stopped::Dest(failure) => Sent::Outcome(Outcome::Failed(failure)),
        }
    }
}

pub(super) fn new_object(entry: &Entry, headers: &ObjectHeaders, replaces: Option<&Entry>) -> NewObject {
    NewObject {
        key: entry.key.clone(),
        size: entry.size,
        headers: representation::headers(entry, headers),
        condition: replaces.map_or(Condition::Absent, |replaced| Condition::Replaces(replaced.clone())),
    }
}

pub(super) fn both(source: Verified, dest: Verified) -> Verified {
    if source == Verified::Yes { dest } else { source }
}

fn withdrawn() -> Outcome {
    Outcome::Withdrawn { reason: "it was gone from the source when its turn came".to_owned() }
}
