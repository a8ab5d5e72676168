//! How a settled pair is written in a ledger: docs/formats/ledger.md says it byte by byte.

use std::time::SystemTime;

use brigade_store::{Digest, Key, time};

use super::pair::{Fingerprint, SettledPair};

const UNSURE: u8 = 1;
const ASSUMED: u8 = 1 << 1;
const LOST: u8 = 1 << 2;
const LEFT_IS_FILE: u8 = 1 << 3;
const RIGHT_IS_FILE: u8 = 1 << 4;
const HAS_DIGEST: u8 = 1 << 5;

const TAG_IS_TEXT: u8 = 0;
const TAG_IS_MD5: u8 = 1;
const TAG_IS_MULTIPART: u8 = 2;

const DIGEST_IS_MD5: u8 = 0;
const DIGEST_IS_CRC64: u8 = 1;

/// A record that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of it does not read as it was written")]
pub(crate) struct Garbled;

/// The pair's bytes, without its key.
pub(crate) fn encode_pair(pair: &SettledPair) -> Vec<u8> {
    let mut record = Vec::with_capacity(64);
    let is_file = |side: &Fingerprint| matches!(side, Fingerprint::File { .. });
    let digest = pair.digest.and_then(encodable);
    let flags = [
        (pair.unsure, UNSURE),
        (pair.assumed, ASSUMED),
        (pair.lost, LOST),
        (is_file(&pair.left), LEFT_IS_FILE),
        (is_file(&pair.right), RIGHT_IS_FILE),
        (digest.is_some(), HAS_DIGEST),
    ];
    record.push(flags.iter().filter(|(holds, _)| *holds).fold(0, |flags, (_, flag)| flags | flag));
    put_fingerprint(&mut record, &pair.left);
    put_fingerprint(&mut record, &pair.right);
    if let Some((kind, bytes)) = digest {
        record.push(kind);
        record.extend(bytes);
    }
    record
}

/// The pair that was encoded so, with its key.
pub(crate) fn decode_pair(key: Key, record: &[u8]) -> Result<SettledPair, Garbled> {
    let mut fields = Fields(record);
    let flags = fields.byte()?;
    let has = |flag| flags & flag != 0;
    let left = fields.fingerprint(has(LEFT_IS_FILE))?;
    let right = fields.fingerprint(has(RIGHT_IS_FILE))?;
    let digest = if has(HAS_DIGEST) { Some(fields.digest()?) } else { None };
    let (unsure, assumed, lost) = (has(UNSURE), has(ASSUMED), has(LOST));
    if flags >= HAS_DIGEST << 1 || !fields.0.is_empty() {
        return Err(Garbled);
    }
    Ok(SettledPair { key, left, right, digest, unsure, assumed, lost })
}

/// Where a range begins, as bytes: none for the very first key.
pub(crate) fn encode_beginning(after: Option<&Key>) -> Vec<u8> {
    after.map_or_else(Vec::new, |after| [&[1], after.as_bytes()].concat())
}

/// The beginning that was encoded so.
pub(crate) fn decode_beginning(record: &[u8]) -> Result<Option<Key>, Garbled> {
    match record {
        [] => Ok(None),
        [1, after @ ..] => Ok(Some(Key::new(after))),
        _ => Err(Garbled),
    }
}

/// A fingerprint's bytes by themselves.
pub(crate) fn encode_fingerprint(fingerprint: &Fingerprint) -> Vec<u8> {
    let mut record = vec![u8::from(matches!(fingerprint, Fingerprint::File { .. }))];
    put_fingerprint(&mut record, fingerprint);
    record
}

/// The fingerprint that was encoded so.
pub(crate) fn decode_fingerprint(record: &[u8]) -> Result<Fingerprint, Garbled> {
    let mut fields = Fields(record);
    let is_file = fields.byte()? == 1;
    let fingerprint = fields.fingerprint(is_file)?;
    if fields.0.is_empty() { Ok(fingerprint) } else { Err(Garbled) }
}

