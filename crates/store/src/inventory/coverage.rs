//! Whether a report covers the place that it is to stand for. A manifest doesn't say which prefix an inventory has, so that
//! this is told from the keys that are listed, and where they leave it open, from what the bucket holds beside them.

use crate::s3::BucketStore;
use crate::{Key, ListingError, Store};

/// The directory that all keys of a report lie in: its inventory's prefix is no longer than what they have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Common(Option<String>);

impl Common {
    /// With one key more.
    pub(super) fn with(self, key: &str) -> Self {
        let Some(mut above) = self.0 else { return Self(Some(directory(key).to_owned())) };
        while !key.starts_with(&above) {
            above.truncate(directory(above.strip_suffix('/').unwrap_or_default()).len());
        }
        Self(Some(above))
    }

    /// Whether an inventory of these keys can't but list all below the prefix.
    fn covers(&self, prefix: &str) -> bool {
        self.0.as_ref().is_some_and(|above| prefix.starts_with(above))
    }

    /// What all keys below the prefix have in common there; `None` where no key lies below it.
    fn below(&self, prefix: &str) -> Option<&str> {
        self.0.as_ref()?.strip_prefix(prefix)
    }
}

/// The key without its last part: empty, or ending in `/`.
fn directory(key: &str) -> &str {
    key.rfind('/').map_or("", |slash| &key[..=slash])
}

/// An object in the bucket that lies where the report lists nothing; two requests at the most.
pub(super) async fn outside(common: &Common, prefix: &str, bucket: &BucketStore) -> Result<Option<Key>, ListingError> {
    if common.covers(prefix) {
        return Ok(None);
    }
    let Some(above) = common.below(prefix) else { return bucket.first().await };
    let is_outside = |key: &Key| !key.as_bytes().starts_with(above.as_bytes());
    if let Some(before) = bucket.first().await?.filter(is_outside) {
        return Ok(Some(before));
    }
    let last = Key::from(format!("{above}\u{10ffff}"));
    Ok(bucket.first_after(&last).await?.filter(is_outside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_keys_have_in_common_is_a_directory() {
        let table: [(&[&str], &str); 7] = [
            (&["a"], ""),
            (&["a/b", "a/bc"], "a/"),
            (&["a/b/c", "a/b/d/e"], "a/b/"),
            (&["a/b/c", "a/bb"], "a/"),
            (&["a/b/c", "ab"], ""),
            (&["/a", "/b"], "/"),
            (&["a/", "a/b"], "a/"),
        ];
        for (keys, expected) in table {
            let common = keys.iter().fold(Common::default(), |common, key| common.with(key));
            assert_eq!(common, Common(Some(expected.to_owned())), "{keys:?}");
        }
    }

    #[test]
    fn a_prefix_is_covered_by_a_shorter_one() {
        let of = |key: &str| Common::default().with(key);
        assert!(of("a/x").covers("a/") && of("a/x").covers("a/b/") && of("x").covers("a/"));
        assert!(!of("a/b/x").covers("a/") && !of("a/x").covers("b/") && !of("a/x").covers(""));
        assert!(!Common::default().covers(""), "an empty report tells nothing");
        assert_eq!((of("a/b/x").below("a/"), of("b/x").below("a/")), (Some("b/"), None));
    }
}
