//! The spool: actions that wait for a later phase, on disk, so that memory
//! doesn't grow with them.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::sync::Arc;

use brigade_store::{Digest, Entry, Key, record};

use crate::ledger::{Change, Ledger, Recorder};
use crate::plan::{Action, Phase, Transfer};
use crate::transfer::Halt;

/// Actions in a batch that is read back.
pub(crate) const BATCH: usize = 256;

/// Keeps actions by phase: in the ledger, in the order of their keys, where
/// the next run finds them; without one, or where the run leaves no trace, each phase in
/// an unnamed temporary file, in the order in which they came. Does blocking
/// file I/O, buffered.
pub(crate) struct Spool {
    place: Place,
}

enum Place {
    /// One for each [`Phase`]; that of the first, which waits for nothing, stays empty.
    Files([Lane; Phase::COUNT]),
    Ledger {
        recorder: Arc<Recorder>,
        ledger: Arc<dyn Ledger>,
        waiting: [u64; Phase::COUNT],
    },
}

impl Spool {
    /// In temporary files.
    pub(crate) fn in_files() -> Self {
        Self { place: Place::Files(Default::default()) }
    }

    /// In the recorder's ledger, if it has one; so many wait there already.
    pub(crate) fn in_ledger(recorder: &Arc<Recorder>, waiting: [u64; Phase::COUNT]) -> Self {
        match recorder.ledger() {
            None => Self::in_files(),
            Some(ledger) => {
                let (recorder, ledger) = (Arc::clone(recorder), Arc::clone(ledger));
                Self { place: Place::Ledger { recorder, ledger, waiting } }
            }
        }
    }

    /// Keeps an action for its phase.
    pub(crate) fn push(&mut self, phase: Phase, action: Action) -> io::Result<()> {
        match &mut self.place {
            Place::Files(lanes) => lanes[phase as usize].push(&action),
            Place::Ledger { recorder, waiting, .. } => {
                waiting[phase as usize] += 1;
                recorder.note([Change::Spool(phase, action)]);
                Ok(())
            }
        }
    }

    /// How many actions wait for the phase.
    #[must_use]
    pub(crate) fn waiting(&self, phase: Phase) -> u64 {
        match &self.place {
            Place::Files(lanes) => lanes[phase as usize].count,
            Place::Ledger { waiting, .. } => waiting[phase as usize],
        }
    }

    /// Takes in how many wait by the ledger's own count: what was spooled
    /// again took the place of what an earlier run had spooled.
    pub(crate) fn recount(&mut self, counted: [u64; Phase::COUNT]) {
        if let Place::Ledger { waiting, .. } = &mut self.place {
            *waiting = counted;
        }
    }

    /// Takes out all the actions of a phase. Those in a ledger stay there until each is done.
    pub(crate) fn take(&mut self, phase: Phase) -> io::Result<Spooled> {
        match &mut self.place {
            Place::Files(lanes) => std::mem::take(&mut lanes[phase as usize]).read_back(),
            Place::Ledger { ledger, waiting, .. } => {
                waiting[phase as usize] = 0;
                Ok(Spooled::InLedger { ledger: Arc::clone(ledger), phase, after: None })
            }
        }
    }
}

/// The actions of one phase on their way out of the spool.
pub(crate) enum Spooled {
    InFile { file: Option<BufReader<File>>, left: u64 },
    InLedger { ledger: Arc<dyn Ledger>, phase: Phase, after: Option<Key> },
}

impl Spooled {
    /// The next [`BATCH`] actions; empty at the end.
    pub(crate) async fn next_batch(&mut self) -> Result<Vec<Action>, Halt> {
        match self {
            Self::InFile { file, left } => Ok(next_in_file(file.as_mut(), left)?),
            Self::InLedger { ledger, phase, after } => {
                let batch = ledger.spooled(*phase, after.as_ref(), BATCH).await?;
                if let Some(last) = batch.last() {
                    *after = Some(last.key().clone());
                }
                Ok(batch)
            }
        }
    }
}

fn next_in_file(file: Option<&mut BufReader<File>>, left: &mut u64) -> io::Result<Vec<Action>> {
    let mut batch = Vec::new();
    if let Some(file) = file {
        while *left > 0 && batch.len() < BATCH {
            batch.push(read_action(file)?);
            *left -= 1;
        }
    }
    Ok(batch)
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
        Ok(Spooled::InFile { file, left: self.count })
    }
}

