//! How an entry is written in a temporary file, and in the spool of a ledger, as
//! docs/formats/ledger.md says: another way needs another format there. Numbers are little-endian.
//!
//! | entry | bytes |
//! |---|---|
//! | object in a bucket | `o`, size `u64`, modified, `ETag` to the end |
//! | one with a version id or a storage class | `v`, size `u64`, modified, id, storage class, `ETag` to the end |
//! | file | `f`, size `u64`, modified, changed, inode `u64`, device `u64` |
//!
//! An id, or a storage class, is its length `u64` and its text; none is of length 0. A time is seconds since the epoch
//! `i64` and nanoseconds `u32`. The key is kept beside it.

use std::io;
use std::time::SystemTime;

use crate::time;
use crate::{Entry, Key, Version, VersionId};

/// The entry's bytes, without its key.
#[must_use]
pub fn encode(entry: &Entry) -> Vec<u8> {
    let mut record = Vec::with_capacity(64);
    record.push(match &entry.version {
        Version::Object { id: None, storage_class: None, .. } => b'o',
        Version::Object { .. } => b'v',
        Version::File { .. } => b'f',
    });
    record.extend(entry.size.to_le_bytes());
    encode_time(entry.modified, &mut record);
    match &entry.version {
        Version::Object { etag, id, storage_class } => {
            if id.is_some() || storage_class.is_some() {
                encode_text(id.as_ref().map_or("", VersionId::as_str), &mut record);
                encode_text(storage_class.as_deref().unwrap_or_default(), &mut record);
            }
            record.extend(etag.as_bytes());
        }
        Version::File { changed, inode, device } => {
            encode_time(*changed, &mut record);
            record.extend(inode.to_le_bytes());
            record.extend(device.to_le_bytes());
        }
    }
    record
}

/// The entry that was encoded so, with its key. Fails with
/// [`io::ErrorKind::InvalidData`] on anything else.
pub fn decode(key: Key, record: &[u8]) -> io::Result<Entry> {
    let mut fields = Fields(record);
    let [letter] = fields.take()?;
    let size = u64::from_le_bytes(fields.take()?);
    let modified = fields.time()?;
    let version = match letter {
        b'o' => Version::object(fields.text()?),
        b'v' => {
            let id = fields.short_text()?.map(VersionId::from);
            let storage_class = fields.short_text()?.map(Box::from);
            Version::Object { id, storage_class, etag: fields.text()? }
        }
        b'f' => Version::File {
            changed: fields.time()?,
            inode: u64::from_le_bytes(fields.take()?),
            device: u64::from_le_bytes(fields.take()?),
        },
        _ => return Err(garbled()),
    };
    Ok(Entry { key, size, modified, version })
}

fn encode_text(text: &str, record: &mut Vec<u8>) {
    record.extend((text.len() as u64).to_le_bytes());
    record.extend(text.as_bytes());
}

fn encode_time(moment: SystemTime, record: &mut Vec<u8>) {
    let (seconds, nanoseconds) = time::since_epoch(moment);
    record.extend(seconds.to_le_bytes());
    record.extend(nanoseconds.to_le_bytes());
}

/// What is left of a record.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn time(&mut self) -> io::Result<SystemTime> {
        Ok(time::at(i64::from_le_bytes(self.take()?), u32::from_le_bytes(self.take()?)))
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk().ok_or_else(garbled)?;
        self.0 = rest;
        Ok(*field)
    }

    /// `None` where it is empty.
    fn short_text(&mut self) -> io::Result<Option<&str>> {
        let length = usize::try_from(u64::from_le_bytes(self.take()?)).map_err(|_| garbled())?;
        let (field, rest) = self.0.split_at_checked(length).ok_or_else(garbled)?;
        self.0 = rest;
        let text = std::str::from_utf8(field).map_err(|_| garbled())?;
        Ok((!text.is_empty()).then_some(text))
    }

    fn text(&mut self) -> io::Result<String> {
        String::from_utf8(std::mem::take(&mut self.0).into()).map_err(|_| garbled())
    }
}

/// Says that a temporary file was changed by something else, or by a broken disk.
pub(crate) fn garbled() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file does not read as it was written")
}
