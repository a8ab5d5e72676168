//! What must hold for any input whatever: what the fuzz targets assert, and
//! tests on the inputs that they found.

#![allow(clippy::missing_panics_doc, reason = "a check that fails panics: it is what they are for")]

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::inventory::csv::Record;
use crate::inventory::fuzzing::{read_manifest, read_rows};
use crate::s3::{Names, mtime};
use crate::{Key, Location};

/// A location that is taken reads the same when it is shown, and no key leads
/// out of its prefix. One that isn't is told in one line, and without what could be a password.
pub fn location(written: &[u8]) {
    let (written, key) = match written.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&written[..end], &written[end + 1..]),
        None => (written, &b"key"[..]),
    };
    match Location::parse(OsStr::from_bytes(written)) {
        Ok(location) => {
            if std::str::from_utf8(written).is_ok() {
                assert_eq!(Location::parse(OsStr::new(&location.to_string())).as_ref(), Ok(&location));
            }
            if let Location::Bucket { bucket, prefix, .. } = &location {
                assert!(!bucket.contains(|other: char| !other.is_ascii_alphanumeric() && !"-._".contains(other)));
                assert!(prefix.is_empty() || prefix.ends_with('/'), "{prefix:?}");
                assert_eq!(location.overlaps(&location), matches!(location, Location::Local(_)));
                assert_stays_below(prefix, &Key::new(key));
            }
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
    assert_keeps_secrets(written);
}

/// The name that the key gets in the bucket begins with the prefix, and is read back as the same key.
fn assert_stays_below(prefix: &str, key: &Key) {
    let names = Names::below(prefix);
    if let Ok(name) = names.of(key) {
        assert!(name.starts_with(prefix) && name.len() <= 1024, "{name:?}");
        assert_eq!(names.below_prefix(&name).map(Key::from).as_ref(), Ok(key));
    }
    assert!(names.start_after(key).starts_with(prefix));
}

/// The same with credentials before the host is refused, and they are not repeated.
fn assert_keeps_secrets(written: &[u8]) {
    // No scheme and no host can have a `=`.
    const SECRET: &str = "hush=hush";
    let Some(start) = written.windows(3).position(|window| window == b"://") else { return };
    let (scheme, rest) = written.split_at(start + 3);
    if written.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()) {
        return;
    }
    let with_secret = [scheme, SECRET.as_bytes(), b"@", rest].concat();
    match Location::parse(OsStr::from_bytes(&with_secret)) {
        // What stands before isn't a scheme.
        Ok(location) => assert!(matches!(location, Location::Local(_)), "{location:?}"),
        Err(error) => assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}"),
    }
}

/// A modification time that is read from an object is the same when it is stored again.
pub fn modified(stored: &[u8]) {
    let Ok(stored) = std::str::from_utf8(stored) else { return };
    if let Some(modified) = mtime::parse(stored) {
        assert_eq!(mtime::parse(&mtime::format(modified)), Some(modified), "{stored:?}");
    }
}

/// A manifest of S3 Inventory, or rows, list no more than was said, and what is wrong with them is told in one line.
pub fn inventory(file: &[u8]) {
    if let Err(error) = read_manifest(file) {
        assert!(!error.contains(char::is_control), "{error:?}");
    }
    match read_rows(file) {
        Ok(keys) => {
            assert!(keys.iter().all(|key| (1..=1024).contains(&key.len())), "{keys:?}");
            assert!(keys.iter().map(String::len).sum::<usize>() <= file.len(), "more text than there was");
        }
        Err(error) => assert!(!error.contains(char::is_control), "{error:?}"),
    }
    assert_reads_the_same(file);
}

/// Records with every field quoted are the records that were read.
fn assert_reads_the_same(mut file: &[u8]) {
    let (mut record, mut again) = (Record::default(), Record::default());
    while let Ok(true) = record.read(&mut file) {
        let fields = (0..record.len()).map(|number| {
            let doubled = record.field(number).iter().flat_map(|byte| vec![*byte; if *byte == b'"' { 2 } else { 1 }]);
            [vec![b'"'], doubled.collect(), vec![b'"']].concat()
        });
        let written = fields.collect::<Vec<_>>().join(&b',');
        assert!(matches!(again.read(&mut written.as_slice()), Ok(true)), "{record:?}");
        assert_eq!(again, record);
    }
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn locations() {
        replay("url", super::location);
    }

    #[test]
    fn inventories() {
        replay("inventory", super::inventory);
    }

    #[test]
    fn modification_times() {
        replay("date", super::modified);
    }
}
