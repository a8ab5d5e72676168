//! Keys of the store and names in the bucket: the same, below a prefix.

use brigade_s3::ListedObject;

use crate::{Entry, Failure, FailureKind, Key, KeyRange, Version, VersionId};

/// Bytes that a name may have in S3
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>).
const LONGEST_NAME: usize = 1024;

/// Turns keys into names in the bucket and back.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// Empty, or ending in `/`.
    prefix: String,
}

impl Names {
    pub(crate) fn below(prefix: &str) -> Self {
        Self { prefix: prefix.into() }
    }

    /// What all names begin with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name of this key in the bucket, if it can have one.
    pub(crate) fn of(&self, key: &Key) -> Result<String, Failure> {
        if key.is_reserved() {
            let reason = "names that begin with `.brigade-` are reserved; rename or exclude it";
            return Err(Failure::new(FailureKind::Unrepresentable, reason));
        }
        self.of_any(key)
    }

    /// The same of a key that may be reserved: what others began there can be given up.
    pub(crate) fn of_any(&self, key: &Key) -> Result<String, Failure> {
        let refused = |reason: String| Failure::new(FailureKind::Unrepresentable, reason);
        let text = key.as_text().ok_or_else(|| refused("S3's keys are UTF-8 text, and this name is not".into()))?;
        let name = format!("{}{text}", self.prefix);
        match name.len() {
            0 => Err(refused("S3's keys are at least one byte long".into())),
            1..=LONGEST_NAME => Ok(name),
            length => {
                Err(refused(format!("S3's keys are at most {LONGEST_NAME} bytes long, and this would be {length}")))
            }
        }
    }

    /// Where a listing must start to give every key greater than this one:
    /// the key itself, or as much of it as can stand in a request. The keys that are
    /// listed too many are those between the two.
    pub(crate) fn start_after(&self, after: &Key) -> String {
        self.longest_text(after.as_bytes())
    }

    /// Whether this is the whole name of the key, and not only the beginning of one.
    pub(super) fn is_whole(&self, key: &Key, name: &str) -> bool {
        name.len() == self.prefix.len() + key.as_bytes().len()
    }

    /// What the names of all keys in the range begin with, as far as it can
    /// stand in a request. It holds whatever the order in which they are listed.
    pub(super) fn prefix_of(&self, range: &KeyRange) -> String {
        let (Some(after), Some(through)) = (&range.after, &range.through) else { return self.prefix.clone() };
        let pairs = after.as_bytes().iter().zip(through.as_bytes());
        let shared = pairs.take_while(|(one, other)| one == other).count();
        self.longest_text(&through.as_bytes()[..shared])
    }

    /// As much of the key's name as is text, and no longer than a name may be.
    fn longest_text(&self, key: &[u8]) -> String {
        let text = key.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let room = LONGEST_NAME.saturating_sub(self.prefix.len());
        format!("{}{}", self.prefix, &text[..text.floor_char_boundary(room)])
    }

