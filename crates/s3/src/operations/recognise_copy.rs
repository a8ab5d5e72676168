//! Whether what stands at a key is the copy that the service was asked for: the answer to it was lost.

use super::object_headers::{REDIRECT, leaves_no_trace};
use crate::checksum::Verified;
use crate::client::Bucket;
use crate::error::Error;
use crate::operations::{CopyObject, HeadObject, ObjectHead, Stored, USUAL_CLASS};
use crate::writing::Writing;

/// What a copy is like, beside what it is of.
struct Likeness<'a> {
    /// Its storage class; `None` where nothing says so, and it is the bucket's own.
    class: Option<&'a str>,
    /// How many tags it has; `None`: as many as the source.
    tags: Option<usize>,
}

impl<'a> Likeness<'a> {
    /// Of what was asked for. Where no class is, S3 takes the usual one, and Google the bucket's
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>,
    /// <https://cloud.google.com/storage/docs/xml-api/put-object-copy>).
    fn of(copy: &CopyObject<'a>, writing: &'a Writing, is_google: bool) -> Self {
        let said = writing.storage_class.as_deref().or(copy.storage_class);
        let class = said.or(Some(USUAL_CLASS).filter(|_| !is_google));
        let tagging = writing.tagging.as_deref().or(Some("").filter(|_| copy.without_tags));
        let tags = tagging.map(|tags| tags.split('&').filter(|tag| !tag.is_empty()).count());
        Self { class, tags }
    }

    /// Whether what is there is such a copy of the source: it has all that is copied, and the same content, which
    /// takes a digest that both have, or the same `ETag`. A copy of what was uploaded in parts has another one, as
    /// under SSE-KMS, and at Google what was put together from parts.
    fn matches(&self, source: &ObjectHead, there: &ObjectHead) -> bool {
        let is_legible = source.undecodable.is_none() && there.undecodable.is_none();
        let has_class = self.class.is_none_or(|class| class == there.storage_class.as_deref().unwrap_or(USUAL_CLASS));
        let has_tags = u32::try_from(self.tags.unwrap_or(source.tags as usize)).is_ok_and(|tags| tags == there.tags);
        is_legible
            && has_class
            && has_tags
            && there.size == source.size
            && there.content_type == source.content_type
            && copied(source) == there.others
            && sorted(source) == sorted(there)
            && has_content(source, there)
    }
}

/// The headers that go along: where it redirects to is not
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/copy-object.html>).
fn copied(source: &ObjectHead) -> Vec<(&'static str, String)> {
    source.others.iter().filter(|(name, _)| *name != REDIRECT).cloned().collect()
}

fn sorted(head: &ObjectHead) -> Vec<&(String, String)> {
    let mut metadata: Vec<_> = head.metadata.iter().collect();
    metadata.sort_unstable();
    metadata
}

fn has_content(source: &ObjectHead, there: &ObjectHead) -> bool {
    let crc64nvme = source.crc64nvme.zip(there.crc64nvme).map(|(one, other)| one == other);
    let crc32c = source.crc32c.zip(there.crc32c).map(|(one, other)| one == other);
    let md5 = source.md5.zip(there.md5).map(|(one, other)| one == other);
    let digests = [crc64nvme, crc32c, md5];
    if digests.contains(&Some(false)) {
        return false;
    }
    digests.contains(&Some(true)) || (!source.etag.is_empty() && source.etag == there.etag)
}

