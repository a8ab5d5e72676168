//! The order of a page of versions: key after key, and of each key the newest first.
//!
//! S3 lists them so, versions and delete markers among each other. Others list first the
//! ones and then the others (<https://github.com/minio/minio/pull/9959> put that right there): their times
//! put them in order then, as well as they can, and each says that its place is not the service's word.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::ListedVersion;

/// The versions key after key by bytes, and of each key the newest first; `in_order` says that the service
/// is known to list them so. What it says of the order of versions among each other, and of delete markers,
/// stays as it is: times are coarse, and S3 dates an upload in parts with its beginning.
pub(super) fn arranged(mut listed: Vec<ListedVersion>, in_order: bool) -> Vec<ListedVersion> {
    // Stable: what one key has stays as it came.
    listed.sort_by(|one, other| one.key.as_bytes().cmp(other.key.as_bytes()));
    let mut arranged = Vec::with_capacity(listed.len());
    let mut rest = VecDeque::from(listed);
    while let Some(first) = rest.front() {
        let same = rest.iter().take_while(|version| version.key == first.key).count();
        let group: Vec<ListedVersion> = rest.drain(..same).collect();
        arranged.extend(if !in_order && is_apart(&group) { among_each_other(group) } else { group });
    }
    arranged
}

/// Whether all versions come before all delete markers, or the other way round, so that nothing is said
/// of their order among each other.
fn is_apart(group: &[ListedVersion]) -> bool {
    let is_marker = |version: &ListedVersion| version.content.is_none();
    group.chunk_by(|one, other| is_marker(one) == is_marker(other)).count() == 2
}

/// Both by their times, and the current one first. Of the same time a marker comes first: what may
/// lie under it counts as lying under it.
fn among_each_other(group: Vec<ListedVersion>) -> Vec<ListedVersion> {
    let count = group.len();
    let (markers, versions): (VecDeque<_>, VecDeque<_>) =
        group.into_iter().partition(|version| version.content.is_none());
    let (mut markers, mut versions) = (markers, versions);
    let mut merged = Vec::with_capacity(count);
    while let (Some(marker), Some(version)) = (markers.front(), versions.front()) {
        let newer = marker.is_latest.cmp(&version.is_latest).then(marker.last_modified.cmp(&version.last_modified));
        let from = if newer == Ordering::Less { &mut versions } else { &mut markers };
        merged.extend(from.pop_front());
    }
    merged.extend(markers);
    merged.extend(versions);
    for version in &mut merged {
        version.is_placed = false;
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::super::VersionContent;
    use super::*;

    /// `k5` is a version of the key k of time 5, `k5-` a delete marker, `k5!` the current version.
    fn listed(written: &str) -> Vec<ListedVersion> {
        let version = |word: &str| ListedVersion {
            key: word[..1].to_owned(),
            version_id: word.to_owned(),
            is_latest: word.contains('!'),
            last_modified: UNIX_EPOCH + Duration::from_secs(word[1..2].parse().unwrap()),
            is_placed: true,
            content: (!word.contains('-')).then(|| VersionContent {
                size: 0,
                etag: String::new(),
                storage_class: None,
            }),
        };
        written.split(' ').map(version).collect()
    }

    #[test]
    fn pages_are_put_in_order_only_where_the_service_did_not() {
        let table = [
            ("a5-! a4 b9! b3- b2 c1!", "a5-! a4 b9! b3- b2 c1!"),
            // The versions first, then the delete markers, of all keys and of one.
            ("a4 b9! b2 c1! a5-! b3-", "a5-! a4 b9! b3- b2 c1!"),
            ("b9! b2 b3-", "b9! b3- b2"),
            ("b3- b9! b2", "b9! b3- b2"),
            // In the same second: the current one is known, of others what lies under a marker counts.
            ("b3 b3-!", "b3-! b3"),
            ("b3! b3-", "b3! b3-"),
            ("b9! b3 b3-", "b9! b3- b3"),
            // An upload in parts is dated with its beginning: S3's order is the true one.
            ("b9-! b5 b8", "b9-! b5 b8"),
            ("b9! b5 b8- b7", "b9! b5 b8- b7"),
            // By bytes, whatever the order of the service.
            ("b1! a1!", "a1! b1!"),
        ];
        for (page, expected) in table {
            let ids: Vec<String> =
                arranged(listed(page), false).into_iter().map(|version| version.version_id).collect();
            assert_eq!(ids.join(" "), expected, "{page}");
        }
    }

    #[test]
    fn times_put_nothing_in_order_that_the_service_did() {
        // In the same second the delete marker was first; and b8- was made while b7 was uploaded in parts.
        for page in ["b9! b3 b3-", "b9! b7 b8-", "b3- b9! b2"] {
            let arranged_so = |in_order| arranged(listed(page), in_order);
            assert_eq!(arranged_so(true), listed(page), "{page}");
            assert!(arranged_so(false).iter().all(|version| !version.is_placed), "{page}");
        }
        assert!(arranged(listed("b9-! b5 b8- b7"), false).iter().all(|version| version.is_placed));
    }
}
