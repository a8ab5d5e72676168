//! What guards a write or a removal: a condition on the ETag, or on the generation where the provider has those.

use http::{HeaderValue, header};

use super::put_object::quoted;
use crate::client::{Bucket, Rejection};
use crate::dialect::Fact;
use crate::dialect::google::IF_GENERATION_MATCH;
use crate::error::{Error, ErrorKind};
use crate::operations::{Condition, HeadObject, ListObjectsV2, ObjectHead};
use crate::request::{Request, Response};
use crate::sending::Look;

impl Bucket {
    /// Sends a write that this fact says to be guarded by its condition. Where it isn't, but whole writes are, what is
    /// there is looked at just before each time that it is sent: a look before the first attempt says nothing about the
    /// next one.
    pub(super) async fn send_write<T>(
        &self,
        request: Request<'_>,
        condition: Condition<'_>,
        fact: Fact,
        read: impl Fn(&Response) -> Result<T, Rejection>,
    ) -> Result<T, Error> {
        if self.dialect().of(fact).is_certain() {
            let request = self.guarded(request, condition).await?;
            return self.client().send_for(&request, read).await;
        }
        if !self.is_looked_at_before(fact) {
            return self.client().send_for(&request, read).await;
        }
        let look: &Look<'_> = &|| Box::pin(async { self.check_by_looking(&request, condition).await.map(drop) });
        self.client().send_after(Some(look), &request, read).await
    }

    /// The request with the header that states the condition on its key. Where the
    /// provider guards by generation, and only an ETag is known, a look tells which one has it.
    pub(super) async fn guarded<'a>(
        &self,
        request: Request<'a>,
        condition: Condition<'_>,
    ) -> Result<Request<'a>, Error> {
        if !self.client().provider().is_google() {
            return by_etag(request, condition);
        }
        match condition {
            Condition::Always => Ok(request),
            Condition::IfAbsent => Ok(request.header(IF_GENERATION_MATCH, HeaderValue::from_static("0"))),
            Condition::IfGeneration(generation) => request.text_header(IF_GENERATION_MATCH.as_str(), generation),
            Condition::IfMatch(_) => {
                let there = self.check_by_looking(&request, condition).await?;
                match there.and_then(|there| there.generation) {
                    Some(generation) => request.text_header(IF_GENERATION_MATCH.as_str(), &generation),
                    None => Err(unguarded(&request)),
                }
            }
        }
    }

    /// Looks whether the condition on the request's key holds now; what is there. Of what
    /// comes after the look it says nothing.
    async fn check_by_looking(&self, request: &Request<'_>, condition: Condition<'_>) -> Result<Option<There>, Error> {
        if condition == Condition::Always {
            return Ok(None);
        }
        let key = request.key.unwrap_or_default();
        let there = match self.head_object(HeadObject { key, version_id: None }).await {
            Ok(ObjectHead { etag, generation, .. }) => Some(There { etag, generation }),
            Err(error) if error.kind() == ErrorKind::NotFound && condition == Condition::IfAbsent => None,
            Err(error) if is_of_another_key(self, &error) => Some(self.listed(key).await?.ok_or(error)?),
            Err(error) => return Err(error),
        };
        let holds = match (condition, &there) {
            (Condition::Always, _) | (Condition::IfAbsent, None) => true,
            (Condition::IfMatch(etag), Some(there)) => there.etag == etag,
            (Condition::IfGeneration(generation), Some(there)) => there.generation.as_deref() == Some(generation),
            (Condition::IfAbsent, Some(_)) | (_, None) => false,
        };
        if holds { Ok(there) } else { Err(failed(request)) }
    }

    /// What a listing shows at the key.
    async fn listed(&self, key: &str) -> Result<Option<There>, Error> {
        let wanted = ListObjectsV2 { prefix: key, max_keys: Some(1), ..ListObjectsV2::default() };
        let first = self.list_objects_v2(wanted).await?.objects.into_iter().find(|object| object.key == key);
        Ok(first.map(|object| There { etag: object.etag, generation: object.generation }))
    }
}

/// The version that stands at a key.
struct There {
    etag: String,
    generation: Option<String>,
}

/// Whether an object may be refused because it isn't encrypted with the customer's key that comes along: a listing
/// takes none (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html>).
fn is_of_another_key(bucket: &Bucket, error: &Error) -> bool {
    error.status() == Some(400) && bucket.client().customer_key().is_some()
}

fn by_etag<'a>(request: Request<'a>, condition: Condition<'_>) -> Result<Request<'a>, Error> {
    match condition {
        Condition::Always => Ok(request),
        Condition::IfAbsent => Ok(request.header(header::IF_NONE_MATCH, HeaderValue::from_static("*"))),
        Condition::IfMatch(etag) => request.text_header(header::IF_MATCH.as_str(), &quoted(etag)),
        Condition::IfGeneration(_) => Err(unguarded(&request)),
    }
}

fn failed(request: &Request<'_>) -> Error {
    let message = "a look just before it showed that another version is there by now";
    Error::local(ErrorKind::PreconditionFailed, request.operation, message).about(request.bucket, request.key)
}

/// Without the guard it would be done in any case.
fn unguarded(request: &Request<'_>) -> Error {
    let message = "the service tells no generation, without which this can't be guarded against other writers";
    Error::local(ErrorKind::BadAnswer, request.operation, message).about(request.bucket, request.key)
}
