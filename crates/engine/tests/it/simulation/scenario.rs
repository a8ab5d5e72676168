//! What a seed draws: two stores, what is in them, and a job between them.
//! Few names, so that both sides share keys, and files stand where the other
//! side has directories.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use brigade_engine::filters::Filters;
use brigade_engine::job::{AtOnce, Comparison, DeleteLimit, Indexing, JobSpec, RunOptions};
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_store::memory::{Clock, MemoryOptions, MemoryStore, Sequence};
use brigade_store::{Extent, Key, Kind, Order, Store as _, Symlinks, Unknown, UnknownReason};
use fastrand::Rng;
use tokio::time::Instant;

use super::model::{Selection, holds, is_unknown};

/// Two stores and a job between them.
pub(crate) struct Scenario {
    pub(crate) source: MemoryStore,
    pub(crate) dest: MemoryStore,
    /// What neither can tell of: those of the source, those of the destination.
    pub(crate) unknowns: [Vec<Unknown>; 2],
    pub(crate) selection: Selection,
    pub(crate) job: JobSpec,
    pub(crate) options: RunOptions,
    /// What its runs remember; some remember nothing.
    pub(crate) ledger: Option<MemoryLedger>,
    pub(crate) clock: Clock,
    /// By how many seconds the clock was set ahead of Tokio's.
    ahead: Arc<AtomicI64>,
    misleads: bool,
    /// Whether what is written in the tree is durable only later.
    pub(crate) writes_later: bool,
}

impl Scenario {
    /// Two stores with nothing in them. [`Self::fill`] is apart, so that it is seen.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let ahead = Arc::new(AtomicI64::new(0));
        let clock = clock(Arc::clone(&ahead));
        let local = MemoryOptions { clock: Arc::clone(&clock), ..small(rng, MemoryOptions::local()) };
        let mut remote =
            MemoryOptions { clock: Arc::clone(&clock), represents: is_name, ..small(rng, MemoryOptions::remote()) };
        if rng.u64(..5) == 0 {
            remote.sequence = Sequence::SlashFirst;
            remote.order = *rng.choice(&[Order::ByBytes, Order::Other]).unwrap();
        }
        let misleads = remote.sequence == Sequence::SlashFirst && remote.order == Order::ByBytes;
        let another = MemoryOptions { sequence: Sequence::ByBytes, order: Order::ByBytes, ..remote.clone() };
        let [local, remote, another] = [local, remote, another].map(MemoryStore::new);
        let (source, dest) = match rng.u64(..6) {
            0 | 1 => (local, remote),
            2 | 3 => (remote, local),
            4 => (remote, another),
            _ => (another, remote),
        };
        let selection =
            *rng.choice(&[Selection::Everything; 4].into_iter().chain(Selection::ALL).collect::<Vec<_>>()).unwrap();
        let (job, options) = (job(rng, selection), options(rng));
        let ledger = (rng.u64(..6) > 0).then(MemoryLedger::default);
        Self {
            source,
            dest,
            unknowns: [vec![], vec![]],
            selection,
            job,
            options,
            ledger,
            clock,
            ahead,
            misleads,
            writes_later: rng.bool(),
        }
    }

    /// Whether the bucket lists in another order than it claims to.
    pub(crate) fn misleads(&self) -> bool {
        self.misleads
    }

    /// Sets the clock, by so many seconds.
    pub(crate) fn set_clock(&self, by: i64) {
        self.ahead.fetch_add(by, Ordering::Relaxed);
    }

    /// Chooses other keys.
    pub(crate) fn select(&mut self, selection: Selection) {
        self.selection = selection;
        self.job.filters = Filters::new(&selection.rules()).unwrap();
    }

    /// Puts objects into both stores, and makes places unknown.
    pub(crate) fn fill(&mut self, rng: &mut Rng) {
        let now = (self.clock)();
        let count = *rng.choice(&[1, 6, 12, 30]).unwrap();
        for store in [&self.source, &self.dest] {
            for _ in 0..rng.u64(..=count) {
                let (key, body) = (key(rng, store), content(rng));
                let age = Duration::from_secs(*rng.choice(&[1, 100, 100_000]).unwrap());
                if has_room(store, &key) {
                    store.put_modified(key, body, now - age);
                }
            }
        }
        if self.writes_later {
            self.write_later();
        }
        for (store, unknowns) in [&self.source, &self.dest].into_iter().zip(&mut self.unknowns) {
            if kind(store) == Kind::Local && rng.u64(..4) == 0 {
                *unknowns = draw_unknowns(rng);
                for unknown in unknowns {
                    store.add_unknown(unknown.clone());
                }
            }
        }
    }

    /// Writes some of a tree's files at the source anew, as they are: shortly
    /// before a run, so that they are old enough to be sure of, and not durable yet.
    pub(crate) fn freshen(&self, rng: &mut Rng) {
        if kind(&self.source) == Kind::Local {
            let lately = (self.clock)() - Duration::from_secs(5);
            for (key, body) in self.source.contents() {
                if rng.u64(..3) == 0 {
                    self.source.put_modified(key, body, lately);
                }
            }
        }
    }

    /// From now on: what there is has been written.
    pub(crate) fn write_later(&self) {
        if kind(&self.source) == Kind::Local {
            // As long as a system takes. A file that is later torn, with its times,
            // may be older than its object by more than a fudge, and count as in step by that.
            self.source.write_later(Duration::from_secs(45));
        } else if kind(&self.dest) == Kind::Local {
            self.dest.write_later(Duration::from_mins(9));
        }
    }
}

