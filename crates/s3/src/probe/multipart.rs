//! Whether `CompleteMultipartUpload` keeps to conditions, and the limits of uploads.

use bytes::Bytes;

use super::conditions::WRONG;
use super::scratch::{Halt, Scratch, Tried, body};
use super::trial::{Outcome, Try};
use crate::error::{Error, ErrorKind};
use crate::operations::{CompleteMultipartUpload, Condition, Stored, UploadPart, UploadedPart};

/// Bytes of the shortest part that isn't the last one
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const SHORTEST: usize = 5 << 20;
/// The last number that a part can have (the same page).
const LAST_NUMBER: u32 = 10_000;

/// `If-None-Match: *` and `If-Match`, where an object is and where none is. A
/// part may have any length as the last one, so that these are of a few bytes.
pub(super) async fn conditions(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let (key, etag) = scratch.put("complete/there", "first").await?;
    let refusals = [("where an object is", Condition::IfAbsent), ("with a wrong ETag", Condition::IfMatch(WRONG))];
    for (what, condition) in refusals {
        let uploads = prepared(scratch, "complete/there", scratch.refusals()).await?;
        for (_, id, part) in uploads {
            scratch.go_on()?;
            let answer = complete(scratch, &key, &id, &[part], condition).await;
            let as_it_should = [ErrorKind::PreconditionFailed];
            tries.push(Try::of(what, Outcome::of_refusal(answer, &as_it_should, "written all the same")));
        }
        if tries.iter().all(|one| one.outcome == Outcome::Right) {
            let outcome = scratch.look(&key, Some(&etag), "the object was overwritten all the same").await?;
            tries.push(Try::of("a look after the refusals", outcome));
        }
    }
    for number in 0..scratch.successes() {
        let uploads = prepared(scratch, &format!("complete/new-{number}"), 1).await?;
        for (key, id, part) in uploads {
            let answer = complete(scratch, &key, &id, &[part], Condition::IfAbsent).await;
            tries.push(Try::of("where nothing is", Outcome::of_success(answer)));
        }
    }
    let mut etag = scratch.etag(&key).await?.unwrap_or_default();
    for (_, id, part) in prepared(scratch, "complete/there", scratch.successes()).await? {
        let answer = complete(scratch, &key, &id, &[part], Condition::IfMatch(&etag)).await;
        if let Ok(stored) = &answer {
            etag.clone_from(&stored.etag);
        }
        tries.push(Try::of("with the right ETag", Outcome::of_success(answer)));
    }
    Ok(())
}

/// An object of two parts, the first one of the least length.
pub(super) async fn two_parts(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let (key, id) = scratch.begin_upload("parts/two").await?;
    let parts = [
        scratch.part(&key, &id, 1, Bytes::from(vec![b'.'; SHORTEST])).await?,
        scratch.part(&key, &id, 2, body("last")).await?,
    ];
    scratch.go_on()?;
    let answer = complete(scratch, &key, &id, &parts, Condition::Always).await;
    tries.push(Try::of("parts of 5 MiB and 4 bytes", Outcome::of_success(answer)));
    Ok(())
}

/// Whether a part that is too short is refused, at the latest when the object is made.
pub(super) async fn short_part(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let (key, id) = scratch.begin_upload("parts/short").await?;
    let parts = [scratch.part(&key, &id, 1, body("short")).await?, scratch.part(&key, &id, 2, body("last")).await?];
    scratch.go_on()?;
    let answer = complete(scratch, &key, &id, &parts, Condition::Always).await;
    tries.push(Try::of("a first part of 5 bytes", objected(answer)));
    Ok(())
}

/// Whether a part of a number that is too high is refused.
pub(super) async fn part_number(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let (key, id) = scratch.begin_upload("parts/number").await?;
    scratch.go_on()?;
    let part = UploadPart { key: &key, upload_id: &id, number: LAST_NUMBER + 1, body: body("too many") };
    let answer = scratch.tried.upload_part(part).await;
    tries.push(Try::of("a part of the number 10,001", objected(answer)));
    Ok(())
}

/// Of a request that must be refused as one that can't be.
fn objected<T>(answer: Result<T, Error>) -> Outcome {
    match answer {
        Ok(_) => Outcome::Wrong("taken".to_owned()),
        Err(error) if error.kind() == ErrorKind::Other && error.status() == Some(400) => Outcome::Right,
        Err(error) => Outcome::Undecided(error.reason()),
    }
}

/// Uploads of one part, which only have to be completed.
async fn prepared(
    scratch: &Scratch<'_>,
    name: &str,
    number: usize,
) -> Result<Vec<(String, String, UploadedPart)>, Halt> {
    let mut uploads = Vec::new();
    for number in 0..number {
        let (key, id) = scratch.begin_upload(name).await?;
        let part = scratch.part(&key, &id, 1, body(&format!("upload {number}"))).await?;
        uploads.push((key, id, part));
    }
    Ok(uploads)
}

async fn complete(
    scratch: &Scratch<'_>,
    key: &str,
    upload_id: &str,
    parts: &[UploadedPart],
    condition: Condition<'_>,
) -> Result<Stored, Error> {
    let upload = CompleteMultipartUpload { key, upload_id, parts, condition, resumed: false };
    scratch.tried.complete_multipart_upload(upload).await
}
