//! The parts of a service that hold the keys of one prefix each.
//!
//! S3 lets through so many requests a second for each of its partitions, and says only that it
//! splits keys among them by prefixes of its own choice
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>). A directory is
//! the smallest that is worth telling apart: where more than one is refused too much, all are held back.

use std::collections::HashMap;

use tokio::time::Instant;

use super::service::Service;

/// How many are known at once at most: those that were asked last.
const MOST: usize = 64;

/// What each prefix takes.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    known: HashMap<Box<str>, Known>,
}

#[derive(Debug)]
struct Known {
    service: Service,
    asked: Instant,
}

impl Prefixes {
    /// Does this with what is known of the directory that the key is in.
    pub(super) fn with<T>(&mut self, key: &str, does: impl FnOnce(&mut Service) -> T) -> T {
        let (now, prefix) = (Instant::now(), &key[..key.rfind('/').map_or(0, |end| end + 1)]);
        if let Some(known) = self.known.get_mut(prefix) {
            known.asked = now;
            return does(&mut known.service);
        }
        self.make_room(now);
        let mut service = Service::new(now);
        let done = does(&mut service);
        self.known.insert(prefix.into(), Known { service, asked: now });
        done
    }

    /// Forgets the one that was asked the longest time ago, and of those that are held back none while there is
    /// another.
    fn make_room(&mut self, now: Instant) {
        if self.known.len() < MOST {
            return;
        }
        let rank = |known: &Known| (known.service.deals_with_refusals(now), known.asked);
        let oldest = self.known.iter().min_by_key(|(_, known)| rank(known)).map(|(prefix, _)| prefix.clone());
        if let Some(oldest) = oldest {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_so_many_are_known_and_those_that_refuse_stay() {
        let mut prefixes = Prefixes::default();
        for _ in 0..100 {
            prefixes.with("hot/key", |service| service.refuse(Instant::now()));
        }
        for number in 0..1000 {
            prefixes.with(&format!("d/{number}/key"), |_| ());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(prefixes.known.len(), MOST);
        assert!(prefixes.known.contains_key("hot/") && prefixes.known.contains_key("d/999/"));
        prefixes.with("no directory", |_| ());
        assert!(prefixes.known.contains_key(""));
    }
}
