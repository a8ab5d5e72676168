//! Uploads of a [`MemoryStore`]: they are under way in the store itself, and so
//! outlive the process that began them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::objects;
use super::{Call, MemoryStore};
use crate::{
    Digest, DigestKind, Failure, FailureKind, FinishedPart, Key, Kind, ListingError, NewObject, ObjectHeaders,
    OpenUpload, OpenUploads, Part, Receipt, Upload,
};

/// The uploads that are under way, by key and id.
#[derive(Default)]
pub(super) struct Uploads {
    last_id: u64,
    open: BTreeMap<(Key, String), UnderWay>,
}

/// An upload that is neither finished nor abandoned.
struct UnderWay {
    headers: ObjectHeaders,
    initiated: SystemTime,
    parts: Parts,
}

/// Offset and bytes of each part, by its number.
type Parts = BTreeMap<u32, (u64, Bytes)>;

impl Uploads {
    /// Begins one, and gives its id.
    pub(super) fn begin(&mut self, object: &NewObject, now: SystemTime) -> String {
        self.last_id += 1;
        let id = format!("upload-{:06}", self.last_id);
        let under_way = UnderWay { headers: object.headers.clone(), initiated: now, parts: Parts::new() };
        self.open.insert((object.key.clone(), id.clone()), under_way);
        id
    }

    /// What was written of it so far; `None` where there is no such upload (any more).
    pub(super) fn finished_parts(&self, key: &Key, id: &str) -> Option<Vec<FinishedPart>> {
        let finished = |(&number, (_, body)): (&u32, &(u64, Bytes))| FinishedPart {
            number,
            size: body.len() as u64,
            md5: match objects::digest(body, DigestKind::Md5) {
                Digest::Md5(md5) => Some(md5),
                Digest::MultipartMd5 { .. } | Digest::Crc64Nvme(_) | Digest::Crc32c(_) => None,
            },
        };
        let under_way = self.open.get(&(key.clone(), id.to_owned()))?;
        Some(under_way.parts.iter().map(finished).collect())
    }

    /// Ends it, and says whether it was there.
    pub(super) fn end(&mut self, key: &Key, id: &str) -> bool {
        self.open.remove(&(key.clone(), id.to_owned())).is_some()
    }

    pub(super) fn count(&self) -> usize {
        self.open.len()
    }

    fn get_mut(&mut self, key: &Key, id: &str) -> Result<&mut UnderWay, Failure> {
        let closed = || Failure::new(FailureKind::Failed, "the upload is finished or abandoned already");
        self.open.get_mut(&(key.clone(), id.to_owned())).ok_or_else(closed)
    }

    /// As many uploads after this one as go on a page.
    fn page(&self, after: Option<&OpenUpload>, size: usize) -> Vec<OpenUpload> {
        let after = after.map(|upload| (upload.key.clone(), upload.id.clone()));
        let uploads = self.open.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
        let listed = uploads.map(|((key, id), under_way)| OpenUpload {
            key: key.clone(),
            id: id.clone(),
            initiated: Some(under_way.initiated),
        });
        listed.take(size).collect()
    }
}

/// An upload in the hands of the process that began it, or took it up.
pub(super) struct MemoryUpload {
    store: MemoryStore,
    object: NewObject,
    id: String,
}

impl MemoryUpload {
    pub(super) fn new(store: MemoryStore, object: NewObject, id: String) -> Self {
        Self { store, object, id }
    }
}

#[async_trait]
impl Upload for MemoryUpload {
    fn id(&self) -> Option<&str> {
        (self.store.options.kind == Kind::Remote).then_some(&self.id)
    }

    async fn write(&self, part: Part, body: Bytes) -> Result<(), Failure> {
        let key = &self.object.key;
        self.store
            .call(Call::WritePart, key, |state| {
                state.uploads.get_mut(key, &self.id)?.parts.insert(part.number, (part.offset, body));
                Ok(())
            })
            .await
    }

    async fn finish(&self, expected: Option<(DigestKind, Digest)>) -> Result<Receipt, Failure> {
        let key = &self.object.key;
        self.store
            .call(Call::Finish, key, |state| {
                let under_way = state.uploads.get_mut(key, &self.id)?;
                let (body, part_size) = joined(&under_way.parts)?;
                let object = NewObject { headers: under_way.headers.clone(), ..self.object.clone() };
                objects::check_size(&object, &body)?;
                if expected.is_some_and(|(kind, digest)| objects::digest(&body, kind) != digest) {
                    let reason = "the content does not have the digest of its source";
                    return Err(Failure::new(FailureKind::Corrupt, reason));
                }
                self.store.admit(state, &object)?;
                state.uploads.end(key, &self.id);
                let is_remote = self.store.options.kind == Kind::Remote;
                let wanted = object.digest.filter(|kind| is_remote && *kind == DigestKind::Crc64Nvme);
                let digest = wanted.map(|kind| objects::digest(&body, kind));
                Ok(Receipt { digest, ..self.store.store(state, &object, body, Some(part_size)) })
            })
            .await
    }

    async fn abandon(&self) {
        let abandoned = self.store.call(Call::Abandon, &self.object.key, |state| {
            state.uploads.end(&self.object.key, &self.id);
            Ok(())
        });
        // Its trait has no failure for it.
        let _ = abandoned.await;
    }
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

/// A listing of the uploads under way: each page shows what there is when it is asked for.
pub(super) struct MemoryUploads {
    store: MemoryStore,
    last: Option<OpenUpload>,
}

impl MemoryUploads {
    pub(super) fn new(store: MemoryStore) -> Self {
        Self { store, last: None }
    }
}

#[async_trait]
impl OpenUploads for MemoryUploads {
    async fn next_page(&mut self) -> Result<Option<Vec<OpenUpload>>, ListingError> {
        let after = self.last.as_ref().map_or_else(|| Key::from(""), |last| last.key.clone());
        let size = self.store.options.page_size.max(1);
        let page = self.store.call(Call::ListUploads, &after, |state| Ok(state.uploads.page(self.last.as_ref(), size)));
        let page = page.await.map_err(|failure| ListingError {
            location: self.store.options.location.clone(),
            reason: failure.reason,
        })?;
        self.last = page.last().cloned().or_else(|| self.last.take());
        Ok((!page.is_empty()).then_some(page))
    }
}
