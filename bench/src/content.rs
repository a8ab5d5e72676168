//! The content of all synthetic objects: each is the beginning of one endless sequence of bytes.

use std::sync::LazyLock;

use md5::{Digest, Md5};

/// Bytes after which the sequence repeats itself.
const PERIOD: usize = 1 << 20;

/// Bytes in a part of an object that is taken to have been uploaded in parts.
const PART: u64 = 8 << 20;

/// Bytes up to which an object is taken to have been uploaded whole.
const WHOLE: u64 = 64 << 20;

static SEQUENCE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut sequence = vec![0; PERIOD];
    fastrand::Rng::with_seed(1).fill(&mut sequence);
    sequence
});

/// The bytes from `start` to `end`, in pieces.
pub(crate) fn pieces(start: u64, end: u64) -> impl Iterator<Item = &'static [u8]> {
    let mut at = start;
    std::iter::from_fn(move || {
        let place = usize::try_from(at % PERIOD as u64).ok()?;
        let length = usize::try_from(end.saturating_sub(at)).ok()?.min(PERIOD - place);
        at += length as u64;
        (length > 0).then(|| &SEQUENCE[place..place + length])
    })
}

/// The ETag of an object of this size, without quotes: its MD5, or of a large
/// one that of parts of 8 MiB.
pub(crate) fn etag(size: u64) -> String {
    if size <= WHOLE {
        return hex(&md5(0, size));
    }
    let starts = (0..size).step_by(usize::try_from(PART).unwrap_or(usize::MAX));
    // A part holds the sequence's period a whole number of times: all but the last are the same.
    let (full, last) = (md5(0, PART), size % PART);
    let digests = starts.map(|start| if size - start < PART { md5(0, last) } else { full });
    of_parts(&digests.collect::<Vec<_>>())
}

/// The ETag of an object that was uploaded in parts of these MD5s.
pub(crate) fn of_parts(parts: &[[u8; 16]]) -> String {
    format!("{}-{}", hex(&Md5::digest(parts.as_flattened()).into()), parts.len())
}

fn md5(start: u64, end: u64) -> [u8; 16] {
    let mut md5 = Md5::new();
    for piece in pieces(start, end) {
        md5.update(piece);
    }
    md5.finalize().into()
}

/// An MD5 as an `ETag` has it.
pub(crate) fn hex(md5: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*md5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_what_lies_between_two_places() {
        let all: Vec<u8> = pieces(0, 3 << 20).flatten().copied().collect();
        assert_eq!(all.len(), 3 << 20);
        let (start, end) = ((1 << 20) - 5, (2 << 20) + 7);
        let some: Vec<u8> = pieces(start as u64, end as u64).flatten().copied().collect();
        assert_eq!(some, all[start..end]);
        assert_eq!(pieces(5, 5).count(), 0);
    }

    #[test]
    fn etags_are_md5s_or_those_of_parts() {
        assert_eq!(etag(0), "d41d8cd98f00b204e9800998ecf8427e");
        let size = WHOLE + 1;
        let parts: Vec<[u8; 16]> = (0..=8).map(|part| md5(part * PART, size.min((part + 1) * PART))).collect();
        assert_eq!(etag(size), of_parts(&parts));
        assert!(etag(size).ends_with("-9"));
    }
}
