//! What requests at Google's port must bring: a token that counts, and who pays.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, StatusCode};
use s3s::S3Result;

use super::names;
use crate::errors;

/// The terms at Google's port, which can be changed.
#[derive(Debug, Default)]
pub struct GoogleTerms {
    tokens: Mutex<Vec<String>>,
    payer: Mutex<Option<String>>,
}

impl GoogleTerms {
    /// From now on this token counts or, where it is the address of a service account, each that says to be issued
    /// by it.
    pub fn accept(&self, token: impl Into<String>) {
        lock(&self.tokens).push(token.into());
    }

    /// From now on it doesn't.
    pub fn end(&self, token: &str) {
        lock(&self.tokens).retain(|accepted| accepted != token);
    }

    /// From now on requests must say that this project pays.
    pub fn be_paid_by(&self, project: impl Into<String>) {
        *lock(&self.payer) = Some(project.into());
    }

    pub(super) fn accepts(&self, token: &str) -> bool {
        lock(&self.tokens).iter().any(|accepted| accepted == token)
    }

    /// <https://cloud.google.com/storage/docs/requester-pays>
    pub(super) fn check_payer(&self, headers: &HeaderMap) -> S3Result<()> {
        match &*lock(&self.payer) {
            Some(payer) if headers.get(names::USER_PROJECT).is_none_or(|named| named != payer) => {
                let message = "Bucket is a requester pays bucket but no user project provided.";
                Err(errors::error(StatusCode::BAD_REQUEST, "UserProjectMissing", message))
            }
            _ => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
