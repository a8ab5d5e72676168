//! Removes any number of objects, in as few requests as their keys allow.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{self, StreamExt};

use super::delete_objects::BATCH;
use crate::client::Bucket;
use crate::error::{Error, ErrorKind};
use crate::operations::{DeleteObject, HeadObject};
use crate::xml::can_carry;

/// Whether the service only failed for the moment, or forgot the key.
fn is_passing(outcome: &Result<(), Error>) -> bool {
    matches!(
        outcome.as_ref().map_err(Error::kind),
        Err(ErrorKind::ServerFault
            | ErrorKind::Throttled
            | ErrorKind::TimedOut
            | ErrorKind::Conflict
            | ErrorKind::BadAnswer)
    )
}

/// Whether the service may have removed it before it failed to.
fn is_after_lost_reply(outcome: &Result<(), Error>) -> bool {
    outcome.as_ref().is_err_and(Error::is_after_lost_reply)
}

impl Bucket {
    /// Removes objects. One result for each, in the same order; one that isn't
    /// there (any more) is a success. Keys that XML can't carry unchanged, and
    /// all of them where the provider isn't known to have `DeleteObjects`, are
    /// removed one by one, as are those that the service failed to remove for
    /// the moment, or of which its answer says nothing. What fails after an
    /// answer was lost is looked at: it is removed if nothing is there. Never
    /// more than `at_once` requests are under way.
    pub async fn delete_many(&self, objects: &[DeleteObject<'_>], at_once: NonZeroUsize) -> Vec<Result<(), Error>> {
        let mut lost_reply = false;
        let mut results: Vec<Option<Result<(), Error>>> = objects.iter().map(|_| None).collect();
        if self.deletes_in_bulk(objects.len()) {
            let together: Vec<usize> = (0..objects.len()).filter(|&place| can_carry(objects[place].key)).collect();
            for places in together.chunks(BATCH) {
                let batch: Vec<DeleteObject<'_>> = places.iter().map(|&place| objects[place]).collect();
                match self.delete_objects(&batch).await {
                    Ok(outcomes) => {
                        lost_reply |= outcomes.iter().any(is_after_lost_reply);
                        for (&place, outcome) in places.iter().zip(outcomes) {
                            // What only passes is tried again, on its own.
                            results[place] = Some(outcome).filter(|outcome| !is_passing(outcome));
                        }
                    }
                    // The service lacks it after all: one by one, then.
                    Err(error) if error.kind() == ErrorKind::NotImplemented => {}
                    Err(error) => {
                        for &place in places {
                            let error = error.clone().about(Some(self.name()), Some(objects[place].key));
                            results[place] = Some(Err(error));
                        }
                    }
                }
            }
        }
        let can_say = AtomicBool::new(true);
        let can_say = &can_say;
        // A loop and no closure: the compiler can't see that the future of one
        // that takes references is `Send`.
        let mut finished = Vec::with_capacity(objects.len());
        for (result, object) in results.into_iter().zip(objects) {
            finished.push(async move {
                let may_be_gone = match &result {
                    Some(result) => is_after_lost_reply(result),
                    None => lost_reply,
                };
                let result = match result {
                    Some(result) => result,
                    None => self.delete_object(*object).await,
                };
                match result {
                    // An attempt that got no answer may have removed it.
                    Err(error) if may_be_gone => self.look_whether_gone(object.key, error, can_say).await,
                    result => result,
                }
            });
        }
        stream::iter(finished).buffered(at_once.get()).collect().await
    }

    /// How many `DeleteObjects` and how many `DeleteObject` [`Bucket::delete_many`] sends for these keys, if nothing
    /// fails.
    #[must_use]
    pub fn requests_to_delete(&self, keys: &[String]) -> (u64, u64) {
        let together =
            if self.deletes_in_bulk(keys.len()) { keys.iter().filter(|key| can_carry(key)).count() } else { 0 };
        (together.div_ceil(BATCH) as u64, (keys.len() - together) as u64)
    }

    fn deletes_in_bulk(&self, objects: usize) -> bool {
        self.dialect().bulk_delete.is_certain() && objects > 1
    }

    /// Looks whether a removal that was not confirmed was carried out. Once the
    /// service can't say, it is not asked again: a thousand keys would wait.
    async fn look_whether_gone(&self, key: &str, refused: Error, can_say: &AtomicBool) -> Result<(), Error> {
        if !can_say.load(Ordering::Relaxed) {
            return Err(refused);
        }
        match self.head_object(HeadObject { key, ..HeadObject::default() }).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            found => {
                can_say.fetch_and(found.is_ok(), Ordering::Relaxed);
                Err(refused)
            }
        }
    }
}
