//! Objects of a [`MemoryStore`] being read in ranges and written in parts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::objects::{self, Stored};
use super::{Call, MemoryStore, State};
use crate::{
    Digest, DigestKind, Entry, Failure, FailureKind, NewObject, ObjectHeaders, Part, Reader, Receipt, Upload, Version,
};

pub(super) struct MemoryReader {
    store: MemoryStore,
    stored: Stored,
    headers: ObjectHeaders,
}

impl MemoryReader {
    pub(super) fn new(store: MemoryStore, stored: Stored) -> Self {
        let headers = stored.headers_read();
        Self { store, stored, headers }
    }

    /// The content to read from: that of the version that was opened, or in a
    /// tree whatever is in that very file by now, as a file that is open shows it.
    fn content(&self, state: &State) -> Result<Bytes, Failure> {
        let entry = &self.stored.entry;
        match entry.version {
            Version::File { .. } => {
                let edited = state.objects.get(&entry.key).filter(|now| now.file == self.stored.file);
                Ok(edited.unwrap_or(&self.stored).content.body.clone())
            }
            Version::Object { .. } => Ok(state.objects.version(entry)?.content.body.clone()),
        }
    }
}

#[async_trait]
impl Reader for MemoryReader {
    fn entry(&self) -> &Entry {
        &self.stored.entry
    }

    fn headers(&self) -> &ObjectHeaders {
        &self.headers
    }

    async fn read(&self, range: Range<u64>) -> Result<Bytes, Failure> {
        let content = self.store.call(Call::ReadRange, &self.stored.entry.key, |state| self.content(state)).await?;
        match (usize::try_from(range.start), usize::try_from(range.end)) {
            (Ok(start), Ok(end)) if start <= end && end <= content.len() => Ok(content.slice(start..end)),
            _ => Err(Failure::new(FailureKind::Changed, format!("the object ends before byte {}", range.end))),
        }
    }

    async fn check_unchanged(&self) -> Result<(), Failure> {
        let entry = &self.stored.entry;
        self.store.call(Call::CheckUnchanged, &entry.key, |state| state.objects.version(entry).map(drop)).await
    }

    fn digest(&self) -> Option<(DigestKind, Digest)> {
        match self.stored.entry.version {
            Version::File { .. } => None,
            Version::Object { .. } => {
                let kind = self.stored.etag_kind();
                Some((kind, objects::digest(&self.stored.content.body, kind)))
            }
        }
    }
}

pub(super) struct MemoryUpload {
    store: MemoryStore,
    object: NewObject,
    /// What was written so far; `None` once the upload is finished or abandoned.
    parts: Mutex<Option<Parts>>,
}

/// Offset and bytes of each part, by its number.
type Parts = BTreeMap<u32, (u64, Bytes)>;

impl MemoryUpload {
    pub(super) fn new(store: MemoryStore, object: NewObject) -> Self {
        Self { store, object, parts: Mutex::new(Some(Parts::new())) }
    }

    fn parts(&self) -> MutexGuard<'_, Option<Parts>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Upload for MemoryUpload {
    async fn write(&self, part: Part, body: Bytes) -> Result<(), Failure> {
        self.store
            .call(Call::WritePart, &self.object.key, |_| {
                self.parts().as_mut().ok_or_else(closed)?.insert(part.number, (part.offset, body));
                Ok(())
            })
            .await
    }

    async fn finish(&self, expected: Option<(DigestKind, Digest)>) -> Result<Receipt, Failure> {
        self.store
            .call(Call::Finish, &self.object.key, |state| {
                let mut parts = self.parts();
                let (body, part_size) = joined(parts.as_ref().ok_or_else(closed)?)?;
                objects::check_size(&self.object, &body)?;
                if expected.is_some_and(|(kind, digest)| objects::digest(&body, kind) != digest) {
                    let reason = "the content does not have the digest of its source";
                    return Err(Failure::new(FailureKind::Corrupt, reason));
                }
                self.store.admit(state, &self.object)?;
                *parts = None;
                state.objects.open_uploads -= 1;
                Ok(self.store.store(state, &self.object, body, Some(part_size)))
            })
            .await
    }

    async fn abandon(&self) {
        let abandoned = self.store.call(Call::Abandon, &self.object.key, |state| {
            if self.parts().take().is_some() {
                state.objects.open_uploads -= 1;
            }
            Ok(())
        });
        // Its trait has no failure for it.
        let _ = abandoned.await;
    }
}

fn closed() -> Failure {
    Failure::new(FailureKind::Failed, "the upload is finished or abandoned already")
}

/// The parts in a row, and the length of the first; each must begin where the one before it ends.
fn joined(parts: &Parts) -> Result<(Bytes, u64), Failure> {
    let mut body = BytesMut::new();
    for (number, (offset, part)) in parts {
        if *offset != body.len() as u64 {
            let reason = format!("part {number} begins at {offset}, not at {}", body.len());
            return Err(Failure::new(FailureKind::Corrupt, reason));
        }
        body.extend_from_slice(part);
    }
    let part_size = parts.values().next().map_or(0, |(_, part)| part.len() as u64);
    Ok((body.freeze(), part_size))
}
