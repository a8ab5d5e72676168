//! Large objects: when each of their parts is read and written.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use brigade_engine::job::AtOnce;
use brigade_store::Key;
use brigade_store::memory::{Call, Change, Fate, Fates, MemoryOptions, MemoryStore, Strike};
use tokio::time::Instant;

use crate::fixture::Fixture;

/// What happened, in turn.
#[derive(Clone, Debug, Default)]
struct Noted(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    /// The parts that were read (`r`) and written (`w`).
    turns: String,
    /// When each part was asked for.
    asked: Vec<Instant>,
}

/// Takes note of the parts, of which each takes so long.
struct Noting(Noted, Duration);

impl Fates for Noting {
    fn befalls(&self, call: Call, _: &Key) -> Fate {
        if call == Call::ReadRange {
            self.0.0.lock().unwrap().asked.push(Instant::now());
        }
        let is_part = matches!(call, Call::ReadRange | Call::WritePart);
        Fate { from_store: if is_part { self.1 } else { Duration::ZERO }, ..Fate::default() }
    }

    fn reached(&self, call: Call, _: &Key, _: Option<&Key>, _: &Strike) {
        match call {
            Call::ReadRange => self.0.0.lock().unwrap().turns.push('r'),
            Call::WritePart => self.0.0.lock().unwrap().turns.push('w'),
            _ => {}
        }
    }

    fn changed(&self, _: Change<'_>) {}
}

/// Copies objects, of four bytes in a part, where a part takes so many milliseconds to read, and a minute to write.
fn copied(objects: &[(&'static str, &'static str)], read_takes: u64) -> Noted {
    let options = MemoryOptions { whole_limit: 4, part_size: 4, ..MemoryOptions::remote() };
    let (source, dest) = (MemoryStore::new(options.clone()), MemoryStore::new(options));
    let mut fixture = Fixture::new(source, dest);
    fixture.options.server_side_copy = false;
    fixture.options.jobs = AtOnce::Exactly(16);
    for (key, content) in objects {
        fixture.source.put(*key, *content);
    }
    let noted = Noted::default();
    let noting = |takes| Some(Arc::new(Noting(noted.clone(), takes)) as Arc<dyn Fates>);
    fixture.source.set_fates(noting(Duration::from_millis(read_takes)));
    fixture.dest.set_fates(noting(Duration::from_mins(1)));
    assert_eq!(fixture.run_in_still_time().unwrap().created, objects.len() as u64);
    assert_eq!(fixture.dest.contents(), fixture.source.contents());
    noted
}

impl Noted {
    fn turns(&self) -> String {
        self.0.lock().unwrap().turns.clone()
    }

    /// Milliseconds after the first part, at which each part was asked for.
    fn asked(&self) -> Vec<u128> {
        let asked = &self.0.lock().unwrap().asked;
        asked.iter().map(|at| at.duration_since(asked[0]).as_millis()).collect()
    }
}

#[test]
fn the_first_part_is_on_its_way_while_the_others_come() {
    assert_eq!(copied(&[("large", "aaaabbbbccccdddd")], 1).turns(), "rwrwrwrw", "each comes fast");
}

/// Not even the first ones wait long for each other, and those after them not at all.
#[test]
fn no_part_waits_long_for_the_one_before() {
    let noted = copied(&[("large", "aaaabbbbccccddddeeeeffffgggghhhhiiiijjjjkkkk")], 1000);
    assert_eq!(noted.turns(), "rrrrrrrrrrrwwwwwwwwwww", "each takes a second");
    // A timer of the runtime is up to a millisecond late.
    let rounded: Vec<u128> = noted.asked().iter().map(|milliseconds| milliseconds / 20 * 20).collect();
    assert_eq!(rounded, [0, 20, 40, 60, 80, 100, 120, 140, 160, 160, 160]);
}

#[test]
fn no_part_waits_where_another_object_is_under_way() {
    let noted = copied(&[("first", "aaaabbbb"), ("second", "ccccdddd")], 1000);
    assert!(noted.asked().iter().filter(|asked| **asked < 20).count() >= 3, "{:?}", noted.asked());
}
