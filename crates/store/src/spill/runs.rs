//! Sorted runs in a temporary file, and their merge.
//!
//! A run is its records one after the other, in key order, each one: key
//! length and payload length (`u32`, little-endian), rank (`u8`), key,
//! payload. All runs of a round share one unnamed file, which is gone with
//! the process.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::records::Record;

/// Runs that are merged at once: bounds the buffers that are held.
const FAN_IN: usize = 128;

/// Bytes that are buffered of each run while it is merged.
const READ_BUFFER: usize = 16 << 10;

/// Runs in one unnamed temporary file, in the order in which they were pushed.
#[derive(Debug)]
pub(super) struct RunFile {
    file: Arc<File>,
    runs: Vec<Range<u64>>,
}

impl RunFile {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: Arc::new(tempfile::tempfile()?), runs: Vec::new() })
    }

    /// Begins another run.
    pub(super) fn append(&mut self) -> RunWriter<'_> {
        let start = self.runs.last().map_or(0, |run| run.end);
        RunWriter { output: BufWriter::new(self.file.clone()), run: start..start, runs: &mut self.runs }
    }

    /// All runs as one, merged in rounds if they are too many to be merged at once.
    pub(super) fn merge(mut self) -> io::Result<Merge> {
        while self.runs.len() > FAN_IN {
            self = self.merge_by(FAN_IN)?;
        }
        Merge::of(&self, &self.runs)
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

/// Writes one run at the end of the file.
pub(super) struct RunWriter<'a> {
    output: BufWriter<Arc<File>>,
    run: Range<u64>,
    runs: &'a mut Vec<Range<u64>>,
}

impl RunWriter<'_> {
    pub(super) fn write(&mut self, key: &[u8], rank: u8, payload: &[u8]) -> io::Result<()> {
        let (key_length, payload_length) = (length(key)?, length(payload)?);
        self.output.write_all(&key_length.to_le_bytes())?;
        self.output.write_all(&payload_length.to_le_bytes())?;
        self.output.write_all(&[rank])?;
        self.output.write_all(key)?;
        self.output.write_all(payload)?;
        self.run.end += 9 + u64::from(key_length) + u64::from(payload_length);
        Ok(())
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        self.output.flush()?;
        self.runs.push(self.run);
        Ok(())
    }
}

/// A length as it is written.
pub(super) fn length(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))
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
pub(super) struct Merge {
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

    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
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