fn put_fingerprint(record: &mut Vec<u8>, fingerprint: &Fingerprint) {
    match fingerprint {
        Fingerprint::File { size, modified, changed, inode } => {
            put_number(record, *size);
            let (seconds, nanoseconds) = time::since_epoch(*modified);
            let (later_seconds, later_nanoseconds) = time::since_epoch(*changed);
            put_signed(record, seconds);
            put_number(record, nanoseconds.into());
            // Most often the two are close together.
            put_signed(record, later_seconds.wrapping_sub(seconds));
            put_number(record, later_nanoseconds.into());
            put_number(record, *inode);
        }
        Fingerprint::Object { size, etag } => {
            put_number(record, *size);
            put_tag(record, etag);
        }
    }
}

fn put_tag(record: &mut Vec<u8>, etag: &str) {
    match Digest::from_etag(etag) {
        // Only what comes back as it was: an ETag is compared letter by letter.
        Some(Digest::Md5(md5)) if is_lower_case(etag) => {
            record.push(TAG_IS_MD5);
            record.extend(md5);
        }
        Some(Digest::MultipartMd5 { md5, parts }) if is_lower_case(etag) && !etag.contains("-0") => {
            record.push(TAG_IS_MULTIPART);
            record.extend(md5);
            put_number(record, parts.into());
        }
        _ => {
            record.push(TAG_IS_TEXT);
            put_number(record, etag.len() as u64);
            record.extend(etag.as_bytes());
        }
    }
}

fn is_lower_case(etag: &str) -> bool {
    !etag.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'+')
}

fn encodable(digest: Digest) -> Option<(u8, Vec<u8>)> {
    match digest {
        Digest::Md5(md5) => Some((DIGEST_IS_MD5, md5.into())),
        Digest::Crc64Nvme(crc) => Some((DIGEST_IS_CRC64, crc.to_le_bytes().into())),
        // The one says nothing without the part size, and the other is no more than what a service tells.
        Digest::MultipartMd5 { .. } | Digest::Crc32c(_) => None,
    }
}

/// Seven bits to a byte, the lowest first; the highest bit says that more follow.
fn put_number(record: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        record.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    record.push(number.to_le_bytes()[0]);
}

/// Small numbers on either side of zero are short.
fn put_signed(record: &mut Vec<u8>, number: i64) {
    put_number(record, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// What is left of a record.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn byte(&mut self) -> Result<u8, Garbled> {
        let (first, rest) = self.0.split_first().ok_or(Garbled)?;
        self.0 = rest;
        Ok(*first)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Garbled> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Garbled)?;
        self.0 = rest;
        Ok(*array)
    }

    fn number(&mut self) -> Result<u64, Garbled> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Garbled);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Garbled)
    }

    fn signed(&mut self) -> Result<i64, Garbled> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn time(&mut self, seconds: i64) -> Result<SystemTime, Garbled> {
        let nanoseconds = u32::try_from(self.number()?).ok().filter(|&part| part < 1_000_000_000).ok_or(Garbled)?;
        Ok(time::at(seconds, nanoseconds))
    }

    fn fingerprint(&mut self, is_file: bool) -> Result<Fingerprint, Garbled> {
        let size = self.number()?;
        if !is_file {
            return Ok(Fingerprint::Object { size, etag: self.tag()? });
        }
        let seconds = self.signed()?;
        let modified = self.time(seconds)?;
        let later = self.signed()?;
        let changed = self.time(seconds.wrapping_add(later))?;
        Ok(Fingerprint::File { size, modified, changed, inode: self.number()? })
    }

    fn tag(&mut self) -> Result<String, Garbled> {
        match self.byte()? {
            TAG_IS_TEXT => {
                let length = usize::try_from(self.number()?).map_err(|_| Garbled)?;
                let (text, rest) = self.0.split_at_checked(length).ok_or(Garbled)?;
                self.0 = rest;
                String::from_utf8(text.into()).map_err(|_| Garbled)
            }
            TAG_IS_MD5 => Ok(hex(self.array()?)),
            TAG_IS_MULTIPART => {
                let md5 = hex(self.array()?);
                Ok(format!("{md5}-{}", self.number()?))
            }
            _ => Err(Garbled),
        }
    }

    fn digest(&mut self) -> Result<Digest, Garbled> {
        match self.byte()? {
            DIGEST_IS_MD5 => Ok(Digest::Md5(self.array()?)),
            DIGEST_IS_CRC64 => Ok(Digest::Crc64Nvme(u64::from_le_bytes(self.array()?))),
            _ => Err(Garbled),
        }
    }
}

