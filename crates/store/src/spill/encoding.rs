//! How an item of a listing is written in a spill file: private to one
//! process, so without version or checksum. Numbers are little-endian.
//!
//! | item | rank | payload |
//! |---|---|---|
//! | object in a bucket | 0 | `o`, size `u64`, modified, `ETag` to the end |
//! | file | 0 | `f`, size `u64`, modified, changed, inode `u64`, device `u64` |
//! | unknown key | 1 | reason |
//! | unknown below | 2 | reason |
//!
//! A time is seconds since the epoch `i64` and nanoseconds `u32`; a reason is
//! one letter, and its text to the end. The key is kept beside it.

use std::io;
use std::time::SystemTime;

use super::records::Record;
use crate::local::time;
use crate::{Entry, Extent, Key, Listed, Unknown, UnknownReason, Version};

const PRESENT: u8 = 0;
const UNKNOWN_KEY: u8 = 1;
const UNKNOWN_BELOW: u8 = 2;

/// The item's rank and payload.
pub(super) fn encode(item: &Listed) -> (u8, Vec<u8>) {
    match item {
        Listed::Present(entry) => (PRESENT, encode_entry(entry)),
        Listed::Unknown(unknown) => {
            let rank = match unknown.extent {
                Extent::Key => UNKNOWN_KEY,
                Extent::Below => UNKNOWN_BELOW,
            };
            (rank, encode_reason(&unknown.reason))
        }
    }
}

/// The item that was encoded so.
pub(super) fn decode(record: Record) -> io::Result<Listed> {
    let key = Key::new(record.key);
    let extent = match record.rank {
        PRESENT => return Ok(Listed::Present(Fields(&record.payload).entry(key)?)),
        UNKNOWN_KEY => Extent::Key,
        UNKNOWN_BELOW => Extent::Below,
        _ => return Err(garbled()),
    };
    Ok(Listed::Unknown(Unknown { key, extent, reason: decode_reason(&record.payload)? }))
}

fn encode_entry(entry: &Entry) -> Vec<u8> {
    let mut payload = Vec::with_capacity(64);
    payload.push(match &entry.version {
        Version::Object { .. } => b'o',
        Version::File { .. } => b'f',
    });
    payload.extend(entry.size.to_le_bytes());
    encode_time(entry.modified, &mut payload);
    match &entry.version {
        Version::Object { etag } => payload.extend(etag.as_bytes()),
        Version::File { changed, inode, device } => {
            encode_time(*changed, &mut payload);
            payload.extend(inode.to_le_bytes());
            payload.extend(device.to_le_bytes());
        }
    }
    payload
}

fn encode_time(moment: SystemTime, payload: &mut Vec<u8>) {
    let (seconds, nanoseconds) = time::since_epoch(moment);
    payload.extend(seconds.to_le_bytes());
    payload.extend(nanoseconds.to_le_bytes());
}

/// A reason alone, as it stands in the payload of an unknown.
pub(crate) fn encode_reason(reason: &UnknownReason) -> Vec<u8> {
    let (letter, text) = match reason {
        UnknownReason::SpecialFile => (b'f', ""),
        UnknownReason::Symlink => (b's', ""),
        UnknownReason::BrokenSymlink => (b'b', ""),
        UnknownReason::SymlinkLoop => (b'l', ""),
        UnknownReason::Unreadable(text) => (b'u', text.as_str()),
    };
    [&[letter], text.as_bytes()].concat()
}

/// The reason that was encoded so.
pub(crate) fn decode_reason(payload: &[u8]) -> io::Result<UnknownReason> {
    Fields(payload).reason()
}

/// What is left of a payload.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn entry(&mut self, key: Key) -> io::Result<Entry> {
        let [letter] = self.take()?;
        let size = u64::from_le_bytes(self.take()?);
        let modified = self.time()?;
        let version = match letter {
            b'o' => Version::Object { etag: self.text()? },
            b'f' => Version::File {
                changed: self.time()?,
                inode: u64::from_le_bytes(self.take()?),
                device: u64::from_le_bytes(self.take()?),
            },
            _ => return Err(garbled()),
        };
        Ok(Entry { key, size, modified, version })
    }

    fn reason(&mut self) -> io::Result<UnknownReason> {
        match self.take()? {
            [b'f'] => Ok(UnknownReason::SpecialFile),
            [b's'] => Ok(UnknownReason::Symlink),
            [b'b'] => Ok(UnknownReason::BrokenSymlink),
            [b'l'] => Ok(UnknownReason::SymlinkLoop),
            [b'u'] => Ok(UnknownReason::Unreadable(self.text()?)),
            _ => Err(garbled()),
        }
    }

    fn time(&mut self) -> io::Result<SystemTime> {
        Ok(time::at(i64::from_le_bytes(self.take()?), u32::from_le_bytes(self.take()?)))
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk().ok_or_else(garbled)?;
        self.0 = rest;
        Ok(*field)
    }

    fn text(&mut self) -> io::Result<String> {
        String::from_utf8(std::mem::take(&mut self.0).into()).map_err(|_| garbled())
    }
}

fn garbled() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the temporary sort file does not read as it was written")
}
