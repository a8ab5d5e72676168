//! `ListParts`: the parts of an upload that the service has.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>

use http::Method;

use super::list_objects_v2::LARGEST_SIZE;
use crate::checksum::{Checksum, Verified, parse_crc64nvme};
use crate::client::Bucket;
use crate::error::{Error, ErrorKind};
use crate::operations::{Continuation, Operation, UploadedPart};
use crate::request::{Request, unquote};
use crate::xml::{XmlError, walk};

/// Parts that an upload can have, which is the highest number of one too
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const MOST_PARTS: u32 = 10_000;

/// Which page of an upload's parts is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListParts<'a> {
    /// The object's key.
    pub key: &'a str,
    /// The upload's name.
    pub upload_id: &'a str,
    /// Only parts whose numbers are greater: the [`PartsPage::next`] of the page before.
    pub part_number_marker: Option<u32>,
    /// Parts in a page at most; S3 gives no more than 1000.
    pub max_parts: Option<u32>,
}

/// A page of an upload's parts, as the service gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartsPage {
    /// The parts.
    pub parts: Vec<UploadedPart>,
    /// What to ask the next page with; `None` on the last one.
    pub next: Option<u32>,
}

impl Bucket {
    /// Lists a page of the parts that the service has;
    /// [`crate::ErrorKind::NoSuchUpload`] where the upload isn't there (any more).
    pub async fn list_parts(&self, page: ListParts<'_>) -> Result<PartsPage, Error> {
        let mut request = Request::new(Operation::ListParts, Method::GET)
            .bucket(self.name())
            .key(page.key)
            .query("uploadId", page.upload_id);
        if let Some(marker) = page.part_number_marker {
            request = request.query("part-number-marker", marker.to_string());
        }
        if let Some(max_parts) = page.max_parts {
            request = request.query("max-parts", max_parts.to_string());
        }
        // Where the checksum isn't known to be checked, it says nothing of what was sent.
        let is_checked = self.dialect().crc64nvme.is_certain();
        self.client().send_for(&request, |response| Ok(parse(&response.body, is_checked)?)).await
    }

    /// All the parts that the service has, in the order of their numbers: ten
    /// pages at most. A number that is listed with two contents is left out: it
    /// is to be written again.
    pub async fn list_all_parts(&self, key: &str, upload_id: &str) -> Result<Vec<UploadedPart>, Error> {
        let mut parts = Vec::new();
        let mut continuation = Continuation::default();
        let mut page = ListParts { key, upload_id, ..ListParts::default() };
        loop {
            let PartsPage { parts: listed, next } = self.list_parts(page).await?;
            let endless = |reason| {
                Error::local(ErrorKind::BadAnswer, Operation::ListParts, reason).about(Some(self.name()), Some(key))
            };
            let first = listed.first().map(|part| part.number.to_string());
            let follows = continuation.follow(listed.is_empty(), first.as_deref(), next.map(|next| next.to_string()));
            parts.extend(listed);
            if !follows.map_err(|error| endless(error.to_string()))? {
                return Ok(unambiguous(parts));
            }
            if parts.len() > MOST_PARTS as usize {
                return Err(endless(format!("more than {MOST_PARTS} parts are listed, and no upload has so many")));
            }
            page.part_number_marker = next;
        }
    }
}

/// The parts by their numbers, without those that were listed with two contents.
fn unambiguous(mut parts: Vec<UploadedPart>) -> Vec<UploadedPart> {
    parts.sort_by_key(|part| part.number);
    parts.dedup();
    let runs = parts.chunk_by(|one, next| one.number == next.number);
    runs.filter_map(|run| if let [part] = run { Some(part.clone()) } else { None }).collect()
}

/// A part as far as it has been read.
#[derive(Default)]
struct Partial {
    number: Option<u32>,
    size: Option<u64>,
    etag: String,
    crc64nvme: Option<u64>,
}

impl Partial {
    fn take(&mut self, field: &str, text: &str) {
        match field {
            "PartNumber" => self.number = text.parse().ok().filter(|number| (1..=MOST_PARTS).contains(number)),
            "Size" => self.size = text.parse().ok().filter(|size| *size <= LARGEST_SIZE),
            "ETag" => unquote(text).clone_into(&mut self.etag),
            "ChecksumCRC64NVME" => self.crc64nvme = parse_crc64nvme(text),
            _ => {}
        }
    }

    fn complete(self, is_checked: bool) -> Result<UploadedPart, XmlError> {
        let Some(number) = self.number else { return Err(XmlError("a part has no PartNumber that can be".to_owned())) };
        let Some(size) = self.size else { return Err(XmlError(format!("part {number} has no Size that can be"))) };
        if self.etag.is_empty() {
            return Err(XmlError(format!("part {number} has no ETag")));
        }
        // A service that checks it has taken no part that differs from the checksum that was sent with it.
        let checksum = self.crc64nvme.filter(|_| is_checked).map(Checksum::Crc64Nvme);
        let verified = if checksum.is_some() { Verified::Yes } else { Verified::Unverifiable };
        Ok(UploadedPart { number, size, etag: self.etag, checksum, crc32c: None, verified })
    }
}

