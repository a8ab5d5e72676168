//! Reading files: whole, in ranges, and for their digests. Each from one
//! descriptor, whose `stat` before and after tells whether it held still.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use brigade_buffers::Buffer;
use bytes::Bytes;
use rustix::fs::{FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use super::digests;
use super::failures::{absent, changed, failure, symlink, unknown};
use super::hops::Hops;
use super::key_path::KeyPath;
use super::root::Root;
use super::stat::{Named, entry_of, kind_of, look_up};
use crate::{
    Digest, DigestKind, Entry, Failure, FailureKind, Key, Object, ObjectHeaders, Reader, UnknownReason, Verified,
    Version,
};

/// How far apart two changes are at most that bear the same time. Linux sets
/// the times of files from a clock that moves with the timer, every 1 to 10 ms
/// (`CLOCK_REALTIME_COARSE` in `clock_getres(2)`); since Linux 6.13 some file
/// systems set finer ones.
const TICK: Duration = Duration::from_millis(20);

/// Reads the file into memory. If it changes meanwhile, once more; if it has
/// grown since it was listed, not at all, because nobody has made room for it.
pub(super) fn read_whole(root: &Root, listed: &Entry) -> Result<Object, Failure> {
    read_still(|| {
        let (file, now) = open(root, &listed.key)?;
        if now.size > listed.size {
            return Err(changed("the file has grown since it was listed"));
        }
        Ok((file, now))
    })
}

fn read_still(open: impl Fn() -> Result<(File, Entry), Failure>) -> Result<Object, Failure> {
    for _ in 0..2 {
        let (file, before) = open()?;
        let body = read_up_to(&file, before.size).map_err(|error| failure("read the file", error))?;
        let entry = entry_now(&file, &before.key)?;
        if entry == before && body.as_ref().len() as u64 == entry.size {
            let headers = headers_of(&entry);
            return Ok(Object { entry, headers, body: body.freeze(), verified: Verified::Yes });
        }
    }
    Err(changed("the file changed while it was read, twice"))
}

/// The wanted digests of the version that was listed.
pub(super) fn digests(root: &Root, entry: &Entry, wanted: &[DigestKind]) -> Result<Vec<Digest>, Failure> {
    let (file, before) = open(root, &entry.key)?;
    if before != *entry {
        return Err(changed("the file changed since it was listed"));
    }
    let (digests, length) = digests::of_file(&file, wanted).map_err(|error| failure("read the file", error))?;
    if length != before.size || entry_now(&file, &entry.key)? != before {
        return Err(changed("the file changed while it was read"));
    }
    Ok(digests)
}

/// An open file, read in ranges.
#[derive(Debug)]
pub(super) struct FileReader {
    file: Arc<File>,
    entry: Entry,
    headers: ObjectHeaders,
    hops: Hops,
}

impl FileReader {
    /// Opens the file, whichever version is there now.
    pub(super) fn open(root: &Root, key: &Key, hops: Hops) -> Result<Self, Failure> {
        let (file, entry) = open(root, key)?;
        let headers = headers_of(&entry);
        Ok(Self { file: Arc::new(file), entry, headers, hops })
    }
}

#[async_trait]
impl Reader for FileReader {
    fn entry(&self) -> &Entry {
        &self.entry
    }

    fn headers(&self) -> &ObjectHeaders {
        &self.headers
    }

    async fn read(&self, range: Range<u64>) -> Result<Bytes, Failure> {
        let file = self.file.clone();
        self.hops.long(move || read_range(&file, range)).await?
    }

    /// A file that was replaced by another is still whole behind its
    /// descriptor: only what happens to this one counts.
    async fn check_unchanged(&self) -> Result<(), Failure> {
        let (file, key) = (self.file.clone(), self.entry.key.clone());
        let now = self.hops.quick(move || entry_now(&file, &key)).await??;
        if now == self.entry { Ok(()) } else { Err(changed("the file changed while it was read")) }
    }

    fn digest(&self) -> Option<(DigestKind, Digest)> {
        None
    }
}

/// Opens the file at the key the way the walk would come to it.
fn open(root: &Root, key: &Key) -> Result<(File, Entry), Failure> {
    let path = KeyPath::of(key)?;
    let directory = root.find(&path.directories)?.ok_or_else(absent)?;
    // Without NONBLOCK, opening a FIFO that came in the file's place would wait for a writer.
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    if !root.follows() {
        flags |= OFlags::NOFOLLOW;
    }
    let file = openat(&directory, path.name, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOENT => match look_up(&directory, path.name, root.follows()) {
            Ok(Named::BrokenSymlink) => unknown(&UnknownReason::BrokenSymlink),
            _ => absent(),
        },
        Errno::LOOP if !root.follows() => symlink(key),
        error => failure("open the file", error),
    })?;
    let stat = fstat(&file).map_err(|error| failure("look at the file", error))?;
    match kind_of(&stat) {
        FileType::RegularFile => {
            let file = file.into();
            let entry = settled(&file, entry_of(key.clone(), &stat))?;
            Ok((file, entry))
        }
        FileType::Directory => Err(Failure::new(FailureKind::Changed, "a directory has taken the file's place")),
        _ => Err(Failure::new(FailureKind::Changed, "something that is not a regular file has taken its place")),
    }
}

