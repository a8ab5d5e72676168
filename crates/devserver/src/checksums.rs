//! Checksums as S3 keeps them: which, of what, and how they are compared.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// A checksum algorithm of S3's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// As `x-amz-checksum-algorithm` names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that gives a checksum.
    pub(crate) fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    /// The algorithm of that name, in whatever case.
    pub(crate) fn named(name: &str) -> S3Result<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| s3_error!(InvalidRequest, "There is no checksum algorithm {name}."))
    }

    /// Whether checksums of parts can't be joined into one of the whole.
    pub(crate) fn is_cryptographic(self) -> bool {
        matches!(self, Self::Sha1 | Self::Sha256)
    }
}

/// What a checksum is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Of all bytes of the object.
    FullObject,
    /// Of the parts' checksums, one after another.
    Composite,
}

impl Kind {
    /// As `x-amz-checksum-type` names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }
}

/// A checksum as it is stored and answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    pub(crate) kind: Kind,
    /// In base64; of a composite one, followed by `-` and the number of parts.
    pub(crate) value: String,
}

/// A checksum in the making.
pub(crate) enum Hasher {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Crc64Nvme(Crc64Nvme),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(hasher) => hasher.update(bytes),
            Self::Crc64Nvme(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// The checksum in base64.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Crc32(hasher) => base64(hasher.finalize()),
            Self::Crc32c(hasher) => base64(hasher.finalize()),
            Self::Crc64Nvme(hasher) => base64(hasher.finalize()),
            Self::Sha1(hasher) => base64(hasher.finalize()),
            Self::Sha256(hasher) => base64(hasher.finalize()),
        }
    }
}

/// The checksum of `parts`, each in base64, of a multipart upload.
pub(crate) fn composite<'a>(algorithm: Algorithm, parts: impl ExactSizeIterator<Item = &'a str>) -> S3Result<Checksum> {
    let count = parts.len();
    let mut hasher = Hasher::new(algorithm);
    for part in parts {
        let raw =
            BASE64_STANDARD.decode(part).map_err(|_| s3_error!(InvalidRequest, "A part's checksum is not base64."))?;
        hasher.update(&raw);
    }
    Ok(Checksum { algorithm, kind: Kind::Composite, value: format!("{}-{count}", hasher.finish()) })
}

/// The ETag of an object of several parts: the MD5 of their MD5s, and their
/// number. Each part's ETag is its MD5 in hexadecimal.
pub(crate) fn multipart_etag<'a>(etags: impl ExactSizeIterator<Item = &'a str>) -> S3Result<String> {
    let count = etags.len();
    let mut md5 = Md5::new();
    for etag in etags {
        let raw = hex_simd::decode_to_vec(etag).map_err(|_| s3_error!(InternalError, "A part's ETag is no MD5."))?;
        md5.update(&raw);
    }
    Ok(format!("{}-{count}", hex(md5.finalize())))
}

/// In base64, as headers have it.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// In lower-case hexadecimal, as `ETags` and our file names have it.
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    hex_simd::encode_to_string(bytes, hex_simd::AsciiCase::Lower)
}

/// The one checksum that an input's five fields give, if any.
macro_rules! given_checksum {
    ($input:expr) => {
        crate::checksums::only_one([
            (crate::checksums::Algorithm::Crc32, $input.checksum_crc32.take()),
            (crate::checksums::Algorithm::Crc32c, $input.checksum_crc32c.take()),
            (crate::checksums::Algorithm::Crc64Nvme, $input.checksum_crc64nvme.take()),
            (crate::checksums::Algorithm::Sha1, $input.checksum_sha1.take()),
            (crate::checksums::Algorithm::Sha256, $input.checksum_sha256.take()),
        ])
    };
}

/// Puts a checksum into the field of an output that is meant for it.
macro_rules! answer_checksum {
    ($output:expr, $algorithm:expr, $value:expr) => {
        match $algorithm {
            crate::checksums::Algorithm::Crc32 => $output.checksum_crc32 = Some($value),
            crate::checksums::Algorithm::Crc32c => $output.checksum_crc32c = Some($value),
            crate::checksums::Algorithm::Crc64Nvme => $output.checksum_crc64nvme = Some($value),
            crate::checksums::Algorithm::Sha1 => $output.checksum_sha1 = Some($value),
            crate::checksums::Algorithm::Sha256 => $output.checksum_sha256 = Some($value),
        }
    };
}

pub(crate) use {answer_checksum, given_checksum};

/// Of the checksums that a request gives, the one; S3 takes no second one.
pub(crate) fn only_one(given: [(Algorithm, Option<String>); 5]) -> S3Result<Option<(Algorithm, String)>> {
    let mut found = given.into_iter().filter_map(|(algorithm, value)| Some((algorithm, value?)));
    let first = found.next();
    if found.next().is_some() {
        return Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed."
        ));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of parametrised CRC algorithms and of
    /// RFC 3174 and FIPS 180-4, for `123456789` and `abc`.
    #[test]
    fn known_checksums() {
        let checksum = |algorithm, text: &str| {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(text.as_bytes());
            hasher.finish()
        };
        assert_eq!(checksum(Algorithm::Crc32, "123456789"), base64([0xcb, 0xf4, 0x39, 0x26]));
        assert_eq!(checksum(Algorithm::Crc32c, "123456789"), base64([0xe3, 0x06, 0x92, 0x83]));
        let crc64 = [0xae, 0x8b, 0x14, 0x86, 0x0a, 0x79, 0x98, 0x88];
        assert_eq!(checksum(Algorithm::Crc64Nvme, "123456789"), base64(crc64));
        assert_eq!(checksum(Algorithm::Sha1, "abc"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        assert_eq!(checksum(Algorithm::Sha256, "abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(Algorithm::named("crc64nvme").unwrap(), Algorithm::Crc64Nvme);
        assert_eq!(Algorithm::named("SHA256").unwrap(), Algorithm::Sha256);
        assert!(Algorithm::named("MD4").is_err());
    }

    #[test]
    fn parts_are_joined_and_counted() {
        let empty = "d41d8cd98f00b204e9800998ecf8427e";
        let etag = multipart_etag([empty, empty].into_iter()).unwrap();
        assert_eq!(etag, format!("{}-2", hex(Md5::checksum(&hex_simd::decode_to_vec(empty.repeat(2)).unwrap()))));
        let joined = composite(Algorithm::Sha256, ["YWJj"].into_iter()).unwrap();
        assert_eq!(joined.value, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=-1");
    }
}