/// A store's kind.
pub(crate) fn kind(store: &MemoryStore) -> Kind {
    store.capabilities().kind
}

/// Whether S3 can name the key.
pub(crate) fn is_name(key: &Key) -> bool {
    key.as_text().is_some() && (1..=1024).contains(&key.as_bytes().len())
}

/// A key that the store can hold.
pub(crate) fn key(rng: &mut Rng, store: &MemoryStore) -> Key {
    loop {
        let key = any_key(rng);
        if holds(kind(store), &key) && (kind(store) == Kind::Remote || !key.is_marker()) {
            return key;
        }
    }
}

/// Such a key, most often one that is at one of the sides.
pub(crate) fn meddled_key(rng: &mut Rng, store: &MemoryStore, other: &MemoryStore) -> Key {
    let from = if rng.bool() { store } else { other };
    let there: Vec<Key> = from.contents().into_keys().collect();
    let fits = |key: &Key| holds(kind(store), key) && (kind(store) == Kind::Remote || !key.is_marker());
    rng.choice(there).filter(fits).unwrap_or_else(|| key(rng, store))
}

fn any_key(rng: &mut Rng) -> Key {
    const ODD: [&[u8]; 9] = [b"a//b", b"../x", b"a/", b"b/a/", b"\xff", b"b/\xfe/a", b"/", b"a\rb", b"c/"];
    match rng.u64(..40) {
        0..6 => Key::new(*rng.choice(&ODD).unwrap()),
        6 => Key::from(["a".repeat(200).as_str(); 6].join("/")),
        _ => {
            let names = ["a", "b", "c", "a-", "a.b", "d"];
            let depth = *rng.choice(&[1, 1, 2, 2, 3]).unwrap();
            Key::from((0..depth).map(|_| *rng.choice(&names).unwrap()).collect::<Vec<_>>().join("/"))
        }
    }
}

/// Few contents, several of one length; the longer ones go in parts.
pub(crate) fn content(rng: &mut Rng) -> Vec<u8> {
    let length = *rng.choice(&[0, 1, 1, 5, 16, 17, 40, 61]).unwrap();
    let first = rng.u8(b'x'..=b'z');
    (0..length).map(|place| first.wrapping_add(place / 8)).collect()
}

