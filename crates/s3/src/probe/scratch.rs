//! What a probe writes: under names of its own, remembered before they are sent, removed at the end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;

use super::trial::Outcome;
use super::{REFUSALS, REFUSALS_OF_EACH, SUCCESSES};
use crate::bucket::Bucket;
use crate::error::{Error, ErrorKind};
use crate::operations::{
    CreateMultipartUpload, DeleteObject, HeadObject, ListMultipartUploads, PutObject, UploadPart, UploadedPart,
};

/// Requests at once when cleaning up: an interrupted program has about a second for it.
const AT_ONCE: usize = 16;

/// Why a trial goes no further.
pub(super) enum Halt {
    /// What it needs could not be had.
    Failed(Error),
    /// Somebody asked to stop.
    Stopped,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Whether a trial was made to its end. What came of its requests is told as
/// they are answered: a lie that was met stays one, whatever fails later.
pub(super) type Tried = Result<(), Halt>;

/// A place for what a probe writes.
pub(super) struct Scratch<'a> {
    /// For what is prepared and looked at, over connections that are kept.
    pub(super) bucket: Bucket,
    /// For what is tried: each request on a connection of its own.
    pub(super) tried: Bucket,
    prefix: String,
    stop: &'a CancellationToken,
    /// By key: an object may be there, or uploads.
    written: Mutex<BTreeMap<String, Written>>,
}

/// What may be there under a key.
#[derive(Default)]
struct Written {
    /// The names of its uploads.
    uploads: Vec<String>,
    /// Why it could not be removed.
    failure: Option<String>,
}

/// Content that is about to be sent.
pub(super) fn body(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

impl<'a> Scratch<'a> {
    pub(super) fn new(bucket: &Bucket, prefix: &str, stop: &'a CancellationToken) -> Self {
        use crate::dialect::Fact::{CompleteConditions, DeleteIfMatch, PutIfAbsent, PutIfMatch};
        use crate::dialect::Support::Yes;
        let conditions = [PutIfAbsent, PutIfMatch, CompleteConditions, DeleteIfMatch];
        let assumed = conditions.into_iter().fold(bucket.dialect(), |dialect, fact| dialect.with(fact, Yes));
        Self {
            tried: bucket.on_new_connections().assuming(assumed),
            bucket: bucket.clone(),
            prefix: format!("{prefix}.brigade-probe-{:016x}/", fastrand::u64(..)),
            stop,
            written: Mutex::default(),
        }
    }

    /// How often a request is sent that must be refused.
    pub(super) fn refusals(&self) -> usize {
        (REFUSALS_OF_EACH * self.tried.client().addresses()).max(REFUSALS)
    }

    /// How often a request is sent that must be taken.
    pub(super) fn successes(&self) -> usize {
        SUCCESSES * self.tried.client().addresses()
    }

    /// What all its names begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A key in it, which may be written from now on. Asked before each request
    /// that isn't about cleaning up, so that none is sent after somebody asked to stop.
    pub(super) fn key(&self, name: &str) -> Result<String, Halt> {
        self.go_on()?;
        let key = format!("{}{name}", self.prefix);
        self.written().entry(key.clone()).or_default();
        Ok(key)
    }

    /// Whether to go on.
    pub(super) fn go_on(&self) -> Result<(), Halt> {
        if self.stop.is_cancelled() { Err(Halt::Stopped) } else { Ok(()) }
    }

    /// Writes an object without a condition; its key and its ETag.
    pub(super) async fn put(&self, name: &str, content: &str) -> Result<(String, String), Halt> {
        let key = self.key(name)?;
        let object = PutObject { key: &key, body: body(content), ..PutObject::default() };
        let stored = self.bucket.put_object(object).await?;
        Ok((key, stored.etag))
    }

    /// The ETag of what is there; `None` where nothing is.
    pub(super) async fn etag(&self, key: &str) -> Result<Option<String>, Halt> {
        self.go_on()?;
        match self.bucket.head_object(HeadObject { key, ..HeadObject::default() }).await {
            Ok(head) => Ok(Some(head.etag)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether what is there is still this; what should be there then is `expected`.
    pub(super) async fn look(&self, key: &str, expected: Option<&str>, otherwise: &str) -> Result<Outcome, Halt> {
        let found = self.etag(key).await?;
        let is_same = found.as_deref() == expected;
        Ok(if is_same { Outcome::Right } else { Outcome::Ignored(otherwise.to_owned()) })
    }

    /// Begins an upload; the key and the upload's id.
    pub(super) async fn begin_upload(&self, name: &str) -> Result<(String, String), Halt> {
        let key = self.key(name)?;
        let begun = self.bucket.create_multipart_upload(CreateMultipartUpload { key: &key, ..Default::default() });
        let id = begun.await?.upload_id;
        self.began(&key, &id);
        Ok((key, id))
    }

    /// An upload has begun, and is to be removed.
    pub(super) fn began(&self, key: &str, id: &str) {
        self.written().entry(key.to_owned()).or_default().uploads.push(id.to_owned());
    }

    /// Writes a part of an upload.
    pub(super) async fn part(&self, key: &str, id: &str, number: u32, body: Bytes) -> Result<UploadedPart, Halt> {
        self.go_on()?;
        Ok(self.bucket.upload_part(UploadPart { key, upload_id: id, number, body }).await?)
    }

    /// Removes what may be there.
    pub(super) async fn clean_up(&self) {
        if self.written().is_empty() {
            return;
        }
        // One whose first answer was lost has no name yet.
        let listed = ListMultipartUploads { prefix: &self.prefix, ..Default::default() };
        if let Ok(page) = self.bucket.list_multipart_uploads(listed).await {
            let mut written = self.written();
            // A service is not trusted to list only what was asked for.
            for upload in page.uploads.into_iter().filter(|upload| upload.key.starts_with(&self.prefix)) {
                let ids = &mut written.entry(upload.key).or_default().uploads;
                if !ids.contains(&upload.upload_id) {
                    ids.push(upload.upload_id);
                }
            }
        }
        let written: Vec<(String, Vec<String>)> =
            self.written().iter().map(|(key, written)| (key.clone(), written.uploads.clone())).collect();
        let removals = written.iter().map(|(key, uploads)| self.remove(key, uploads));
        stream::iter(removals).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }

    async fn remove(&self, key: &str, uploads: &[String]) {
        let mut failed = None;
        for id in uploads {
            failed = self.bucket.abort_multipart_upload(key, id).await.err().or(failed);
        }
        failed = self
            .bucket
            .delete_object(DeleteObject { key, if_match: None, ..DeleteObject::default() })
            .await
            .err()
            .or(failed);
        match failed {
            Some(error) => self.written().entry(key.to_owned()).or_default().failure = Some(error.reason()),
            None => drop(self.written().remove(key)),
        }
    }

    /// What could not be removed, each key with the reason.
    pub(super) fn left(&self) -> Vec<(String, String)> {
        let reason = |written: &Written| written.failure.clone().unwrap_or_else(|| "there was no time left".to_owned());
        self.written().iter().map(|(key, written)| (key.clone(), reason(written))).collect()
    }

    fn written(&self) -> MutexGuard<'_, BTreeMap<String, Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
