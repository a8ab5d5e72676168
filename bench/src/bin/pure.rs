//! The parts of the program that are pure computing, each done so many times:
//!
//!     pure PART COUNT [DIRECTORY]
//!
//! `bench/instructions` counts what one more time costs.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use brigade_engine::filters::Filters;
use brigade_engine::job::{Comparison, Indexing, JobSpec};
use brigade_engine::merge::{Merge, Strip, Triple};
use brigade_engine::plan::{Decision, Planner};
use brigade_s3::measuring;
use brigade_store::{Entry, Key, KeyRange, Kind, Listed, LocalStore, Store, Symlinks, Version};

/// Keys in a page of a listing.
const PAGE: usize = 1000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [part, count] => count.parse().ok().and_then(|count| run(part, count)),
        ["walk", count, directory] => count.parse().ok().and_then(|count| walk(directory, count)),
        _ => None,
    };
    if done.is_some() {
        return ExitCode::SUCCESS;
    }
    // Nobody is left to be told if even that fails.
    let _ = writeln!(io::stderr(), "pure: that could not be done; see the first lines of bench/src/bin/pure.rs");
    ExitCode::FAILURE
}

fn run(part: &str, count: usize) -> Option<()> {
    match part {
        "parse" => parse(count),
        "merge" => merge(count, |_| Some(())),
        "plan" => plan(count),
        "sign" => (0..count).try_for_each(|number| measuring::sign(&key(number))),
        "md5" => md5(count),
        _ => None,
    }
}

/// Walks a tree of so many files.
fn walk(directory: &str, count: usize) -> Option<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async {
        let mut listing = LocalStore::source(directory, Symlinks::Follow).list(&KeyRange::everything());
        let mut found = 0;
        while let Some(page) = listing.next_page().await.ok()? {
            found += page.len();
        }
        (found == count).then_some(())
    })
}

/// Parses pages of so many keys in all.
fn parse(count: usize) -> Option<()> {
    let page = measuring::page((0..PAGE).map(key));
    (0..count / PAGE).try_for_each(|_| (measuring::parse(&page)? == PAGE).then_some(()))
}

/// Merges two listings of so many keys, the same on both sides.
fn merge(count: usize, mut each: impl FnMut(brigade_engine::merge::Triple) -> Option<()>) -> Option<()> {
    let mut merge = Merge::default();
    merge.end(Strip::Settled);
    let mut triples = 0;
    for first in (0..count).step_by(PAGE) {
        let numbers = first..count.min(first + PAGE);
        merge.push_left(numbers.clone().map(file).collect());
        merge.push_right(numbers.map(object).collect());
        while let Some(triple) = merge.next_triple() {
            each(triple)?;
            triples += 1;
        }
    }
    (triples == count).then_some(())
}

/// The same, and plans each key, which turns out to be in step.
fn plan(count: usize) -> Option<()> {
    let job = JobSpec {
        filters: Filters::default(),
        comparison: Comparison::Auto,
        clock_fudge_factor: Duration::ZERO,
        delete: None,
        symlinks: Symlinks::Follow,
        indexing: Indexing::Off,
        carries_tags: true,
        carries_grants: false,
        source_inventory: None,
    };
    let mut planner = Planner::new(&job, Kind::Remote);
    merge(count, |triple| {
        let Triple { key, left, settled, right } = triple;
        let decision = planner.decide(&key, [left, right], settled.as_ref(), Default::default());
        matches!(decision, Decision::InStep(_)).then_some(())
    })
}

/// Hashes so many bodies of 4 KiB, sixteen at a time: as many as fill the lanes
/// that callgrind's processor has.
fn md5(count: usize) -> Option<()> {
    let body = vec![1; 4 << 10];
    (0..count / 16).try_for_each(|_| (measuring::md5(&[body.as_slice(); 16]) == 16).then_some(()))
}

fn key(number: usize) -> String {
    format!("directory-{:05}/file-{number:09}.txt", number / 100)
}

fn file(number: usize) -> Listed {
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let version = Version::File { changed: old, inode: number as u64, device: 1 };
    Listed::Present(Entry { key: Key::from(key(number)), size: 5, modified: old, version })
}

fn object(number: usize) -> Listed {
    let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_001);
    let version = Version::object("d41d8cd98f00b204e9800998ecf8427e");
    Listed::Present(Entry { key: Key::from(key(number)), size: 5, modified: later, version })
}
