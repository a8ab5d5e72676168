//! Whether a CRC-64/NVME is checked on the way in, and given back.

use http::{HeaderName, HeaderValue, Method};

use super::scratch::{Scratch, Tried, body};
use super::trial::{Outcome, Try};
use crate::checksum::{CRC64NVME, Checksum, Verified, crc64nvme as crc_of};
use crate::dialect::{Fact, Support};
use crate::error::ErrorKind;
use crate::operations::{Operation, PutObject};
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
    Ok(())
}

fn wrong_checksum() -> (HeaderName, HeaderValue) {
    let (_, value) = Checksum::Crc64Nvme(crc_of(CONTENT.as_bytes()) ^ 1).header();
    (CRC64NVME, value)
}
