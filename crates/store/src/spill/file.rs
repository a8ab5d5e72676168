//! What was sorted, in a temporary file that is read from any key on, any number of times.
//!
//! The file is blocks of 64 KiB. Each holds whole records, in key order, each one: key
//! length and payload length (`u32`, little-endian), rank (`u8`), key, payload; and zeros to
//! its end. So a key is found by halving, and memory doesn't grow with what is in the file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::records::Record;
use super::runs::length;
use super::{Sorted, encoding};
use crate::record::garbled;
use crate::{Key, Listed};

const BLOCK: usize = 64 << 10;

/// Before key and payload of a record: the two lengths, and the rank.
const HEADER: usize = 9;

/// What was sorted, to be read from any key on. Clones read the same file, which is gone with the last one.
#[derive(Clone, Debug)]
pub struct SortedFile {
    file: Arc<File>,
    blocks: u64,
}

impl SortedFile {
    /// Writes down what was sorted, to its end. Blocks on file I/O, as [`super::Sorter`]
    /// does. Fails on an item of more than 64 KiB.
    pub fn of(sorted: Sorted) -> io::Result<Self> {
        let mut writer = Writer { file: tempfile::tempfile()?, blocks: 0, block: Vec::with_capacity(BLOCK) };
        let mut records = sorted.records;
        while let Some(record) = records.next()? {
            writer.push(&record)?;
        }
        writer.end()
    }

    /// The items after this key, or all of them. Nothing is read yet.
    #[must_use]
    pub fn after(&self, key: Option<Key>) -> SortedPages {
        SortedPages { sorted: self.clone(), after: key, block: None }
    }

    /// The block in which the first record after this key is, or begins to be looked for.
    fn block_of(&self, key: &Key) -> io::Result<u64> {
        let (mut low, mut high) = (0, self.blocks);
        // The blocks below `low` begin with a key up to this one, and those from `high` on with a greater one.
        while low < high {
            let middle = low + (high - low) / 2;
            if *self.first_of(middle)? <= *key.as_bytes() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low.saturating_sub(1))
    }

    fn first_of(&self, block: u64) -> io::Result<Box<[u8]>> {
        let mut header = [0; HEADER];
        let start = block * BLOCK as u64;
        self.file.read_exact_at(&mut header, start)?;
        let (key_length, ..) = fields(&header).ok_or_else(garbled)?;
        let mut key = vec![0; key_length.min(BLOCK - HEADER)];
        self.file.read_exact_at(&mut key, start + HEADER as u64)?;
        Ok(key.into())
    }

    fn read(&self, block: u64) -> io::Result<Block> {
        let mut bytes = vec![0; BLOCK];
        self.file.read_exact_at(&mut bytes, block * BLOCK as u64)?;
        Ok(Block { number: block, bytes, place: 0 })
    }
}

/// The items of a [`SortedFile`] from some key on, in strictly ascending order.
#[derive(Debug)]
pub struct SortedPages {
    sorted: SortedFile,
    after: Option<Key>,
    /// The one that is being read; `None` before the first.
    block: Option<Block>,
}

impl SortedPages {
    /// The next items, at least one and at most `limit` (or one, if that is
    /// 0); `None` at the end. Blocks on file I/O.
    pub fn next_page(&mut self, limit: usize) -> io::Result<Option<Vec<Listed>>> {
        let mut page = Vec::new();
        while page.len() < limit.max(1) {
            match self.next()? {
                Some(record) if self.after.as_ref().is_some_and(|after| *record.key <= *after.as_bytes()) => {}
                Some(record) => page.push(encoding::decode(record)?),
                None => break,
            }
        }
        Ok(if page.is_empty() { None } else { Some(page) })
    }

    fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            let next = match &mut self.block {
                None => self.after.as_ref().map_or(Ok(0), |after| self.sorted.block_of(after))?,
                Some(block) => match block.next()? {
                    Some(record) => return Ok(Some(record)),
                    None => block.number + 1,
                },
            };
            if next >= self.sorted.blocks {
                return Ok(None);
            }
            self.block = Some(self.sorted.read(next)?);
        }
    }
}

#[derive(Debug)]
struct Block {
    number: u64,
    bytes: Vec<u8>,
    place: usize,
}

impl Block {
    fn next(&mut self) -> io::Result<Option<Record>> {
        let Some((header, rest)) = self.bytes[self.place..].split_at_checked(HEADER) else { return Ok(None) };
        let (key_length, payload_length, rank) = fields(header).ok_or_else(garbled)?;
        // No item is without a payload.
        if payload_length == 0 {
            return Ok(None);
        }
        let (key, rest) = rest.split_at_checked(key_length).ok_or_else(garbled)?;
        let payload = rest.get(..payload_length).ok_or_else(garbled)?;
        self.place += HEADER + key_length + payload_length;
        Ok(Some(Record { key: key.into(), rank, payload: payload.into() }))
    }
}

