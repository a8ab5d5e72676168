//! The spool: actions that wait for a later phase, on disk, so that memory
//! doesn't grow with them.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use brigade_store::{Entry, Key, record};

use crate::plan::{Action, Phase, Transfer};

/// Actions in a batch that is read back.
pub(crate) const BATCH: usize = 256;

/// Keeps actions by phase, each phase in an unnamed temporary file, in the
/// order in which they came. Does blocking file I/O, buffered.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    /// One for each [`Phase`]; that of the first, which waits for nothing, stays empty.
    lanes: [Lane; Phase::COUNT],
}

impl Spool {
    /// Keeps an action for its phase.
    pub(crate) fn push(&mut self, phase: Phase, action: &Action) -> io::Result<()> {
        self.lanes[phase as usize].push(action)
    }

    /// How many actions wait for the phase.
    #[must_use]
    pub(crate) fn waiting(&self, phase: Phase) -> u64 {
        self.lanes[phase as usize].count
    }

    /// Takes out all the actions of a phase.
    pub(crate) fn take(&mut self, phase: Phase) -> io::Result<Spooled> {
        std::mem::take(&mut self.lanes[phase as usize]).read_back()
    }
}

/// The actions of one phase on their way out of the spool.
#[derive(Debug)]
pub(crate) struct Spooled {
    file: Option<BufReader<File>>,
    left: u64,
}

impl Spooled {
    /// The next [`BATCH`] actions; empty at the end.
    pub(crate) fn next_batch(&mut self) -> io::Result<Vec<Action>> {
        let mut batch = Vec::new();
        while let Some(file) = &mut self.file {
            if self.left == 0 || batch.len() == BATCH {
                break;
            }
            batch.push(read_action(file)?);
            self.left -= 1;
        }
        Ok(batch)
    }
}

#[derive(Debug, Default)]
struct Lane {
    file: Option<BufWriter<File>>,
    count: u64,
}

impl Lane {
    fn push(&mut self, action: &Action) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        write_action(file, action)?;
        self.count += 1;
        Ok(())
    }

    fn read_back(self) -> io::Result<Spooled> {
        let file = match self.file {
            None => None,
            Some(file) => {
                let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.rewind()?;
                Some(BufReader::new(file))
            }
        };
        Ok(Spooled { file, left: self.count })
    }
}

const DELETE: u8 = b'd';
const CREATE: u8 = b'c';
const REPLACE: u8 = b'r';
const REPLACE_IF_CONTENT_DIFFERS: u8 = b'i';

fn write_action(file: &mut impl Write, action: &Action) -> io::Result<()> {
    match action {
        Action::Delete(entry) => {
            file.write_all(&[DELETE])?;
            write_entry(file, entry)
        }
        Action::Send(transfer) => {
            let kind = match (&transfer.replaces, transfer.if_content_differs) {
                (None, _) => CREATE,
                (Some(_), false) => REPLACE,
                (Some(_), true) => REPLACE_IF_CONTENT_DIFFERS,
            };
            file.write_all(&[kind])?;
            write_entry(file, &transfer.source)?;
            transfer.replaces.iter().try_for_each(|replaced| write_entry(file, replaced))
        }
    }
}

fn read_action(file: &mut impl Read) -> io::Result<Action> {
    let [kind] = read_array(file)?;
    let entry = read_entry(file)?;
    let replaces = match kind {
        DELETE => return Ok(Action::Delete(entry)),
        CREATE => None,
        _ => Some(read_entry(file)?),
    };
    Ok(Action::Send(Transfer { source: entry, replaces, if_content_differs: kind == REPLACE_IF_CONTENT_DIFFERS }))
}

fn write_entry(file: &mut impl Write, entry: &Entry) -> io::Result<()> {
    write_bytes(file, entry.key.as_bytes())?;
    write_bytes(file, &record::encode(entry))
}

fn read_entry(file: &mut impl Read) -> io::Result<Entry> {
    let key = Key::new(read_bytes(file)?);
    record::decode(key, &read_bytes(file)?)
}

fn write_bytes(file: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(bytes)
}

fn read_bytes(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let length = u32::from_le_bytes(read_array(file)?);
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use brigade_store::Version;

    use super::*;

    fn entry(key: &[u8]) -> Entry {
        let modified = SystemTime::UNIX_EPOCH - Duration::from_nanos(1);
        let version = Version::File { changed: modified, inode: u64::MAX, device: 7 };
        Entry { key: Key::new(key), size: 1 << 40, modified, version }
    }

    fn object(key: &[u8]) -> Entry {
        Entry { version: Version::Object { etag: "é-2".into() }, ..entry(key) }
    }

    #[test]
    fn each_phase_gives_back_its_own_actions_in_order() {
        let sends: Vec<Action> = [(None, false), (Some(object(b"a\xff")), false), (Some(object(b"")), true)]
            .map(|(replaces, if_content_differs)| {
                Action::Send(Transfer { source: entry(b"a\xff"), replaces, if_content_differs })
            })
            .into();
        let deletes: Vec<Action> = (0..=2 * BATCH).map(|n| Action::Delete(object(format!("{n}").as_bytes()))).collect();
        let mut spool = Spool::default();
        for delete in &deletes {
            spool.push(Phase::Deletions, delete).unwrap();
        }
        for send in &sends {
            spool.push(Phase::AfterDeletions, send).unwrap();
        }
        assert_eq!(spool.waiting(Phase::Deletions), deletes.len() as u64);
        for (phase, expected) in [(Phase::Deletions, deletes), (Phase::AfterDeletions, sends), (Phase::Now, vec![])] {
            let mut spooled = spool.take(phase).unwrap();
            let mut actions = Vec::new();
            loop {
                let batch = spooled.next_batch().unwrap();
                if batch.is_empty() {
                    break;
                }
                actions.extend(batch);
            }
            assert_eq!(actions, expected);
        }
        assert_eq!(spool.waiting(Phase::Deletions), 0);
    }
}
