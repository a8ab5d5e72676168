//! How much a store holds: objects and bytes, of the whole and of its directories, in one pass over its listing.

use std::sync::Arc;

use brigade_store::{Entry, Key, KeyRange, Listed, Order, Store, Unknown};

use crate::listing::{Broken, OrderedListing, Ordering};

/// What a place holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Objects, those that stand for directories as well.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What is told while a store is measured.
#[derive(Debug)]
pub enum Measured<'a> {
    /// A directory is at its end: those in it were told before.
    Directory {
        /// What all its keys begin with: it ends in `/`.
        prefix: &'a Key,
        /// What it holds, at any depth.
        usage: Usage,
    },
    /// What the store could not tell of.
    Unknown(&'a Unknown),
}

/// Measures a store, and of its directories those that lie no deeper than this: 1 is just below the root. Memory
/// depends on neither. A listing that turns out to be in another order than by bytes is sorted; to tell of directories,
/// also one that is only presumed to be in it.
pub async fn measure(
    store: &Arc<dyn Store>,
    depth: usize,
    tell: &mut impl FnMut(Measured<'_>),
) -> Result<Usage, Broken> {
    let ordering = match store.capabilities().order {
        Order::ByBytes => Ordering::AsListed,
        // What was told of a directory can't be taken back, while a sum can be begun again.
        Order::Presumed if depth == 0 => Ordering::AsListed,
        Order::Presumed | Order::Other => Ordering::Sorted,
    };
    match measure_as(store, depth, ordering, tell).await {
        // Also where a listing began again because a page was refused: what comes twice is counted once.
        Err(Broken::OutOfOrder { .. }) if depth == 0 => measure_as(store, depth, Ordering::Sorted, tell).await,
        measured => measured,
    }
}

async fn measure_as(
    store: &Arc<dyn Store>,
    depth: usize,
    ordering: Ordering,
    tell: &mut impl FnMut(Measured<'_>),
) -> Result<Usage, Broken> {
    let mut directories = Directories::new(depth);
    let mut listing = OrderedListing::start(store, &KeyRange::everything(), ordering);
    while let Some(page) = listing.next_page().await? {
        for listed in &page {
            directories.take(listed, tell);
        }
    }
    Ok(directories.end(tell))
}

/// The directories that the last key lies in, as deep as they are told, and what is known of them.
#[derive(Debug)]
struct Directories {
    depth: usize,
    all: Usage,
    open: Vec<(Key, Usage)>,
}

impl Directories {
    fn new(depth: usize) -> Self {
        Self { depth, all: Usage::default(), open: Vec::new() }
    }

    /// Takes the next item, in byte order if directories are told.
    fn take(&mut self, listed: &Listed, tell: &mut impl FnMut(Measured<'_>)) {
        match listed {
            Listed::Present(entry) => self.add(entry, tell),
            Listed::Unknown(unknown) if unknown.is_reach_of_symlink() => {}
            Listed::Unknown(unknown) => tell(Measured::Unknown(unknown)),
        }
    }

    fn add(&mut self, entry: &Entry, tell: &mut impl FnMut(Measured<'_>)) {
        let key = entry.key.as_bytes();
        while let Some((prefix, usage)) = self.open.pop_if(|(prefix, _)| !key.starts_with(prefix.as_bytes())) {
            tell(Measured::Directory { prefix: &prefix, usage });
        }
        let from = self.open.last().map_or(0, |(prefix, _)| prefix.as_bytes().len());
        let slashes = key.iter().enumerate().skip(from).filter(|&(_, &byte)| byte == b'/').map(|(place, _)| place);
        for slash in slashes.take(self.depth - self.open.len()) {
            self.open.push((Key::new(&key[..=slash]), Usage::default()));
        }
        for usage in self.open.iter_mut().map(|(_, usage)| usage).chain([&mut self.all]) {
            usage.objects += 1;
            usage.bytes += entry.size;
        }
    }

    /// There are no more: what all of them hold.
    fn end(mut self, tell: &mut impl FnMut(Measured<'_>)) -> Usage {
        while let Some((prefix, usage)) = self.open.pop() {
            tell(Measured::Directory { prefix: &prefix, usage });
        }
        self.all
    }
}

#[cfg(test)]
mod tests {
    use brigade_store::memory::{MemoryOptions, MemoryStore, Sequence};
    use brigade_store::{Extent, UnknownReason};

    use super::*;

    /// What is told, a line for each directory, and the whole at the end.
    async fn told(store: &MemoryStore, depth: usize) -> Vec<String> {
        let store: Arc<dyn Store> = Arc::new(store.clone());
        let mut lines = Vec::new();
        let mut tell = |measured: Measured<'_>| {
            lines.push(match measured {
                Measured::Directory { prefix, usage } => format!("{prefix} {} {}", usage.objects, usage.bytes),
                Measured::Unknown(unknown) => format!("{} unknown", unknown.key),
            });
        };
        let all = measure(&store, depth, &mut tell).await.unwrap();
        lines.push(format!("all {} {}", all.objects, all.bytes));
        lines
    }

    fn filled(options: MemoryOptions) -> MemoryStore {
        let store = MemoryStore::new(options);
        for key in ["a-b", "a/", "a/b/c", "a/b/d/e", "a/x", "a0", "b//c", "z"] {
            store.put(key, key);
        }
        store
    }

    #[tokio::test]
    async fn each_directory_is_told_with_all_that_is_in_it() {
        let store = filled(MemoryOptions { page_size: 2, ..MemoryOptions::remote() });
        assert_eq!(told(&store, 0).await, ["all 8 27"]);
        assert_eq!(told(&store, 1).await, ["a/ 4 17", "b/ 1 4", "all 8 27"]);
        assert_eq!(told(&store, 2).await, ["a/b/ 2 12", "a/ 4 17", "b// 1 4", "b/ 1 4", "all 8 27"]);
        let all = ["a/b/d/ 1 7", "a/b/ 2 12", "a/ 4 17", "b// 1 4", "b/ 1 4", "all 8 27"];
        assert_eq!(told(&store, 9).await, all);
        assert_eq!(told(&MemoryStore::remote(), 1).await, ["all 0 0"]);
    }

    #[tokio::test]
    async fn a_listing_in_another_order_is_sorted() {
        for order in [Order::Presumed, Order::Other] {
            let sequence = Sequence::SlashFirst;
            let store = filled(MemoryOptions { order, sequence, page_size: 3, ..MemoryOptions::remote() });
            assert_eq!(told(&store, 0).await, ["all 8 27"], "{order:?}");
            assert_eq!(told(&store, 1).await, ["a/ 4 17", "b/ 1 4", "all 8 27"], "{order:?}");
        }
    }

    #[tokio::test]
    async fn an_order_that_is_broken_after_all_is_an_error_where_something_was_told() {
        let options = MemoryOptions { sequence: Sequence::SlashFirst, page_size: 3, ..MemoryOptions::remote() };
        let store: Arc<dyn Store> = Arc::new(filled(options));
        assert!(matches!(measure(&store, 1, &mut |_| ()).await, Err(Broken::OutOfOrder { key: Some(_) })));
        assert_eq!(measure(&store, 0, &mut |_| ()).await.unwrap(), Usage { objects: 8, bytes: 27 });
    }

    #[tokio::test]
    async fn what_could_not_be_told_is_told() {
        let store = filled(MemoryOptions::local());
        let reason = UnknownReason::Unreadable("permission denied".into());
        store.add_unknown(Unknown { key: "c/".into(), extent: Extent::Below, reason });
        for depth in [0, 1] {
            assert!(told(&store, depth).await.contains(&"c/ unknown".to_owned()), "{depth}");
        }
    }
}
