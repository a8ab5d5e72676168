//! What befalls each call of a [`super::MemoryStore`], decided call by call: for simulations.

use std::time::Duration;

use bytes::Bytes;

use super::Call;
use crate::{Entry, Failure, Key};

/// Decides what befalls each call of a store, and watches what comes of it.
pub trait Fates: Send + Sync + 'static {
    /// What is to befall this call, which is about to be made.
    fn befalls(&self, call: Call, key: &Key) -> Fate;

    /// The call has reached the store, which does next what its fate lets it do. A page of
    /// [`crate::Store::list`] comes with the key that its range starts after, empty where that is the beginning.
    fn reached(&self, call: Call, key: &Key, range_start: Option<&Key>, strike: &Strike);

    /// An object has come, changed or gone. The store is locked meanwhile and must not be called.
    fn changed(&self, change: Change<'_>);

    /// Whether whoever made the call is still there at this step of it. Once
    /// they are not, it is neither done nor answered: it never ends.
    fn goes_on(&self, _call: Call, _key: &Key, _step: Step) -> bool {
        true
    }

    /// Whether a call that was dropped on its way to a bucket arrives there all
    /// the same, as a request does whose client was killed.
    fn arrives_all_the_same(&self, _call: Call, _key: &Key) -> bool {
        false
    }
}

/// A step of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is about to reach the store.
    Arrival,
    /// The answer is about to reach whoever called.
    Answer,
}

/// What befalls one call.
#[derive(Clone, Debug, Default)]
pub struct Fate {
    /// How long it takes to reach the store, by tokio's clock.
    pub to_store: Duration,
    /// What goes wrong there.
    pub strike: Strike,
    /// How long the answer takes to come back.
    pub from_store: Duration,
}

/// What goes wrong with a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Strike {
    /// Nothing.
    #[default]
    None,
    /// It is not done, and answered with this.
    Refused(Failure),
    /// It is done, but if that succeeds the caller gets this instead of the answer.
    AnswerLost(Failure),
}

/// An object that came, changed or went.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Its key.
    pub key: &'a Key,
    /// What was there, with its content; `None` where nothing was.
    pub before: Option<(&'a Entry, &'a Bytes)>,
    /// What is there now, with its content; `None` where nothing is.
    pub after: Option<(&'a Entry, &'a Bytes)>,
    /// Whether a call of the trait did it, and not somebody else ([`super::MemoryStore::put`]).
    pub by_call: bool,
}
