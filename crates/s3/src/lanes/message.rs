//! A message on its way through a lane, and what it ends with.

use super::function::Function;

/// Bytes in a block.
pub(super) const BLOCK: usize = 64;

/// A block of a message, as it stands there.
pub(super) type Block = [u8; BLOCK];

/// What a message ends with: its last bytes, padded (<https://www.rfc-editor.org/rfc/rfc1321#section-3.1>, and in the
/// same way FIPS 180-4, 5.1.1).
pub(super) struct End {
    blocks: [Block; 2],
    /// One or two.
    count: usize,
}

impl End {
    pub(super) fn of<F: Function<WORDS, BYTES>, const WORDS: usize, const BYTES: usize>(message: &[u8]) -> Self {
        let (_, rest) = message.as_chunks::<BLOCK>();
        let mut blocks = [[0; BLOCK]; 2];
        let count = if rest.len() < BLOCK - 8 { 1 } else { 2 };
        let bytes = &mut blocks.as_flattened_mut()[..count * BLOCK];
        bytes[..rest.len()].copy_from_slice(rest);
        bytes[rest.len()] = 0x80;
        let length = F::length((message.len() as u64).wrapping_mul(8));
        let start = bytes.len() - length.len();
        bytes[start..].copy_from_slice(&length);
        Self { blocks, count }
    }
}

/// A message under way.
pub(super) struct Message<'a, const WORDS: usize> {
    /// What is left of it, in whole blocks.
    blocks: &'a [Block],
    /// What is left of its end.
    end: &'a [Block],
    pub(super) state: [u32; WORDS],
}

impl<'a, const WORDS: usize> Message<'a, WORDS> {
    pub(super) fn new(message: &'a [u8], end: &'a End, state: [u32; WORDS]) -> Self {
        Self { blocks: message.as_chunks().0, end: &end.blocks[..end.count], state }
    }

    /// The blocks that come next and lie in a row; none after the last.
    pub(super) fn next_blocks(&self) -> &'a [Block] {
        if self.blocks.is_empty() { self.end } else { self.blocks }
    }

    /// So many blocks were hashed.
    pub(super) fn take(&mut self, count: usize, state: [u32; WORDS]) {
        let left = if self.blocks.is_empty() { &mut self.end } else { &mut self.blocks };
        *left = &left[count..];
        self.state = state;
    }
}
