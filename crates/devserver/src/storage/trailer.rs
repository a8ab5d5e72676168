//! The end of an object's file: its record as JSON, the length of that in four
//! bytes (big-endian), and eight bytes that say what it is.
//!
//! It stands behind the body because ETag and checksums are known only when the
//! body has gone by, and so that the body begins at the file's first byte.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::at;

const MAGIC: [u8; 8] = *b"BRIGADE1";

/// Appends the trailer to a file whose body is written.
pub(super) fn append<T: Serialize>(file: &mut File, record: &T) -> io::Result<()> {
    let mut trailer = serde_json::to_vec(record)?;
    let length = u32::try_from(trailer.len()).map_err(io::Error::other)?;
    trailer.extend_from_slice(&length.to_be_bytes());
    trailer.extend_from_slice(&MAGIC);
    file.seek(SeekFrom::End(0))?;
    file.write_all(&trailer)
}

/// Reads the record of the file at `path`, which an error names.
pub(super) fn load<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    File::open(path).and_then(|mut file| read(&mut file)).map_err(at(path))
}

fn read<T: DeserializeOwned>(file: &mut File) -> io::Result<T> {
    let mut end = [0_u8; 12];
    // Only what is too short has no such place.
    file.seek(SeekFrom::End(-12)).map_err(|_| damaged())?;
    file.read_exact(&mut end)?;
    let [a, b, c, d, magic @ ..] = end;
    if magic != MAGIC {
        return Err(damaged());
    }
    let length = u32::from_be_bytes([a, b, c, d]);
    file.seek(SeekFrom::End(-12 - i64::from(length))).map_err(|_| damaged())?;
    let mut json = Vec::new();
    file.take(u64::from(length)).read_to_end(&mut json)?;
    serde_json::from_slice(&json).map_err(|_| damaged())
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "damaged, or of another program; without the file the rest can be used")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Record;

    #[test]
    fn what_is_appended_is_loaded() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"body").unwrap();
        append(&mut file, &Record { key: "a//b\u{1}".to_owned(), size: 4, ..Record::default() }).unwrap();
        let record: Record = read(&mut file).unwrap();
        assert_eq!((record.key.as_str(), record.size), ("a//b\u{1}", 4));
    }

    #[test]
    fn other_files_are_refused() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"something that somebody else wrote").unwrap();
        assert!(read::<Record>(&mut file).is_err());
        assert!(read::<Record>(&mut tempfile::tempfile().unwrap()).is_err());
    }
}
