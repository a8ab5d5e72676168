//! `ListObjectsV2`: a page of a bucket's objects.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use std::borrow::Cow;
use std::time::SystemTime;

use http::Method;

use super::head_object::USUAL_CLASS;
use crate::client::Bucket;
use crate::encoding::decode_listed;
use crate::error::Error;
use crate::operations::Operation;
use crate::request::{Request, unquote};
use crate::timestamp::parse_iso8601;
use crate::xml::{XmlError, walk};

/// Which page of which listing is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListObjectsV2<'a> {
    /// Only keys that begin with this.
    pub prefix: &'a str,
    /// Only keys greater than this one; on the first page only.
    pub start_after: Option<&'a str>,
    /// Where the page before ended: its [`ListedPage::next`].
    pub continuation_token: Option<&'a str>,
    /// Groups keys that share what stands between the prefix and this.
    pub delimiter: Option<&'a str>,
    /// Keys in a page at most; S3 gives no more than 1000.
    pub max_keys: Option<u32>,
}

/// A page of a listing, in the order in which the service gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedPage {
    /// The objects.
    pub objects: Vec<ListedObject>,
    /// What the keys that were grouped have in common.
    pub common_prefixes: Vec<String>,
    /// What to ask the next page with; `None` on the last one.
    pub next: Option<String>,
}

/// What a listing says of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was written, by the service's clock.
    pub last_modified: SystemTime,
    /// Its ETag, without quotes; empty where the service gives none.
    pub etag: String,
    /// Its storage class, where it isn't the usual one.
    pub storage_class: Option<String>,
    /// Its generation, where the provider has those.
    pub generation: Option<String>,
}

impl Bucket {
    /// Lists a page. [`crate::Continuation`] leads from one to the next.
    pub async fn list_objects_v2(&self, page: ListObjectsV2<'_>) -> Result<ListedPage, Error> {
        let mut request = Request::new(Operation::ListObjectsV2, Method::GET)
            .bucket(self.name())
            .query("list-type", "2")
            .query("encoding-type", "url")
            .query("prefix", page.prefix);
        if let Some(token) = page.continuation_token {
            request = request.query("continuation-token", token);
        } else if let Some(start_after) = page.start_after {
            request = request.query("start-after", start_after);
        }
        if let Some(delimiter) = page.delimiter {
            request = request.query("delimiter", delimiter);
        }
        if let Some(max_keys) = page.max_keys {
            request = request.query("max-keys", max_keys.to_string());
        }
        self.client().send_for(&request, |response| Ok(parse(&response.body)?)).await
    }
}

/// Bytes that an object can have at most: 50 TB at AWS
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>), and
/// more than ten times that is nobody's.
pub(super) const LARGEST_SIZE: u64 = 1 << 50;

/// An object as far as it has been read.
#[derive(Default)]
struct Partial {
    key: Option<String>,
    size: Option<u64>,
    /// As it came, where it is no size.
    written_size: String,
    last_modified: Option<SystemTime>,
    etag: String,
    storage_class: Option<String>,
    generation: Option<String>,
}

impl Partial {
    fn take(&mut self, field: &str, text: &str) {
        match field {
            "Key" => self.key = Some(text.to_owned()),
            "Size" => {
                self.size = text.parse().ok().filter(|size| *size <= LARGEST_SIZE);
                if self.size.is_none() {
                    text.clone_into(&mut self.written_size);
                }
            }
            "LastModified" => self.last_modified = parse_iso8601(text),
            "ETag" => unquote(text).clone_into(&mut self.etag),
            "StorageClass" if text != USUAL_CLASS && !text.is_empty() => self.storage_class = Some(text.to_owned()),
            // As Google's listings have it: https://cloud.google.com/storage/docs/xml-api/get-bucket-list
            "Generation" => self.generation = Some(text.to_owned()),
            _ => {}
        }
    }
}

pub(crate) fn parse(document: &[u8]) -> Result<ListedPage, XmlError> {
    let mut page = ListedPage::default();
    let mut object = Partial::default();
    let (mut is_result, mut is_truncated, mut is_encoded) = (false, false, false);
    walk(document, |path, text| {
        // Nearly all there is: its fields' names are compared without what stands before them.
        if let Some(field) = path.strip_prefix("ListBucketResult/Contents/") {
            object.take(field, text);
            return Ok(());
        }
        match path {
            "ListBucketResult/Contents" => page.objects.push(complete(std::mem::take(&mut object))?),
            "ListBucketResult/CommonPrefixes/Prefix" => page.common_prefixes.push(text.to_owned()),
            "ListBucketResult/NextContinuationToken" if !text.is_empty() => page.next = Some(text.to_owned()),
            "ListBucketResult/IsTruncated" => is_truncated = text == "true",
            "ListBucketResult/EncodingType" => is_encoded = text == "url",
            "ListBucketResult" => is_result = true,
            _ => {}
        }
        Ok(())
    })?;
    if !is_result {
        return Err(XmlError("it is no ListBucketResult".to_owned()));
    }
    if is_truncated && page.next.is_none() {
        return Err(XmlError("the listing goes on, but without a NextContinuationToken".to_owned()));
    }
    if !is_truncated {
        page.next = None;
    }
    if is_encoded {
        let keys = page.objects.iter_mut().map(|object| &mut object.key).chain(&mut page.common_prefixes);
        for key in keys {
            match decode_listed(key) {
                Some(Cow::Borrowed(_)) => {}
                Some(Cow::Owned(decoded)) => *key = decoded,
                None => return Err(XmlError(format!("the key {key:?} cannot be decoded"))),
            }
        }
    }
    Ok(page)
}

