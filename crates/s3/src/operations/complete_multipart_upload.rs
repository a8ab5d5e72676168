//! `CompleteMultipartUpload`: makes an object of its parts.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>

use std::fmt::Write;

use bytes::Bytes;
use http::{Method, header};

use super::head_object::{crc32c_of_whole, generation};
use super::put_object::may_be_ours;
use crate::checksum::{CRC64NVME, Checksum, Verified, format_crc64nvme, multipart_etag, parse_crc64nvme};
use crate::client::{Bucket, Rejection};
use crate::crc_row::{crc32c_in_a_row, crc64nvme_in_a_row};
use crate::dialect::Fact;
use crate::error::{Error, ErrorKind};
use crate::operations::{Condition, HeadObject, ObjectHead, Operation, Stored, UploadedPart};
use crate::request::{Request, Response, unquote};
use crate::xml::{escape_into, walk};

/// An upload whose parts are all written.
#[derive(Clone, Copy, Debug)]
pub struct CompleteMultipartUpload<'a> {
    /// The object's key.
    pub key: &'a str,
    /// The upload's name.
    pub upload_id: &'a str,
    /// Its parts, in any order.
    pub parts: &'a [UploadedPart],
    /// What must hold for the object to be written.
    pub condition: Condition<'a>,
    /// Whether an earlier process began the upload, and so may have completed it too.
    pub resumed: bool,
}

impl Bucket {
    /// Makes an object of its parts. It is done only if the answer's body says so.
    pub async fn complete_multipart_upload(&self, upload: CompleteMultipartUpload<'_>) -> Result<Stored, Error> {
        let mut parts: Vec<&UploadedPart> = upload.parts.iter().collect();
        parts.sort_by_key(|part| part.number);
        let is_google = self.client().provider().is_google();
        let whole = Whole::of(&parts);
        // There it is none of the parts' MD5s: https://cloud.google.com/storage/docs/xml-api/post-object-complete.
        let whole = Whole { is_etag_certain: whole.is_etag_certain && !is_google, ..whole };
        let mut request = Request::new(Operation::CompleteMultipartUpload, Method::POST)
            .bucket(self.name())
            .key(upload.key)
            .query("uploadId", upload.upload_id)
            .text_header(header::CONTENT_TYPE.as_str(), "application/xml")?
            .body(Bytes::from(document(&parts)));
        if let Some(crc) = whole.crc64nvme {
            request = request
                .text_header(CRC64NVME.as_str(), &format_crc64nvme(crc))?
                .text_header("x-amz-checksum-type", "FULL_OBJECT")?;
        }
        let read = |response: &Response| whole.confirm(response);
        match self.send_write(request, upload.condition, Fact::CompleteConditions, read).await {
            Err(error) if may_be_ours(&error) || (upload.resumed && may_be_completed(&error)) => {
                self.recognise_whole(upload.key, &whole, error).await
            }
            result => result,
        }
    }

    /// A Complete whose answer was lost, in this process or in an earlier one,
    /// leaves no upload behind: what stands there now is ours if it is what the parts make. With what the upload was
    /// begun isn't known here.
    async fn recognise_whole(&self, key: &str, whole: &Whole, refused: Error) -> Result<Stored, Error> {
        let Ok(head) = self.head_object(HeadObject { key, ..HeadObject::default() }).await else { return Err(refused) };
        match whole.compare(&head) {
            Some(verified) => Ok(head.stored(verified)),
            None => Err(refused),
        }
    }
}

/// Whether an upload is refused so that has been completed already.
fn may_be_completed(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NoSuchUpload | ErrorKind::NotFound | ErrorKind::PreconditionFailed)
}

/// What is known of the object that the parts make.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Whole {
    size: u64,
    crc64nvme: Option<u64>,
    crc32c: Option<u32>,
    /// The ETag that S3 works out from the parts' MD5s: those that were sent,
    /// and for each other part its ETag, where it looks like an MD5. One that is the
    /// same proves that the object is made of these parts.
    etag: Option<String>,
    /// Whether another one proves that it isn't: the service confirmed each
    /// part by its MD5, so that it is known to make its own of them.
    is_etag_certain: bool,
    verified: Verified,
}

