//! Sending one object: compared if need be, read, written, and once more if it changed meanwhile.

use brigade_store::{
    Condition, Digest, DigestKind, Entry, Failure, FailureKind, Kind, ListingError, NewObject, ObjectHeaders, Receipt,
    Verified,
};

use super::inside::Way;
use super::{Halt, MOST_FETCHED_AT_ONCE, Transfers};
use crate::compare::Content;
use crate::events::{Event, Outcome};
use crate::ledger::{Agreed, LedgerError, Proof, SettledPair};
use crate::plan::Transfer;
use crate::representation;
use crate::sighting::{Sighting, sight};

/// What came of sending an object.
pub(super) enum Sent {
    /// With the two versions, where they are in step now.
    Outcome(Outcome, Option<Box<Agreed>>),
    /// The ledger could not be written.
    Halted(Halt),
    /// A directory stands where the file must go, or the reverse.
    Obstructed(Failure),
    /// `--limit` was reached.
    OverLimit,
    /// The run was cancelled, and nothing of the object is left at the destination.
    Interrupted,
}

/// Why an object didn't arrive, by the side that it is due to.
pub(crate) enum Stopped {
    Source(Failure),
    Dest(Failure),
    Interrupted,
    /// The service doesn't copy by itself: content is to be read and written.
    NotCopied,
    /// The ledger could not be written.
    Ledger(LedgerError),
}

/// A version that was copied.
pub(super) struct Copied {
    /// The version of the source that was read.
    pub(super) source: Entry,
    /// What the destination answered.
    pub(super) receipt: Receipt,
    /// Whether the copy was checked end to end.
    pub(super) verified: Verified,
}

impl Transfers {
    /// Brings an object over, and says what came of it. If a side turns out to
    /// have changed meanwhile, it is looked at again, once.
    pub(super) async fn bring(&self, planned: &Transfer) -> Sent {
        let mut counted = false;
        let stopped = match self.attempt(planned, &mut counted).await {
            Ok(sent) => return sent,
            Err(stopped) => stopped,
        };
        self.doubt_after(&planned.source, &stopped);
        let sent = match self.look_again(planned, stopped).await {
            Ok(again) => self.attempt(&again, &mut counted).await.unwrap_or_else(|stopped| {
                self.doubt_after(&planned.source, &stopped);
                self.account(stopped)
            }),
            Err(sent) => sent,
        };
        if counted && matches!(sent, Sent::Obstructed(_)) {
            // It has its turn once more after the deletions.
            self.allowance.give_back();
        }
        sent
    }

    /// Whether what waited for room has been dealt with: a run that is taken up
    /// plans it again with what lies behind its cursor.
    pub(super) async fn has_come(&self, waiting: &Transfer) -> Result<bool, LedgerError> {
        let (Some(ledger), key) = (self.recorder.ledger(), &waiting.source.key) else { return Ok(false) };
        if self.recorder.has_failed(key) {
            return Ok(true);
        }
        let Some(pair) = ledger.pair(key).await? else { return Ok(false) };
        // It may have been settled before what obstructed it came, or with a later version of the source.
        let _request = self.permits.request().await;
        let there = self.dest.look(key).await;
        Ok(matches!(there, Ok(Some(there)) if pair.right.shows_in(&there)))
    }

