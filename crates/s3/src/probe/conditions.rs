//! Whether `PutObject` keeps to conditions.

use super::scratch::{Halt, Scratch, Tried, body};
use super::trial::{Outcome, Try};
use crate::error::{Error, ErrorKind};
use crate::operations::{Condition, PutObject, Stored};

/// What an object that is there still has to be after a write that must be refused.
const OVERWRITTEN: &str = "the object was overwritten all the same";
/// An ETag that nothing has.
pub(super) const WRONG: &str = "00000000000000000000000000000000";

/// `If-None-Match: *`.
pub(super) async fn put_if_absent(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let (key, etag) = scratch.put("put/absent", "first").await?;
    refused(scratch, tries, "where an object is", (&key, Some(&etag)), Condition::IfAbsent).await?;
    for number in 0..scratch.successes() {
        let key = scratch.key(&format!("put/absent-{number}"))?;
        let outcome = Outcome::of_success(put(scratch, &key, "first", Condition::IfAbsent).await);
        tries.push(Try::of("where nothing is", outcome));
    }
    Ok(())
}

/// `If-Match`.
pub(super) async fn put_if_match(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let (key, mut etag) = scratch.put("put/match", "first").await?;
    refused(scratch, tries, "with a wrong ETag", (&key, Some(&etag)), Condition::IfMatch(WRONG)).await?;
    let missing = scratch.key("put/missing")?;
    refused(scratch, tries, "where nothing is", (&missing, None), Condition::IfMatch(WRONG)).await?;
    for number in 0..scratch.successes() {
        scratch.go_on()?;
        let stored = put(scratch, &key, &format!("right {number}"), Condition::IfMatch(&etag)).await;
        if let Ok(stored) = &stored {
            etag.clone_from(&stored.etag);
        }
        tries.push(Try::of("with the right ETag", Outcome::of_success(stored)));
    }
    Ok(())
}

/// Writes that must be refused, in a row, and then a look at what is there: what is refused must not be done.
async fn refused(
    scratch: &Scratch<'_>,
    tries: &mut Vec<Try>,
    what: &'static str,
    (key, etag): (&str, Option<&str>),
    condition: Condition<'_>,
) -> Result<(), Halt> {
    let as_it_should = [ErrorKind::PreconditionFailed, ErrorKind::NotFound];
    for number in 0..scratch.refusals() {
        scratch.go_on()?;
        let answer = put(scratch, key, &format!("{what}, {number}"), condition).await;
        tries.push(Try::of(what, Outcome::of_refusal(answer, &as_it_should, "written all the same")));
    }
    if tries.iter().all(|one| one.outcome == Outcome::Right) {
        let outcome = scratch.look(key, etag, OVERWRITTEN).await?;
        tries.push(Try::of("a look after the refusals", outcome));
    }
    Ok(())
}

async fn put(scratch: &Scratch<'_>, key: &str, content: &str, condition: Condition<'_>) -> Result<Stored, Error> {
    scratch.tried.put_object(PutObject { key, body: body(content), condition, ..PutObject::default() }).await
}
