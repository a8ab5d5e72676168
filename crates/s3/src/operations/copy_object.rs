//! `CopyObject`: the service copies an object by itself.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>

use http::Method;

use super::head_object::generation;
use super::object_headers::{NewTerms, with_writing};
use super::put_object::{may_be_ours, quoted};
use crate::checksum::Verified;
use crate::client::{Bucket, Rejection};
use crate::dialect::{Fact, google};
use crate::encoding::{Keep, encode_into};
use crate::error::Error;
use crate::grants::Grants;
use crate::operations::{Condition, Operation, Stored};
use crate::request::{Request, Response, unquote};
use crate::xml::walk;

/// What is copied, and from where.
#[derive(Clone, Copy, Debug)]
pub struct CopySource<'a> {
    /// The bucket that it is in, of the same service; its client has the customer's key that it is encrypted with, if
    /// it is.
    pub bucket: &'a Bucket,
    /// Its key.
    pub key: &'a str,
    /// Its version, where it needn't be the current one.
    pub version_id: Option<&'a str>,
    /// The ETag that it must still have, without quotes.
    pub if_match: Option<&'a str>,
}

/// An object of up to 5 GiB that is about to be copied with all that goes with it. More takes
/// [`crate::UploadPartCopy`].
#[derive(Clone, Copy, Debug)]
pub struct CopyObject<'a> {
    /// The copy's key.
    pub key: &'a str,
    /// What is copied.
    pub source: CopySource<'a>,
    /// The copy's storage class, where it isn't to be the service's usual one: it isn't copied by itself.
    pub storage_class: Option<&'a str>,
    /// Whether the source's tags are left out: to read them takes a permission of its own.
    pub without_tags: bool,
    /// Who else is granted something: the access control list isn't copied by itself, and without any all is its
    /// owner's.
    pub grants: Option<&'a Grants>,
    /// What must hold for the copy to be written.
    pub condition: Condition<'a>,
}

impl Bucket {
    /// Has the service copy an object. It is done only if the answer's body says so.
    pub async fn copy_object(&self, copy: CopyObject<'_>) -> Result<Stored, Error> {
        let request = Request::new(Operation::CopyObject, Method::PUT).bucket(self.name()).key(copy.key);
        let mut request = self.with_source(request, &copy.source)?;
        let writing = &self.client().0.config.writing;
        // Google has no tags, and nothing that would say what becomes of them.
        let without_tags = copy.without_tags && !self.client().provider().is_google();
        if without_tags || writing.tagging.is_some() {
            request = request.text_header("x-amz-tagging-directive", "REPLACE")?;
        }
        let terms = NewTerms { storage_class: copy.storage_class, tagging: None, grants: copy.grants };
        let request = with_writing(request, terms, writing)?;
        let read = |response: &Response| read(response, copy.source.if_match);
        match self.send_write(request, copy.condition, Fact::CopyConditions, read).await {
            Err(error) if may_be_ours(&error) => self.recognise_copy(&copy, error).await,
            result => result,
        }
    }

    /// Adds what says what is copied.
    pub(super) fn with_source<'a>(&self, request: Request<'a>, source: &CopySource<'_>) -> Result<Request<'a>, Error> {
        let generation = source.version_id.filter(|_| self.client().provider().is_google());
        let version_id = source.version_id.filter(|_| generation.is_none());
        let mut request =
            request.text_header("x-amz-copy-source", &path(source.bucket.name(), source.key, version_id))?;
        if let Some(generation) = generation {
            // It takes no ETag here of an object that was put together from parts.
            request = request.text_header(google::COPY_SOURCE_GENERATION.as_str(), generation)?;
        } else if let Some(etag) = source.if_match {
            request = request.text_header("x-amz-copy-source-if-match", &quoted(etag))?;
        }
        if let Some(key) = source.bucket.client().customer_key() {
            for (name, value) in key.headers_of_source() {
                request = request.secret_header(name, &value)?;
            }
        }
        Ok(request)
    }
}

fn path(bucket: &str, key: &str, version_id: Option<&str>) -> String {
    let mut path = format!("/{bucket}/");
    encode_into(&mut path, key.as_bytes(), Keep::UnreservedAndSlash);
    if let Some(id) = version_id {
        path.push_str("?versionId=");
        encode_into(&mut path, id.as_bytes(), Keep::Unreserved);
    }
    path
}

/// Reads the answer. What was copied is proven by an `ETag` that is the source's: both are MD5s of the content then.
fn read(response: &Response, of_source: Option<&str>) -> Result<Stored, Rejection> {
    let (etag, generation) = (parse(&response.body)?, generation(response));
    let same = !etag.is_empty() && of_source == Some(etag.as_str());
    Ok(Stored { etag, generation, verified: if same { Verified::Yes } else { Verified::Unverifiable } })
}

fn parse(document: &[u8]) -> Result<String, Rejection> {
    let (mut etag, mut is_result) = (None, false);
    walk(document, |path, text| {
        match path {
            "CopyObjectResult/ETag" => etag = Some(unquote(text).to_owned()),
            "CopyObjectResult" => is_result = true,
            _ => {}
        }
        Ok(())
    })?;
    if !is_result {
        return Err(Rejection::Unreadable("the answer is no CopyObjectResult".to_owned()));
    }
    Ok(etag.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::hashing::Hashes;

    #[test]
    fn any_source_can_be_named() {
        assert_eq!(path("b", "a//b/../c +é", None), "/b/a//b/../c%20%2B%C3%A9");
        assert_eq!(path("b", "k?versionId=1", Some("x/y=")), "/b/k%3FversionId%3D1?versionId=x%2Fy%3D");
    }

    #[test]
    fn a_copy_is_done_only_if_the_body_says_so() {
        let done = br#"<CopyObjectResult><ETag>"abc"</ETag></CopyObjectResult>"#;
        let answer = |body: &'static [u8]| Response {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body),
            hashes: Hashes::default(),
            after_lost_reply: false,
        };
        let same = Stored { etag: "abc".into(), generation: None, verified: Verified::Yes };
        assert_eq!(read(&answer(done), Some("abc")).unwrap(), same);
        assert_eq!(read(&answer(done), Some("other")).unwrap().verified, Verified::Unverifiable);
        assert!(read(&answer(b"<Other/>"), Some("abc")).is_err());
    }
}