impl Bucket {
    /// A copy whose answer was lost may be what stands there now. The source has to be there as it was for that to be
    /// known.
    pub(super) async fn recognise_copy(&self, copy: &CopyObject<'_>, refused: Error) -> Result<Stored, Error> {
        let (source, writing) = (&copy.source, &self.client().0.config.writing);
        if leaves_no_trace(copy.grants, writing) {
            return Err(refused);
        }
        let of_source = HeadObject { key: source.key, version_id: source.version_id };
        let Ok(head) = source.bucket.head_object(of_source).await else { return Err(refused) };
        let is_as_it_was = match source.if_match {
            Some(etag) => head.etag == etag,
            None => source.version_id.is_some(),
        };
        let Ok(there) = self.head_object(HeadObject { key: copy.key, version_id: None }).await else {
            return Err(refused);
        };
        let likeness = Likeness::of(copy, writing, self.client().provider().is_google());
        if is_as_it_was && likeness.matches(&head, &there) { Ok(there.stored(Verified::Yes)) } else { Err(refused) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    /// An object without anything but content: `x`, in one part.
    fn object() -> ObjectHead {
        ObjectHead {
            size: 1,
            etag: "plain".to_owned(),
            generation: None,
            version_id: None,
            last_modified: UNIX_EPOCH,
            content_type: Some("text/x".to_owned()),
            metadata: vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())],
            others: vec![("cache-control", "no-store".to_owned())],
            undecodable: None,
            storage_class: None,
            archived: false,
            tags: 2,
            crc64nvme: Some(64),
            crc32c: None,
            md5: Some([5; 16]),
        }
    }

    const AS_IT_IS: Likeness<'_> = Likeness { class: Some(USUAL_CLASS), tags: None };

    #[test]
    fn a_copy_is_known_by_all_that_is_copied() {
        let there = object();
        let turned = ObjectHead { metadata: there.metadata.iter().rev().cloned().collect(), ..object() };
        assert!(AS_IT_IS.matches(&object(), &there) && AS_IT_IS.matches(&object(), &turned));
        let redirect = (REDIRECT, "/elsewhere".to_owned());
        let redirecting = ObjectHead { others: [there.others.clone(), vec![redirect]].concat(), ..object() };
        assert!(AS_IT_IS.matches(&redirecting, &there), "it is not copied");
        let others = [
            ObjectHead { size: 2, ..object() },
            ObjectHead { content_type: None, ..object() },
            ObjectHead { metadata: vec![("a".to_owned(), "1".to_owned())], ..object() },
            ObjectHead { others: Vec::new(), ..object() },
            ObjectHead { undecodable: Some("x-amz-meta-a".to_owned()), ..object() },
            ObjectHead { storage_class: Some("GLACIER".to_owned()), ..object() },
            ObjectHead { tags: 0, ..object() },
            ObjectHead { crc64nvme: Some(1), ..object() },
            ObjectHead { md5: Some([0; 16]), ..object() },
            redirecting,
        ];
        for other in others {
            assert!(!AS_IT_IS.matches(&object(), &other), "{other:?}");
        }
    }

    #[test]
    fn its_content_is_known_by_a_digest_that_both_have_or_by_the_etag() {
        let bare = |etag: &str| ObjectHead { etag: etag.to_owned(), crc64nvme: None, md5: None, ..object() };
        let crc64 = |etag| ObjectHead { crc64nvme: Some(64), ..bare(etag) };
        let crc32 = |etag, crc32c| ObjectHead { crc32c: Some(crc32c), ..bare(etag) };
        let table = [
            // Of parts, and put together by the copy; or under SSE-KMS.
            (crc64("p-2"), crc64("plain"), true),
            // At Google.
            (crc32("p", 1), crc32("q", 1), true),
            (crc32("p", 1), crc32("p", 2), false),
            (bare("e"), bare("e"), true),
            (bare("e"), bare("f"), false),
            (bare(""), bare(""), false),
            (crc64("p-2"), bare("plain"), false),
        ];
        for (source, there, expected) in table {
            assert_eq!(AS_IT_IS.matches(&source, &there), expected, "{source:?} {there:?}");
        }
    }

    #[test]
    fn what_was_asked_for_besides_is_looked_for() {
        let with = |class: Option<&str>, tags| ObjectHead { storage_class: class.map(str::to_owned), tags, ..object() };
        let (standard, glacier) = (Some(USUAL_CLASS), Some("GLACIER"));
        let table = [
            (Likeness { class: glacier, tags: None }, with(glacier, 2), true),
            (Likeness { class: glacier, tags: None }, with(None, 2), false),
            (Likeness { class: None, tags: None }, with(glacier, 2), true),
            (Likeness { class: standard, tags: Some(0) }, with(None, 0), true),
            (Likeness { class: standard, tags: Some(0) }, with(None, 2), false),
        ];
        for (likeness, there, expected) in table {
            assert_eq!(likeness.matches(&object(), &there), expected, "{there:?}");
        }
    }
}