    async fn attempt(&self, transfer: &Transfer, counted: &mut bool) -> Result<Sent, Stopped> {
        if self.cancel.is_cancelled() {
            return Err(Stopped::Interrupted);
        }
        self.dest.could_hold(&transfer.source).map_err(Stopped::Dest)?;
        let looked_at;
        let transfer = if transfer.if_content_differs && transfer.replaces.is_none() {
            let request = self.permits.request().await;
            let replaces = self.dest.look(&transfer.source.key).await.map_err(Stopped::Dest)?;
            drop(request);
            looked_at = Transfer { if_content_differs: replaces.is_some(), replaces, ..transfer.clone() };
            &looked_at
        } else {
            transfer
        };
        if let Some(agreed) = self.already_there(transfer, *counted).await? {
            return Ok(Sent::Outcome(Outcome::InStep, agreed));
        }
        if !*counted && !self.allowance.take() {
            return Ok(Sent::OverLimit);
        }
        *counted = true;
        let replaced = transfer.replaces.is_some();
        if self.dry_run {
            self.foresee_room(&transfer.source.key).await.map_err(Stopped::Dest)?;
            self.foresee_reading(&transfer.source).await.map_err(Stopped::Source)?;
            self.foresee_requests(&transfer.source);
            let outcome = Outcome::Sent { bytes: transfer.source.size, replaced, verified: Verified::Yes };
            return Ok(Sent::Outcome(outcome, None));
        }
        let Copied { source, receipt, verified } =
            self.copy_version(&transfer.source, transfer.replaces.as_ref()).await?;
        let outcome = Outcome::Sent { bytes: source.size, replaced, verified };
        let agreed = Agreed { source, dest: receipt.entry, proof: Proof::Sent, digest: receipt.digest };
        Ok(Sent::Outcome(outcome, Some(Box::new(agreed))))
    }

    /// What to try after a first attempt was stopped, or else what came of it.
    async fn look_again(&self, planned: &Transfer, stopped: Stopped) -> Result<Transfer, Sent> {
        let key = &planned.source.key;
        match stopped {
            Stopped::Source(failure) if failure.kind == FailureKind::Changed => match self.source.look(key).await {
                Ok(Some(source)) => {
                    let replaces = planned.replaces.clone();
                    let settled = planned.settled;
                    let if_content_differs = replaces.is_some();
                    Ok(Transfer { source, if_content_differs, replaces, settled, unlisted: None })
                }
                Ok(None) => Err(Sent::Outcome(withdrawn(), None)),
                Err(failure) => Err(self.account(Stopped::Source(failure))),
            },
            Stopped::Dest(failure) if failure.kind == FailureKind::Changed => {
                Err(self.judge_what_came(planned, failure).await)
            }
            stopped => Err(self.account(stopped)),
        }
    }

    /// What came of an object at whose key somebody else wrote. That is never
    /// overwritten, but it may be what was to be sent.
    async fn judge_what_came(&self, planned: &Transfer, failure: Failure) -> Sent {
        let dest = match self.dest.look(&planned.source.key).await {
            Ok(Some(dest)) => dest,
            Ok(None) => return self.account(Stopped::Dest(failure)),
            Err(unseen) => {
                self.heed(self.dest.as_ref(), &unseen);
                return self.account(Stopped::Dest(failure));
            }
        };
        match self.as_it_is_called(&dest).await {
            Ok(Sighting::Absent) => self.account(Stopped::Dest(taken_for_another())),
            Ok(Sighting::Present(_))
                if dest.size == planned.source.size
                    && matches!(self.same_content(&planned.source, &dest).await, Ok(content) if content.is_same()) =>
            {
                Sent::Outcome(Outcome::InStep, Some(agreed(&planned.source, dest, None)))
            }
            Ok(_) | Err(_) => self.account(Stopped::Dest(failure)),
        }
    }

    /// What is listed by this very name of what was found at a key of the destination; under another name that it has,
    /// it may be deleted.
    async fn as_it_is_called(&self, found: &Entry) -> Result<Sighting, ListingError> {
        // Directories are in no listing.
        if self.dest.capabilities().kind == Kind::Remote || found.key.is_marker() {
            return Ok(Sighting::Present(found.clone()));
        }
        sight(self.dest.as_ref(), &found.key).await
    }

