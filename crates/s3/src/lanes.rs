//! Hashes of several messages at once, a lane each.
//!
//! Each step of MD5 waits for the one before, so one message leaves most of a
//! core idle: 0.75 GB/s, and no hardware helps. Steps of different messages
//! don't wait for each other: in the lanes of vectors, sixteen come to 4.2 GB/s
//! with AVX2 and 3.5 with what every x86-64 has, thirty-two to 12 with AVX-512
//! as it is from Ice Lake and Zen 4 on. With SHA-256 it is so too, though there
//! are instructions for it: alone 1.2 GB/s by those, or 0.45 where there are
//! none, sixteen 3.6 to 3.8 with AVX-512, 1.4 with AVX2. What the processor has is
//! found out when the program runs.

#![allow(clippy::inline_always, reason = "only what is inlined gets the instructions that are dispatched to")]

mod function;
mod md5;
mod md5_addends;
mod message;
mod sha256;
mod sha256_addends;
mod two;

use fearless_simd::{Level, Simd, dispatch, prelude::*, u32x16};

use function::Function;
use md5::Md5;
use message::{BLOCK, Block, End, Message};
use sha256::Sha256;
use two::Two;

/// Messages whose words are side by side in a vector.
const GROUP: usize = 16;

/// MD5 of each message.
pub(crate) fn md5_of_each(messages: &[&[u8]]) -> Vec<[u8; 16]> {
    of_each::<Md5, 4, 16>(Level::new(), messages)
}

/// SHA-256 of each message.
pub(crate) fn sha256_of_each(messages: &[&[u8]]) -> Vec<[u8; 32]> {
    of_each::<Sha256, 8, 32>(Level::new(), messages)
}

/// Messages of which this processor works out the MD5 at once.
pub(crate) fn lanes() -> usize {
    Md5::lanes(Level::new())
}

/// The hash of each message: of many at once as far as they are alike, of others alone.
fn of_each<F: Function<WORDS, BYTES>, const WORDS: usize, const BYTES: usize>(
    level: Level,
    messages: &[&[u8]],
) -> Vec<[u8; BYTES]> {
    let lanes = F::lanes(level);
    let mut hashes = vec![[0; BYTES]; messages.len()];
    let mut longest_first: Vec<usize> = (0..messages.len()).collect();
    longest_first.sort_unstable_by_key(|&number| std::cmp::Reverse(messages[number].len()));
    let mut rest = longest_first.as_slice();
    while let Some((&longest, others)) = rest.split_first() {
        let (next, after) = rest.split_at(lanes.min(rest.len()));
        if is_worthwhile(F::worthwhile(level), next.iter().map(|&number| messages[number].len())) {
            let together: Vec<&[u8]> = next.iter().map(|&number| messages[number]).collect();
            for (&number, hash) in next.iter().zip(side_by_side::<F, WORDS, BYTES>(level, &together)) {
                hashes[number] = hash;
            }
            rest = after;
        } else {
            hashes[longest] = F::alone(messages[longest]);
            rest = others;
        }
    }
    hashes
}

/// Whether messages of these lengths, the longest first, fill so many lanes on an average: all of them take as long as
/// the longest. Where there are no lanes, there are no messages for them.
fn is_worthwhile(fewest: usize, lengths: impl Iterator<Item = usize> + Clone) -> bool {
    let mut blocks = lengths.map(|length| length / BLOCK + 1);
    let all: usize = blocks.clone().sum();
    blocks.next().is_some_and(|longest| all >= longest * fewest)
}

/// The hash of each message: at least one, and no more than there are lanes in two groups.
fn side_by_side<F: Function<WORDS, BYTES>, const WORDS: usize, const BYTES: usize>(
    level: Level,
    messages: &[&[u8]],
) -> Vec<[u8; BYTES]> {
    let ends: Vec<End> = messages.iter().map(|message| End::of::<F, WORDS, BYTES>(message)).collect();
    let under_way = messages.iter().zip(&ends).map(|(message, end)| Message::new(message, end, F::START));
    let mut under_way: Vec<Message<'_, WORDS>> = under_way.collect();
    let mut at_work: Vec<usize> = (0..messages.len()).collect();
    while !at_work.is_empty() {
        advance::<F, WORDS, BYTES>(level, &mut under_way, &at_work);
        at_work.retain(|&number| !under_way[number].next_blocks().is_empty());
    }
    under_way.iter().map(|message| bytes_of(message.state, F::bytes)).collect()
}

