//! Uploads in parts that outlive a run: begun so that the next one can take
//! them up, taken up from the parts that are there, or given up.

use std::collections::BTreeSet;
use std::sync::Arc;

use brigade_store::{Entry, FailureKind, FinishedPart, Key, NewObject, Resumed, Upload};

use super::Transfers;
use super::inside::Way;
use super::parts::part_size;
use super::sending::Stopped;
use crate::events::Event;
use crate::ledger::pair::could_hide_an_edit;
use crate::ledger::{BegunUpload, Change, Fingerprint};

/// An upload about to be sent its parts.
pub(super) struct UnderWay {
    pub(super) upload: Arc<dyn Upload>,
    /// The numbers of the parts that are there already.
    pub(super) there: BTreeSet<u32>,
}

impl Transfers {
    /// Takes up the upload of this object that an earlier run began, or begins
    /// a new one; which one was taken up.
    pub(super) async fn begin_or_take_up(
        &self,
        new: &NewObject,
        source: &Entry,
        way: Way,
    ) -> Result<(UnderWay, Option<BegunUpload>), Stopped> {
        let mut taken_up = None;
        for begun in self.uploads.take(&new.key) {
            if way == Way::Inside && begun.part_size != self.part_size_of(new) {
                // One whose parts were read and written: it goes on if it turns out that the service copies none.
                self.uploads.put_back(begun);
            } else if taken_up.is_some() {
                self.abort_upload(&begun.key, &begun.upload_id).await;
            } else {
                taken_up = self.take_up(new, source, &begun).await?.map(|under_way| (under_way, Some(begun)));
            }
        }
        match taken_up {
            Some(taken_up) => Ok(taken_up),
            None => Ok((self.begin_upload(new, source).await?, None)),
        }
    }

    /// Begins an upload, which is remembered before its first part is sent.
    pub(super) async fn begin_upload(&self, new: &NewObject, source: &Entry) -> Result<UnderWay, Stopped> {
        let terms = self.dest.terms(new).map_err(Stopped::Dest)?;
        let read = self.recorder.now();
        let upload: Arc<dyn Upload> = self.dest.begin(new).await.map_err(Stopped::Dest)?.into();
        if let Some(upload_id) = upload.id() {
            let begun = BegunUpload {
                key: new.key.clone(),
                upload_id: upload_id.to_owned(),
                source: Fingerprint::of(source),
                unsure: could_hide_an_edit(source, read),
                part_size: self.part_size_of(new),
                terms: Some(terms),
            };
            if let Err(error) = self.recorder.commit_now(vec![Change::UploadBegun(begun)], self.sides()).await {
                upload.abandon().await;
                return Err(Stopped::Ledger(error));
            }
        }
        Ok(UnderWay { upload, there: BTreeSet::new() })
    }

    /// Takes up an upload, if the source is still the version that its parts
    /// are of, and it was begun with what it would be begun with now; gives it
    /// up otherwise. `None` where it isn't taken up.
    async fn take_up(&self, new: &NewObject, source: &Entry, begun: &BegunUpload) -> Result<Option<UnderWay>, Stopped> {
        let BegunUpload { key, upload_id, source: begun_of, unsure, part_size, terms } = begun;
        let is_of_this_version = !unsure && begun_of.shows_in(source);
        let is_begun_alike = Some(self.dest.terms(new).map_err(Stopped::Dest)?) == *terms;
        if !(is_of_this_version && is_begun_alike) || *part_size != self.part_size_of(new) {
            self.abort_upload(key, upload_id).await;
            return Ok(None);
        }
        let Resumed { upload, parts } = match self.dest.resume(new, upload_id).await {
            Ok(Some(resumed)) => resumed,
            Ok(None) => {
                let (key, upload_id) = (key.clone(), upload_id.clone());
                self.recorder.note([Change::UploadEnded { key, upload_id }]);
                return Ok(None);
            }
            // Who may not look at the parts may still send them all.
            Err(failure) if failure.kind == FailureKind::Denied => {
                self.abort_upload(key, upload_id).await;
                return Ok(None);
            }
            Err(failure) => return Err(Stopped::Dest(failure)),
        };
        let part_size = *part_size;
        // One that is not as long as it must be is written again.
        let fits = |part: &&FinishedPart| part.size == length_of(part.number, part_size, new.size);
        let fitting: Vec<&FinishedPart> = parts.iter().filter(fits).collect();
        self.tally.count(|summary| summary.parts_taken_up += fitting.len() as u64);
        self.tally.tell(Event::Progress { bytes: fitting.iter().map(|part| part.size).sum() });
        let there = fitting.into_iter().map(|part| part.number).collect();
        Ok(Some(UnderWay { upload: upload.into(), there }))
    }