const DELETE: u8 = b'd';
const CREATE: u8 = b'c';
/// The same, after a look at what is there.
const CREATE_AFTER_A_LOOK: u8 = b'l';
const REPLACE: u8 = b'r';
const REPLACE_IF_CONTENT_DIFFERS: u8 = b'i';
/// The same, with the CRC-64/NVME that the destination's content is known to have.
const REPLACE_UNLESS_CRC64_IS: u8 = b'k';

/// An action as a ledger keeps it.
pub(crate) fn encode_action(action: &Action) -> io::Result<Vec<u8>> {
    let mut record = Vec::with_capacity(160);
    write_action(&mut record, action)?;
    Ok(record)
}

/// The action that was encoded so.
pub(crate) fn decode_action(mut record: &[u8]) -> io::Result<Action> {
    let action = read_action(&mut record)?;
    if record.is_empty() { Ok(action) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn write_action(file: &mut impl Write, action: &Action) -> io::Result<()> {
    match action {
        Action::Delete(entry) => {
            file.write_all(&[DELETE])?;
            write_entry(file, entry)
        }
        Action::Send(transfer) => {
            let kind = match (&transfer.replaces, transfer.if_content_differs, transfer.settled) {
                (None, false, _) => CREATE,
                (None, true, _) => CREATE_AFTER_A_LOOK,
                (Some(_), false, _) => REPLACE,
                (Some(_), true, Some(Digest::Crc64Nvme(_))) => REPLACE_UNLESS_CRC64_IS,
                (Some(_), true, _) => REPLACE_IF_CONTENT_DIFFERS,
            };
            file.write_all(&[kind])?;
            write_entry(file, &transfer.source)?;
            transfer.replaces.iter().try_for_each(|replaced| write_entry(file, replaced))?;
            match transfer.settled {
                Some(Digest::Crc64Nvme(crc)) if kind == REPLACE_UNLESS_CRC64_IS => file.write_all(&crc.to_le_bytes()),
                _ => Ok(()),
            }
        }
    }
}

fn read_action(file: &mut impl Read) -> io::Result<Action> {
    let [kind] = read_array(file)?;
    let entry = read_entry(file)?;
    let replaces = match kind {
        DELETE => return Ok(Action::Delete(entry)),
        CREATE | CREATE_AFTER_A_LOOK => None,
        _ => Some(read_entry(file)?),
    };
    let settled = match kind {
        REPLACE_UNLESS_CRC64_IS => Some(Digest::Crc64Nvme(u64::from_le_bytes(read_array(file)?))),
        CREATE | CREATE_AFTER_A_LOOK | REPLACE | REPLACE_IF_CONTENT_DIFFERS => None,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let if_content_differs = matches!(kind, CREATE_AFTER_A_LOOK | REPLACE_IF_CONTENT_DIFFERS | REPLACE_UNLESS_CRC64_IS);
    // What waits was looked at before.
    Ok(Action::Send(Transfer { source: entry, replaces, if_content_differs, settled, unlisted: None }))
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
        Entry { version: Version::object("é-2"), ..entry(key) }
    }

    #[tokio::test]
    async fn each_phase_gives_back_its_own_actions_in_order() {
        let crc = Some(Digest::Crc64Nvme(7));
        let sends: Vec<Action> = [
            (None, false, None),
            (None, true, None),
            (Some(object(b"a\xff")), false, None),
            (Some(object(b"")), true, None),
            (Some(object(b"")), true, crc),
        ]
        .map(|(replaces, if_content_differs, settled)| {
            Action::Send(Transfer { source: entry(b"a\xff"), replaces, if_content_differs, settled, unlisted: None })
        })
        .into();
        for action in &sends {
            let record = encode_action(action).unwrap();
            assert_eq!(decode_action(&record).unwrap(), *action);
            assert!((0..record.len()).all(|end| decode_action(&record[..end]).is_err()));
        }
        let deletes: Vec<Action> = (0..=2 * BATCH).map(|n| Action::Delete(object(format!("{n}").as_bytes()))).collect();
        let mut spool = Spool::in_files();
        for delete in &deletes {
            spool.push(Phase::Deletions, delete.clone()).unwrap();
        }
        for send in &sends {
            spool.push(Phase::AfterDeletions, send.clone()).unwrap();
        }
        assert_eq!(spool.waiting(Phase::Deletions), deletes.len() as u64);
        for (phase, expected) in [(Phase::Deletions, deletes), (Phase::AfterDeletions, sends), (Phase::Now, vec![])] {
            let mut spooled = spool.take(phase).unwrap();
            let mut actions = Vec::new();
            loop {
                let batch = spooled.next_batch().await.unwrap();
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
