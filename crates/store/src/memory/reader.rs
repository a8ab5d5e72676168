//! Objects of a [`MemoryStore`] being read in ranges.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use super::objects::{self, Stored};
use super::{Call, MemoryStore, State};
use crate::{Digest, DigestKind, Entry, Failure, FailureKind, ObjectHeaders, Reader, Version};

pub(super) struct MemoryReader {
    store: MemoryStore,
    stored: Stored,
    headers: ObjectHeaders,
}

impl MemoryReader {
    pub(super) fn new(store: MemoryStore, stored: Stored) -> Self {
        let headers = stored.headers_opened();
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