impl Whole {
    /// Of the parts in the order of their numbers.
    fn of(parts: &[&UploadedPart]) -> Self {
        let crcs64: Option<Vec<(u64, u64)>> = parts.iter().map(|part| Some((part.crc64nvme()?, part.size))).collect();
        let crcs32: Option<Vec<(u32, u64)>> = parts.iter().map(|part| Some((part.crc32c?, part.size))).collect();
        let md5_sent = |part: &UploadedPart| match part.checksum {
            Some(Checksum::Md5(md5)) => Some(md5),
            Some(Checksum::Crc64Nvme(_)) | None => None,
        };
        let md5s: Option<Vec<[u8; 16]>> = parts.iter().map(|part| md5_sent(part).or_else(|| part.md5())).collect();
        let all_verified = parts.iter().all(|part| part.verified == Verified::Yes);
        Self {
            size: parts.iter().map(|part| part.size).sum(),
            crc64nvme: crcs64.map(|crcs| crc64nvme_in_a_row(&crcs)),
            crc32c: crcs32.map(|crcs| crc32c_in_a_row(&crcs)),
            etag: md5s.map(|md5s| multipart_etag(&md5s)),
            is_etag_certain: all_verified && parts.iter().all(|part| md5_sent(part).is_some()),
            verified: if all_verified { Verified::Yes } else { Verified::Unverifiable },
        }
    }

    /// Reads the answer: its status says nothing, since S3 may find out that it
    /// failed long after it has sent the headers.
    fn confirm(&self, response: &Response) -> Result<Stored, Rejection> {
        let generation = generation(response);
        let (mut etag, mut crc64nvme) = (None, None);
        walk(&response.body, |path, text| {
            match path {
                "CompleteMultipartUploadResult/ETag" => etag = Some(unquote(text).to_owned()),
                "CompleteMultipartUploadResult/ChecksumCRC64NVME" => crc64nvme = parse_crc64nvme(text),
                _ => {}
            }
            Ok(())
        })?;
        let etag = etag.ok_or_else(|| Rejection::Unreadable("the answer has no ETag".to_owned()))?;
        let crc64nvme = self.crc64nvme.zip(crc64nvme).map(|(sent, stored)| ("CRC64NVME", sent == stored));
        let crc32c = self.crc32c.zip(crc32c_of_whole(response)).map(|(sent, stored)| ("CRC32C", sent == stored));
        match crc64nvme.or(crc32c) {
            Some((_, true)) => return Ok(Stored { etag, generation, verified: Verified::Yes }),
            Some((name, false)) => {
                return Err(Rejection::Corrupt(format!("the stored object's {name} is not that of its parts")));
            }
            None => {}
        }
        match self.compare_etag(&etag) {
            Some(false) => Err(Rejection::Corrupt(format!("the stored object's ETag {etag} is not that of its parts"))),
            Some(true) | None => Ok(Stored { etag, generation, verified: self.verified }),
        }
    }

    /// Whether the object there is what the parts make, and how surely:
    /// `None` where it isn't, or where nothing says so.
    fn compare(&self, head: &ObjectHead) -> Option<Verified> {
        if head.size != self.size {
            return None;
        }
        let crc64nvme = self.crc64nvme.zip(head.crc64nvme).map(|(sent, stored)| sent == stored);
        let crc32c = self.crc32c.zip(head.crc32c).map(|(sent, stored)| sent == stored);
        match crc64nvme.or(crc32c) {
            Some(is_same) => is_same.then_some(Verified::Yes),
            None => (self.compare_etag(&head.etag) == Some(true)).then_some(self.verified),
        }
    }

    /// Compares an ETag of the multipart form, if it is one; `None` where nothing follows from it.
    fn compare_etag(&self, etag: &str) -> Option<bool> {
        let is_multipart = etag.split_once('-').is_some_and(|(md5, parts)| {
            md5.len() == 32 && md5.bytes().all(|byte| byte.is_ascii_hexdigit()) && parts.parse::<u32>().is_ok()
        });
        let expected = self.etag.as_ref().filter(|_| is_multipart)?;
        let is_same = etag.eq_ignore_ascii_case(expected);
        (is_same || self.is_etag_certain).then_some(is_same)
    }
}