    /// The versions that are in step, if the destination turns out to have
    /// this very content, where the plan could not tell. Of a source that has just changed, times tell nothing.
    /// Nothing is settled with a directory.
    async fn already_there(
        &self,
        transfer: &Transfer,
        has_changed: bool,
    ) -> Result<Option<Option<Box<Agreed>>>, Stopped> {
        let source = &transfer.source;
        if let Some(pair) = &transfer.unlisted
            && !self.allowance.is_used_up()
            && let Some(there) = self.is_there_unlisted(source, pair).await
        {
            return Ok(Some(Some(agreed(source, there, pair.digest))));
        }
        match &transfer.replaces {
            Some(dest) if transfer.if_content_differs && source.size == dest.size => {
                let _request = self.permits.request().await;
                let content = match transfer.settled {
                    Some(settled) if self.has_still(source, settled).await? => Content::SameMd5,
                    Some(_) => Content::Unproven,
                    None if has_changed => self.same_content(source, dest).await.map_err(gone_meanwhile)?,
                    None => Box::pin(self.enough_alike(source, dest)).await.map_err(gone_meanwhile)?,
                };
                // What was settled of an unchanged destination holds for the source again.
                let mut agreed = agreed(source, dest.clone(), transfer.settled);
                if content == Content::WrittenLater {
                    agreed.proof = Proof::Assumed;
                }
                Ok(content.is_enough().then_some(Some(agreed)))
            }
            // A tree lists no directories: whether a marker's is there is looked up.
            None if source.stands_for_directory() => {
                let _request = self.permits.request().await;
                let is_there = self.dest.look(&source.key).await.map_err(Stopped::Dest)?.is_some();
                let stays = is_there && !self.would_be_emptied(&source.key).await.map_err(Stopped::Dest)?;
                Ok(stays.then_some(None))
            }
            _ => Ok(None),
        }
    }

    /// What was settled with this version of the source, if it is there, whatever the listing shows.
    async fn is_there_unlisted(&self, source: &Entry, pair: &SettledPair) -> Option<Entry> {
        let _request = self.permits.request().await;
        // What can't be looked at is sent as if there were nothing to look for.
        let there = self.dest.look(&source.key).await.ok()??;
        let is_it = pair.right.shows_in(&there)
            && (!pair.unsure || matches!(self.same_content(source, &there).await, Ok(content) if content.is_same()));
        is_it.then_some(there)
    }

    /// Whether the source still has the content that both sides had when they
    /// were last in step, of which the destination has not changed.
    async fn has_still(&self, source: &Entry, settled: Digest) -> Result<bool, Stopped> {
        let kind = match settled {
            Digest::Md5(_) => DigestKind::Md5,
            Digest::Crc64Nvme(_) => DigestKind::Crc64Nvme,
            // Neither is ever settled.
            Digest::MultipartMd5 { .. } | Digest::Crc32c(_) => return Ok(false),
        };
        let digests = self.source.digests(source, &[kind]).await.map_err(Stopped::Source)?;
        Ok(digests.first() == Some(&settled))
    }

    pub(super) async fn copy_version(&self, listed: &Entry, replaces: Option<&Entry>) -> Result<Copied, Stopped> {
        // The rarer ways are kept on the heap: hundreds of objects are under way, each with room for the largest.
        if self.between.copies_inside() {
            match Box::pin(self.copy_inside(listed, replaces)).await {
                Err(Stopped::NotCopied) if self.between.copies_inside() => {}
                Err(Stopped::NotCopied) => self.permits.keep_within(MOST_FETCHED_AT_ONCE),
                copied => {
                    if copied.is_ok() {
                        self.abort_uploads_of(&listed.key).await;
                    }
                    return copied;
                }
            }
        }
        if listed.size <= self.dest.capabilities().whole_limit {
            self.copy_whole(listed, replaces).await
        } else {
            Box::pin(self.copy_in_parts(listed, replaces, Way::Through)).await
        }
    }

