//! The CRC of pieces in a row, by the CRCs of the pieces: an upload in parts has up to 10,000 of them.

use crc_fast::{CrcAlgorithm, checksum_combine};

use crate::checksum::narrowed;

/// From so many pieces on it pays to work out once what the length of most of them does to a CRC.
const MANY: usize = 128;

/// CRC-64/NVME of pieces in a row, by that of each and its length in bytes; 0 of none.
#[must_use]
pub fn crc64nvme_in_a_row(pieces: &[(u64, u64)]) -> u64 {
    in_a_row(CrcAlgorithm::Crc64Nvme, pieces)
}

/// CRC-32C of pieces in a row, by that of each and its length in bytes; 0 of none.
#[must_use]
pub fn crc32c_in_a_row(pieces: &[(u32, u64)]) -> u32 {
    let pieces: Vec<(u64, u64)> = pieces.iter().map(|(crc, length)| (u64::from(*crc), *length)).collect();
    narrowed(in_a_row(CrcAlgorithm::Crc32Iscsi, &pieces))
}

fn in_a_row(algorithm: CrcAlgorithm, pieces: &[(u64, u64)]) -> u64 {
    let usual = pieces.first().filter(|_| pieces.len() >= MANY).map(|(_, length)| Shift::by(algorithm, *length));
    pieces.iter().fold(0, |crc, (next, length)| match &usual {
        Some(shift) if shift.length == *length => shift.of(crc) ^ next,
        _ => checksum_combine(algorithm, crc, *next, *length),
    })
}

/// What becomes of a CRC when so many zeros come after its content. It is linear, as CRCs of both kinds begin and end
/// with the same inversion: what becomes of each bit by itself tells it of all.
struct Shift {
    length: u64,
    of_bits: [u64; 64],
}

impl Shift {
    fn by(algorithm: CrcAlgorithm, length: u64) -> Self {
        let mut of_bits = [0; 64];
        for (bit, of_bit) in of_bits.iter_mut().enumerate() {
            *of_bit = checksum_combine(algorithm, 1 << bit, 0, length);
        }
        Self { length, of_bits }
    }

    fn of(&self, crc: u64) -> u64 {
        let set = self.of_bits.iter().enumerate().filter(|(bit, _)| crc >> bit & 1 == 1);
        set.fold(0, |sum, (_, of_bit)| sum ^ of_bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{crc32c, crc64nvme};

    #[test]
    fn pieces_in_a_row_have_the_crc_of_the_whole_however_many() {
        let content: Vec<u8> = (0..3000_u32).map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1]).collect();
        assert_eq!((crc64nvme_in_a_row(&[]), crc32c_in_a_row(&[])), (0, 0));
        for length in [1, 7, 23, 24, 100, 2999, 3000] {
            let pieces = || content.chunks(length).map(|piece| (piece, piece.len() as u64));
            let of_64: Vec<(u64, u64)> = pieces().map(|(piece, length)| (crc64nvme(piece), length)).collect();
            let of_32: Vec<(u32, u64)> = pieces().map(|(piece, length)| (crc32c(piece), length)).collect();
            assert_eq!(crc64nvme_in_a_row(&of_64), crc64nvme(&content), "{length}");
            assert_eq!(crc32c_in_a_row(&of_32), crc32c(&content), "{length}");
        }
    }

    #[test]
    fn a_piece_of_another_length_may_be_anywhere() {
        let content = [7; 1000];
        let lengths = (0..200).map(|number| if number == 100 { 4 + 3 } else { 4 });
        let (mut begin, mut pieces) = (0, Vec::new());
        for length in lengths {
            pieces.push((crc64nvme(&content[begin..begin + length]), length as u64));
            begin += length;
        }
        assert_eq!(crc64nvme_in_a_row(&pieces), crc64nvme(&content[..begin]));
    }
}
