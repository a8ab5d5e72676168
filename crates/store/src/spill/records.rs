//! The external sort itself: records of a key, a rank and a payload.
//!
//! A run in the spill file is its records one after the other, in key order,
//! each one: key length and payload length (`u32`, little-endian), rank
//! (`u8`), key, payload. All runs of a round share one unnamed file, which is
//! gone with the process.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Runs that are merged at once: bounds the buffers that are held.
const FAN_IN: usize = 128;

/// Bytes that are buffered of each run while it is merged.
const READ_BUFFER: usize = 32 << 10;

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
        let Some(mut spilled) = self.spilled else {
            self.run.sort();
            return Ok(SortedRecords(Source::Memory { run: self.run, next: 0 }));
        };
        drop(self.run);
        while spilled.runs.len() > FAN_IN {
            spilled = spilled.merge_by(FAN_IN)?;
        }
        Ok(SortedRecords(Source::Merge(Merge::of(&spilled, &spilled.runs)?)))
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

fn length(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))
}

/// Runs in one unnamed temporary file, in the order in which they were pushed.
#[derive(Debug)]
struct RunFile {
    file: Arc<File>,
    runs: Vec<Range<u64>>,
}

impl RunFile {
    fn new() -> io::Result<Self> {
        Ok(Self { file: Arc::new(tempfile::tempfile()?), runs: Vec::new() })
    }

    fn append(&mut self) -> RunWriter<'_> {
        let start = self.runs.last().map_or(0, |run| run.end);
        RunWriter { output: BufWriter::new(self.file.clone()), run: start..start, runs: &mut self.runs }
    }

    /// Another file, in which each run is the merge of up to `count` neighbours.
    fn merge_by(&self, count: usize) -> io::Result<Self> {
        let mut merged = Self::new()?;
        for neighbours in self.runs.chunks(count) {
            let mut merge = Merge::of(self, neighbours)?;
            let mut writer = merged.append();
            while let Some(record) = merge.next()? {
                writer.write(&record.key, record.rank, &record.payload)?;
            }
            writer.end()?;
        }
        Ok(merged)
    }
}

struct RunWriter<'a> {
    output: BufWriter<Arc<File>>,
    run: Range<u64>,
    runs: &'a mut Vec<Range<u64>>,
}

impl RunWriter<'_> {
    fn write(&mut self, key: &[u8], rank: u8, payload: &[u8]) -> io::Result<()> {
        let (key_length, payload_length) = (length(key)?, length(payload)?);
        self.output.write_all(&key_length.to_le_bytes())?;
        self.output.write_all(&payload_length.to_le_bytes())?;
        self.output.write_all(&[rank])?;
        self.output.write_all(key)?;
        self.output.write_all(payload)?;
        self.run.end += 9 + u64::from(key_length) + u64::from(payload_length);
        Ok(())
    }

    fn end(mut self) -> io::Result<()> {
        self.output.flush()?;
        self.runs.push(self.run);
        Ok(())
    }
}

/// A stretch of a file, read without touching the file's own position.
#[derive(Debug)]
struct Section {
    file: Arc<File>,
    rest: Range<u64>,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.file.read_at(&mut buffer[..wanted], self.rest.start)?;
        self.rest.start += read as u64;
        Ok(read)
    }
}

/// Several runs, read as one.
#[derive(Debug)]
struct Merge {
    runs: Vec<BufReader<Section>>,
    heads: BinaryHeap<Reverse<Head>>,
}

impl Merge {
    fn of(file: &RunFile, runs: &[Range<u64>]) -> io::Result<Self> {
        let section = |run: &Range<u64>| Section { file: file.file.clone(), rest: run.clone() };
        let mut runs: Vec<_> = runs.iter().map(|run| BufReader::with_capacity(READ_BUFFER, section(run))).collect();
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (run, input) in runs.iter_mut().enumerate() {
            if let Some(record) = read_record(input)? {
                heads.push(Reverse(Head { record, run }));
            }
        }
        Ok(Self { runs, heads })
    }

    fn next(&mut self) -> io::Result<Option<Record>> {
        let Some(first) = self.advance()? else {
            return Ok(None);
        };
        while self.heads.peek().is_some_and(|Reverse(head)| head.record.key == first.key) {
            self.advance()?;
        }
        Ok(Some(first))
    }

    /// Takes the least head, and puts the next record of its run in its place.
    fn advance(&mut self) -> io::Result<Option<Record>> {
        let Some(mut least) = self.heads.peek_mut() else {
            return Ok(None);
        };
        match read_record(&mut self.runs[least.0.run])? {
            Some(record) => Ok(Some(std::mem::replace(&mut least.0.record, record))),
            None => Ok(Some(PeekMut::pop(least).0.record)),
        }
    }
}

fn read_record(input: &mut BufReader<Section>) -> io::Result<Option<Record>> {
    if input.buffer().is_empty() && input.get_ref().rest.is_empty() {
        return Ok(None);
    }
    let (mut key_length, mut payload_length, mut rank) = ([0; 4], [0; 4], [0; 1]);
    input.read_exact(&mut key_length)?;
    input.read_exact(&mut payload_length)?;
    input.read_exact(&mut rank)?;
    let mut key = vec![0; u32::from_le_bytes(key_length) as usize].into_boxed_slice();
    let mut payload = vec![0; u32::from_le_bytes(payload_length) as usize].into_boxed_slice();
    input.read_exact(&mut key)?;
    input.read_exact(&mut payload)?;
    Ok(Some(Record { key, rank: rank[0], payload }))
}

/// The next record of a run. The least is the one to give next; of one key
/// it is the preferred one.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    record: Record,
    run: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.record.key.cmp(&other.record.key))
            .then(other.record.rank.cmp(&self.record.rank))
            .then(other.run.cmp(&self.run))
            // Never reached for two heads, which are of two runs; it makes the order agree with Eq.
            .then_with(|| self.record.payload.cmp(&other.record.payload))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