    async fn copy_whole(&self, listed: &Entry, replaces: Option<&Entry>) -> Result<Copied, Stopped> {
        let _memory = self.permits.memory(listed.size).await;
        let _request = self.permits.request().await;
        if self.cancel.is_cancelled() {
            return Err(Stopped::Interrupted);
        }
        let grants = self.grants_of(listed).await?;
        let object = self.source.read(listed).await.map_err(Stopped::Source)?;
        let mut new = self.new_object(&object.entry, &object.headers, replaces).await?;
        new.headers.grants = grants;
        self.prove(&new.key, &new.condition, |conditions| conditions.writing).await?;
        let receipt = self.dest.write(&new, object.body).await.map_err(Stopped::Dest)?;
        self.tally.tell(Event::Progress { bytes: new.size });
        let verified = both(object.verified, receipt.verified);
        Ok(Copied { source: object.entry, receipt, verified })
    }

    /// The copy of a version, with what the source says of it.
    pub(super) async fn new_object(
        &self,
        entry: &Entry,
        headers: &ObjectHeaders,
        replaces: Option<&Entry>,
    ) -> Result<NewObject, Stopped> {
        let headers = if self.between.are_buckets {
            Box::pin(self.carried(entry, headers)).await?
        } else {
            representation::headers(entry, headers)
        };
        Ok(NewObject {
            key: entry.key.clone(),
            size: entry.size,
            headers,
            condition: replaces.map_or(Condition::Absent, |replaced| Condition::Replaces(replaced.clone())),
            part_size: None,
            digest: None,
        })
    }

    fn account(&self, stopped: Stopped) -> Sent {
        self.heed_stop(&stopped);
        match stopped {
            Stopped::Interrupted => Sent::Interrupted,
            Stopped::NotCopied => Sent::Outcome(Outcome::Failed(neither_copied_nor_read()), None),
            // Whatever failed after the run was to stop may have failed because of it.
            Stopped::Source(_) | Stopped::Dest(_) if self.cancel.is_cancelled() => Sent::Interrupted,
            Stopped::Ledger(error) => Sent::Halted(error.into()),
            Stopped::Source(failure) if failure.kind == FailureKind::Absent => Sent::Outcome(withdrawn(), None),
            Stopped::Dest(failure) if failure.kind == FailureKind::Obstructed => Sent::Obstructed(failure),
            Stopped::Dest(Failure { kind: FailureKind::Unrepresentable, reason }) => {
                Sent::Outcome(Outcome::Unrepresentable { reason }, None)
            }
            Stopped::Source(failure) | Stopped::Dest(failure) => Sent::Outcome(Outcome::Failed(failure), None),
        }
    }
}

pub(super) fn both(source: Verified, dest: Verified) -> Verified {
    if source == Verified::Yes { dest } else { source }
}

/// Two versions whose contents turned out to be the same.
fn agreed(source: &Entry, dest: Entry, digest: Option<Digest>) -> Box<Agreed> {
    Box::new(Agreed { source: source.clone(), dest, proof: Proof::Found, digest })
}

/// Of what the service doesn't copy: it is read and written, wherever that is known.
fn neither_copied_nor_read() -> Failure {
    Failure::new(FailureKind::Failed, "it was neither copied nor read, which is a defect of the program")
}

fn taken_for_another() -> Failure {
    let reason = "the destination's file system takes its name for that of another file there; rename or exclude one";
    Failure::new(FailureKind::Failed, reason)
}

/// What was to be compared at the destination may be gone by then: that is a change like any other.
fn gone_meanwhile(stopped: Stopped) -> Stopped {
    match stopped {
        Stopped::Dest(Failure { kind: FailureKind::Absent, .. }) => {
            Stopped::Dest(Failure::new(FailureKind::Changed, "what it was to replace is gone; run again"))
        }
        other => other,
    }
}

fn withdrawn() -> Outcome {
    Outcome::Withdrawn { reason: "it was gone from the source when its turn came".to_owned() }
}
