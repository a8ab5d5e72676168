//! Whether a report covers the place that it is to stand for. A manifest doesn't say which prefix an inventory has, so
//! that this is told from the keys that are listed, and where they leave it open, from what the bucket holds beside
//! them.

use crate::s3::BucketStore;
use crate::{Key, ListingError};

/// What all keys of a report begin with: its inventory's prefix is no longer than that, and need not end in a `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Common(Option<String>);

impl Common {
    /// With one key more.
    pub(super) fn with(self, key: &str) -> Self {
        let Some(mut above) = self.0 else { return Self(Some(key.to_owned())) };
        let shared = above.bytes().zip(key.bytes()).take_while(|(one, other)| one == other).count();
        above.truncate(above.floor_char_boundary(shared));
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
    Ok(bucket.found_after(&last).await?.filter(is_outside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_keys_begin_with_is_found() {
        let table: [(&[&str], &str); 7] = [
            (&["a"], "a"),
            (&["a/b", "a/bc"], "a/b"),
            (&["a/b/c", "a/b/d/e"], "a/b/"),
            (&["a/b1/x", "a/b2/y"], "a/b"),
            (&["a/b/c", "ab"], "a"),
            (&["é", "è"], ""),
            (&["a/", "a/b"], "a/"),
        ];
        for (keys, expected) in table {
            let common = keys.iter().fold(Common::default(), |common, key| common.with(key));
            assert_eq!(common, Common(Some(expected.to_owned())), "{keys:?}");
        }
    }

    #[test]
    fn a_prefix_is_covered_by_a_shorter_one() {
        let of =
            |above: &str| ["x", "y"].iter().fold(Common::default(), |all, name| all.with(&format!("{above}{name}")));
        assert!(of("a/").covers("a/") && of("a/").covers("a/b/") && of("").covers("a/"));
        assert!(!of("a/b/").covers("a/") && !of("a/").covers("b/") && !of("a/").covers("") && !of("a/b").covers("a/"));
        assert!(!Common::default().covers(""), "an empty report tells nothing");
        assert_eq!((of("a/b/").below("a/"), of("b/").below("a/")), (Some("b/"), None));
    }
}
