//! Power cuts of a [`MemoryStore`] that is a tree: what was not made durable may be lost.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::objects::Stored;
use super::{MemoryStore, State};
use crate::Key;

/// What a power cut could still take back.
#[derive(Default)]
pub(super) struct Unwritten {
    /// How long it can; `None` where everything is durable at once.
    written_after: Option<Duration>,
    files: BTreeMap<Key, Before>,
    made: BTreeMap<Key, Instant>,
}

/// What is durable of a file that was changed.
struct Before {
    stored: Option<Stored>,
    changed: Instant,
}

/// What becomes of a change in a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It had been written.
    Nothing,
    /// It is as if it had not been made.
    Undone,
    /// The file is there, with its times, and holds no bytes.
    Emptied,
    /// The file is there, with its length and times, and the bytes of its second half are zeros.
    Torn,
}

impl Unwritten {
    /// Takes note of what a changed file was before.
    pub(super) fn note(&mut self, key: &Key, before: Option<&Stored>) {
        let Some(written_after) = self.written_after else { return };
        let changed = Instant::now();
        let is_in_doubt = |known: &Before| changed - known.changed < written_after;
        match self.files.get_mut(key).filter(|known| is_in_doubt(known)) {
            Some(known) => known.changed = changed,
            None => drop(self.files.insert(key.clone(), Before { stored: before.cloned(), changed })),
        }
    }

    /// Takes note of a directory that was made.
    pub(super) fn note_made(&mut self, directory: Key) {
        if self.written_after.is_some() {
            self.made.insert(directory, Instant::now());
        }
    }

    /// Everything is written.
    pub(super) fn forget(&mut self) {
        self.files.clear();
        self.made.clear();
    }
}

impl MemoryStore {
    /// From now on what is written or removed is durable only after
    /// [`crate::Store::make_durable`], or when so much time has passed.
    pub fn write_later(&self, written_after: Duration) {
        self.state().unwritten = Unwritten { written_after: Some(written_after), ..Unwritten::default() };
    }

    /// The power is cut: each change that is not durable meets the loss that
    /// is drawn for it, as far as a tree can look so.
    pub fn cut_power(&self, mut loss: impl FnMut(&Key) -> Loss) {
        let mut state = self.state();
        let Some(written_after) = state.unwritten.written_after else { return };
        let files = std::mem::take(&mut state.unwritten.files);
        for (key, Before { stored, changed }) in files {
            if changed.elapsed() < written_after {
                state.lose(&key, stored, loss(&key));
            }
        }
        let made = std::mem::take(&mut state.unwritten.made);
        // The deepest first.
        for (directory, changed) in made.into_iter().rev() {
            if changed.elapsed() < written_after && loss(&directory) != Loss::Nothing {
                state.unmake(&directory);
            }
        }
    }
}

impl State {
    fn lose(&mut self, key: &Key, before: Option<Stored>, loss: Loss) {
        match (loss, self.objects.stored.get_mut(key)) {
            (Loss::Nothing, _) => {}
            (Loss::Emptied, Some(stored)) => {
                stored.content.body.clear();
                stored.entry.size = 0;
            }
            (Loss::Torn, Some(stored)) => {
                let mut body = stored.content.body.to_vec();
                let half = body.len() / 2;
                body[half..].fill(0);
                stored.content.body = body.into();
            }
            (Loss::Undone | Loss::Emptied | Loss::Torn, _) => match before {
                None => drop(self.objects.remove(key)),
                Some(before) if self.objects.check_not_obstructed(key).is_ok() => {
                    self.objects.stored.insert(key.clone(), before);
                }
                Some(_) => {}
            },
        }
    }

    fn unmake(&mut self, directory: &Key) {
        let is_below = |made: &Key| made != directory && made.as_bytes().starts_with(directory.as_bytes());
        if !self.objects.made.iter().any(is_below) {
            self.objects.made.remove(directory);
        }
    }
}
