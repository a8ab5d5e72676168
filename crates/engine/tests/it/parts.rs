//! Large objects: when each of their parts is read and written.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use brigade_engine::job::AtOnce;
use brigade_store::Key;
use brigade_store::memory::{Call, Change, Fate, Fates, MemoryOptions, MemoryStore, Strike};

use crate::fixture::Fixture;

/// The parts that were read and written, in turn.
type Turns = Arc<Mutex<String>>;

/// Takes note of the parts, of which each takes so long.
struct Noted(Turns, Duration);

impl Fates for Noted {
    fn befalls(&self, call: Call, _: &Key) -> Fate {
        let is_part = matches!(call, Call::ReadRange | Call::WritePart);
        Fate { from_store: if is_part { self.1 } else { Duration::ZERO }, ..Fate::default() }
    }

    fn reached(&self, call: Call, _: &Key, _: Option<&Key>, _: &Strike) {
        match call {
            Call::ReadRange => self.0.lock().unwrap().push('r'),
            Call::WritePart => self.0.lock().unwrap().push('w'),
            _ => {}
        }
    }

    fn changed(&self, _: Change<'_>) {}
}

/// How parts are read and written where a read takes so many milliseconds, and a write a minute.
fn turns(read_takes: u64) -> String {
    let options = MemoryOptions { whole_limit: 4, part_size: 4, ..MemoryOptions::remote() };
    let (source, dest) = (MemoryStore::new(options.clone()), MemoryStore::new(options));
    let mut fixture = Fixture::new(source, dest);
    fixture.options.server_side_copy = false;
    fixture.options.jobs = AtOnce::Exactly(8);
    fixture.source.put("large", "aaaabbbbccccdddd");
    let turns = Turns::default();
    fixture.source.set_fates(Some(Arc::new(Noted(turns.clone(), Duration::from_millis(read_takes)))));
    fixture.dest.set_fates(Some(Arc::new(Noted(turns.clone(), Duration::from_mins(1)))));
    assert_eq!(fixture.run_in_still_time().unwrap().created, 1);
    assert_eq!(fixture.dest.contents(), fixture.source.contents());
    turns.lock().unwrap().clone()
}

#[test]
fn the_first_part_is_on_its_way_while_the_others_come() {
    assert_eq!(turns(1), "rwrwrwrw", "each comes fast");
}

#[test]
fn no_part_waits_long_for_the_one_before() {
    assert_eq!(turns(1000), "rrrrwwww", "each takes a second");
}