pub(crate) fn parse(document: &[u8], is_checked: bool) -> Result<PartsPage, XmlError> {
    let mut page = PartsPage::default();
    let mut part = Partial::default();
    let (mut is_result, mut is_truncated) = (false, false);
    walk(document, |path, text| {
        if let Some(field) = path.strip_prefix("ListPartsResult/Part/") {
            part.take(field, text);
            return Ok(());
        }
        match path {
            "ListPartsResult/Part" => page.parts.push(std::mem::take(&mut part).complete(is_checked)?),
            "ListPartsResult/NextPartNumberMarker" => page.next = text.parse().ok().filter(|marker| *marker > 0),
            "ListPartsResult/IsTruncated" => is_truncated = text == "true",
            "ListPartsResult" => is_result = true,
            _ => {}
        }
        Ok(())
    })?;
    if !is_result {
        return Err(XmlError("it is no ListPartsResult".to_owned()));
    }
    if is_truncated && page.next.is_none() {
        return Err(XmlError("the listing goes on, but without a NextPartNumberMarker".to_owned()));
    }
    if !is_truncated {
        page.next = None;
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket><Key>k</Key>\
        <UploadId>u</UploadId><PartNumberMarker>1</PartNumberMarker><NextPartNumberMarker>3</NextPartNumberMarker>\
        <MaxParts>2</MaxParts><IsTruncated>true</IsTruncated>\
        <Part><PartNumber>2</PartNumber><LastModified>2010-11-10T20:48:34.000Z</LastModified>\
        <ETag>&quot;7778aef83f66abc1fa1e8477f296d394&quot;</ETag><Size>10485760</Size></Part>\
        <Part><PartNumber>3</PartNumber><ETag>e</ETag><Size>9</Size>\
        <ChecksumCRC64NVME>AAAAAAAAAAc=</ChecksumCRC64NVME></Part></ListPartsResult>";

    fn part(number: u32, size: u64, etag: &str, crc: Option<u64>) -> UploadedPart {
        let verified = if crc.is_some() { Verified::Yes } else { Verified::Unverifiable };
        UploadedPart {
            number,
            size,
            etag: etag.to_owned(),
            checksum: crc.map(Checksum::Crc64Nvme),
            crc32c: None,
            verified,
        }
    }

    #[test]
    fn a_page_is_read_with_what_is_known_of_each_part() {
        let md5 = "7778aef83f66abc1fa1e8477f296d394";
        let page = parse(PAGE.as_bytes(), true).unwrap();
        assert_eq!(page.parts, [part(2, 10_485_760, md5, None), part(3, 9, "e", Some(7))]);
        assert_eq!(page.next, Some(3));
        assert_eq!((page.parts[0].md5().map(|md5| md5[0]), page.parts[1].md5()), (Some(0x77), None));
        assert_eq!((page.parts[0].crc64nvme(), page.parts[1].crc64nvme()), (None, Some(7)));
        let unchecked = parse(PAGE.as_bytes(), false).unwrap();
        assert_eq!(unchecked.parts[1], part(3, 9, "e", None));
    }

    #[test]
    fn the_last_page_has_no_next_one() {
        let page = PAGE.replace("true</IsTruncated>", "false</IsTruncated>");
        assert_eq!(parse(page.as_bytes(), true).unwrap().next, None);
        assert_eq!(parse(b"<ListPartsResult/>", true), Ok(PartsPage::default()));
    }

    #[test]
    fn pages_that_lack_something_are_refused() {
        let broken = [
            PAGE.replace("<PartNumber>3</PartNumber>", ""),
            PAGE.replace("<PartNumber>3</PartNumber>", "<PartNumber>0</PartNumber>"),
            PAGE.replace("<PartNumber>3</PartNumber>", "<PartNumber>10001</PartNumber>"),
            PAGE.replace("<Size>9</Size>", ""),
            PAGE.replace("<Size>9</Size>", "<Size>18446744073709551615</Size>"),
            PAGE.replace("<ETag>e</ETag>", ""),
            PAGE.replace("<NextPartNumberMarker>3</NextPartNumberMarker>", ""),
            PAGE.replace(
                "<NextPartNumberMarker>3</NextPartNumberMarker>",
                "<NextPartNumberMarker>0</NextPartNumberMarker>",
            ),
            PAGE.replace("ListPartsResult", "Html"),
            PAGE[..PAGE.len() - 5].to_owned(),
        ];
        for page in broken {
            assert!(parse(page.as_bytes(), true).is_err(), "{page}");
        }
    }

    #[test]
    fn a_number_with_two_contents_is_no_part() {
        let listed = vec![part(2, 5, "b", None), part(1, 5, "a", None), part(2, 5, "c", None), part(1, 5, "a", None)];
        assert_eq!(unambiguous(listed), [part(1, 5, "a", None)]);
    }
}
