//! How an entry is written in a temporary file, and in the spool of a ledger, as
//! docs/formats/ledger.md says: another way needs another format there. Numbers are little-endian.
//!
//! | entry | bytes |
//! |---|---|
//! | object in a bucket | `o`, size `u64`, modified, `ETag` to the end |
//! | one whose version has an id | `v`, size `u64`, modified, length of the id `u64`, id, `ETag` to the end |
//! | file | `f`, size `u64`, modified, changed, inode `u64`, device `u64` |
//!
//! A time is seconds since the epoch `i64` and nanoseconds `u32`. The key is
//! kept beside it.

use std::io;
use std::time::SystemTime;

use crate::time;
use crate::{Entry, Key, Version};

/// The entry's bytes, without its key.
#[must_use]
pub fn encode(entry: &Entry) -> Vec<u8> {
    let mut record = Vec::with_capacity(64);
    record.push(match &entry.version {
        Version::Object { id: None, .. } => b'o',
        Version::Object { id: Some(_), .. } => b'v',
        Version::File { .. } => b'f',
    });
    record.extend(entry.size.to_le_bytes());
    encode_time(entry.modified, &mut record);
    match &entry.version {
        Version::Object { etag, id } => {
            if let Some(id) = id {
                record.extend((id.as_str().len() as u64).to_le_bytes());
                record.extend(id.as_str().as_bytes());
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
            let length = usize::try_from(u64::from_le_bytes(fields.take()?)).map_err(|_| garbled())?;
            let id = fields.bytes(length)?;
            let id = std::str::from_utf8(id).map_err(|_| garbled())?.into();
            Version::Object { id: Some(id), etag: fields.text()? }
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

    fn bytes(&mut self, length: usize) -> io::Result<&[u8]> {
        let (field, rest) = self.0.split_at_checked(length).ok_or_else(garbled)?;
        self.0 = rest;
        Ok(field)
    }

    fn text(&mut self) -> io::Result<String> {
        String::from_utf8(std::mem::take(&mut self.0).into()).map_err(|_| garbled())
    }
}

/// Says that a temporary file was changed by something else, or by a broken disk.
pub(crate) fn garbled() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file does not read as it was written")
}