/// Whether the key can be put there: in a tree, no file is a directory.
pub(crate) fn has_room(store: &MemoryStore, key: &Key) -> bool {
    kind(store) == Kind::Remote || !store.contents().keys().any(|other| is_below(other, key) || is_below(key, other))
}

/// Whether the key lies below the other one, if that were a directory.
pub(crate) fn is_below(key: &Key, other: &Key) -> bool {
    !other.is_marker() && key.as_bytes().strip_prefix(other.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
}

fn draw_unknowns(rng: &mut Rng) -> Vec<Unknown> {
    let unreadable = UnknownReason::Unreadable("permission denied".into());
    let name = *rng.choice(&["a", "b", "a-", "d"]).unwrap();
    let at_key = |reason| Unknown { key: name.into(), extent: Extent::Key, reason };
    let below = |reason| Unknown { key: format!("{name}/").into(), extent: Extent::Below, reason };
    let unknowns = match rng.u64(..4) {
        0 => vec![below(unreadable)],
        1 => vec![at_key(UnknownReason::SpecialFile)],
        2 => vec![at_key(UnknownReason::BrokenSymlink), below(UnknownReason::BrokenSymlink)],
        _ => vec![at_key(UnknownReason::Symlink), below(UnknownReason::Symlink)],
    };
    debug_assert!(is_unknown(&unknowns, &unknowns[0].key));
    unknowns
}

/// Small limits, so that there are several pages, parts and batches.
fn small(rng: &mut Rng, options: MemoryOptions) -> MemoryOptions {
    MemoryOptions {
        page_size: *rng.choice(&[1, 2, 5, 1000]).unwrap(),
        whole_limit: 16,
        part_size: *rng.choice(&[3, 8, 40]).unwrap(),
        removal_batch: *rng.choice(&[1, 2, 1000]).unwrap(),
        ..options
    }
}

fn job(rng: &mut Rng, selection: Selection) -> JobSpec {
    use Comparison::{Always, Auto, Checksum, Mtime, Size};
    let limits = [
        DeleteLimit::Unlimited,
        DeleteLimit::Unlimited,
        DeleteLimit::Objects(rng.u64(..4)),
        DeleteLimit::Percent(30.0),
    ];
    JobSpec {
        filters: Filters::new(&selection.rules()).unwrap(),
        comparison: *rng.choice(&[Auto, Auto, Auto, Size, Mtime, Checksum, Always]).unwrap(),
        clock_fudge_factor: Duration::from_secs(*rng.choice(&[60, 1200]).unwrap()),
        delete: (rng.u64(..4) > 0).then(|| *rng.choice(&limits).unwrap()),
        symlinks: Symlinks::Follow,
        indexing: Indexing::Off,
        carries_tags: true,
        carries_grants: false,
        source_inventory: None,
    }
}

fn options(rng: &mut Rng) -> RunOptions {
    use AtOnce::{Exactly, Growing};
    RunOptions {
        jobs: if rng.bool() { Exactly(rng.usize(1..=8)) } else { Growing { from: rng.usize(1..=2), to: 8 } },
        listers: *rng.choice(&[Growing { from: 1, to: 16 }, Exactly(1), Exactly(2), Exactly(5)]).unwrap(),
        memory: *rng.choice(&[1, 8192, 64 << 20]).unwrap(),
        limit: (rng.u64(..8) == 0).then(|| rng.u64(..5)),
        dry_run: rng.u64(..8) == 0,
        server_side_copy: true,
        restore_request: None,
        allow_empty_source: false,
    }
}

/// Tokio's time, which stands still but for what is waited for, and so many seconds more.
fn clock(ahead: Arc<AtomicI64>) -> Clock {
    let (epoch, start) = (SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000), Instant::now());
    Arc::new(move || {
        let (now, ahead) = (epoch + start.elapsed(), ahead.load(Ordering::Relaxed));
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 { now - by } else { now + by }
    })
}
