//! `ListMultipartUploads`: a page of the uploads that are under way in a bucket.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>

use std::time::SystemTime;

use http::Method;

use crate::client::Bucket;
use crate::encoding::decode_listed;
use crate::error::Error;
use crate::operations::{Continuation, Endless, Operation};
use crate::request::Request;
use crate::timestamp::parse_iso8601;
use crate::xml::{XmlError, walk};

/// Which page of the uploads under way is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListMultipartUploads<'a> {
    /// Only those whose keys begin with this.
    pub prefix: &'a str,
    /// Where the page before ended: its [`UploadsPage::next`].
    pub after: Option<&'a UploadsMarker>,
    /// Uploads in a page at most; S3 gives no more than 1000.
    pub max_uploads: Option<u32>,
}

/// Where a page of uploads ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadsMarker {
    /// The key of the last one: `key-marker`.
    pub key: String,
    /// Its name, of which a key can have many: `upload-id-marker`. `None`
    /// where the service goes by keys alone.
    pub upload_id: Option<String>,
}

/// A page of uploads under way, in the order in which the service gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadsPage {
    /// The uploads.
    pub uploads: Vec<ListedUpload>,
    /// What to ask the next page with; `None` on the last one.
    pub next: Option<UploadsMarker>,
}

/// What a listing says of one upload under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUpload {
    /// The key of the object that it is to make.
    pub key: String,
    /// The service's name of it.
    pub upload_id: String,
    /// When it was begun, by the service's clock; `None` where the service doesn't say.
    pub initiated: Option<SystemTime>,
}

/// Where a listing of uploads goes on; like [`Continuation`], it notices one that never ends.
#[derive(Clone, Debug, Default)]
pub struct UploadsContinuation {
    pages: Continuation,
    marker: Option<UploadsMarker>,
}

impl UploadsContinuation {
    /// What to ask the next page with; `None` for the first one.
    #[must_use]
    pub fn marker(&self) -> Option<&UploadsMarker> {
        self.marker.as_ref()
    }

    /// Takes in a page; says whether another one follows.
    pub fn advance(&mut self, page: &UploadsPage) -> Result<bool, Endless> {
        let name = |key: &str, upload_id: &str| format!("{key} {upload_id}");
        let first = page.uploads.first().map(|upload| name(&upload.key, &upload.upload_id));
        let next = page.next.as_ref().map(|next| name(&next.key, next.upload_id.as_deref().unwrap_or_default()));
        let follows = self.pages.follow(page.uploads.is_empty(), first.as_deref(), next)?;
        self.marker.clone_from(&page.next);
        Ok(follows)
    }
}

impl Bucket {
    /// Lists a page of the uploads that are neither completed nor aborted.
    pub async fn list_multipart_uploads(&self, page: ListMultipartUploads<'_>) -> Result<UploadsPage, Error> {
        let mut request = Request::new(Operation::ListMultipartUploads, Method::GET)
            .bucket(self.name())
            .query("uploads", "")
            .query("encoding-type", "url")
            .query("prefix", page.prefix);
        if let Some(marker) = page.after {
            request = request.query("key-marker", marker.key.as_str());
            if let Some(upload_id) = &marker.upload_id {
                request = request.query("upload-id-marker", upload_id.as_str());
            }
        }
        if let Some(max_uploads) = page.max_uploads {
            request = request.query("max-uploads", max_uploads.to_string());
        }
        self.client().send_for(&request, |response| Ok(parse(&response.body)?)).await
    }
}

/// An upload as far as it has been read.
#[derive(Default)]
struct Partial {
    key: Option<String>,
    upload_id: Option<String>,
    initiated: Option<SystemTime>,
}

impl Partial {
    fn take(&mut self, field: &str, text: &str) {
        match field {
            "Key" => self.key = Some(text.to_owned()),
            "UploadId" => self.upload_id = Some(text.to_owned()).filter(|id| !id.is_empty()),
            "Initiated" => self.initiated = parse_iso8601(text),
            _ => {}
        }
    }

    fn complete(self) -> Result<ListedUpload, XmlError> {
        let Some(key) = self.key else { return Err(XmlError("an upload has no Key".to_owned())) };
        let Some(upload_id) = self.upload_id else {
            return Err(XmlError(format!("the upload of the key {key:?} has no UploadId")));
        };
        Ok(ListedUpload { key, upload_id, initiated: self.initiated })
    }
}