    /// Leaves an upload that was taken up, and of which the service copies no part, to whoever reads and writes it.
    pub(super) fn leave_to_writing(&self, begun: BegunUpload, under_way: &UnderWay) {
        self.tally.count(|summary| summary.parts_taken_up -= under_way.there.len() as u64);
        self.uploads.put_back(begun);
    }

    /// Leaves an upload that was stopped to the next run, where its parts may
    /// still become an object then; gives it up otherwise.
    pub(super) async fn leave(&self, new: &NewObject, upload: &dyn Upload, stopped: &Stopped) {
        let is_remembered = upload.id().is_some() && self.recorder.ledger().is_some();
        let may_go_on = match stopped {
            Stopped::Dest(failure) => {
                matches!(failure.kind, FailureKind::Failed | FailureKind::Denied | FailureKind::LockedOut)
            }
            Stopped::Interrupted | Stopped::Ledger(_) => true,
            Stopped::Source(_) | Stopped::NotCopied => false,
        };
        // A part that arrived otherwise than it was sent may be there.
        let is_spoilt = matches!(stopped, Stopped::Dest(failure) if failure.kind == FailureKind::Corrupt);
        if !(is_remembered && (may_go_on || (self.cancel.is_cancelled() && !is_spoilt))) {
            self.give_up(new, upload).await;
        }
    }

    /// Gives an upload up; whether it is gone. One that can't be given up is
    /// remembered, and the next run gives it up: none takes it up.
    pub(super) async fn give_up(&self, new: &NewObject, upload: &dyn Upload) -> bool {
        let Some(upload_id) = upload.id().filter(|_| self.recorder.ledger().is_some()) else {
            upload.abandon().await;
            return true;
        };
        let is_gone = self.abort_upload(&new.key, upload_id).await;
        if !is_gone {
            self.recorder.note([Change::UploadBegun(BegunUpload {
                key: new.key.clone(),
                upload_id: upload_id.to_owned(),
                source: Fingerprint::Object { size: 0, etag: String::new() },
                unsure: true,
                part_size: self.part_size_of(new),
                terms: None,
            })]);
        }
        is_gone
    }

    /// Takes note that the upload has ended.
    pub(super) fn forget(&self, new: &NewObject, upload: &dyn Upload) {
        if let Some(upload_id) = upload.id() {
            let (key, upload_id) = (new.key.clone(), upload_id.to_owned());
            self.recorder.note([Change::UploadEnded { key, upload_id }]);
        }
    }

    /// Gives up the uploads of earlier runs that this one had no use for.
    pub(crate) async fn abort_left_uploads(&self) {
        for BegunUpload { key, upload_id, .. } in self.uploads.take_rest() {
            let _request = self.permits.request().await;
            if self.cancel.is_cancelled() {
                return;
            }
            self.abort_upload(&key, &upload_id).await;
        }
    }

    /// Aborts what earlier runs began of an object which is there now without that.
    pub(super) async fn abort_uploads_of(&self, key: &Key) {
        for begun in self.uploads.take(key) {
            self.abort_upload(&begun.key, &begun.upload_id).await;
        }
    }

    /// Aborts an upload, and takes note of it if that succeeds.
    async fn abort_upload(&self, key: &Key, upload_id: &str) -> bool {
        if let Err(error) = self.dest.abandon_upload(key, upload_id).await {
            self.heed(self.dest.as_ref(), &error);
            tracing::warn!(
                %error,
                upload_id,
                "the parts of an upload of {key} that was given up may remain in the bucket; `brigade cleanup` removes them"
            );
            return false;
        }
        let (key, upload_id) = (key.clone(), upload_id.to_owned());
        self.recorder.note([Change::UploadEnded { key, upload_id }]);
        true
    }

    pub(super) fn part_size_of(&self, new: &NewObject) -> u64 {
        part_size(new.part_size.unwrap_or(self.dest.capabilities().part_size), new.size)
    }
}

/// The length of a part of an object of this size; 0 for one that it doesn't have.
fn length_of(number: u32, part_size: u64, size: u64) -> u64 {
    let offset = u64::from(number.saturating_sub(1)).saturating_mul(part_size);
    if number == 0 { 0 } else { size.saturating_sub(offset).min(part_size) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_as_long_as_the_others_but_the_last() {
        let table = [(0, 0), (1, 8), (2, 8), (3, 4), (4, 0), (u32::MAX, 0)];
        for (number, length) in table {
            assert_eq!(length_of(number, 8, 20), length, "part {number}");
        }
        assert_eq!(length_of(2, 8, 16), 8);
        assert_eq!(length_of(3, 8, 16), 0);
    }
}
