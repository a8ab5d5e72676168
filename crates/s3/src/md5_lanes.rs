//! MD5 of several messages at once, a lane each.
//!
//! Each step of MD5 waits for the one before, so one message leaves most of a
//! core idle: 0.75 GB/s, and no hardware helps. Steps of different messages
//! don't wait for each other: in the lanes of vectors, sixteen come to 4.2 GB/s
//! with AVX2 and 3.5 with what every x86-64 has, thirty-two to 12 with AVX-512
//! as it is from Ice Lake and Zen 4 on. What the processor has is found out when
//! the program runs.

#![allow(clippy::inline_always, reason = "only what is inlined gets the instructions that are dispatched to")]

mod addends;
mod two;

use addends::ADDENDS;
use fearless_simd::{Level, Simd, dispatch, prelude::*, u32x16};
use md5::{Digest, Md5};
use two::{Two, Words};

/// Messages whose words are side by side in a vector.
const GROUP: usize = 16;

/// Fewest messages for which lanes, most of them empty, are as fast at least as one after the other.
pub(crate) const WORTHWHILE: usize = 3;

/// Bytes in a block.
const BLOCK: usize = 64;

/// <https://www.rfc-editor.org/rfc/rfc1321#section-3.3>
const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// A block of a message, as it stands there.
type Block = [u8; BLOCK];

/// MD5 of each message.
pub(crate) fn md5_of_each(messages: &[&[u8]]) -> Vec<[u8; 16]> {
    if messages.len() < WORTHWHILE {
        return messages.iter().map(|message| Md5::digest(message).into()).collect();
    }
    let level = Level::new();
    side_by_side(level, lanes_of(level), messages)
}

/// Messages that this processor hashes at once.
pub(crate) fn lanes() -> usize {
    lanes_of(Level::new())
}

/// Where vectors are wide enough for a group, there is time for a second one beside it.
fn lanes_of(level: Level) -> usize {
    #[cfg(target_arch = "x86_64")]
    if level.as_avx512().is_some() {
        return 2 * GROUP;
    }
    let _ = level;
    GROUP
}

/// MD5 of each message, at most so many at once: one group, or two.
fn side_by_side(level: Level, lanes: usize, messages: &[&[u8]]) -> Vec<[u8; 16]> {
    let ends: Vec<End> = messages.iter().map(|message| End::of(message)).collect();
    let mut hashes: Vec<Hash<'_>> = messages.iter().zip(&ends).map(|(message, end)| Hash::new(message, end)).collect();
    // The longest first: when lanes stay empty at the end, what is left is short.
    let mut waiting: Vec<usize> = (0..messages.len()).collect();
    waiting.sort_unstable_by_key(|&number| messages[number].len());
    let mut at_work: Vec<usize> = Vec::with_capacity(lanes);
    loop {
        at_work.retain(|&number| !hashes[number].next_blocks().is_empty());
        while at_work.len() < lanes
            && let Some(next) = waiting.pop()
        {
            at_work.push(next);
        }
        if at_work.is_empty() {
            return hashes.iter().map(Hash::value).collect();
        }
        advance(level, &mut hashes, &at_work);
    }
}

/// The states of a group's messages: each word, of all of them.
type States = [[u32; GROUP]; 4];

