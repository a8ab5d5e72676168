//! Keys: an object's name below the job's root.

use std::borrow::Borrow;
use std::fmt;

/// An object's name below the job's root: `/`-separated, without a leading
/// `/` of its own, compared by bytes, never normalised.
///
/// A key is bytes and not text because a local name may be any bytes; S3 keys
/// are UTF-8 of at most 1024 bytes
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>),
/// which the S3 store checks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<[u8]>);

/// What names begin with that the program keeps for itself: temporary files, trash.
pub(crate) const RESERVED: &[u8] = b".brigade-";

impl Key {
    /// A key of exactly these bytes.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The key's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key as text, or `None` where it isn't UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether the key ends in `/`: a directory marker that some consoles make.
    #[must_use]
    pub fn is_marker(&self) -> bool {
        self.0.ends_with(b"/")
    }

    /// Whether the key is one of the program's own, or inside of what is: such
    /// keys are never listed, written or removed as somebody's objects.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.split(|&byte| byte == b'/').any(|component| component.starts_with(RESERVED))
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// Shown as text; what isn't printable text is escaped (`\n`, `\xff`), so that
/// a name can never draw on a terminal or split a line.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() || character == '\\' {
                    write!(f, "{}", character.escape_default())?;
                } else {
                    write!(f, "{character}")?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_compare_by_bytes_as_s3_lists_them() {
        let mut keys: Vec<Key> = ["a/x", "a-b", "a.b", "a+b", "a0", "a"].map(Key::from).into();
        keys.sort();
        let shown: Vec<String> = keys.iter().map(Key::to_string).collect();
        assert_eq!(shown, ["a", "a+b", "a-b", "a.b", "a/x", "a0"]);
    }

    #[test]
    fn what_is_reserved_is_known_at_any_level() {
        for key in [".brigade-x", "a/.brigade-tmp", "a/.brigade-trash/b"] {
            assert!(Key::from(key).is_reserved(), "{key}");
        }
        for key in ["", "brigade-x", "a.brigade-x", ".brigade/x", "a/b"] {
            assert!(!Key::from(key).is_reserved(), "{key}");
        }
    }

    #[test]
    fn what_is_not_printable_text_is_escaped() {
        assert_eq!(Key::from("päth/ok file").to_string(), "päth/ok file");
        assert_eq!(Key::from("a\nb\u{1b}[31m").to_string(), "a\\nb\\u{1b}[31m");
        assert_eq!(Key::new(&b"a\xffb\\"[..]).to_string(), "a\\xffb\\\\");
    }
}
