//! `KEY=ID`: one version of a key.

use std::str::FromStr;

use brigade_store::{Key, VersionId};

/// A key, and which of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionOf {
    /// The key, below the URL.
    pub(crate) key: Key,
    /// What the service calls the version.
    pub(crate) id: VersionId,
}

/// What doesn't name both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write KEY=ID, with an id as `brigade versions` lists it")]
pub(crate) struct NoVersionOf;

impl FromStr for VersionOf {
    type Err = NoVersionOf;

    /// A key may have a `=`, and an id end in some.
    fn from_str(text: &str) -> Result<Self, NoVersionOf> {
        let end = text.trim_end_matches('=').rfind('=').ok_or(NoVersionOf)?;
        let (key, id) = (&text[..end], &text[end + 1..]);
        if key.is_empty() { Err(NoVersionOf) } else { Ok(Self { key: key.into(), id: id.into() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_equals_sign_parts_key_and_id() {
        let table = [
            ("a=v1", Some(("a", "v1"))),
            ("a/b c=null", Some(("a/b c", "null"))),
            ("a=b=v1", Some(("a=b", "v1"))),
            ("a=djE==", Some(("a", "djE=="))),
            ("a", None),
            ("a=", None),
            ("=v1", None),
            ("", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|(key, id)| VersionOf { key: key.into(), id: id.into() });
            assert_eq!(text.parse::<VersionOf>().ok(), expected, "{text:?}");
        }
    }
}
