//! Comparing what goes with the content, as far as both sides can have it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use brigade_store::{Entry, Failure, FailureKind, ObjectHeaders};

use super::judging::Blamed;
use super::{Checking, HeaderDifference};
use crate::events::Side;

impl Checking {
    /// The headers that differ between both versions.
    pub(super) async fn compare_headers(&self, source: &Entry, dest: &Entry) -> Result<Vec<HeaderDifference>, Blamed> {
        let left = self.open(Side::Source, source).await?;
        let right = self.open(Side::Dest, dest).await?;
        if are_objects([source, dest]) {
            readable(Side::Source, left.headers())?;
            readable(Side::Dest, right.headers())?;
        }
        Ok(differences([(source, left.headers()), (dest, right.headers())]))
    }
}

fn are_objects(entries: [&Entry; 2]) -> bool {
    entries.iter().all(|entry| entry.etag().is_some())
}

/// Of headers that are no text, it can't be told whether they are the same.
fn readable(side: Side, headers: &ObjectHeaders) -> Result<(), Blamed> {
    let Some(name) = &headers.undecodable else { return Ok(()) };
    let reason = format!("its header {name} is no UTF-8 text, and can't be compared");
    Err(Blamed { side, failure: Failure::new(FailureKind::Failed, reason) })
}

/// What a copy in parts may have noted of the content, which says nothing of a person's.
const NOTED: &str = "md5chksum";

/// A file has a time, and no other header. Of an object nothing is compared with
/// it but the time that travels along, where it has one.
fn differences([source, dest]: [(&Entry, &ObjectHeaders); 2]) -> Vec<HeaderDifference> {
    let are_objects = are_objects([source.0, dest.0]);
    let [left, right] = [source.1, dest.1];
    let mut found = if are_objects { by_name(named(left), named(right)) } else { vec![] };
    let times_differ = match (left.modified, right.modified) {
        (Some(left), Some(right)) => whole_seconds(left) != whole_seconds(right),
        (left, right) => are_objects && left != right,
    };
    if times_differ {
        let [source, dest] = [left.modified, right.modified].map(|time| Some(whole_seconds(time?).to_string()));
        found.push(HeaderDifference { name: "x-amz-meta-mtime".to_owned(), source, dest });
    }
    found
}

/// Everything but the time, by the names that it has on its way.
fn named(headers: &ObjectHeaders) -> BTreeMap<String, String> {
    let content_type = headers.content_type.iter().map(|value| ("content-type".to_owned(), value.clone()));
    let others = headers.others.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let metadata = headers.metadata.iter().filter(|(name, _)| name != NOTED);
    let metadata = metadata.map(|(name, value)| (format!("x-amz-meta-{name}"), value.clone()));
    content_type.chain(others).chain(metadata).collect()
}

fn by_name(left: BTreeMap<String, String>, mut right: BTreeMap<String, String>) -> Vec<HeaderDifference> {
    let mut found = Vec::new();
    for (name, source) in left {
        let dest = right.remove(&name);
        if dest.as_ref() != Some(&source) {
            found.push(HeaderDifference { name, source: Some(source), dest });
        }
    }
    let only_dest = right.into_iter().map(|(name, dest)| HeaderDifference { name, source: None, dest: Some(dest) });
    found.extend(only_dest);
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
            Version::object("e")
        } else {
            Version::File { changed: SystemTime::UNIX_EPOCH, inode: 1, device: 1 }
        };
        Entry { key: Key::from("k"), size: 1, modified: SystemTime::UNIX_EPOCH, version }
    }

    fn headers(seconds: Option<f64>, content_type: Option<&str>) -> ObjectHeaders {
        let modified = seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds));
        ObjectHeaders { modified, content_type: content_type.map(str::to_owned), ..ObjectHeaders::default() }
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

    #[test]
    fn headers_that_are_no_text_are_not_taken_for_the_same() {
        let odd = ObjectHeaders { undecodable: Some("expires".to_owned()), ..ObjectHeaders::default() };
        let blamed = readable(Side::Dest, &odd).unwrap_err();
        assert!(blamed.side == Side::Dest && blamed.failure.reason.contains("header expires is no UTF-8"));
        assert!(readable(Side::Dest, &ObjectHeaders::default()).is_ok());
    }

    #[test]
    fn standard_headers_and_metadata_are_compared_by_name() {
        let object = entry(true);
        let with = |others: &[(&'static str, &str)], metadata: &[(&str, &str)]| ObjectHeaders {
            others: others.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            metadata: metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..ObjectHeaders::default()
        };
        let left = with(&[("cache-control", "max-age=1"), ("expires", "never")], &[("b", "2"), ("a", "1")]);
        let right = with(&[("cache-control", "no-cache")], &[("a", "1"), ("c", "3"), (NOTED, "x")]);
        let found = differences([(&object, &left), (&object, &right)]);
        let shown = |difference: &HeaderDifference| {
            let HeaderDifference { name, source, dest } = difference;
            format!("{name}: {} | {}", source.as_deref().unwrap_or("-"), dest.as_deref().unwrap_or("-"))
        };
        let expected =
            ["cache-control: max-age=1 | no-cache", "expires: never | -", "x-amz-meta-b: 2 | -", "x-amz-meta-c: - | 3"];
        assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), expected);
        assert_eq!(differences([(&object, &left), (&object, &left)]), []);
    }
}
