//! The external sort itself: records of a key, a rank and a payload.

use std::io;

use super::runs::{Merge, RunFile, length};

/// What is sorted: by key; of several with one key the highest rank is kept,
/// and of these the last.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) key: Box<[u8]>,
    pub(crate) rank: u8,
    pub(crate) payload: Box<[u8]>,
}

/// How much is held in memory before it is spilled, whichever is reached first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunLimit {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

/// Takes records in any order.
#[derive(Debug)]
pub(crate) struct RecordSorter {
    limit: RunLimit,
    run: Run,
    spilled: Option<RunFile>,
}

impl RecordSorter {
    pub(crate) fn new(limit: RunLimit) -> Self {
        Self { limit, run: Run::default(), spilled: None }
    }

    pub(crate) fn push(&mut self, key: &[u8], rank: u8, payload: &[u8]) -> io::Result<()> {
        self.run.push(key, rank, payload)?;
        if self.run.slots.len() > self.limit.records || self.run.size() > self.limit.bytes {
            self.spill()?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<SortedRecords> {
        if self.spilled.is_some() && !self.run.slots.is_empty() {
            self.spill()?;
        }
        let Some(spilled) = self.spilled else {
            self.run.sort();
            return Ok(SortedRecords(Source::Memory { run: self.run, next: 0 }));
        };
        drop(self.run);
        Ok(SortedRecords(Source::Merge(spilled.merge()?)))
    }

    fn spill(&mut self) -> io::Result<()> {
        self.run.sort();
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            none => none.insert(RunFile::new()?),
        };
        let mut writer = spilled.append();
        for slot in &self.run.slots {
            writer.write(self.run.key(slot), slot.rank, self.run.payload(slot))?;
        }
        writer.end()?;
        self.run.clear();
        Ok(())
    }
}

/// Gives the records back, in strictly ascending key order.
#[derive(Debug)]
pub(crate) struct SortedRecords(Source);

#[derive(Debug)]
enum Source {
    Memory { run: Run, next: usize },
    Merge(Merge),
}

impl SortedRecords {
    pub(crate) fn next(&mut self) -> io::Result<Option<Record>> {
        match &mut self.0 {
            Source::Merge(merge) => merge.next(),
            Source::Memory { run, next } => {
                let record = run.slots.get(*next).map(|slot| Record {
                    key: run.key(slot).into(),
                    rank: slot.rank,
                    payload: run.payload(slot).into(),
                });
                *next += 1;
                Ok(record)
            }
        }
    }
}

/// Records in memory: their bytes lie end to end, so that one costs its
/// length and a slot, and no allocation.
#[derive(Debug, Default)]
struct Run {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    start: usize,
    key_length: u32,
    payload_length: u32,
    rank: u8,
}

impl Run {
    fn push(&mut self, key: &[u8], rank: u8, payload: &[u8]) -> io::Result<()> {
        let start = self.bytes.len();
        self.slots.push(Slot { start, key_length: length(key)?, payload_length: length(payload)?, rank });
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(payload);
        Ok(())
    }

    fn size(&self) -> usize {
        self.bytes.len() + self.slots.len() * size_of::<Slot>()
    }

    fn key(&self, slot: &Slot) -> &[u8] {
        &self.bytes[slot.start..][..slot.key_length as usize]
    }

    fn payload(&self, slot: &Slot) -> &[u8] {
        &self.bytes[slot.start + slot.key_length as usize..][..slot.payload_length as usize]
    }

    /// Brings the slots into key order and keeps one for each key.
    fn sort(&mut self) {
        let mut slots = std::mem::take(&mut self.slots);
        // Later ones start later: the preferred one of a key comes first.
        slots.sort_unstable_by(|a, b| {
            self.key(a).cmp(self.key(b)).then(b.rank.cmp(&a.rank)).then(b.start.cmp(&a.start))
        });
        slots.dedup_by(|later, first| self.key(later) == self.key(first));
        self.slots = slots;
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.slots.clear();
    }
}