/// The file's entry once every later change will show in it: a file that was
/// changed within the last tick could change again and bear the same times.
fn settled(file: &File, entry: Entry) -> Result<Entry, Failure> {
    let Some(wait) = left_of_tick(&entry, SystemTime::now()) else {
        return Ok(entry);
    };
    std::thread::sleep(wait);
    let entry = entry_now(file, &entry.key)?;
    match left_of_tick(&entry, SystemTime::now()) {
        None => Ok(entry),
        Some(_) => Err(changed("the file is being written")),
    }
}

/// How long a change of the file could still leave its times as they are;
/// `None` if every change shows.
fn left_of_tick(entry: &Entry, now: SystemTime) -> Option<Duration> {
    let Version::File { changed, .. } = entry.version else { return None };
    // A time that is yet to come tells nothing: somebody has set the clock back.
    let age = now.duration_since(changed).ok()?;
    TICK.checked_sub(age).filter(|left| !left.is_zero())
}

fn entry_now(file: &File, key: &Key) -> Result<Entry, Failure> {
    let stat = fstat(file).map_err(|error| failure("look at the file", error))?;
    Ok(entry_of(key.clone(), &stat))
}

fn headers_of(entry: &Entry) -> ObjectHeaders {
    ObjectHeaders { modified: Some(entry.modified), content_type: None, ..ObjectHeaders::default() }
}

/// Reads as many bytes as are there, up to this size.
fn read_up_to(file: &File, size: u64) -> io::Result<Buffer> {
    let size = usize::try_from(size).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    let mut body = Buffer::of(size);
    let mut length = 0;
    while length < size {
        match file.read_at(&mut body.bytes_mut()[length..], length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    body.truncate(length);
    Ok(body)
}

fn read_range(file: &File, range: Range<u64>) -> Result<Bytes, Failure> {
    let length = usize::try_from(range.end.saturating_sub(range.start))
        .map_err(|_| Failure::new(FailureKind::Failed, "the range is larger than memory"))?;
    let mut body = Buffer::of(length);
    match file.read_exact_at(body.bytes_mut(), range.start) {
        Ok(()) => Ok(body.freeze()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(changed("the file became shorter while it was read"))
        }
        Err(error) => Err(failure("read the file", error)),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::local::Symlinks;
    use crate::local::root::Role;
    use crate::local::scenery::Scenery;

    /// How an entry differs from the file that it was taken of, as if that
    /// had changed since.
    const CHANGES: [fn(&mut Entry); 3] =
        [|entry| entry.size += 1, |entry| entry.size -= 1, |entry| entry.modified += Duration::from_nanos(1)];

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_once_more_and_then_given_up() {
        let scenery = Scenery::new();
        scenery.file("a", "content");
        let root = Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Source);
        for change in CHANGES {
            for times in 0..=2_u8 {
                let left = Cell::new(times);
                let read = read_still(|| {
                    let (file, mut entry) = open(&root, &Key::from("a"))?;
                    if left.replace(left.get().saturating_sub(1)) > 0 {
                        change(&mut entry);
                    }
                    Ok((file, entry))
                });
                match (times, read) {
                    (0 | 1, Ok(object)) => assert_eq!(object.body, "content"),
                    (2, Err(failure)) => assert_eq!(failure.kind, FailureKind::Changed),
                    (times, read) => panic!("after {times} changes: {read:?}"),
                }
            }
        }
    }

    #[test]
    fn a_change_is_waited_for_until_the_next_one_will_show() {
        let scenery = Scenery::new();
        scenery.file("a", "");
        let root = Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Source);
        let (_, mut entry) = open(&root, &Key::from("a")).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1);
        let age = |milliseconds| now - Duration::from_millis(milliseconds);
        let table = [(0, Some(20)), (15, Some(5)), (20, None), (500, None)];
        for (changed, expected) in table.map(|(before, left)| (age(before), left.map(Duration::from_millis))) {
            entry.version = Version::File { changed, inode: 1, device: 1 };
            assert_eq!(left_of_tick(&entry, now), expected);
        }
        let changed = now + Duration::from_hours(1);
        entry.version = Version::File { changed, inode: 1, device: 1 };
        assert_eq!(left_of_tick(&entry, now), None);
    }

    #[test]
    fn a_file_that_was_just_written_does_not_change_unseen() {
        let scenery = Scenery::new();
        let root = Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Source);
        for _ in 0..20 {
            scenery.file("a", "first");
            let (file, before) = open(&root, &Key::from("a")).unwrap();
            std::fs::write(scenery.at("a"), "other").unwrap();
            file.set_modified(before.modified).unwrap();
            assert_ne!(entry_now(&file, &before.key).unwrap(), before);
        }
    }
}