fn hex(md5: [u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    md5.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn any_time() -> impl Strategy<Value = SystemTime> {
        let seconds = prop_oneof![-100_000i64..100_000, 1_700_000_000i64..1_800_000_000, -(1i64 << 40)..(1 << 40)];
        (seconds, 0u32..1_000_000_000).prop_map(|(seconds, nanoseconds)| {
            let part = Duration::from_nanos(nanoseconds.into());
            let whole = Duration::from_secs(seconds.unsigned_abs());
            if seconds < 0 { SystemTime::UNIX_EPOCH - whole + part } else { SystemTime::UNIX_EPOCH + whole + part }
        })
    }

    fn tag() -> impl Strategy<Value = String> {
        prop_oneof!["[0-9a-f]{32}", "[0-9a-fA-F]{32}", "[0-9a-f]{32}-[0-9]{1,5}", "[+0-9a-f]{32}-\\+?[0-9]", ".{0,40}"]
    }

    fn fingerprint() -> impl Strategy<Value = Fingerprint> {
        prop_oneof![
            (any::<u64>(), any_time(), any_time(), any::<u64>())
                .prop_map(|(size, modified, changed, inode)| Fingerprint::File { size, modified, changed, inode }),
            (0u64..1 << 50, tag()).prop_map(|(size, etag)| Fingerprint::Object { size, etag }),
        ]
    }

    proptest! {
        #[test]
        fn a_pair_comes_back_as_it_was(
            left in fingerprint(),
            right in fingerprint(),
            digest in prop_oneof![
                Just(None),
                any::<[u8; 16]>().prop_map(|md5| Some(Digest::Md5(md5))),
                any::<u64>().prop_map(|crc| Some(Digest::Crc64Nvme(crc))),
            ],
            (unsure, assumed, lost) in any::<(bool, bool, bool)>(),
        ) {
            let pair = SettledPair { key: Key::from("k"), left, right, digest, unsure, assumed, lost };
            let record = encode_pair(&pair);
            prop_assert_eq!(decode_pair(Key::from("k"), &record), Ok(pair.clone()));
            prop_assert_eq!(decode_fingerprint(&encode_fingerprint(&pair.left)), Ok(pair.left));
            for end in 0..record.len() {
                prop_assert_eq!(decode_pair(Key::from("k"), &record[..end]), Err(Garbled), "cut at {}", end);
            }
        }

        #[test]
        fn whatever_bytes_are_read_nothing_breaks(record in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode_pair(Key::from("k"), &record);
            let _ = decode_fingerprint(&record);
        }
    }

    #[test]
    fn a_usual_pair_is_short() {
        let modified = SystemTime::UNIX_EPOCH + Duration::new(1_760_000_000, 123_456_789);
        let changed = modified + Duration::new(60, 5);
        let left = Fingerprint::File { size: 4096, modified, changed, inode: 12_345_678 };
        let right = Fingerprint::Object { size: 4096, etag: "d41d8cd98f00b204e9800998ecf8427e".into() };
        let pair =
            SettledPair { key: Key::from("k"), left, right, digest: None, unsure: false, assumed: false, lost: false };
        assert_eq!(encode_pair(&pair).len(), 40);
    }
}
