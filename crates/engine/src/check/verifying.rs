//! Verifying one object's content, of which both sides list one size: by what
//! proves it with the least to read.

use std::sync::atomic::Ordering;

use brigade_store::{Digest, DigestKind, Entry, Kind};

use super::judging::Blamed;
use super::{Checking, DigestName, Evidence, Proof};
use crate::compare::Content;
use crate::events::Side;
use crate::transfer::{Stopped, fitting_part_sizes, part_size, same_content};

/// What the content tells.
pub(super) enum Verdict {
    /// It is the same.
    Same(Evidence),
    /// It isn't; how that was seen.
    Differs(String),
}

impl Checking {
    /// Whether both versions, which are of one size, have the same content.
    ///
    /// A digest can prove that they do, and never that they don't: where it is
    /// another one, both are read and compared.
    pub(super) async fn verify(&self, source: &Entry, dest: &Entry) -> Result<Verdict, Blamed> {
        if source.size == 0 {
            return Ok(Verdict::Same(Evidence::Bytes));
        }
        if self.options.proof == Proof::StoredChecksums
            && let Some(verdict) = self.by_stored_digests(source, dest).await?
        {
            return Ok(verdict);
        }
        if let Some(name) = self.by_digest_of_source(source, dest).await? {
            return Ok(Verdict::Same(Evidence::Read(name)));
        }
        Ok(match self.first_difference(source, dest).await? {
            None => {
                if matches!(source.listed_digest(), Some(Digest::Md5(_))) {
                    self.etags_are_opaque.store(true, Ordering::Relaxed);
                }
                Verdict::Same(Evidence::Bytes)
            }
            Some(offset) => Verdict::Differs(format!("the first byte that differs is number {}", offset + 1)),
        })
    }

    /// What the checksums tell that both stores keep, if they tell anything for sure.
    async fn by_stored_digests(&self, source: &Entry, dest: &Entry) -> Result<Option<Verdict>, Blamed> {
        let same = |name| Some(Verdict::Same(Evidence::Stored(name)));
        let _request = self.permits.request().await;
        let told = same_content(self.source.as_ref(), source, self.dest.as_ref(), dest).await;
        Ok(match told.map_err(blamed)? {
            Content::SameMd5 => same(DigestName::Md5),
            Content::SameCrc64 => same(DigestName::Crc64Nvme),
            Content::SameCrc32c => same(DigestName::Crc32c),
            Content::SameMultipart => same(DigestName::MultipartEtag),
            Content::OtherCrc64 => Some(Verdict::Differs("their stored CRC64NVMEs differ".to_owned())),
            Content::OtherCrc32c => Some(Verdict::Differs("their stored CRC32Cs differ".to_owned())),
            // Times prove nothing.
            Content::OtherMd5 | Content::OtherMultipart | Content::Unproven | Content::WrittenLater => None,
        })
    }

    /// Reads the copy, and compares it with the digest that the source's store
    /// keeps; which one proves that they are the same, if one does.
    async fn by_digest_of_source(&self, source: &Entry, dest: &Entry) -> Result<Option<DigestName>, Blamed> {
        if self.source.capabilities().kind == Kind::Local {
            return Ok(None);
        }
        let stored = if self.is_small(source.size) { vec![] } else { self.stored_crc64(source).await? };
        let (expected, kinds) = match stored.first() {
            Some(stored) => (*stored, vec![DigestKind::Crc64Nvme]),
            None => match source.listed_digest() {
                Some(md5 @ Digest::Md5(_)) if !self.etags_are_opaque.load(Ordering::Relaxed) => {
                    (md5, vec![DigestKind::Md5])
                }
                Some(multipart @ Digest::MultipartMd5 { parts, .. }) => {
                    let ours = part_size(self.source.capabilities().part_size, source.size);
                    (multipart, fitting_part_sizes(ours, source.size, parts))
                }
                _ => return Ok(None),
            },
        };
        if kinds.is_empty() {
            return Ok(None);
        }
        let read = self.digests_of_content(Side::Dest, dest, &kinds).await?;
        Ok(read.contains(&expected).then(|| DigestName::of(&expected)))
    }

    async fn stored_crc64(&self, source: &Entry) -> Result<Vec<Digest>, Blamed> {
        let _request = self.permits.request().await;
        let stored = self.source.digests(source, &[DigestKind::Crc64Nvme]).await;
        stored.map_err(|failure| Blamed { side: Side::Source, failure })
    }
}

impl DigestName {
    fn of(digest: &Digest) -> Self {
        match digest {
            Digest::Md5(_) => Self::Md5,
            Digest::MultipartMd5 { .. } => Self::MultipartEtag,
            Digest::Crc64Nvme(_) => Self::Crc64Nvme,
            Digest::Crc32c(_) => Self::Crc32c,
        }
    }
}

fn blamed(stopped: Stopped) -> Blamed {
    use brigade_store::{Failure, FailureKind};
    match stopped {
        Stopped::Source(failure) => Blamed { side: Side::Source, failure },
        Stopped::Dest(failure) => Blamed { side: Side::Dest, failure },
        Stopped::Interrupted | Stopped::NotCopied => {
            Blamed { side: Side::Source, failure: Failure::new(FailureKind::Failed, "it was interrupted") }
        }
        Stopped::Ledger(error) => {
            Blamed { side: Side::Source, failure: Failure::new(FailureKind::Failed, error.to_string()) }
        }
    }
}