pub(crate) fn parse(document: &[u8]) -> Result<UploadsPage, XmlError> {
    let mut uploads = Vec::new();
    let mut upload = Partial::default();
    let (mut key_marker, mut id_marker) = (None, None);
    let (mut is_result, mut is_truncated, mut is_encoded) = (false, false, false);
    walk(document, |path, text| {
        if let Some(field) = path.strip_prefix("ListMultipartUploadsResult/Upload/") {
            upload.take(field, text);
            return Ok(());
        }
        match path {
            "ListMultipartUploadsResult/Upload" => uploads.push(std::mem::take(&mut upload).complete()?),
            "ListMultipartUploadsResult/NextKeyMarker" if !text.is_empty() => key_marker = Some(text.to_owned()),
            "ListMultipartUploadsResult/NextUploadIdMarker" if !text.is_empty() => id_marker = Some(text.to_owned()),
            "ListMultipartUploadsResult/IsTruncated" => is_truncated = text == "true",
            "ListMultipartUploadsResult/EncodingType" => is_encoded = text == "url",
            "ListMultipartUploadsResult" => is_result = true,
            _ => {}
        }
        Ok(())
    })?;
    if !is_result {
        return Err(XmlError("it is no ListMultipartUploadsResult".to_owned()));
    }
    if is_truncated && key_marker.is_none() {
        return Err(XmlError("the listing goes on, but without a NextKeyMarker".to_owned()));
    }
    if is_encoded {
        for key in uploads.iter_mut().map(|upload| &mut upload.key).chain(&mut key_marker) {
            let decoded = decode_listed(key).ok_or_else(|| XmlError(format!("the key {key:?} cannot be decoded")))?;
            *key = decoded.into_owned();
        }
    }
    let next = key_marker.filter(|_| is_truncated).map(|key| UploadsMarker { key, upload_id: id_marker });
    Ok(UploadsPage { uploads, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket>\
        <KeyMarker/><UploadIdMarker/><NextKeyMarker>p/a+b%2B</NextKeyMarker><NextUploadIdMarker>i+1</NextUploadIdMarker>\
        <EncodingType>url</EncodingType><MaxUploads>2</MaxUploads><IsTruncated>true</IsTruncated>\
        <Upload><Key>p/%0D</Key><UploadId>i%20</UploadId><Initiator><ID>x</ID></Initiator><Owner><ID>Key</ID></Owner>\
        <StorageClass>STANDARD</StorageClass><Initiated>2013-05-24T00:00:00.000Z</Initiated></Upload>\
        <Upload><Key>p/a+b%2B</Key><UploadId>i+1</UploadId></Upload></ListMultipartUploadsResult>";

    fn upload(key: &str, upload_id: &str, initiated: Option<&str>) -> ListedUpload {
        let initiated = initiated.and_then(parse_iso8601);
        ListedUpload { key: key.to_owned(), upload_id: upload_id.to_owned(), initiated }
    }

    fn marker(key: &str, upload_id: Option<&str>) -> UploadsMarker {
        UploadsMarker { key: key.to_owned(), upload_id: upload_id.map(str::to_owned) }
    }

    #[test]
    fn a_page_is_read_and_its_keys_decoded_but_not_its_ids() {
        let page = parse(PAGE.as_bytes()).unwrap();
        let expected = [upload("p/\r", "i%20", Some("2013-05-24T00:00:00Z")), upload("p/a b+", "i+1", None)];
        assert_eq!(page.uploads, expected);
        assert_eq!(page.next, Some(marker("p/a b+", Some("i+1"))));
        let plain = parse(PAGE.replace("<EncodingType>url</EncodingType>", "").as_bytes()).unwrap();
        assert_eq!((plain.uploads[1].key.as_str(), plain.next), ("p/a+b%2B", Some(marker("p/a+b%2B", Some("i+1")))));
        let by_keys = PAGE.replace("<NextUploadIdMarker>i+1</NextUploadIdMarker>", "<NextUploadIdMarker/>");
        assert_eq!(parse(by_keys.as_bytes()).unwrap().next, Some(marker("p/a b+", None)));
    }

    #[test]
    fn the_last_page_has_no_next_one() {
        let page = PAGE.replace("true</IsTruncated>", "false</IsTruncated>");
        assert_eq!(parse(page.as_bytes()).unwrap().next, None);
        assert_eq!(parse(b"<ListMultipartUploadsResult/>"), Ok(UploadsPage::default()));
    }

    #[test]
    fn pages_that_lack_something_are_refused() {
        let broken = [
            PAGE.replace("<Key>p/%0D</Key>", ""),
            PAGE.replace("p/%0D", "p/%FF"),
            PAGE.replace("<UploadId>i%20</UploadId>", ""),
            PAGE.replace("<UploadId>i%20</UploadId>", "<UploadId/>"),
            PAGE.replace("<NextKeyMarker>p/a+b%2B</NextKeyMarker>", ""),
            PAGE.replace("ListMultipartUploadsResult", "Html"),
            PAGE[..PAGE.len() - 5].to_owned(),
        ];
        for page in broken {
            assert!(parse(page.as_bytes()).is_err(), "{page}");
        }
    }

    #[test]
    fn many_uploads_of_one_key_are_followed_and_a_page_that_comes_again_is_not() {
        let page = |id: u32| UploadsPage {
            uploads: vec![upload("k", &id.to_string(), None)],
            next: Some(marker("k", Some(&id.to_string()))),
        };
        let mut continuation = UploadsContinuation::default();
        for id in 0..100 {
            assert_eq!(continuation.advance(&page(id)), Ok(true));
            assert_eq!(continuation.marker(), page(id).next.as_ref());
        }
        let again = (0..100).map(|_| continuation.advance(&page(7))).find_map(Result::err);
        assert!(again.is_some_and(|endless| endless.to_string().contains("the service repeats")));
    }
}
