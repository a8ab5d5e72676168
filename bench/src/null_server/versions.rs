//! Pages of listings of versions: each object of a bucket was replaced nine times, long ago.

use std::fmt::Write;

use super::Server;
use super::head::Head;
use crate::bucket::Bucket;

/// Versions of each object, with the current one.
const VERSIONS: u64 = 10;

/// Objects in a page at most: all versions of one stand in one page.
const MOST_OBJECTS: u64 = 1000 / VERSIONS;

/// The page that is asked for, as S3 writes it.
pub(super) fn page(server: &Server, bucket: Option<Bucket>, head: &Head) -> String {
    let after = head.parameter("key-marker").unwrap_or_default();
    let prefix = head.parameter("prefix").unwrap_or_default();
    let mut page = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListVersionsResult>");
    if let Some(bucket) = bucket {
        let range = bucket.with_prefix(&prefix);
        let first = range.start.max(bucket.after(&after));
        let end = range.end.min(first + MOST_OBJECTS);
        let etag = server.etag(bucket.size);
        (first..end).for_each(|number| write_versions(&mut page, &bucket, number, &etag));
        // Writing to a string can't fail.
        let _ = write!(page, "<IsTruncated>{}</IsTruncated>", end < range.end);
        if end < range.end {
            let last = bucket.key(end - 1);
            let _ = write!(page, "<NextKeyMarker>{last}</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>");
        }
    }
    page.push_str("</ListVersionsResult>");
    page
}

/// The newest first.
fn write_versions(page: &mut String, bucket: &Bucket, number: u64, etag: &str) {
    let (key, size) = (bucket.key(number), bucket.size);
    for version in (1..=VERSIONS).rev() {
        let is_latest = version == VERSIONS;
        let _ = write!(
            page,
            "<Version><Key>{key}</Key><VersionId>v{version}</VersionId><IsLatest>{is_latest}</IsLatest>\
             <LastModified>2020-01-{version:02}T00:00:00.000Z</LastModified><ETag>&quot;{etag}&quot;</ETag>\
             <Size>{size}</Size><StorageClass>STANDARD</StorageClass></Version>"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_all_versions_of_each_object_once() {
        let server = Server::new(std::time::Duration::ZERO, None);
        let bucket = Bucket::named("flat-250-1");
        let (mut query, mut found) = ("versions&prefix=".to_owned(), String::new());
        for pages in 1.. {
            let head = Head { method: "GET".into(), path: "/b".into(), query, ..Head::default() };
            let page = page(&server, bucket, &head);
            found.push_str(&page);
            let Some((_, rest)) = page.split_once("<NextKeyMarker>") else {
                assert_eq!(pages, 3);
                break;
            };
            query = format!("versions&prefix=&key-marker={}", rest.split('<').next().unwrap());
        }
        for number in 0..250 {
            let key = format!("<Key>{}</Key>", bucket.unwrap().key(number));
            assert_eq!(found.matches(&key).count() as u64, VERSIONS);
        }
        assert_eq!(found.matches("<IsLatest>true</IsLatest>").count(), 250);
    }
}
