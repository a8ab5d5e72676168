//! Comparing what goes with the content, as far as both sides can have it.

use std::time::SystemTime;

use brigade_store::{Entry, ObjectHeaders};

use super::judging::Blamed;
use super::{Checking, HeaderDifference};
use crate::events::Side;

impl Checking {
    /// The headers that differ between both versions.
    pub(super) async fn compare_headers(&self, source: &Entry, dest: &Entry) -> Result<Vec<HeaderDifference>, Blamed> {
        let left = self.open(Side::Source, source).await?;
        let right = self.open(Side::Dest, dest).await?;
        Ok(differences([(source, left.headers()), (dest, right.headers())]))
    }
}

/// A file has a time, and no other header. Of an object nothing is compared with
/// it but the time that travels along, where it has one.
fn differences([source, dest]: [(&Entry, &ObjectHeaders); 2]) -> Vec<HeaderDifference> {
    let is_object = |(entry, _): (&Entry, _)| entry.etag().is_some();
    let are_objects = is_object(source) && is_object(dest);
    let [left, right] = [source.1, dest.1];
    let mut found = Vec::new();
    if are_objects && left.content_type != right.content_type {
        let (source, dest) = (left.content_type.clone(), right.content_type.clone());
        found.push(HeaderDifference { name: "content-type".to_owned(), source, dest });
    }
    let times_differ = match (left.modified, right.modified) {
        (Some(left), Some(right)) => whole_seconds(left) != whole_seconds(right),
        (left, right) => are_objects && left != right,
    };
    if times_differ {
        let [source, dest] =
            [left.modified, right.modified].map(|time| time.map(|time| whole_seconds(time).to_string()));
        found.push(HeaderDifference { name: "x-amz-meta-mtime".to_owned(), source, dest });
    }
    found
}

/// Seconds since the epoch: file systems and other programs keep more, or no more than that.
fn whole_seconds(time: SystemTime) -> i64 {
    brigade_store::time::since_epoch(time).0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brigade_store::{Key, Version};

    use super::*;

    fn entry(is_object: bool) -> Entry {
        let version = if is_object {
            Version::Object { etag: "e".into(), id: None }
        } else {
            Version::File { changed: SystemTime::UNIX_EPOCH, inode: 1, device: 1 }
        };
        Entry { key: Key::from("k"), size: 1, modified: SystemTime::UNIX_EPOCH, version }
    }

    fn headers(seconds: Option<f64>, content_type: Option<&str>) -> ObjectHeaders {
        let modified = seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds));
        ObjectHeaders { modified, content_type: content_type.map(str::to_owned) }
    }

    #[test]
    fn only_what_both_sides_can_have_is_compared() {
        let (file, object) = (entry(false), entry(true));
        let html = Some("text/html");
        let table: [(_, _, _, _, &[&str]); 9] = [
            (&object, headers(Some(5.0), html), &object, headers(Some(5.0), html), &[]),
            (
                &object,
                headers(Some(5.0), html),
                &object,
                headers(Some(6.0), None),
                &["content-type", "x-amz-meta-mtime"],
            ),
            (&object, headers(None, html), &object, headers(Some(6.0), html), &["x-amz-meta-mtime"]),
            (&object, headers(None, Some("a/b")), &object, headers(None, html), &["content-type"]),
            (&file, headers(Some(5.2), None), &object, headers(Some(5.9), html), &[]),
            (&file, headers(Some(5.2), None), &object, headers(Some(6.0), html), &["x-amz-meta-mtime"]),
            (&file, headers(Some(5.2), None), &object, headers(None, html), &[]),
            (&object, headers(None, html), &file, headers(Some(7.0), None), &[]),
            (&file, headers(Some(5.2), None), &file, headers(Some(7.0), None), &["x-amz-meta-mtime"]),
        ];
        for (source, left, dest, right, expected) in table {
            let found = differences([(source, &left), (dest, &right)]);
            let names: Vec<&str> = found.iter().map(|difference| difference.name.as_str()).collect();
            assert_eq!(names, expected, "{left:?} {right:?}");
        }
    }
}
