//! Whether deletions keep to conditions, and whether many at once are accounted for.

use super::conditions::WRONG;
use super::scratch::{Scratch, Tried};
use super::trial::{Outcome, Try};
use crate::error::ErrorKind;
use crate::operations::DeleteObject;

const DELETED: &str = "the object was deleted all the same";

/// `DeleteObject` with `If-Match`.
pub(super) async fn one_if_match(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let mut objects = Vec::new();
    for number in 0..scratch.refusals() {
        objects.push(scratch.put(&format!("delete/{number}"), "first").await?);
    }
    for (key, _) in &objects {
        scratch.go_on()?;
        let answer =
            scratch.tried.delete_object(DeleteObject { key, if_match: Some(WRONG), ..DeleteObject::default() }).await;
        let outcome = Outcome::of_refusal(answer, &[ErrorKind::PreconditionFailed], "answered as deleted");
        tries.push(Try::of("with a wrong ETag", outcome));
    }
    for ((key, etag), one) in objects.iter().zip(tries.clone()) {
        if one.outcome == Outcome::Right {
            let outcome = scratch.look(key, Some(etag), DELETED).await?;
            tries.push(Try::of("a look after the refusals", outcome));
        }
    }
    for (key, etag) in objects.iter().take(scratch.successes()) {
        scratch.go_on()?;
        let answer =
            scratch.tried.delete_object(DeleteObject { key, if_match: Some(etag), ..DeleteObject::default() }).await;
        tries.push(Try::of("with the right ETag", Outcome::of_success(answer)));
    }
    for (key, _) in objects.iter().take(scratch.successes()) {
        let outcome = scratch.look(key, None, "the object is still there").await?;
        tries.push(Try::of("a look after the deletions", outcome));
    }
    Ok(())
}

/// `DeleteObjects`: each key must be accounted for, also one that isn't there, and no other one be gone.
pub(super) async fn many(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let kinds = ["a key with `&` and `<`", "a key with a blank", "a key that is not there"];
    let mut rounds = Vec::new();
    for number in 0..scratch.successes() {
        let (kept, etag) = scratch.put(&format!("bulk/{number}/kept"), "first").await?;
        let (one, _) = scratch.put(&format!("bulk/{number}/&<one>"), "first").await?;
        let (two, _) = scratch.put(&format!("bulk/{number}/two two"), "first").await?;
        rounds.push((kept, etag, [one, two, scratch.key(&format!("bulk/{number}/missing"))?]));
    }
    for (_, _, keys) in &rounds {
        scratch.go_on()?;
        let objects = keys.each_ref().map(|key| DeleteObject { key, if_match: None, ..DeleteObject::default() });
        match scratch.tried.delete_objects(&objects).await {
            Ok(accounts) => {
                for (what, account) in kinds.into_iter().zip(accounts) {
                    let outcome = match account {
                        Err(error) if error.kind() == ErrorKind::BadAnswer => Outcome::Wrong(error.reason()),
                        account => Outcome::of_success(account),
                    };
                    tries.push(Try::of(what, outcome));
                }
            }
            Err(error) => tries.push(Try::of("the request", Outcome::of_error(&error))),
        }
    }
    if tries.iter().any(|one| one.outcome != Outcome::Right) {
        return Ok(());
    }
    for (kept, etag, keys) in &rounds {
        let outcome = scratch.look(kept, Some(etag), "a key is gone that was not asked for").await?;
        tries.push(Try::of("a look at what should be left", outcome));
        for key in keys {
            let outcome = scratch.look(key, None, "a key is still there").await?;
            tries.push(Try::of("a look at what should be gone", outcome));
        }
    }
    Ok(())
}

/// `DeleteObjects` with an `ETag` for each key, one of them wrong.
pub(super) async fn many_if_match(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let mut rounds = Vec::new();
    for number in 0..scratch.refusals() {
        let kept = scratch.put(&format!("bulk-match/{number}/kept"), "first").await?;
        rounds.push((kept, scratch.put(&format!("bulk-match/{number}/gone"), "first").await?));
    }
    for ((kept, _), (gone, etag)) in &rounds {
        scratch.go_on()?;
        let objects = [(kept, WRONG), (gone, etag)].map(|(key, etag)| DeleteObject {
            key,
            if_match: Some(etag),
            ..DeleteObject::default()
        });
        match scratch.tried.delete_objects(&objects).await {
            Ok(mut accounts) => {
                let (right, wrong) = (accounts.pop(), accounts.pop());
                let as_it_should = [ErrorKind::PreconditionFailed];
                let outcome = wrong.map(|wrong| Outcome::of_refusal(wrong, &as_it_should, "answered as deleted"));
                tries.extend(outcome.map(|outcome| Try::of("a key with a wrong ETag", outcome)));
                let outcome = right.map(Outcome::of_success);
                tries.extend(outcome.map(|outcome| Try::of("a key with the right ETag", outcome)));
            }
            Err(error) => tries.push(Try::of("a key with a wrong ETag", Outcome::of_error(&error))),
        }
    }
    if tries.iter().all(|one| one.outcome == Outcome::Right) {
        for ((kept, etag), (gone, _)) in &rounds {
            let outcome = scratch.look(kept, Some(etag), DELETED).await?;
            tries.push(Try::of("a look after the refusals", outcome));
            let outcome = scratch.look(gone, None, "the object is still there").await?;
            tries.push(Try::of("a look after the deletions", outcome));
        }
    }
    Ok(())
}