fn bytes_of<const WORDS: usize, const BYTES: usize>(words: [u32; WORDS], bytes: fn(u32) -> [u8; 4]) -> [u8; BYTES] {
    let mut all = [0; BYTES];
    for (place, word) in all.as_chunks_mut().0.iter_mut().zip(words) {
        *place = bytes(word);
    }
    all
}

/// The states of a group's messages: each word, of all of them.
type States<const WORDS: usize> = [[u32; GROUP]; WORDS];

/// Goes on with these messages, at least one, as far as blocks of each lie in a row.
fn advance<F: Function<WORDS, BYTES>, const WORDS: usize, const BYTES: usize>(
    level: Level,
    messages: &mut [Message<'_, WORDS>],
    at_work: &[usize],
) {
    let runs = at_work.iter().map(|&number| messages[number].next_blocks());
    let length = runs.map(<[Block]>::len).min().unwrap_or(0);
    // A lane without a message hashes the first one again, for nobody.
    let in_lane = |lane: usize| &messages[*at_work.get(lane).unwrap_or(&at_work[0])];
    let group = |first: usize| -> ([&[Block]; GROUP], States<WORDS>) {
        let runs = std::array::from_fn(|lane| &in_lane(first + lane).next_blocks()[..length]);
        let states = std::array::from_fn(|word| std::array::from_fn(|lane| in_lane(first + lane).state[word]));
        (runs, states)
    };
    let (runs, states) = group(0);
    let states = if at_work.len() <= GROUP {
        [dispatch!(level, simd => one_group::<F, WORDS, BYTES, _>(simd, &runs, states)), states]
    } else {
        let (more_runs, more_states) = group(GROUP);
        dispatch!(level, simd => {
            two_groups::<F, WORDS, BYTES, _>(simd, [&runs, &more_runs], [states, more_states])
        })
    };
    for (lane, &number) in at_work.iter().enumerate() {
        messages[number].take(length, states[lane / GROUP].map(|words| words[lane % GROUP]));
    }
}

/// Takes the blocks of each run, all of one length, into the states.
#[inline(always)]
fn one_group<F: Function<WORDS, BYTES>, const WORDS: usize, const BYTES: usize, S: Simd>(
    simd: S,
    runs: &[&[Block]; GROUP],
    states: States<WORDS>,
) -> States<WORDS> {
    let mut state = states.map(|words| u32x16::simd_from(simd, words));
    for place in 0..runs[0].len() {
        state = F::compress(state, transposed(simd, runs, place, F::word));
    }
    state.map(Into::into)
}

/// The same for two groups at once.
#[inline(always)]
fn two_groups<F: Function<WORDS, BYTES>, const WORDS: usize, const BYTES: usize, S: Simd>(
    simd: S,
    runs: [&[&[Block]; GROUP]; 2],
    [one, other]: [States<WORDS>; 2],
) -> [States<WORDS>; 2] {
    let both = |word: usize| Two(u32x16::simd_from(simd, one[word]), u32x16::simd_from(simd, other[word]));
    let mut state: [_; WORDS] = std::array::from_fn(both);
    for place in 0..runs[0][0].len() {
        let (one, other) = (transposed(simd, runs[0], place, F::word), transposed(simd, runs[1], place, F::word));
        state = F::compress(state, std::array::from_fn(|word| Two(one[word], other[word])));
    }
    [state.map(|words| words.0.into()), state.map(|words| words.1.into())]
}

/// The words of each place in the blocks side by side.
#[inline(always)]
fn transposed<S: Simd>(
    simd: S,
    runs: &[&[Block]; GROUP],
    place: usize,
    word_of: impl Fn([u8; 4]) -> u32,
) -> [u32x16<S>; 16] {
    let mut rows = [u32x16::splat(simd, 0); GROUP];
    for (row, run) in rows.iter_mut().zip(runs) {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(run[place].as_chunks().0) {
            *word = word_of(*bytes);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_values_of_the_standards_come_out() {
        // https://www.rfc-editor.org/rfc/rfc1321#appendix-A.5
        let table = [
            ("", 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e_u128),
            ("a", 0x0cc1_75b9_c0f1_b6a8_31c3_99e2_6977_2661),
            ("abc", 0x9001_5098_3cd2_4fb0_d696_3f7d_28e1_7f72),
            ("abcdefghijklmnopqrstuvwxyz", 0xc3fc_d3d7_6192_e400_7dfb_496c_ca67_e13b),
        ];
        for (message, value) in table {
            check::<Md5, 4, 16>(message, value.to_be_bytes());
        }
        // https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values, of one block and of two
        let table = [
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ];
        for (message, value) in table {
            let bytes = std::array::from_fn(|byte| u8::from_str_radix(&value[2 * byte..2 * byte + 2], 16).unwrap());
            check::<Sha256, 8, 32>(message, bytes);
        }
        assert!(md5_of_each(&[]).is_empty());
    }

    fn check<F: Function<W, B>, const W: usize, const B: usize>(message: &str, value: [u8; B]) {
        assert_eq!(F::alone(message.as_bytes()), value);
        assert_eq!(side_by_side::<F, W, B>(Level::new(), &[message.as_bytes()]), [value]);
        assert_eq!(of_each::<F, W, B>(Level::new(), &[message.as_bytes(); 33]), [value; 33]);
    }

    #[test]
    fn lanes_are_worth_it_as_far_as_they_are_filled() {
        let table = [
            (3, vec![100; 3], true),
            (3, vec![100; 2], false),
            (3, vec![1_000_000, 100, 100, 100], false),
            (3, vec![6400, 4000, 4000, 4800], true),
            (8, vec![0; 8], true),
            (8, vec![0; 7], false),
            (8, vec![], false),
        ];
        for (fewest, lengths, expected) in table {
            assert_eq!(is_worthwhile(fewest, lengths.iter().copied()), expected, "{fewest}, {lengths:?}");
        }
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
        every_length::<Md5, 4, 16>();
        every_length::<Sha256, 8, 32>();
    }

    fn every_length<F: Function<W, B>, const W: usize, const B: usize>() {
        let bytes: Vec<u8> = (0..=255).collect();
        let messages: Vec<&[u8]> = (0..bytes.len()).map(|length| &bytes[..length]).collect();
        let expected: Vec<[u8; B]> = messages.iter().map(|message| F::alone(message)).collect();
        for level in levels() {
            assert_eq!(of_each::<F, W, B>(level, &messages), expected, "{level:?}");
            for lanes in [GROUP, 2 * GROUP] {
                let found = messages.chunks(lanes).flat_map(|few| side_by_side::<F, W, B>(level, few));
                assert_eq!(found.collect::<Vec<_>>(), expected, "{level:?}, {lanes} lanes");
            }
        }
    }

    proptest! {
        #[test]
        fn messages_of_any_number_and_length_do_not_mix(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..1000), 0..40)
        ) {
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            let md5s: Vec<[u8; 16]> = messages.iter().map(|message| Md5::alone(message)).collect();
            let sha256s: Vec<[u8; 32]> = messages.iter().map(|message| Sha256::alone(message)).collect();
            prop_assert_eq!(&md5_of_each(&messages), &md5s);
            prop_assert_eq!(&sha256_of_each(&messages), &sha256s);
            let few = &messages[..messages.len().min(2 * GROUP)];
            prop_assert_eq!(side_by_side::<Md5, 4, 16>(Level::new(), few), &md5s[..few.len()]);
            prop_assert_eq!(side_by_side::<Sha256, 8, 32>(Level::new(), few), &sha256s[..few.len()]);
        }
    }
}
