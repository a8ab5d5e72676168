//! How a call of a [`MemoryStore`] is made: it travels, arrives, is done there, and answered.

use std::future::pending;
use std::marker::PhantomData;

use super::{Call, Fate, Fates, MemoryStore, State, Step, Strike};
use crate::{Failure, Key, Kind};

impl MemoryStore {
    /// Makes a call, which is logged when it reaches the store, and done there unless it is to fail.
    pub(super) async fn call<T>(
        &self,
        call: Call,
        key: &Key,
        act: impl FnOnce(&mut State) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        self.travel(call, key, None, act).await
    }

    /// Makes the call of a page of a listing: what comes after a key, of the range that starts after another.
    pub(super) async fn call_page<T>(
        &self,
        call: Call,
        after: &Key,
        range_start: &Key,
        act: impl FnOnce(&mut State) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        self.travel(call, after, Some(range_start), act).await
    }

    async fn travel<T>(
        &self,
        call: Call,
        key: &Key,
        range_start: Option<&Key>,
        act: impl FnOnce(&mut State) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        let fates = self.state().fates.clone();
        let Some(fates) = fates else { return self.reach(call, key, act) };
        let Fate { to_store, strike, from_store } = fates.befalls(call, key);
        let fates = fates.as_ref();
        let (act, answer) = (Some(act), PhantomData);
        let mut on_its_way = OnItsWay { store: self, fates, call, key, range_start, strike, act, answer };
        tokio::time::sleep(to_store).await;
        if !fates.goes_on(call, key, Step::Arrival) {
            return pending().await;
        }
        let result = on_its_way.arrive();
        tokio::time::sleep(from_store).await;
        if !fates.goes_on(call, key, Step::Answer) {
            return pending().await;
        }
        result
    }

    fn reach<T>(
        &self,
        call: Call,
        key: &Key,
        act: impl FnOnce(&mut State) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut state = self.state();
        state.calls.push((call, key.clone()));
        match state.faults.strike(call, key) {
            Some(failure) => Err(failure),
            None => act(&mut state),
        }
    }
}

/// A call on its way to the store. Dropped there, it may arrive all the same.
struct OnItsWay<'a, T, A: FnOnce(&mut State) -> Result<T, Failure>> {
    store: &'a MemoryStore,
    fates: &'a dyn Fates,
    call: Call,
    key: &'a Key,
    range_start: Option<&'a Key>,
    strike: Strike,
    /// What is to be done there; gone once it has arrived.
    act: Option<A>,
    answer: PhantomData<fn() -> T>,
}

impl<T, A: FnOnce(&mut State) -> Result<T, Failure>> OnItsWay<'_, T, A> {
    fn arrive(&mut self) -> Result<T, Failure> {
        let Some(act) = self.act.take() else {
            return Err(Failure::new(crate::FailureKind::Failed, "a call arrives once"));
        };
        self.fates.reached(self.call, self.key, self.range_start, &self.strike);
        match &self.strike {
            Strike::None => self.store.reach(self.call, self.key, act),
            Strike::Refused(failure) => self.store.reach(self.call, self.key, |_| Err(failure.clone())),
            Strike::AnswerLost(failure) => self.store.reach(self.call, self.key, act).and(Err(failure.clone())),
        }
    }
}

impl<T, A: FnOnce(&mut State) -> Result<T, Failure>> Drop for OnItsWay<'_, T, A> {
    fn drop(&mut self) {
        let is_request = self.store.options.kind == Kind::Remote;
        if self.act.is_some() && is_request && self.fates.arrives_all_the_same(self.call, self.key) {
            // Nobody is left to hear the answer.
            drop(self.arrive());
        }
    }
}