/// The two lengths, and the rank.
fn fields(header: &[u8]) -> Option<(usize, usize, u8)> {
    let (key_length, rest) = header.split_first_chunk()?;
    let (payload_length, rest) = rest.split_first_chunk()?;
    Some((u32::from_le_bytes(*key_length) as usize, u32::from_le_bytes(*payload_length) as usize, *rest.first()?))
}

struct Writer {
    file: File,
    blocks: u64,
    block: Vec<u8>,
}

impl Writer {
    fn push(&mut self, record: &Record) -> io::Result<()> {
        let (key_length, payload_length) = (length(&record.key)?, length(&record.payload)?);
        let size = HEADER + record.key.len() + record.payload.len();
        if size > BLOCK {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if self.block.len() + size > BLOCK {
            self.end_block()?;
        }
        self.block.extend(key_length.to_le_bytes());
        self.block.extend(payload_length.to_le_bytes());
        self.block.push(record.rank);
        self.block.extend_from_slice(&record.key);
        self.block.extend_from_slice(&record.payload);
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        self.block.resize(BLOCK, 0);
        self.file.write_all_at(&self.block, self.blocks * BLOCK as u64)?;
        self.block.clear();
        self.blocks += 1;
        Ok(())
    }

    fn end(mut self) -> io::Result<SortedFile> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        Ok(SortedFile { file: Arc::new(self.file), blocks: self.blocks })
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::super::Sorter;
    use super::*;
    use crate::{Entry, Version};

    fn entry(key: String) -> Listed {
        Listed::Present(Entry { key: key.into(), size: 1, modified: UNIX_EPOCH, version: Version::object("e") })
    }

    fn sorted(keys: impl IntoIterator<Item = String>) -> SortedFile {
        let mut sorter = Sorter::with_run_bytes(10_000);
        for key in keys {
            sorter.push(&entry(key)).unwrap();
        }
        SortedFile::of(sorter.finish().unwrap()).unwrap()
    }

    fn after(sorted: &SortedFile, key: Option<&str>) -> Vec<String> {
        let mut pages = sorted.after(key.map(Key::from));
        let mut keys = Vec::new();
        while let Some(page) = pages.next_page(700).unwrap() {
            assert!((1..=700).contains(&page.len()));
            keys.extend(page.iter().map(|item| item.key().to_string()));
        }
        assert_eq!(pages.next_page(1).unwrap(), None, "the end stays the end");
        keys
    }

    #[test]
    fn it_is_read_from_any_key_on_and_more_than_once() {
        // Some forty bytes each: several blocks, the last one not full.
        let all: Vec<String> = (0..7_000).map(|number| format!("{:06}", number * 2)).collect();
        let sorted = sorted(all.iter().rev().cloned());
        assert!(sorted.blocks > 3, "{}", sorted.blocks);
        assert_eq!(after(&sorted, None), all);
        for number in (0..14_010).step_by(7).chain([1, 13_997, 13_998, 13_999]) {
            let key = format!("{number:06}");
            let expected = all.partition_point(|other| *other <= key);
            let mut pages = sorted.after(Some(key.as_str().into()));
            let first = pages.next_page(1).unwrap().map(|page| page[0].key().to_string());
            assert_eq!(first.as_ref(), all.get(expected), "after {key}");
        }
        assert_eq!(after(&sorted, Some("006000")), all[3_001..]);
        assert_eq!(after(&sorted, Some("z")), [""; 0]);
        assert_eq!(after(&sorted, Some("")), all);
    }

    #[test]
    fn there_may_be_nothing_in_it_and_the_key_may_be_empty() {
        assert_eq!(after(&sorted([]), None), [""; 0]);
        assert_eq!(after(&sorted([]), Some("a")), [""; 0]);
        assert_eq!(after(&sorted([String::new()]), None), [""]);
        assert_eq!(after(&sorted([String::new()]), Some("")), [""; 0]);
    }

    #[test]
    fn records_of_any_length_that_fits_a_block_are_kept() {
        let keys: Vec<String> = (1..60).map(|number| format!("{number:02}{}", "x".repeat(number * 1_000))).collect();
        assert_eq!(after(&sorted(keys.clone()), None), keys);
        let mut sorter = Sorter::new();
        sorter.push(&entry("x".repeat(BLOCK))).unwrap();
        assert!(SortedFile::of(sorter.finish().unwrap()).is_err());
    }
}