fn document(parts: &[&UploadedPart]) -> String {
    let mut document = String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for part in parts {
        document.push_str("<Part><ETag>\"");
        escape_into(&mut document, &part.etag);
        document.push_str("\"</ETag>");
        if let Some(crc) = part.crc64nvme() {
            document.push_str("<ChecksumCRC64NVME>");
            document.push_str(&format_crc64nvme(crc));
            document.push_str("</ChecksumCRC64NVME>");
        }
        // Writing to a string can't fail.
        let _ = write!(document, "<PartNumber>{}</PartNumber></Part>", part.number);
    }
    document.push_str("</CompleteMultipartUpload>");
    document
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;
    use crate::checksum::{crc32c, crc64nvme, md5};
    use crate::dialect::google;
    use crate::encoding::hex;
    use crate::hashing::Hashes;

    fn part(number: u32, content: &[u8], checksum: Checksum) -> UploadedPart {
        UploadedPart {
            number,
            size: content.len() as u64,
            etag: format!("e{number}"),
            checksum: Some(checksum),
            crc32c: None,
            verified: Verified::Yes,
        }
    }

    /// A part that was written by an earlier process: its ETag is an MD5.
    fn listed(number: u32, content: &[u8], crc64nvme: Option<u64>) -> UploadedPart {
        let checksum = crc64nvme.map(Checksum::Crc64Nvme);
        let verified = if checksum.is_some() { Verified::Yes } else { Verified::Unverifiable };
        UploadedPart { number, size: content.len() as u64, etag: hex(&md5(content)), checksum, crc32c: None, verified }
    }

    fn head(size: u64, etag: &str, crc64nvme: Option<u64>) -> ObjectHead {
        let etag = etag.to_owned();
        let (last_modified, metadata) = (UNIX_EPOCH, Vec::new());
        ObjectHead {
            size,
            etag,
            generation: None,
            version_id: None,
            last_modified,
            content_type: None,
            metadata,
            others: Vec::new(),
            undecodable: None,
            storage_class: None,
            archived: false,
            tags: 0,
            crc64nvme,
            crc32c: None,
            md5: None,
        }
    }

    fn answer(body: &str) -> Response {
        Response {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            hashes: Hashes::default(),
            after_lost_reply: false,
        }
    }

    fn result(etag: &str, crc: Option<u64>) -> Response {
        let crc = crc.map(|crc| format!("<ChecksumCRC64NVME>{}</ChecksumCRC64NVME>", format_crc64nvme(crc)));
        let etag = format!("<ETag>&quot;{etag}&quot;</ETag>");
        let crc = crc.unwrap_or_default();
        answer(&format!("<CompleteMultipartUploadResult>{etag}{crc}</CompleteMultipartUploadResult>"))
    }

    #[test]
    fn parts_are_named_in_order_with_their_checksums() {
        let parts = [part(1, b"1234", Checksum::Crc64Nvme(7)), part(2, b"5", Checksum::Md5([0; 16]))];
        let expected = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
            <Part><ETag>\"e1\"</ETag><ChecksumCRC64NVME>AAAAAAAAAAc=</ChecksumCRC64NVME><PartNumber>1</PartNumber></Part>\
            <Part><ETag>\"e2\"</ETag><PartNumber>2</PartNumber></Part></CompleteMultipartUpload>";
        assert_eq!(document(&parts.iter().collect::<Vec<_>>()), expected);
    }

    #[test]
    fn the_whole_is_confirmed_by_the_crc_of_its_parts() {
        let parts =
            [b"1234".as_slice(), b"56789"].map(|content| part(1, content, Checksum::Crc64Nvme(crc64nvme(content))));
        let whole = Whole::of(&parts.iter().collect::<Vec<_>>());
        assert_eq!((whole.size, whole.crc64nvme), (9, Some(crc64nvme(b"123456789"))));
        let right = whole.confirm(&result("x-2", whole.crc64nvme)).unwrap();
        assert_eq!(right, Stored { etag: "x-2".to_owned(), generation: None, verified: Verified::Yes });
        assert!(matches!(whole.confirm(&result("x-2", Some(1))), Err(Rejection::Corrupt(_))));
        // Each part was confirmed, which is all that can be known without an answer for the whole.
        assert_eq!(whole.confirm(&result("x-2", None)).unwrap().verified, Verified::Yes);
    }

    #[test]
    fn the_whole_is_confirmed_by_the_etag_of_its_parts() {
        let parts = [b"1234".as_slice(), b"56789"].map(|content| part(1, content, Checksum::Md5(md5(content))));
        let whole = Whole::of(&parts.iter().collect::<Vec<_>>());
        let etag = multipart_etag(&[md5(b"1234"), md5(b"56789")]);
        assert_eq!(whole.confirm(&result(&etag, None)).unwrap().verified, Verified::Yes);
        let other = multipart_etag(&[md5(b"1234"), md5(b"5678")]);
        assert!(matches!(whole.confirm(&result(&other, None)), Err(Rejection::Corrupt(_))));
        assert!(matches!(whole.confirm(&answer("<Html/>")), Err(Rejection::Unreadable(_))));

        let unsure = Whole { verified: Verified::Unverifiable, is_etag_certain: false, ..whole };
        assert_eq!(unsure.confirm(&result(&other, None)).unwrap().verified, Verified::Unverifiable);
    }

    #[test]
    fn listed_parts_and_written_ones_make_a_whole_that_is_as_sure_as_its_least_sure_part() {
        let (one, two) = (b"1234".as_slice(), b"56789".as_slice());
        let [crc_one, crc_two, crc] = [one, two, b"123456789"].map(crc64nvme);
        let etag = multipart_etag(&[md5(one), md5(two)]);
        let other = multipart_etag(&[md5(one), md5(b"5678")]);
        let (yes, unsure) = (Verified::Yes, Verified::Unverifiable);
        // The parts; the whole's CRC, whether it is verified, and whether another ETag is a proof.
        let table = [
            ([listed(1, one, Some(crc_one)), part(2, two, Checksum::Crc64Nvme(crc_two))], Some(crc), yes, false),
            ([listed(1, one, None), part(2, two, Checksum::Md5(md5(two)))], None, unsure, false),
            ([part(1, one, Checksum::Md5(md5(one))), part(2, two, Checksum::Md5(md5(two)))], None, yes, true),
            ([listed(1, one, None), listed(2, two, Some(crc_two))], None, unsure, false),
        ];
        for (parts, crc64nvme, verified, is_certain) in table {
            let whole = Whole::of(&parts.iter().collect::<Vec<_>>());
            assert_eq!((whole.crc64nvme, whole.verified, whole.is_etag_certain), (crc64nvme, verified, is_certain));
            let confirmed = |etag: &str| whole.confirm(&result(etag, None)).ok().map(|stored| stored.verified);
            assert_eq!(confirmed("x-2"), Some(verified));
            assert_eq!(confirmed(&other), (!is_certain).then_some(verified));
            assert_eq!(whole.compare(&head(8, &etag, None)), None, "another size");
            assert_eq!(whole.compare(&head(9, &other, None)), None, "another ETag");
            assert_eq!(whole.compare(&head(9, "x", None)), None, "an ETag that says nothing");
            if parts[1].etag.len() == 32 || is_certain {
                assert_eq!(whole.compare(&head(9, &etag, None)), Some(verified));
            }
            if crc64nvme.is_some() {
                assert_eq!(whole.compare(&head(9, "x", crc64nvme)), Some(yes));
                assert_eq!(whole.compare(&head(9, &etag, Some(1))), None, "another CRC");
            }
        }
    }

    /// At Google, where the ETag says nothing.
    #[test]
    fn what_was_put_together_is_known_by_its_crc32c() {
        let parts = [b"1234".as_slice(), b"56789".as_slice()].map(|content| UploadedPart {
            crc32c: Some(crc32c(content)),
            ..part(1, content, Checksum::Md5(md5(content)))
        });
        let whole = Whole { is_etag_certain: false, ..Whole::of(&parts.iter().collect::<Vec<_>>()) };
        let told = |hash| {
            let mut answer = result("opaque", None);
            answer.headers.insert(google::HASH, HeaderValue::from_static(hash));
            answer
        };
        assert_eq!(whole.confirm(&told("crc32c=4waSgw==")).unwrap().verified, Verified::Yes);
        assert!(matches!(whole.confirm(&told("crc32c=AAAAAA==")), Err(Rejection::Corrupt(_))));
        let there = |size, crc32c| ObjectHead { crc32c, ..head(size, "opaque", None) };
        assert_eq!(whole.compare(&there(9, Some(0xe306_9283))), Some(Verified::Yes));
        for other in [there(8, Some(0xe306_9283)), there(9, Some(1)), there(9, None)] {
            assert_eq!(whole.compare(&other), None, "{other:?}");
        }
        let of_others = [part(1, b"1234", Checksum::Md5([0; 16])), parts[1].clone()];
        assert_eq!(Whole::of(&of_others.iter().collect::<Vec<_>>()).crc32c, None, "of a listed one none is known");
    }
}
