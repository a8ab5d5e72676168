//! `DeleteObject`: removes an object.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>

use http::Method;

use crate::client::Bucket;
use crate::error::{Error, ErrorKind};
use crate::operations::{Condition, HeadObject, Operation};
use crate::request::Request;

/// An object that is about to be removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeleteObject<'a> {
    /// Its key.
    pub key: &'a str,
    /// The ETag that it must still have, without quotes. It is sent only where
    /// the provider is known to honour it ([`crate::Dialect`]); elsewhere the
    /// object is removed in any case.
    pub if_match: Option<&'a str>,
    /// The generation that it must still be; it comes before the ETag, where the
    /// provider guards by those, and nowhere else.
    pub generation: Option<&'a str>,
}

impl<'a> DeleteObject<'a> {
    fn condition(&self) -> Condition<'a> {
        let by_etag = || self.if_match.map_or(Condition::Always, Condition::IfMatch);
        self.generation.map_or_else(by_etag, Condition::IfGeneration)
    }
}

impl Bucket {
    /// Removes an object. One that isn't there (any more) is a success.
    pub async fn delete_object(&self, object: DeleteObject<'_>) -> Result<(), Error> {
        let request = Request::new(Operation::DeleteObject, Method::DELETE).bucket(self.name()).key(object.key);
        let honoured = self.dialect().delete_if_match.is_certain();
        let guarded = if honoured { self.guarded(request, object.condition()).await } else { Ok(request) };
        let request = match guarded {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            guarded => guarded?,
        };
        match self.client().send_for(&request, |_| Ok(())).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) if error.is_after_lost_reply() || self.may_be_absent(&error) => {
                self.recognise_absence(object.key, error).await
            }
            result => result,
        }
    }

    /// Whether there may be nothing to remove: a generation that must be there isn't, where there is none at all.
    fn may_be_absent(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::PreconditionFailed && self.client().provider().is_google()
    }

    /// A removal whose answer was lost, or that a generation guards, was carried out if nothing is there,
    /// whatever became of it when it was sent again.
    async fn recognise_absence(&self, key: &str, refused: Error) -> Result<(), Error> {
        match self.head_object(HeadObject { key, ..HeadObject::default() }).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            _ => Err(refused),
        }
    }
}
