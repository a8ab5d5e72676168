//! SHA-256 (FIPS 180-4, <https://doi.org/10.6028/NIST.FIPS.180-4>).

#![allow(clippy::many_single_char_names, reason = "the standard's own")]

use fearless_simd::Level;

use super::GROUP;
use super::function::Function;
use super::sha256_addends::ADDENDS;
use super::two::Words;

pub(super) struct Sha256;

impl Function<8, 32> for Sha256 {
    /// FIPS 180-4, 5.3.3.
    const START: [u32; 8] =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

    fn worthwhile(_: Level) -> usize {
        GROUP / 2
    }

    /// Narrow vectors are slower than the instructions that most processors have for it; a second group has no
    /// registers left.
    fn lanes(level: Level) -> usize {
        #[cfg(target_arch = "x86_64")]
        if level.as_avx512().is_some() || (level.as_avx2().is_some() && !std::is_x86_feature_detected!("sha")) {
            return GROUP;
        }
        let _ = level;
        0
    }

    fn alone(message: &[u8]) -> [u8; 32] {
        crate::checksum::sha256(message)
    }

    fn word(bytes: [u8; 4]) -> u32 {
        u32::from_be_bytes(bytes)
    }

    fn bytes(word: u32) -> [u8; 4] {
        word.to_be_bytes()
    }

    fn length(bits: u64) -> [u8; 8] {
        bits.to_be_bytes()
    }

    /// FIPS 180-4, 6.2.2.
    #[inline(always)]
    fn compress<W: Words>(start: [W; 8], mut words: [W; 16]) -> [W; 8] {
        let (addends, _) = ADDENDS.as_chunks();
        let mut state = sixteen_steps(start, &words, &addends[0]);
        for addends in &addends[1..] {
            words = next_words(words);
            state = sixteen_steps(state, &words, addends);
        }
        let [a, b, c, d, e, f, g, h] = state;
        let [a0, b0, c0, d0, e0, f0, g0, h0] = start;
        [a + a0, b + b0, c + c0, d + d0, e + e0, f + f0, g + g0, h + h0]
    }
}

/// The next sixteen words of the message schedule.
#[inline(always)]
fn next_words<W: Words>(mut words: [W; 16]) -> [W; 16] {
    // Written out, here and below, so that words stay in registers.
    macro_rules! next {
        ($($place:literal)*) => {$({
            let (early, late) = (words[($place + 1) % 16], words[($place + 14) % 16]);
            let early = early.rotated_right::<7>() ^ early.rotated_right::<18>() ^ (early >> 3);
            let late = late.rotated_right::<17>() ^ late.rotated_right::<19>() ^ (late >> 10);
            words[$place] = words[$place] + early + words[($place + 9) % 16] + late;
        })*};
    }
    next!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    words
}

#[inline(always)]
fn sixteen_steps<W: Words>(state: [W; 8], words: &[W; 16], addends: &[u32; 16]) -> [W; 8] {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    // The names go round instead of what they name.
    macro_rules! step {
        ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident $number:expr) => {
            let sum = $e.rotated_right::<6>() ^ $e.rotated_right::<11>() ^ $e.rotated_right::<25>();
            let choice = $g ^ ($e & ($f ^ $g));
            $h = $h + sum + choice + (words[$number] + addends[$number]);
            $d = $d + $h;
            let sum = $a.rotated_right::<2>() ^ $a.rotated_right::<13>() ^ $a.rotated_right::<22>();
            let majority = ($a & $b) | ($c & ($a | $b));
            $h = $h + sum + majority;
        };
    }
    macro_rules! eight_steps {
        ($first:literal) => {
            step!(a b c d e f g h $first);
            step!(h a b c d e f g $first + 1);
            step!(g h a b c d e f $first + 2);
            step!(f g h a b c d e $first + 3);
            step!(e f g h a b c d $first + 4);
            step!(d e f g h a b c $first + 5);
            step!(c d e f g h a b $first + 6);
            step!(b c d e f g h a $first + 7);
        };
    }
    eight_steps!(0);
    eight_steps!(8);
    [a, b, c, d, e, f, g, h]
}