    /// The part of a listed name below the prefix; fails with the reason where
    /// it isn't below it, which no service should list.
    pub(crate) fn below_prefix<'a>(&self, name: &'a str) -> Result<&'a str, String> {
        let below = name.strip_prefix(&self.prefix);
        below.ok_or_else(|| format!("the service listed {name:?}, which does not begin with what was asked for"))
    }

    /// What is listed for this object: nothing for a temporary file's copy,
    /// and nothing for an empty object whose name is the prefix itself, a
    /// marker that only says that the place exists.
    pub(crate) fn entry(&self, object: ListedObject) -> Result<Option<Entry>, String> {
        let entry = self.any_entry(object)?;
        let is_own_marker = entry.key.as_bytes().is_empty() && entry.size == 0;
        Ok((!is_own_marker && !entry.key.is_temporary()).then_some(entry))
    }

    /// The same, and nothing is left out.
    pub(crate) fn any_entry(&self, object: ListedObject) -> Result<Entry, String> {
        let key = if self.prefix.is_empty() { object.key.into() } else { Key::from(self.below_prefix(&object.key)?) };
        let storage_class = object.storage_class.map(String::into_boxed_str);
        let id = object.generation.as_deref().map(VersionId::from);
        let version = Version::Object { etag: object.etag, id, storage_class };
        Ok(Entry { key, size: object.size, modified: object.last_modified, version })
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn names_are_keys_below_the_prefix() {
        let names = Names::below("p/");
        for key in ["a", "a//b", "/", "../x", "p/p/", "é"] {
            let name = names.of(&key.into()).unwrap();
            assert_eq!(name, format!("p/{key}"));
            assert_eq!(names.below_prefix(&name), Ok(key));
        }
        assert!(names.below_prefix("q/a").is_err());
    }

    #[test]
    fn keys_that_s3_cannot_name_are_refused() {
        let kind = |names: &Names, key: Key| names.of(&key).map_err(|failure| failure.kind);
        let refused = Err(FailureKind::Unrepresentable);
        assert_eq!(kind(&Names::below("p/"), Key::new(&b"a\xff"[..])), refused);
        assert_eq!(kind(&Names::below(""), Key::from("")), refused);
        assert_eq!(kind(&Names::below("p/"), Key::from("a/.brigade-1")), refused);
        assert_eq!(Names::below("p/").of_any(&"a/.brigade-1".into()), Ok("p/a/.brigade-1".into()));
        assert!(kind(&Names::below("p/"), Key::from("x".repeat(1022))).is_ok());
        assert_eq!(kind(&Names::below("p/"), Key::from("x".repeat(1023))), refused);
    }

    #[test]
    fn a_listing_starts_no_later_than_asked() {
        let names = Names::below("p/");
        assert_eq!(names.start_after(&"a/b".into()), "p/a/b");
        assert_eq!(names.start_after(&Key::new(&b"a\xffb"[..])), "p/a");
        assert_eq!(names.start_after(&Key::new(&b"\xff"[..])), "p/");
        let long = format!("x{}", "é".repeat(600));
        assert_eq!(names.start_after(&long.as_str().into()), format!("p/{}", &long[..1021]));
    }

    #[test]
    fn only_names_that_begin_as_all_in_the_range_do_are_asked_for() {
        let names = Names::below("p/");
        assert_eq!(names.prefix_of(&KeyRange::everything()), "p/");
        assert_eq!(names.prefix_of(&KeyRange { after: Some("a/b".into()), through: None }), "p/");
        let table: [(&[u8], &[u8], &str); 4] = [
            (b"a/ba", b"a/bc", "p/a/b"),
            (b"a", b"b", "p/"),
            (b"caf\xe8\xff", b"caf\xe9", "p/caf"),
            ("xè".as_bytes(), "xé".as_bytes(), "p/x"),
        ];
        for (after, through, expected) in table {
            let range = KeyRange { after: Some(Key::new(after)), through: Some(Key::new(through)) };
            assert_eq!(names.prefix_of(&range), expected, "{range:?}");
        }
    }

    #[test]
    fn markers_of_the_place_itself_and_temporary_files_are_left_out() {
        let names = Names::below("p/");
        let listed = |key: &str, size| {
            let object = ListedObject {
                key: key.into(),
                size,
                last_modified: UNIX_EPOCH,
                etag: "e".into(),
                storage_class: None,
                generation: None,
            };
            names.entry(object).unwrap().map(|entry| entry.key.to_string())
        };
        assert_eq!(listed("p/", 0), None);
        assert_eq!(listed("p/", 1), Some(String::new()));
        assert_eq!(listed("p/x/", 0), Some("x/".into()));
        assert_eq!(listed("p/x/.brigade-0123456789abcdef", 1), None);
        assert_eq!(listed("p/x/.brigade-1", 1), Some("x/.brigade-1".into()));
    }
}
