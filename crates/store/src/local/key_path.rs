//! Keys as paths below the root: which can be one, and of what components.

use crate::key::RESERVED;
use crate::{Failure, FailureKind, Key};

/// Bytes in a name: `NAME_MAX` of Linux's and macOS's file systems.
const NAME_MAX: usize = 255;

/// A key that can be the path of a file.
#[derive(Debug)]
pub(super) struct KeyPath<'a> {
    /// The directories that lead to it, from the root.
    pub(super) directories: Vec<&'a [u8]>,
    /// The file's own name.
    pub(super) name: &'a [u8],
}

impl<'a> KeyPath<'a> {
    /// Takes the key apart; fails with [`FailureKind::Unrepresentable`] where
    /// no file can have it, or none but Brigade's own.
    pub(super) fn of(key: &'a Key) -> Result<Self, Failure> {
        Self::of_bytes(key.as_bytes())
    }

    fn of_bytes(key: &'a [u8]) -> Result<Self, Failure> {
        let mut directories: Vec<&[u8]> = key.split(|&byte| byte == b'/').collect();
        if let Some(reason) = directories.iter().find_map(|component| objection(component)) {
            return Err(refused(reason));
        }
        // `split` gives at least one component.
        let name = directories.pop().unwrap_or_default();
        Ok(Self { directories, name })
    }

    /// The path of what has this key and size: an empty object whose key ends
    /// in `/` stands for the directory of that name.
    pub(super) fn of_object(key: &'a Key, size: u64) -> Result<Self, Failure> {
        match key.as_bytes().strip_suffix(b"/") {
            Some(_) if size > 0 => Err(refused("it ends with a slash, and has content")),
            Some(directory) => Self::of_bytes(directory),
            None => Self::of(key),
        }
    }

    /// All of its names, from the root.
    pub(super) fn components(&self) -> Vec<&'a [u8]> {
        let mut components = self.directories.clone();
        components.push(self.name);
        components
    }
}

fn refused(reason: &str) -> Failure {
    Failure::new(FailureKind::Unrepresentable, format!("no file can have this key: {reason}; rename or exclude it"))
}

/// The reason why this can't be the name of a file or directory.
fn objection(component: &[u8]) -> Option<&'static str> {
    match component {
        b"" => Some("it is empty, begins or ends with a slash, or has two in a row"),
        b"." | b".." => Some("`.` and `..` are not names on a file system"),
        _ if component.contains(&0) => Some("it contains a NUL byte"),
        _ if component.len() > NAME_MAX => Some("one of its names is longer than 255 bytes"),
        _ if component.starts_with(RESERVED) => Some("names that begin with `.brigade-` are reserved"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_apart_at_its_slashes() {
        let key = Key::from("a/b c/ä");
        let path = KeyPath::of(&key).unwrap();
        assert_eq!((path.directories, path.name), (vec![&b"a"[..], b"b c"], "ä".as_bytes()));
        let key = Key::new(vec![b'x'; 255]);
        assert_eq!(KeyPath::of(&key).unwrap().name.len(), 255);
    }

    #[test]
    fn what_no_file_can_be_called_is_refused_with_the_reason() {
        let long = "x".repeat(256);
        let table = [
            ("", "empty"),
            ("/a", "slash"),
            ("a/", "slash"),
            ("a//b", "slash"),
            (".", "`.`"),
            ("a/../b", "`..`"),
            ("..", "`..`"),
            ("a/./b", "`.`"),
            ("a\0b", "NUL"),
            (long.as_str(), "255"),
            (".brigade-1", "reserved"),
            ("a/.brigade-/b", "reserved"),
        ];
        for (key, part) in table {
            let failure = KeyPath::of(&Key::from(key)).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Unrepresentable, "{key}");
            assert!(failure.reason.contains(part), "{key}: {failure}");
        }
        for key in ["...", ".brigade", "a/.b", " "] {
            assert!(KeyPath::of(&Key::from(key)).is_ok(), "{key}");
        }
    }
}