/// Goes on with these messages, at least one, as far as blocks of each lie in a row.
fn advance(level: Level, hashes: &mut [Hash<'_>], at_work: &[usize]) {
    let runs = at_work.iter().map(|&number| hashes[number].next_blocks());
    let length = runs.map(<[Block]>::len).min().unwrap_or(0);
    // A lane without a message hashes the first one again, for nobody.
    let in_lane = |lane: usize| &hashes[*at_work.get(lane).unwrap_or(&at_work[0])];
    let group = |first: usize| -> ([&[Block]; GROUP], States) {
        let runs = std::array::from_fn(|lane| &in_lane(first + lane).next_blocks()[..length]);
        let states = std::array::from_fn(|word| std::array::from_fn(|lane| in_lane(first + lane).state[word]));
        (runs, states)
    };
    let (runs, states) = group(0);
    let states = if at_work.len() <= GROUP {
        [dispatch!(level, simd => one_group(simd, &runs, states)), states]
    } else {
        let (more_runs, more_states) = group(GROUP);
        dispatch!(level, simd => two_groups(simd, [&runs, &more_runs], [states, more_states]))
    };
    for (lane, &number) in at_work.iter().enumerate() {
        hashes[number].take(length, states[lane / GROUP].map(|words| words[lane % GROUP]));
    }
}

/// Takes the blocks of each run, all of one length, into the states.
#[inline(always)]
fn one_group<S: Simd>(simd: S, runs: &[&[Block]; GROUP], states: States) -> States {
    let mut state = states.map(|words| u32x16::simd_from(simd, words));
    for place in 0..runs[0].len() {
        state = compress(state, &transposed(simd, runs, place));
    }
    state.map(Into::into)
}

/// The same for two groups at once.
#[inline(always)]
fn two_groups<S: Simd>(simd: S, runs: [&[&[Block]; GROUP]; 2], [one, other]: [States; 2]) -> [States; 2] {
    let both = |word: usize| Two(u32x16::simd_from(simd, one[word]), u32x16::simd_from(simd, other[word]));
    let mut state = [both(0), both(1), both(2), both(3)];
    for place in 0..runs[0][0].len() {
        let (one, other) = (transposed(simd, runs[0], place), transposed(simd, runs[1], place));
        let block = std::array::from_fn(|word| Two(one[word], other[word]));
        state = compress(state, &block);
    }
    [state.map(|words| words.0.into()), state.map(|words| words.1.into())]
}

/// The words of each place in the blocks side by side.
#[inline(always)]
fn transposed<S: Simd>(simd: S, runs: &[&[Block]; GROUP], place: usize) -> [u32x16<S>; 16] {
    let mut rows = [u32x16::splat(simd, 0); GROUP];
    for (row, run) in rows.iter_mut().zip(runs) {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(run[place].as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        *row = u32x16::simd_from(simd, words);
    }
    // Each time, a bit of a word's place changes sides with one of its row.
    for _ in 0..GROUP.ilog2() {
        let before = rows;
        for half in 0..GROUP / 2 {
            let (one, other) = (before[half], before[half + GROUP / 2]);
            rows[2 * half] = one.zip_low(other);
            rows[2 * half + 1] = one.zip_high(other);
        }
    }
    rows
}

/// What a message ends with: its last bytes, padded
/// (<https://www.rfc-editor.org/rfc/rfc1321#section-3.1>).
struct End {
    blocks: [Block; 2],
    /// One or two.
    count: usize,
}

impl End {
    fn of(message: &[u8]) -> Self {
        let (_, rest) = message.as_chunks::<BLOCK>();
        let mut blocks = [[0; BLOCK]; 2];
        let count = if rest.len() < BLOCK - 8 { 1 } else { 2 };
        let bytes = &mut blocks.as_flattened_mut()[..count * BLOCK];
        bytes[..rest.len()].copy_from_slice(rest);
        bytes[rest.len()] = 0x80;
        let bits = (message.len() as u64).wrapping_mul(8).to_le_bytes();
        let start = bytes.len() - bits.len();
        bytes[start..].copy_from_slice(&bits);
        Self { blocks, count }
    }
}

/// A message under way.
struct Hash<'a> {
    /// What is left of it, in whole blocks.
    blocks: &'a [Block],
    /// What is left of its end.
    end: &'a [Block],
    state: [u32; 4],
}

impl<'a> Hash<'a> {
    fn new(message: &'a [u8], end: &'a End) -> Self {
        Self { blocks: message.as_chunks().0, end: &end.blocks[..end.count], state: START }
    }

    /// The blocks that come next and lie in a row; none after the last.
    fn next_blocks(&self) -> &'a [Block] {
        if self.blocks.is_empty() { self.end } else { self.blocks }
    }

    /// So many blocks were hashed.
    fn take(&mut self, count: usize, state: [u32; 4]) {
        let left = if self.blocks.is_empty() { &mut self.end } else { &mut self.blocks };
        *left = &left[count..];
        self.state = state;
    }

    fn value(&self) -> [u8; 16] {
        let mut value = [0; 16];
        for (bytes, word) in value.as_chunks_mut::<4>().0.iter_mut().zip(self.state) {
            *bytes = word.to_le_bytes();
        }
        value
    }
}

