//! `DeleteObject`: removes an object.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>

use http::{Method, header};

use super::put_object::quoted;
use crate::client::Bucket;
use crate::error::{Error, ErrorKind};
use crate::operations::{HeadObject, Operation};
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
}

impl Bucket {
    /// Removes an object. One that isn't there (any more) is a success.
    pub async fn delete_object(&self, object: DeleteObject<'_>) -> Result<(), Error> {
        let mut request = Request::new(Operation::DeleteObject, Method::DELETE).bucket(self.name()).key(object.key);
        let honoured = self.dialect().delete_if_match.is_certain();
        if let Some(etag) = object.if_match.filter(|_| honoured) {
            request = request.text_header(header::IF_MATCH.as_str(), &quoted(etag))?;
        }
        match self.client().send_for(&request, |_| Ok(())).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) if error.is_after_lost_reply() => self.recognise_absence(object.key, error).await,
            result => result,
        }
    }

    /// A removal whose answer was lost was carried out if nothing is there,
    /// whatever became of it when it was sent again.
    async fn recognise_absence(&self, key: &str, refused: Error) -> Result<(), Error> {
        match self.head_object(HeadObject { key, ..HeadObject::default() }).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            _ => Err(refused),
        }
    }
}
