//! MD5 (<https://www.rfc-editor.org/rfc/rfc1321>).

use fearless_simd::Level;

use super::GROUP;
use super::function::Function;
use super::md5_addends::ADDENDS;
use super::two::Words;

pub(super) struct Md5;

impl Function<4, 16> for Md5 {
    /// <https://www.rfc-editor.org/rfc/rfc1321#section-3.3>
    const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

    fn worthwhile(level: Level) -> usize {
        if Self::lanes(level) > GROUP { 2 } else { 3 }
    }

    /// Where vectors are wide enough for a group, there is time for a second one beside it.
    fn lanes(level: Level) -> usize {
        #[cfg(target_arch = "x86_64")]
        if level.as_avx512().is_some() {
            return 2 * GROUP;
        }
        let _ = level;
        GROUP
    }

    fn alone(message: &[u8]) -> [u8; 16] {
        crate::checksum::md5(message)
    }

    fn word(bytes: [u8; 4]) -> u32 {
        u32::from_le_bytes(bytes)
    }

    fn bytes(word: u32) -> [u8; 4] {
        word.to_le_bytes()
    }

    fn length(bits: u64) -> [u8; 8] {
        bits.to_le_bytes()
    }

    /// <https://www.rfc-editor.org/rfc/rfc1321#section-3.4>
    #[inline(always)]
    fn compress<W: Words>(start: [W; 4], block: [W; 16]) -> [W; 4] {
        let (addends, _) = ADDENDS.as_chunks();
        let block = &block;
        let state = round::<7, 12, 17, 22, W>(start, block, &addends[0], |step| step, |b, c, d| d ^ (b & (c ^ d)));
        let state =
            round::<5, 9, 14, 20, W>(state, block, &addends[1], |step| 5 * step + 1, |b, c, d| c ^ (d & (b ^ c)));
        let state = round::<4, 11, 16, 23, W>(state, block, &addends[2], |step| 3 * step + 5, |b, c, d| b ^ c ^ d);
        let state = round::<6, 10, 15, 21, W>(state, block, &addends[3], |step| 7 * step, |b, c, d| c ^ (b | !d));
        [start[0] + state[0], start[1] + state[1], start[2] + state[2], start[3] + state[3]]
    }
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
            a = b + (a + mix(b, c, d) + added($first)).rotated_left::<R0>();
            d = a + (d + mix(a, b, c) + added($first + 1)).rotated_left::<R1>();
            c = d + (c + mix(d, a, b) + added($first + 2)).rotated_left::<R2>();
            b = c + (b + mix(c, d, a) + added($first + 3)).rotated_left::<R3>();
        };
    }
    four_steps!(0);
    four_steps!(4);
    four_steps!(8);
    four_steps!(12);
    [a, b, c, d]
}
