//! Permits: what bounds a run, in requests in flight and in bytes of memory.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of memory that one permit stands for.
const MEMORY_UNIT: u64 = 4096;

/// The permits of a run.
///
/// They are taken in one order: an object's place, then memory, then a
/// request. None is held while one that comes before it is waited for, so
/// there can be no deadlock.
#[derive(Clone, Debug)]
pub(crate) struct Permits {
    objects: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    memory_units: u32,
}

/// A permit, given back when it is dropped. A semaphore of ours is never
/// closed, so there always is one.
pub(crate) type Permit = Option<OwnedSemaphorePermit>;

impl Permits {
    /// So many objects, and requests, at once, with so many bytes of content in memory.
    pub(crate) fn new(jobs: usize, memory: u64) -> Self {
        let jobs = jobs.clamp(1, Semaphore::MAX_PERMITS);
        let memory_units = units(memory);
        Self {
            objects: Arc::new(Semaphore::new(jobs)),
            requests: Arc::new(Semaphore::new(jobs)),
            memory: Arc::new(Semaphore::new(memory_units as usize)),
            memory_units,
        }
    }

    /// Waits for a place for one more object.
    pub(crate) async fn object(&self) -> Permit {
        self.objects.clone().acquire_owned().await.ok()
    }

    /// Waits for memory for so many bytes; for more than there is, it waits for all of it.
    pub(crate) async fn memory(&self, bytes: u64) -> Permit {
        let wanted = units(bytes).min(self.memory_units);
        self.memory.clone().acquire_many_owned(wanted).await.ok()
    }

    /// Waits until one more request may be in flight.
    pub(crate) async fn request(&self) -> Permit {
        self.requests.clone().acquire_owned().await.ok()
    }
}

fn units(bytes: u64) -> u32 {
    let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
    u32::try_from(bytes.div_ceil(MEMORY_UNIT)).unwrap_or(most).clamp(1, most)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn no_more_is_given_than_there_is() {
        let permits = Permits::new(2, 3 * MEMORY_UNIT);
        let held: Vec<Permit> = (0..2).filter_map(|_| permits.request().now_or_never()).collect();
        assert_eq!(held.len(), 2);
        assert!(permits.request().now_or_never().is_none(), "a third request waits");
        let held = permits.memory(2 * MEMORY_UNIT).now_or_never();
        assert!(held.is_some());
        assert!(permits.memory(MEMORY_UNIT + 1).now_or_never().is_none(), "two units are more than is left");
        assert!(permits.memory(MEMORY_UNIT).now_or_never().is_some());
    }

    #[test]
    fn what_needs_more_than_there_is_gets_all_of_it() {
        let permits = Permits::new(0, 0);
        assert!(permits.request().now_or_never().is_some(), "there is always one");
        let held = permits.memory(u64::MAX).now_or_never();
        assert!(held.is_some());
        assert!(permits.memory(1).now_or_never().is_none());
        drop(held);
        assert!(permits.memory(1).now_or_never().is_some());
    }
}
