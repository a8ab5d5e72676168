//! Whether a CRC-64/NVME is checked on the way in, and given back.

use http::{HeaderName, HeaderValue, Method};

use super::scratch::{Scratch, Tried, body};
use super::trial::{Outcome, Try};
use crate::bucket::Bucket;
use crate::checksum::{CRC64NVME, Checksum, Verified, crc64nvme as crc_of};
use crate::dialect::{Fact, Support};
use crate::error::ErrorKind;
use crate::operations::{
    CompleteMultipartUpload, Condition, CreateMultipartUpload, DeleteObject, Operation, PutObject, UploadPart,
};
use crate::request::Request;

const CONTENT: &str = "checked";

/// `x-amz-checksum-crc64nvme`, right and wrong.
pub(super) async fn crc64nvme(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let wrong = scratch.key("checksum/wrong")?;
    for _ in 0..scratch.refusals() {
        scratch.go_on()?;
        let (name, value) = wrong_checksum();
        let request = Request::new(Operation::PutObject, Method::PUT)
            .bucket(scratch.tried.name())
            .key(&wrong)
            .header(name, value)
            .body(body(CONTENT));
        let answer = scratch.tried.client().send_for(&request, |_| Ok(())).await;
        let outcome = match answer {
            // Whatever it is called: it objects to the content, or to the checksum.
            Err(error) if error.kind() == ErrorKind::Other && error.status() == Some(400) => Outcome::Right,
            answer => Outcome::of_refusal(answer, &[ErrorKind::Corrupt], "taken all the same"),
        };
        tries.push(Try::of("with a wrong checksum", outcome));
    }
    if tries.iter().all(|one| one.outcome == Outcome::Right) {
        let outcome = scratch.look(&wrong, None, "the object was written all the same").await?;
        tries.push(Try::of("a look after the refusals", outcome));
    }
    let bucket = scratch.tried.assuming(scratch.tried.dialect().with(Fact::Crc64Nvme, Support::Yes));
    for number in 0..scratch.successes() {
        let key = scratch.key(&format!("checksum/right-{number}"))?;
        let object = PutObject { key: &key, body: body(CONTENT), ..PutObject::default() };
        let outcome = match bucket.put_object(object).await {
            Ok(stored) if stored.verified == Verified::Unverifiable => {
                Outcome::Wrong("taken, and not given back".to_owned())
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => Outcome::Wrong(error.reason()),
            answer => Outcome::of_success(answer),
        };
        tries.push(Try::of("with the right checksum", outcome));
    }
    in_bulk(scratch, &bucket, tries).await?;
    in_parts(scratch, &bucket, tries).await
}

/// `DeleteObjects`, where there is one, takes this checksum too.
async fn in_bulk(scratch: &Scratch<'_>, bucket: &Bucket, tries: &mut Vec<Try>) -> Tried {
    let (key, _) = scratch.put("checksum/gone", CONTENT).await?;
    let objects = [DeleteObject { key: &key, if_match: None, ..DeleteObject::default() }];
    let without = scratch.tried.assuming(scratch.tried.dialect().with(Fact::Crc64Nvme, Support::No));
    match Outcome::of_success(without.delete_objects(&objects).await) {
        Outcome::Wrong(_) => return Ok(()),
        outcome => tries.push(Try::of("deleting many without one", outcome)),
    }
    for _ in 0..scratch.successes() {
        scratch.go_on()?;
        tries.push(Try::of("deleting many", Outcome::of_success(bucket.delete_objects(&objects).await)));
    }
    Ok(())
}

/// An upload of one part.
async fn in_parts(scratch: &Scratch<'_>, bucket: &Bucket, tries: &mut Vec<Try>) -> Tried {
    for number in 0..scratch.successes() {
        let key = scratch.key(&format!("checksum/parts-{number}"))?;
        let begun = bucket.create_multipart_upload(CreateMultipartUpload { key: &key, ..Default::default() }).await;
        let id = match begun {
            Ok(begun) => begun.upload_id,
            Err(error) => {
                tries.push(Try::of("beginning an upload", Outcome::of_error(&error)));
                return Ok(());
            }
        };
        scratch.began(&key, &id);
        scratch.go_on()?;
        let part = UploadPart { key: &key, upload_id: &id, number: 1, body: body(CONTENT) };
        let part = match bucket.upload_part(part).await {
            Ok(part) => part,
            Err(error) => {
                tries.push(Try::of("a part with the right checksum", Outcome::of_error(&error)));
                return Ok(());
            }
        };
        scratch.go_on()?;
        let (upload_id, parts) = (id.as_str(), [part]);
        let upload = CompleteMultipartUpload {
            key: &key,
            upload_id,
            parts: &parts,
            condition: Condition::Always,
            resumed: false,
        };
        let answer = bucket.complete_multipart_upload(upload).await;
        tries.push(Try::of("an upload of one part", Outcome::of_success(answer)));
    }
    Ok(())
}

fn wrong_checksum() -> (HeaderName, HeaderValue) {
    let (_, value) = Checksum::Crc64Nvme(crc_of(CONTENT.as_bytes()) ^ 1).header();
    (CRC64NVME, value)
}
