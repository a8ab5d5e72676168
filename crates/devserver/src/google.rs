//! Google Cloud Storage's XML API over the same storage
//! (<https://cloud.google.com/storage/docs/xml-api/overview>). A request is judged here, and written in
//! S3's names before `s3s` sees it; the answer is written in Google's.
//!
//! What Google does and this doesn't: S3's names with AWS's kind of signature, resumable uploads, composing,
//! soft deletion, decompressing on the way, the CRC32C of what was written at S3's port, and its limit of one write of
//! an object a second.

mod admission;
mod asked;
mod names;
mod rules;
mod terms;

use std::sync::Arc;

use http::request::Parts;
use s3s::{S3Error, S3Result};

pub(crate) use asked::{Asked, check_named, default_algorithm, generation, guard, is_google, opaque_etag, tell};

pub use terms::GoogleTerms;

use crate::config::Credentials;

/// What judges requests that come to Google's port.
pub(crate) struct Google {
    pub(crate) account: Credentials,
    pub(crate) terms: Arc<GoogleTerms>,
}

impl Google {
    /// Writes a request in S3's names. What is wrong with it is for the gate to answer.
    pub(crate) fn receive(&self, parts: &mut Parts) -> (Arc<Asked>, Option<S3Error>) {
        let judged = self.judge(parts);
        let asked = Asked::of(parts);
        names::to_s3(&parts.method, &mut parts.headers);
        (Arc::new(asked), judged.err())
    }

    fn judge(&self, parts: &Parts) -> S3Result<()> {
        rules::check(parts)?;
        admission::check(parts, &self.account, &self.terms)?;
        self.terms.check_payer(&parts.headers)
    }
}
