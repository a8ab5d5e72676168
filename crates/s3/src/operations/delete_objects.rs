//! `DeleteObjects`: removes up to 1000 objects at once.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>

use std::collections::HashMap;

use bytes::Bytes;
use http::{Method, StatusCode, header};

use crate::checksum::{Checksum, md5};
use crate::client::{Bucket, Rejection};
use crate::error::{Error, ErrorKind, Refusal};
use crate::error_kind::kind_of;
use crate::failure::shortened;
use crate::hashing::hashes;
use crate::operations::{DeleteObject, Operation};
use crate::request::{Request, Response};
use crate::xml::{escape_into, walk};

/// Objects that S3 removes in one request at most.
pub(super) const BATCH: usize = 1000;

/// What the answer says of one key: `None` where it is gone, else why not.
pub(super) type Outcome = Option<(Option<String>, String)>;

/// What the answer says of one key, or of one version of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) key: String,
    pub(super) version_id: Option<String>,
    pub(super) outcome: Outcome,
}

impl Bucket {
    /// Removes up to 1000 objects whose keys XML can carry. One result for
    /// each, in the same order; a key that the answer says nothing of is an error.
    pub(crate) async fn delete_objects(&self, objects: &[DeleteObject<'_>]) -> Result<Vec<Result<(), Error>>, Error> {
        let with_conditions = self.dialect().delete_if_match.is_certain();
        let named = objects.iter().map(|object| Named {
            key: object.key,
            version_id: None,
            etag: object.if_match.filter(|_| with_conditions),
        });
        let (answered, lost) = self.send_deletions(document(named)).await?;
        let outcomes: HashMap<&str, &Outcome> =
            answered.iter().map(|answer| (answer.key.as_str(), &answer.outcome)).collect();
        let outcome = |object: &DeleteObject<'_>| {
            let outcome = self.deleted(object.key, outcomes.get(object.key).copied());
            outcome.map_err(|error| error.after_lost_reply(lost))
        };
        Ok(objects.iter().map(outcome).collect())
    }

    /// Sends a document that says what to remove. What the answer says of each, and whether an
    /// earlier attempt may have been carried out.
    pub(super) async fn send_deletions(&self, document: String) -> Result<(Vec<Answered>, bool), Error> {
        let dialect = self.dialect();
        let body = Bytes::from(document);
        let (name, value) = Checksum::of(&body, &hashes(&body, Checksum::wanted(dialect))).header();
        let request = Request::new(Operation::DeleteObjects, Method::POST)
            .bucket(self.name())
            .query("delete", "")
            .text_header(header::CONTENT_TYPE.as_str(), "application/xml")?
            .header(name, value);
        // Some services insist on it here, whatever other checksum comes with it.
        let request = if dialect.crc64nvme.is_certain() {
            let (name, value) = Checksum::Md5(md5(&body)).header();
            request.header(name, value)
        } else {
            request
        };
        let request = request.body(body);
        let read = |response: &Response| Ok((parse(&response.body)?, response.after_lost_reply));
        self.client().send_for(&request, read).await
    }

    /// What the answer says of a key, as a result; `None` where it says nothing.
    pub(super) fn deleted(&self, key: &str, outcome: Option<&Outcome>) -> Result<(), Error> {
        let error = match outcome {
            Some(None) => return Ok(()),
            Some(Some((code, message))) => {
                let status = StatusCode::OK;
                let kind = kind_of(status, code.as_deref(), false);
                if kind == ErrorKind::NotFound {
                    return Ok(());
                }
                let refusal = Box::new(Refusal { status, code: code.clone(), request_id: None });
                Error::new(kind, Operation::DeleteObjects, Some(refusal), message.clone())
            }
            None => {
                let message = "the answer says nothing of this key";
                Error::local(ErrorKind::BadAnswer, Operation::DeleteObjects, message)
            }
        };
        Err(error.about(Some(self.name()), Some(key)))
    }
}

/// What is to be removed, as the document names it.
pub(super) struct Named<'a> {
    pub(super) key: &'a str,
    pub(super) version_id: Option<&'a str>,
    pub(super) etag: Option<&'a str>,
}

pub(super) fn document<'a>(objects: impl IntoIterator<Item = Named<'a>>) -> String {
    let mut document = String::from("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for object in objects {
        document.push_str("<Object><Key>");
        escape_into(&mut document, object.key);
        document.push_str("</Key>");
        if let Some(version_id) = object.version_id {
            document.push_str("<VersionId>");
            escape_into(&mut document, version_id);
            document.push_str("</VersionId>");
        }
        if let Some(etag) = object.etag {
            document.push_str("<ETag>");
            escape_into(&mut document, &format!("\"{etag}\""));
            document.push_str("</ETag>");
        }
        document.push_str("</Object>");
    }
    document.push_str("</Delete>");
    document
}

pub(crate) fn parse(document: &[u8]) -> Result<Vec<Answered>, Rejection> {
    let mut answered = Vec::new();
    let mut is_result = false;
    let (mut key, mut version, mut code, mut message) = (None, None, None, String::new());
    walk(document, |path, text| {
        match path {
            "DeleteResult/Deleted/Key" | "DeleteResult/Error/Key" => key = Some(text.to_owned()),
            "DeleteResult/Deleted/VersionId" | "DeleteResult/Error/VersionId" if !text.is_empty() => {
                version = Some(text.to_owned());
            }
            "DeleteResult/Error/Code" => code = Some(shortened(text)),
            "DeleteResult/Error/Message" => message = shortened(text),
            "DeleteResult/Deleted" => {
                let version_id = version.take();
                answered.extend(key.take().map(|key| Answered { key, version_id, outcome: None }));
            }
            "DeleteResult/Error" => {
                let why = (code.take(), std::mem::take(&mut message));
                let version_id = version.take();
                answered.extend(key.take().map(|key| Answered { key, version_id, outcome: Some(why) }));
            }
            "DeleteResult" => is_result = true,
            _ => {}
        }
        Ok(())
    })?;
    if is_result { Ok(answered) } else { Err(Rejection::Unreadable("the answer is no DeleteResult".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_etags_are_escaped() {
        let objects = [("a&<b>", Some("v\""), Some("e")), ("../x", None, None)];
        let objects = objects.map(|(key, version_id, etag)| Named { key, version_id, etag });
        let with = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;&lt;b&gt;</Key>\
            <VersionId>v&quot;</VersionId><ETag>&quot;e&quot;</ETag></Object><Object><Key>../x</Key></Object></Delete>";
        assert_eq!(document(objects), with);
    }

    #[test]
    fn every_key_of_the_answer_is_read() {
        let answer = b"<DeleteResult><Deleted><Key>a</Key><VersionId>1</VersionId></Deleted><Error><Key>b</Key><Code>AccessDenied</Code>\
            <Message>No</Message></Error><Deleted><Key>c</Key></Deleted></DeleteResult>";
        let answered = |key: &str, version: Option<&str>, outcome| Answered {
            key: key.to_owned(),
            version_id: version.map(str::to_owned),
            outcome,
        };
        let denied = Some((Some("AccessDenied".to_owned()), "No".to_owned()));
        let expected = [answered("a", Some("1"), None), answered("b", None, denied), answered("c", None, None)];
        assert_eq!(parse(answer).unwrap(), expected);
        assert!(parse(b"<Html/>").is_err());
    }
}
