//! Content digests, as far as two stores can have one in common.

/// A kind of digest that a store may know or work out for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DigestKind {
    /// MD5 of the whole content: the ETag of an object put in one request.
    Md5,
    /// MD5 of the parts' MD5s, the ETag of a multipart upload with parts of
    /// this many bytes (the last one may be shorter).
    MultipartMd5 {
        /// Bytes in each part but the last.
        part_size: u64,
    },
    /// CRC-64/NVME of the whole content: S3's `x-amz-checksum-crc64nvme` of
    /// type `FULL_OBJECT`.
    Crc64Nvme,
    /// CRC-32C of the whole content: what Google keeps of every object, also of one that was put together from parts
    /// (<https://cloud.google.com/storage/docs/data-validation>).
    Crc32c,
}

/// A digest of an object's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Digest {
    /// See [`DigestKind::Md5`].
    Md5([u8; 16]),
    /// See [`DigestKind::MultipartMd5`]; the part size isn't part of an ETag.
    MultipartMd5 {
        /// MD5 of the concatenated MD5s of the parts.
        md5: [u8; 16],
        /// How many parts there were.
        parts: u32,
    },
    /// See [`DigestKind::Crc64Nvme`].
    Crc64Nvme(u64),
    /// See [`DigestKind::Crc32c`].
    Crc32c(u32),
}

impl Digest {
    /// Reads an ETag without its quotes: 32 hexadecimal digits, or the same
    /// followed by `-` and the number of parts. Anything else is no digest.
    #[must_use]
    pub fn from_etag(etag: &str) -> Option<Self> {
        match etag.split_once('-') {
            None => Some(Self::Md5(md5_from_hex(etag)?)),
            Some((md5, parts)) => {
                Some(Self::MultipartMd5 { md5: md5_from_hex(md5)?, parts: parts.parse().ok().filter(|&n| n > 0)? })
            }
        }
    }
}

fn md5_from_hex(hex: &str) -> Option<[u8; 16]> {
    if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(u128::from_str_radix(hex, 16).ok()?.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_are_read_as_the_digests_they_are() {
        let empty = [0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e];
        let table = [
            ("d41d8cd98f00b204e9800998ecf8427e", Some(Digest::Md5(empty))),
            ("d41d8cd98f00b204e9800998ecf8427e-3", Some(Digest::MultipartMd5 { md5: empty, parts: 3 })),
            ("d41d8cd98f00b204e9800998ecf8427e-0", None),
            ("+41d8cd98f00b204e9800998ecf8427e", None),
            ("d41d8cd98f00b204e9800998ecf8427", None),
            ("", None),
        ];
        for (etag, digest) in table {
            assert_eq!(Digest::from_etag(etag), digest, "{etag}");
        }
    }
}
