//! Which objects of a bucket can't be beside each other in a tree: `a` and
//! `a/b`, a file and a directory of one name.

use brigade_store::{Key, Kind};

/// Remembers, while keys come in order, those that may have others below them.
///
/// A key that comes between `a` and `a/b` begins with `a`: those that may still
/// have keys below them are prefixes of one another, and no more than a key has bytes.
///
/// It knows only the keys that it was shown: whoever plans a range that begins
/// in the middle shows it what [`may_be_above_what_follows`].
#[derive(Clone, Debug)]
pub(crate) struct Nesting {
    /// Whether the destination is a tree.
    matters: bool,
    open: Vec<Key>,
}

impl Nesting {
    pub(crate) fn new(dest: Kind) -> Self {
        Self { matters: dest == Kind::Local, open: Vec::new() }
    }

    /// The key among those so far that has the name of a directory that this one needs.
    pub(crate) fn file_above(&mut self, key: &Key) -> Option<Key> {
        if !self.matters {
            return None;
        }
        let bytes = key.as_bytes();
        self.open.retain(|open| bytes.starts_with(open.as_bytes()));
        let above = self.open.iter().find(|open| bytes.get(open.as_bytes().len()) == Some(&b'/')).cloned();
        // What no file can be called stands in nobody's way, nor does what will not be written itself.
        if above.is_none() && !bytes.is_empty() && !key.is_marker() {
            self.open.push(key.clone());
        }
        above
    }
}

/// The keys up to this one that may have others below them after it: no key
/// but these is of concern to who plans the keys after it.
pub(crate) fn may_be_above_what_follows(last: &Key) -> impl Iterator<Item = Key> {
    let bytes = last.as_bytes();
    // With a greater byte after it, all that could be below a key has come.
    (1..=bytes.len())
        .filter(|&length| bytes.get(length).is_none_or(|&next| next <= b'/'))
        .map(|length| Key::new(&bytes[..length]))
}

/// The names of the directories that a key lies in, as those of files.
pub(crate) fn directories_of(key: &Key) -> impl Iterator<Item = Key> {
    let bytes = key.as_bytes();
    bytes
        .iter()
        .enumerate()
        .filter(|&(place, &byte)| byte == b'/' && place > 0)
        .map(|(place, _)| Key::new(&bytes[..place]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_above_is_found_whatever_comes_between() {
        let table = [
            ("", None),
            ("/", None),
            ("/x", None),
            ("a", None),
            ("a!", None),
            ("a!/x", Some("a!")),
            ("a-b", None),
            ("a-b/", Some("a-b")),
            ("a/b", Some("a")),
            ("a/b/c", Some("a")),
            ("a0", None),
            ("b/", None),
            ("b/c", None),
            ("b/c/d/e", Some("b/c")),
            ("c", None),
            ("ca/b", None),
        ];
        let mut tree = Nesting::new(Kind::Local);
        let mut bucket = Nesting::new(Kind::Remote);
        for (key, above) in table {
            assert_eq!(tree.file_above(&Key::from(key)), above.map(Key::from), "{key}");
            assert_eq!(bucket.file_above(&Key::from(key)), None, "{key}");
        }
    }

    #[test]
    fn what_is_above_is_known_from_the_middle_on() {
        let keys =
            ["a", "a!", "a!/x", "a!0", "a-b", "a/b", "a/b!", "a/b/c", "a0", "b", "b-", "b/c", "c"].map(Key::from);
        for cut in 0..keys.len() {
            let (mut whole, mut rest) = (Nesting::new(Kind::Local), Nesting::new(Kind::Local));
            for key in &keys[..=cut] {
                whole.file_above(key);
            }
            for key in may_be_above_what_follows(&keys[cut]).filter(|key| keys.contains(key)) {
                rest.file_above(&key);
            }
            for key in &keys[cut + 1..] {
                assert_eq!(rest.file_above(key), whole.file_above(key), "{key} after {}", keys[cut]);
            }
        }
        assert_eq!(directories_of(&"a/b//c".into()).collect::<Vec<_>>(), ["a", "a/b", "a/b/"].map(Key::from));
        let shown: Vec<Key> = may_be_above_what_follows(&"dir/file-7.txt".into()).collect();
        assert_eq!(shown, ["dir", "dir/file", "dir/file-7", "dir/file-7.txt"].map(Key::from));
    }

    #[test]
    fn no_more_is_remembered_than_a_key_has_bytes() {
        let mut nesting = Nesting::new(Kind::Local);
        let long: String = "!".repeat(1024);
        for length in 1..=1024 {
            nesting.file_above(&Key::from(&long[..length]));
        }
        for number in 0..10_000 {
            nesting.file_above(&Key::from(format!("{number:05}")));
            assert!(nesting.open.len() <= 1);
        }
    }
}
