//! Writing files: whole, or in parts that come in any order.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::digests;
use super::failures::failure;
use super::hops::Hops;
use super::root::Root;
use super::temporary::{Content, Temporary};
use crate::{Digest, DigestKind, Failure, FailureKind, NewObject, Part, Receipt, Upload, Verified};

/// Writes the file and makes it visible.
pub(super) fn write_whole(root: &Arc<Root>, object: NewObject, body: &[u8]) -> Result<Receipt, Failure> {
    check_length(body.len() as u64, &object)?;
    let temporary = Temporary::beside(root, object, Content::Here)?;
    temporary.file().write_all_at(body, 0).map_err(|error| failure("write the file", error))?;
    Ok(Receipt { entry: temporary.publish()?, verified: Verified::Yes, digest: None })
}

/// A file being written in parts. Dropped without an end, it leaves nothing.
#[derive(Debug)]
pub(super) struct FileUpload {
    temporary: Arc<Temporary>,
    /// Length of each part that was written, by number.
    written: Mutex<BTreeMap<u32, u64>>,
    hops: Hops,
}

impl FileUpload {
    /// Makes the temporary file.
    pub(super) fn begin(root: &Arc<Root>, object: NewObject, hops: Hops) -> Result<Self, Failure> {
        let temporary = Arc::new(Temporary::beside(root, object, Content::ToCome)?);
        Ok(Self { temporary, written: Mutex::default(), hops })
    }
}

#[async_trait]
impl Upload for FileUpload {
    /// Its temporary file is swept away by whoever lists the tree next.
    fn id(&self) -> Option<&str> {
        None
    }

    async fn write(&self, part: Part, body: Bytes) -> Result<(), Failure> {
        let (temporary, length) = (self.temporary.clone(), body.len() as u64);
        self.hops
            .long(move || temporary.file().write_all_at(&body, part.offset))
            .await?
            .map_err(|error| failure("write the file", error))?;
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(part.number, length);
        Ok(())
    }

    async fn finish(&self, expected: Option<(DigestKind, Digest)>) -> Result<Receipt, Failure> {
        let temporary = self.temporary.clone();
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner).values().sum();
        self.hops.long(move || finish(&temporary, written, expected)).await?
    }

    async fn abandon(&self) {
        // On this thread: it is one system call, and nobody may wait for another thread any more.
        self.temporary.remove();
    }
}

fn finish(temporary: &Temporary, written: u64, expected: Option<(DigestKind, Digest)>) -> Result<Receipt, Failure> {
    check_length(written, temporary.object())?;
    let length = temporary.file().metadata().map_err(|error| failure("look at the written file", error))?.len();
    check_length(length, temporary.object())?;
    if let Some((kind, expected)) = expected {
        let (digests, _) = digests::of_file(temporary.file(), &[kind])
            .map_err(|error| failure("read the written file again", error))?;
        if digests != [expected] {
            let reason = "the digest of what was written is not the one expected; run again";
            return Err(Failure::new(FailureKind::Corrupt, reason));
        }
    }
    Ok(Receipt { entry: temporary.publish()?, verified: Verified::Yes, digest: None })
}

fn check_length(arrived: u64, object: &NewObject) -> Result<(), Failure> {
    if arrived == object.size {
        return Ok(());
    }
    let reason = format!("{arrived} bytes arrived where {} were announced; run again", object.size);
    Err(Failure::new(FailureKind::Corrupt, reason))
}
