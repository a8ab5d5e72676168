//! How an item of a listing is written in a spill file: private to one
//! process, so without version or checksum. Numbers are little-endian.
//!
//! | item | rank | payload |
//! |---|---|---|
//! | entry | 0 | its record |
//! | unknown key | 1 | reason |
//! | unknown below | 2 | reason |
//!
//! A reason is one letter, and its text to the end. The key is kept beside it.

use std::io;

use super::records::Record;
use crate::record::{self, garbled};
use crate::{Extent, Key, Listed, Unknown, UnknownReason};

const PRESENT: u8 = 0;
const UNKNOWN_KEY: u8 = 1;
const UNKNOWN_BELOW: u8 = 2;

/// The item's rank and payload.
pub(super) fn encode(item: &Listed) -> (u8, Vec<u8>) {
    match item {
        Listed::Present(entry) => (PRESENT, record::encode(entry)),
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
        PRESENT => return Ok(Listed::Present(record::decode(key, &record.payload)?)),
        UNKNOWN_KEY => Extent::Key,
        UNKNOWN_BELOW => Extent::Below,
        _ => return Err(garbled()),
    };
    Ok(Listed::Unknown(Unknown { key, extent, reason: decode_reason(&record.payload)? }))
}

/// A reason: one letter, and its text to the end.
pub(crate) fn encode_reason(reason: &UnknownReason) -> Vec<u8> {
    let (letter, text) = match reason {
        UnknownReason::SpecialFile => (b'f', ""),
        UnknownReason::Symlink => (b's', ""),
        UnknownReason::BrokenSymlink => (b'b', ""),
        UnknownReason::SymlinkLoop => (b'l', ""),
        UnknownReason::UnreadableSymlink(text) => (b't', text.as_str()),
        UnknownReason::Unreadable(text) => (b'u', text.as_str()),
        UnknownReason::NotKept => (b'n', ""),
        UnknownReason::NotTold => (b'o', ""),
        UnknownReason::Generated => (b'g', ""),
    };
    [&[letter], text.as_bytes()].concat()
}

/// The reason that was encoded so.
pub(crate) fn decode_reason(payload: &[u8]) -> io::Result<UnknownReason> {
    let Some((letter, text)) = payload.split_first() else {
        return Err(garbled());
    };
    let text = || String::from_utf8(text.into()).map_err(|_| garbled());
    match letter {
        b'f' => Ok(UnknownReason::SpecialFile),
        b's' => Ok(UnknownReason::Symlink),
        b'b' => Ok(UnknownReason::BrokenSymlink),
        b'l' => Ok(UnknownReason::SymlinkLoop),
        b't' => Ok(UnknownReason::UnreadableSymlink(text()?)),
        b'u' => Ok(UnknownReason::Unreadable(text()?)),
        b'n' => Ok(UnknownReason::NotKept),
        b'o' => Ok(UnknownReason::NotTold),
        b'g' => Ok(UnknownReason::Generated),
        _ => Err(garbled()),
    }
}