/// Takes a block of each message into its state
/// (<https://www.rfc-editor.org/rfc/rfc1321#section-3.4>).
#[inline(always)]
fn compress<W: Words>(start: [W; 4], block: &[W; 16]) -> [W; 4] {
    let (addends, _) = ADDENDS.as_chunks();
    let state = round::<7, 12, 17, 22, W>(start, block, &addends[0], |step| step, |b, c, d| d ^ (b & (c ^ d)));
    let state = round::<5, 9, 14, 20, W>(state, block, &addends[1], |step| 5 * step + 1, |b, c, d| c ^ (d & (b ^ c)));
    let state = round::<4, 11, 16, 23, W>(state, block, &addends[2], |step| 3 * step + 5, |b, c, d| b ^ c ^ d);
    let state = round::<6, 10, 15, 21, W>(state, block, &addends[3], |step| 7 * step, |b, c, d| c ^ (b | !d));
    [start[0] + state[0], start[1] + state[1], start[2] + state[2], start[3] + state[3]]
}

/// Sixteen steps, whose rotations repeat after four.
#[inline(always)]
fn round<const R0: u32, const R1: u32, const R2: u32, const R3: u32, W: Words>(
    [mut a, mut b, mut c, mut d]: [W; 4],
    block: &[W; 16],
    addends: &[u32; 16],
    place: impl Fn(usize) -> usize,
    mix: impl Fn(W, W, W) -> W,
) -> [W; 4] {
    let added = |step: usize| block[place(step) % 16] + addends[step];
    // Written out: in a loop the places are looked up at each turn, and a quarter of the speed is gone.
    macro_rules! four_steps {
        ($first:literal) => {
            a = b + rotated::<R0, W>(a + mix(b, c, d) + added($first));
            d = a + rotated::<R1, W>(d + mix(a, b, c) + added($first + 1));
            c = d + rotated::<R2, W>(c + mix(d, a, b) + added($first + 2));
            b = c + rotated::<R3, W>(b + mix(c, d, a) + added($first + 3));
        };
    }
    four_steps!(0);
    four_steps!(4);
    four_steps!(8);
    four_steps!(12);
    [a, b, c, d]
}

#[inline(always)]
fn rotated<const BITS: u32, W: Words>(words: W) -> W {
    (words << BITS) | (words >> (32 - BITS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_values_of_the_rfc_come_out() {
        // https://www.rfc-editor.org/rfc/rfc1321#appendix-A.5
        let table = [
            ("", 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e_u128),
            ("a", 0x0cc1_75b9_c0f1_b6a8_31c3_99e2_6977_2661),
            ("abc", 0x9001_5098_3cd2_4fb0_d696_3f7d_28e1_7f72),
            ("abcdefghijklmnopqrstuvwxyz", 0xc3fc_d3d7_6192_e400_7dfb_496c_ca67_e13b),
        ];
        let messages = table.map(|(message, _)| message.as_bytes());
        assert_eq!(md5_of_each(&messages), table.map(|(_, value)| value.to_be_bytes()));
        for (message, value) in table {
            assert_eq!(md5_of_each(&[message.as_bytes()]), [value.to_be_bytes()]);
        }
        assert!(md5_of_each(&[]).is_empty());
    }

    /// What this processor has, and what lesser ones have.
    fn levels() -> Vec<Level> {
        let mut levels = vec![Level::new(), Level::baseline()];
        #[cfg(target_arch = "x86_64")]
        levels.extend(Level::new().as_avx2().map(Level::Avx2));
        levels
    }

    #[test]
    fn every_length_is_padded_right_on_every_processor() {
        let bytes: Vec<u8> = (0..=255).collect();
        let messages: Vec<&[u8]> = (0..bytes.len()).map(|length| &bytes[..length]).collect();
        let expected: Vec<[u8; 16]> = messages.iter().map(|message| Md5::digest(message).into()).collect();
        for level in levels() {
            for lanes in [GROUP, 2 * GROUP] {
                assert_eq!(side_by_side(level, lanes, &messages), expected, "{level:?}, {lanes} lanes");
            }
        }
    }

    proptest! {
        #[test]
        fn messages_of_any_number_and_length_do_not_mix(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..1000), 0..40)
        ) {
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            let expected: Vec<[u8; 16]> = messages.iter().map(|message| Md5::digest(message).into()).collect();
            prop_assert_eq!(&md5_of_each(&messages), &expected);
            if !messages.is_empty() {
                prop_assert_eq!(side_by_side(Level::new(), 2 * GROUP, &messages), expected);
            }
        }
    }
}
