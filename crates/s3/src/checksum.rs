//! Checksums: what goes with an upload, and what comes back.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm;
use http::{HeaderName, HeaderValue};
use md5::{Digest, Md5};

use crate::dialect::Dialect;
use crate::encoding::hex;
use crate::hashing::{Hashes, Wanted};

/// Whether content was checked against a checksum that the service gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verified {
    /// It was, and it is right.
    Yes,
    /// The service gave none that can be checked.
    Unverifiable,
}

/// A checksum of a body that is about to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// CRC-64/NVME, S3's own choice.
    Crc64Nvme(u64),
    /// MD5, which every S3 service checks as `Content-MD5`.
    Md5([u8; 16]),
}

/// `x-amz-checksum-crc64nvme`.
pub(crate) const CRC64NVME: HeaderName = HeaderName::from_static("x-amz-checksum-crc64nvme");
/// `x-amz-checksum-crc32c`.
pub(crate) const CRC32C: HeaderName = HeaderName::from_static("x-amz-checksum-crc32c");
/// `Content-MD5`.
pub(crate) const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

impl Checksum {
    /// What a checksum of the kind that this dialect has is made of.
    pub(crate) fn wanted(dialect: Dialect) -> Wanted {
        let crc64nvme = dialect.crc64nvme.is_certain();
        Wanted { crc64nvme, md5: !crc64nvme, ..Wanted::default() }
    }

    /// The checksum in what was wanted, worked out here where it isn't there.
    pub(crate) fn of(body: &[u8], hashes: &Hashes) -> Self {
        match hashes {
            Hashes { crc64nvme: Some(crc), .. } => Self::Crc64Nvme(*crc),
            Hashes { md5, .. } => Self::Md5(md5.unwrap_or_else(|| self::md5(body))),
        }
    }

    /// The header that carries it.
    pub(crate) fn header(&self) -> (HeaderName, HeaderValue) {
        let (name, value) = match self {
            Self::Crc64Nvme(crc) => (CRC64NVME, BASE64.encode(crc.to_be_bytes())),
            Self::Md5(md5) => (CONTENT_MD5, BASE64.encode(md5)),
        };
        // Base64 is always a valid header value.
        (name, HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static("")))
    }
}

/// CRC-64/NVME of the bytes.
pub(crate) fn crc64nvme(bytes: &[u8]) -> u64 {
    crc_fast::checksum(CrcAlgorithm::Crc64Nvme, bytes)
}

/// CRC-32C of the bytes.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    narrowed(crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes))
}

/// One of 32 bits is told as one of 64.
pub(crate) fn narrowed(crc: u64) -> u32 {
    u32::try_from(crc & u64::from(u32::MAX)).unwrap_or_default()
}

/// Reads `x-amz-checksum-crc64nvme` of a whole object. A value of another
/// form, such as `...-3` of a composite, is none.
pub(crate) fn parse_crc64nvme(value: &str) -> Option<u64> {
    BASE64.decode(value).ok()?.try_into().ok().map(u64::from_be_bytes)
}

/// Reads a CRC-32C of a whole object, in base64 of its bytes, the highest first: at S3 in `x-amz-checksum-crc32c`, at
/// Google in `x-goog-hash` (<https://cloud.google.com/storage/docs/xml-api/reference-headers#xgooghash>).
pub(crate) fn parse_crc32c(value: &str) -> Option<u32> {
    BASE64.decode(value).ok()?.try_into().ok().map(u32::from_be_bytes)
}

/// As S3 writes it.
pub(crate) fn format_crc64nvme(crc: u64) -> String {
    BASE64.encode(crc.to_be_bytes())
}

/// MD5 of the bytes.
pub(crate) fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// The ETag of a multipart upload: MD5 of the parts' MD5s, and their number.
pub(crate) fn multipart_etag(parts: &[[u8; 16]]) -> String {
    format!("{}-{}", hex(&md5(parts.as_flattened())), parts.len())
}

/// Reads an ETag that has the form of a plain MD5.
pub(crate) fn parse_md5_etag(etag: &str) -> Option<[u8; 16]> {
    let is_md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_md5 { u128::from_str_radix(etag, 16).ok().map(u128::to_be_bytes) } else { None }
}

/// Reads an MD5 in base64.
pub(crate) fn parse_md5(value: &str) -> Option<[u8; 16]> {
    BASE64.decode(value).ok()?.try_into().ok()
}

