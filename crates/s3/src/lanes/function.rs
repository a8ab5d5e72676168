//! What the lanes need to know of a hash function.

use fearless_simd::Level;

use super::two::Words;

/// A hash function of words of 32 bits and blocks of 64 bytes: so many words of state, so many bytes of hash.
pub(super) trait Function<const WORDS: usize, const BYTES: usize> {
    /// The state before the first block.
    const START: [u32; WORDS];

    /// Lanes that have to be filled before they are used: so many, or fewer, make them as fast at least as `alone`, one
    /// after the other.
    fn worthwhile(level: Level) -> usize;

    /// Messages that this processor hashes at once, in one group or two; 0 where it is faster alone.
    fn lanes(level: Level) -> usize;

    /// The hash of one message.
    fn alone(message: &[u8]) -> [u8; BYTES];

    /// A word of a block.
    fn word(bytes: [u8; 4]) -> u32;

    /// A word of the hash.
    fn bytes(word: u32) -> [u8; 4];

    /// What a message of so many bits ends with.
    fn length(bits: u64) -> [u8; 8];

    /// Takes a block of each message into its state.
    fn compress<W: Words>(state: [W; WORDS], block: [W; 16]) -> [W; WORDS];
}
