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

/// What the name begins with below which a probe writes (`brigade_s3::probe`).
const SCRATCH: &[u8] = b".brigade-probe-";

/// Hexadecimal digits that end the name of a temporary file.
const TEMPORARY_DIGITS: usize = 16;

/// A name for a temporary file, different each time.
pub(crate) fn temporary_name() -> Vec<u8> {
    [RESERVED, format!("{:0TEMPORARY_DIGITS$x}", fastrand::u64(..)).as_bytes()].concat()
}

/// Whether a temporary file of the program has such a name.
pub(crate) fn is_temporary_name(name: &[u8]) -> bool {
    name.strip_prefix(RESERVED).is_some_and(is_number)
}

/// Whether what a probe writes lies below such a name.
fn is_scratch_name(name: &[u8]) -> bool {
    name.strip_prefix(SCRATCH).is_some_and(is_number)
}

fn is_number(digits: &[u8]) -> bool {
    digits.len() == TEMPORARY_DIGITS && digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

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

    /// Whether a name in the key is reserved for the program: such keys are
    /// never sent, written or removed as somebody's objects.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.split(|&byte| byte == b'/').any(|component| component.starts_with(RESERVED))
    }
}

impl Key {
    /// Whether the program itself made what has this key: one of its temporary files, or what a probe has left.
    pub(crate) fn is_temporary(&self) -> bool {
        let mut names = self.0.rsplit(|&byte| byte == b'/');
        names.next().is_some_and(is_temporary_name) || names.any(is_scratch_name)
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
/// a name can never draw on a terminal, split a line or turn its direction.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Most are like this.
        if let Some(text) = self.as_text()
            && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\')
        {
            return f.write_str(text);
        }
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if is_unprintable(character) || character == '\\' {
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

/// Whether a terminal may take the character for something to do instead of
/// something to show: controls, line separators, changes of direction
/// (<https://www.unicode.org/reports/tr9/>).
#[must_use]
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
    fn temporary_files_are_told_from_what_somebody_else_named_so() {
        let name = temporary_name();
        assert!(is_temporary_name(&name) && Key::new([b"a/", &*name].concat()).is_temporary());
        for key in [".brigade-", ".brigade-notes", ".brigade-0123456789abcdeF", ".brigade-0123456789abcdef0"] {
            assert!(!Key::from(key).is_temporary(), "{key}");
        }
        assert!(!Key::from(".brigade-0123456789abcdef/below").is_temporary());
        for key in [".brigade-probe-0123456789abcdef/a", "a/.brigade-probe-0123456789abcdef/order/a/x"] {
            assert!(Key::from(key).is_temporary(), "{key}");
        }
        for key in [".brigade-probe-0123456789abcdef", ".brigade-probe-0123/a", "x.brigade-probe-0123456789abcdef/a"] {
            assert!(!Key::from(key).is_temporary(), "{key}");
        }
    }

    #[test]
    fn what_is_not_printable_text_is_escaped() {
        assert_eq!(Key::from("päth/ok file").to_string(), "päth/ok file");
        assert_eq!(Key::from("a\nb\u{1b}[31m").to_string(), "a\\nb\\u{1b}[31m");
        assert_eq!(Key::from("a\u{202e}gpj.exe\u{9b}0m\u{7f}").to_string(), "a\\u{202e}gpj.exe\\u{9b}0m\\u{7f}");
        assert_eq!(Key::new(&b"a\xffb\\"[..]).to_string(), "a\\xffb\\\\");
    }
}
