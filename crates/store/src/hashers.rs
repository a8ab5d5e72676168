//! Working out digests of content that comes piece by piece, all wanted kinds in one pass.

use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};

use crate::{Digest, DigestKind};

/// Digests of one content under way. Pieces of any length are given in their order.
pub struct Hashers(Vec<Hasher>);

impl Hashers {
    /// Of these kinds.
    #[must_use]
    pub fn new(wanted: &[DigestKind]) -> Self {
        Self(wanted.iter().copied().map(Hasher::new).collect())
    }

    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        for hasher in &mut self.0 {
            hasher.update(bytes);
        }
    }

    /// The digests of all pieces, one for each kind, in the same order.
    #[must_use]
    pub fn finish(self) -> Vec<Digest> {
        self.0.into_iter().map(Hasher::finish).collect()
    }
}

enum Hasher {
    Md5(Md5),
    Multipart(PartHasher),
    Crc64Nvme(crc_fast::Digest),
    Crc32c(crc_fast::Digest),
}

impl Hasher {
    fn new(kind: DigestKind) -> Self {
        match kind {
            DigestKind::Md5 => Self::Md5(Md5::new()),
            DigestKind::MultipartMd5 { part_size } => Self::Multipart(PartHasher::new(part_size)),
            DigestKind::Crc64Nvme => Self::Crc64Nvme(crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)),
            DigestKind::Crc32c => Self::Crc32c(crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi)),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(md5) => md5.update(bytes),
            Self::Multipart(parts) => parts.update(bytes),
            Self::Crc64Nvme(crc) | Self::Crc32c(crc) => crc.update(bytes),
        }
    }

    fn finish(self) -> Digest {
        match self {
            Self::Md5(md5) => Digest::Md5(md5.finalize().into()),
            Self::Multipart(parts) => parts.finish(),
            Self::Crc64Nvme(crc) => Digest::Crc64Nvme(crc.finalize()),
            Self::Crc32c(crc) => Digest::Crc32c(narrowed(crc.finalize())),
        }
    }
}

/// A CRC-32C, which is told as one of 64 bits.
pub(crate) fn narrowed(crc: u64) -> u32 {
    u32::try_from(crc & u64::from(u32::MAX)).unwrap_or_default()
}

/// Works out what the `ETag` of a multipart upload is made of.
struct PartHasher {
    part_size: u64,
    /// Bytes that the part under way still lacks.
    left: u64,
    part: Md5,
    /// MD5 of the MD5s of the parts that are done.
    whole: Md5,
    parts: u32,
}

impl PartHasher {
    fn new(part_size: u64) -> Self {
        // Parts of no bytes would never come to an end.
        let part_size = part_size.max(1);
        Self { part_size, left: part_size, part: Md5::new(), whole: Md5::new(), parts: 0 }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // A full part is ended by the byte after it: the last one may be full as well.
            if self.left == 0 {
                self.end_part();
            }
            let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (now, rest) = bytes.split_at(length);
            self.part.update(now);
            self.left -= length as u64;
            bytes = rest;
        }
    }

    fn end_part(&mut self) {
        self.whole.update(std::mem::take(&mut self.part).finalize());
        self.parts = self.parts.saturating_add(1);
        self.left = self.part_size;
    }

    /// An empty object is one empty part.
    fn finish(mut self) -> Digest {
        self.end_part();
        Digest::MultipartMd5 { md5: self.whole.finalize().into(), parts: self.parts }
    }
}