fn complete(object: Partial) -> Result<ListedObject, XmlError> {
    let Some(key) = object.key else { return Err(XmlError("an object has no Key".to_owned())) };
    let Some(size) = object.size else {
        let written = object.written_size;
        return Err(XmlError(format!("the Size of the key {key:?} is {written:?}, which is no object's")));
    };
    let Some(last_modified) = object.last_modified else {
        return Err(XmlError(format!("the key {key:?} has no LastModified that can be read")));
    };
    let Partial { etag, storage_class, generation, .. } = object;
    Ok(ListedObject { key, size, last_modified, etag, storage_class, generation })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n\
        <Name>b</Name><Prefix>p%2F</Prefix><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><EncodingType>url</EncodingType>\
        <IsTruncated>true</IsTruncated><NextContinuationToken>1+a/b%20=</NextContinuationToken>\
        <Contents><Key>p/a+b%2B%0D</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified>\
        <ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size><StorageClass>STANDARD</StorageClass>\
        <Owner><ID>Key</ID></Owner></Contents>\
        <CommonPrefixes><Prefix>p/%C3%A9/</Prefix></CommonPrefixes></ListBucketResult>";

    #[test]
    fn a_page_is_read_and_its_keys_decoded() {
        let expected = ListedPage {
            objects: vec![ListedObject {
                key: "p/a b+\r".to_owned(),
                size: 0,
                last_modified: parse_iso8601("2013-05-24T00:00:00Z").unwrap(),
                etag: "d41d8cd98f00b204e9800998ecf8427e".to_owned(),
                storage_class: None,
                generation: None,
            }],
            common_prefixes: vec!["p/é/".to_owned()],
            next: Some("1+a/b%20=".to_owned()),
        };
        assert_eq!(parse(PAGE.as_bytes()), Ok(expected));
    }

    #[test]
    fn a_storage_class_is_told_where_it_is_not_the_usual_one() {
        let page = parse(PAGE.replace("STANDARD", "GLACIER").as_bytes()).unwrap();
        assert_eq!(page.objects[0].storage_class.as_deref(), Some("GLACIER"));
    }

    #[test]
    fn generations_are_read_where_they_are_told() {
        let page = parse(PAGE.replace("<Size>", "<Generation>1724433686019527</Generation><Size>").as_bytes()).unwrap();
        assert_eq!(page.objects[0].generation.as_deref(), Some("1724433686019527"));
    }

    #[test]
    fn keys_stay_as_they_are_where_the_service_did_not_encode_them() {
        let page = parse(PAGE.replace("<EncodingType>url</EncodingType>", "").as_bytes()).unwrap();
        assert_eq!(page.objects[0].key, "p/a+b%2B%0D");
    }

    #[test]
    fn the_last_page_has_no_next_one() {
        let page = parse(PAGE.replace("true</IsTruncated>", "false</IsTruncated>").as_bytes()).unwrap();
        assert_eq!(page.next, None);
    }

    #[test]
    fn pages_that_lack_something_are_refused() {
        let broken = [
            PAGE.replace("<Size>0</Size>", ""),
            PAGE.replace("<Size>0</Size>", "<Size>-1</Size>"),
            PAGE.replace("<Size>0</Size>", "<Size>18446744073709551615</Size>"),
            PAGE.replace("<Key>p/a+b%2B%0D</Key>", ""),
            PAGE.replace("2013-05-24T00:00:00.000Z", "yesterday"),
            PAGE.replace("p/a+b%2B%0D", "p/%FF"),
            PAGE.replace("<NextContinuationToken>1+a/b%20=</NextContinuationToken>", ""),
            PAGE.replace("1+a/b%20=", ""),
            PAGE.replace("ListBucketResult", "Html"),
            PAGE[..PAGE.len() - 5].to_owned(),
        ];
        for page in broken {
            assert!(parse(page.as_bytes()).is_err(), "{page}");
        }
    }
}