/// An MD5 in base64, as `Content-MD5` and rclone's `md5chksum` have it.
#[must_use]
pub fn format_md5(md5: [u8; 16]) -> String {
    BASE64.encode(md5)
}

/// SHA-256 of the bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    sha256
}

/// SHA-256 of a payload in hexadecimal, as `SigV4` wants it.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// What is known of an object's content from its headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) crc64nvme: Option<u64>,
    /// The ETag, where it is an MD5 of the content.
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) crc32c: Option<u32>,
}

impl Known {
    /// Which hash of the content it can be compared with: the faster one, and one of 32 bits where there is no other.
    pub(crate) fn wanted(&self) -> Wanted {
        let none = Wanted::default();
        match self {
            Self { crc64nvme: Some(_), .. } => Wanted { crc64nvme: true, ..none },
            Self { md5: Some(_), .. } => Wanted { md5: true, ..none },
            Self { crc32c, .. } => Wanted { crc32c: crc32c.is_some(), ..none },
        }
    }

    /// Compares the content with what is known, by the hash that was wanted,
    /// which is worked out here if it wasn't; `Err` says how they differ.
    pub(crate) fn verify(&self, content: &[u8], hashes: &Hashes) -> Result<Verified, String> {
        match *self {
            Self { crc64nvme: Some(expected), .. } => match hashes.crc64nvme.unwrap_or_else(|| crc64nvme(content)) {
                found if found == expected => Ok(Verified::Yes),
                found => Err(format!("its CRC64NVME is {found:016x} and should be {expected:016x}")),
            },
            Self { md5: Some(expected), .. } => match hashes.md5.unwrap_or_else(|| md5(content)) {
                found if found == expected => Ok(Verified::Yes),
                found => Err(format!("its MD5 is {} and should be {}", hex(&found), hex(&expected))),
            },
            Self { crc32c: Some(expected), .. } => match hashes.crc32c.unwrap_or_else(|| crc32c(content)) {
                found if found == expected => Ok(Verified::Yes),
                found => Err(format!("its CRC32C is {found:08x} and should be {expected:08x}")),
            },
            _ => Ok(Verified::Unverifiable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hashing::hashes;

    #[test]
    fn crc64nvme_has_its_check_value() {
        // https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-nvme
        assert_eq!(crc64nvme(b"123456789"), 0xae8b_1486_0a79_9888);
        assert_eq!(parse_crc64nvme(&format_crc64nvme(7)), Some(7));
        assert_eq!(parse_crc64nvme("AAAAAAAAAAc=-2"), None);
    }

    #[test]
    fn crc32c_has_its_check_value() {
        // https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iscsi
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!((parse_crc32c("4waSgw=="), parse_crc32c("4waSgw==-2")), (Some(0xe306_9283), None));
    }

    #[test]
    fn multipart_etags_are_the_md5_of_the_md5s() {
        // MD5 of 32 bytes that are MD5("a") and MD5("b"), as `md5sum` works them out.
        assert_eq!(multipart_etag(&[md5(b"a"), md5(b"b")]), "96e024ba2074fe77e8e965ba43a704be-2");
    }

    #[test]
    fn content_is_compared_with_what_is_known() {
        let content = b"123456789";
        let verify = |known: &Known, content: &[u8]| {
            let verified = known.verify(content, &hashes(content, known.wanted()));
            assert_eq!(known.verify(content, &Hashes::default()), verified, "a hash that is missing changes nothing");
            verified
        };
        let crc = Known { crc64nvme: Some(0xae8b_1486_0a79_9888), md5: Some([0; 16]), crc32c: Some(0) };
        assert_eq!(verify(&crc, content), Ok(Verified::Yes));
        let md5 = parse_md5_etag("25f9e794323b453885f5181f1b624d0b");
        let md5_known = Known { md5, crc32c: Some(0), ..Known::default() };
        assert_eq!(verify(&md5_known, content), Ok(Verified::Yes));
        assert!(verify(&md5_known, b"123456780").unwrap_err().contains("25f9e794"));
        assert!(verify(&crc, b"1").is_err());
        let crc32c = Known { crc32c: Some(0xe306_9283), ..Known::default() };
        assert_eq!(verify(&crc32c, content), Ok(Verified::Yes));
        assert!(verify(&crc32c, b"123456780").unwrap_err().contains("e3069283"));
        assert_eq!(verify(&Known::default(), content), Ok(Verified::Unverifiable));
    }
}
