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
type Outcome = Option<(Option<String>, String)>;

impl Bucket {
    /// Removes up to 1000 objects whose keys XML can carry. One result for
    /// each, in the same order; a key that the answer says nothing of is an error.
    pub(crate) async fn delete_objects(&self, objects: &[DeleteObject<'_>]) -> Result<Vec<Result<(), Error>>, Error> {
        let dialect = self.dialect();
        let body = Bytes::from(document(objects, dialect.delete_if_match.is_certain()));
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
        let (outcomes, lost) = self.client().send_for(&request, read).await?;
        let outcome = |object: &DeleteObject<'_>| {
            let outcome = self.outcome(object.key, outcomes.get(object.key));
            outcome.map_err(|error| error.after_lost_reply(lost))
        };
        Ok(objects.iter().map(outcome).collect())
    }

    fn outcome(&self, key: &str, outcome: Option<&Outcome>) -> Result<(), Error> {
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

fn document(objects: &[DeleteObject<'_>], with_conditions: bool) -> String {
    let mut document = String::from("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for object in objects {
        document.push_str("<Object><Key>");
        escape_into(&mut document, object.key);
        document.push_str("</Key>");
        if let Some(etag) = object.if_match.filter(|_| with_conditions) {
            document.push_str("<ETag>");
            escape_into(&mut document, &format!("\"{etag}\""));
            document.push_str("</ETag>");
        }
        document.push_str("</Object>");
    }
    document.push_str("</Delete>");
    document
}

pub(crate) fn parse(document: &[u8]) -> Result<HashMap<String, Outcome>, Rejection> {
    let mut outcomes = HashMap::new();
    let mut is_result = false;
    let (mut key, mut code, mut message) = (None, None, String::new());
    walk(document, |path, text| {
        match path {
            "DeleteResult/Deleted/Key" | "DeleteResult/Error/Key" => key = Some(text.to_owned()),
            "DeleteResult/Error/Code" => code = Some(shortened(text)),
            "DeleteResult/Error/Message" => message = shortened(text),
            "DeleteResult/Deleted" => {
                outcomes.extend(key.take().map(|key| (key, None)));
            }
            "DeleteResult/Error" => {
                let why = (code.take(), std::mem::take(&mut message));
                outcomes.extend(key.take().map(|key| (key, Some(why))));
            }
            "DeleteResult" => is_result = true,
            _ => {}
        }
        Ok(())
    })?;
    if is_result { Ok(outcomes) } else { Err(Rejection::Unreadable("the answer is no DeleteResult".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_etags_are_escaped() {
        let objects =
            [DeleteObject { key: "a&<b>", if_match: Some("e") }, DeleteObject { key: "../x", if_match: None }];
        let with = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;&lt;b&gt;</Key>\
            <ETag>&quot;e&quot;</ETag></Object><Object><Key>../x</Key></Object></Delete>";
        assert_eq!(document(&objects, true), with);
        assert_eq!(document(&objects, false), with.replace("<ETag>&quot;e&quot;</ETag>", ""));
    }

    #[test]
    fn every_key_of_the_answer_is_read() {
        let answer = b"<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code>\
            <Message>No</Message></Error><Deleted><Key>c</Key></Deleted></DeleteResult>";
        let outcomes = parse(answer).unwrap();
        assert_eq!(outcomes.len(), 3);
        assert_eq!(outcomes["a"], None);
        assert_eq!(outcomes["b"], Some((Some("AccessDenied".to_owned()), "No".to_owned())));
        assert!(parse(b"<Html/>").is_err());
    }
}
