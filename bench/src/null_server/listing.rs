//! Pages of listings, of both versions.

use std::fmt::Write;

use super::Server;
use super::head::Head;
use crate::bucket::Bucket;

/// Keys in a page at most.
const MOST_KEYS: u64 = 1000;

/// The page that is asked for, as S3 writes it.
pub(super) fn page(server: &Server, bucket: Option<Bucket>, head: &Head) -> String {
    let name = head.bucket_and_key().0;
    let is_second = head.parameter("list-type").is_some();
    let asked = head.parameter("max-keys").and_then(|keys| keys.parse().ok()).unwrap_or(MOST_KEYS);
    let prefix = head.parameter("prefix").unwrap_or_default();
    let delimiter = head.parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
    let names = if is_second { ["continuation-token", "start-after"] } else { ["marker", "marker"] };
    let after = names.into_iter().find_map(|name| head.parameter(name)).unwrap_or_default();
    let found = match bucket {
        Some(bucket) => find(&bucket, &prefix, &after, delimiter.as_deref(), asked.min(MOST_KEYS)),
        None => Found::default(),
    };

    let mut page = String::with_capacity(300 + found.items.len() * 220);
    // Writing to a string can't fail.
    let _ = write!(
        page,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>{name}</Name><Prefix>{prefix}</Prefix><MaxKeys>{MOST_KEYS}</MaxKeys><IsTruncated>{}</IsTruncated>",
        found.next.is_some()
    );
    // Keys hold nothing that would have to be encoded, in XML or for a URL.
    if head.parameter("encoding-type").is_some() {
        page.push_str("<EncodingType>url</EncodingType>");
    }
    if is_second {
        let _ = write!(page, "<KeyCount>{}</KeyCount>", found.items.len());
    }
    if let Some(next) = &found.next {
        let name = if is_second { "NextContinuationToken" } else { "NextMarker" };
        let _ = write!(page, "<{name}>{next}</{name}>");
    }
    let (size, etag) = bucket.map_or((0, "".into()), |bucket| (bucket.size, server.etag(bucket.size)));
    for item in &found.items {
        let _ = match item {
            Item::Object(key) => write!(
                page,
                "<Contents><Key>{key}</Key><LastModified>{}</LastModified><ETag>&quot;{etag}&quot;</ETag>\
                 <Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                server.written.0
            ),
            Item::Prefix(prefix) => write!(page, "<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>"),
        };
    }
    page.push_str("</ListBucketResult>");
    page
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    items: Vec<Item>,
    /// The last key or prefix, if more follow.
    next: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Item {
    Object(String),
    Prefix(String),
}

fn find(bucket: &Bucket, prefix: &str, after: &str, delimiter: Option<&str>, most: u64) -> Found {
    let range = bucket.with_prefix(prefix);
    let mut number = range.start.max(bucket.after(after));
    // What a prefix stood for on the page before is not begun again.
    if delimiter.is_some_and(|delimiter| after.ends_with(delimiter)) {
        number = number.max(bucket.with_prefix(after).end);
    }
    let mut items = Vec::new();
    let mut last = None;
    while number < range.end && (items.len() as u64) < most {
        let key = bucket.key(number);
        let common = delimiter.and_then(|delimiter| {
            let end = key[prefix.len()..].find(delimiter)? + delimiter.len();
            Some(key[..prefix.len() + end].to_owned())
        });
        if let Some(common) = common {
            number = bucket.with_prefix(&common).end;
            last = Some(common.clone());
            items.push(Item::Prefix(common));
        } else {
            number += 1;
            last = Some(key.clone());
            items.push(Item::Object(key));
        }
    }
    Found { items, next: last.filter(|_| number < range.end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All items of a listing, page by page.
    fn all(bucket: &Bucket, prefix: &str, after: &str, delimiter: Option<&str>, most: u64) -> Vec<Item> {
        let mut items = Vec::new();
        let mut after = after.to_owned();
        loop {
            let found = find(bucket, prefix, &after, delimiter, most);
            items.extend(found.items);
            match found.next {
                Some(next) => after = next,
                None => return items,
            }
        }
    }

    #[test]
    fn pages_hold_what_a_plain_search_finds() {
        let bucket = Bucket::named("dirs-25000-1").unwrap();
        let keys: Vec<String> = (0..bucket.count).map(|number| bucket.key(number)).collect();
        for (prefix, after) in [("", ""), ("d00001/", ""), ("d00001/d0", "d00001/d07/f000010750"), ("x", ""), ("", "z")]
        {
            let expected: Vec<&String> =
                keys.iter().filter(|key| key.starts_with(prefix) && key.as_str() > after).collect();
            let whole: Vec<Item> = expected.iter().map(|key| Item::Object((*key).clone())).collect();
            assert_eq!(all(&bucket, prefix, after, None, 999), whole, "{prefix} after {after}");
            let mut grouped: Vec<Item> = Vec::new();
            for key in expected {
                let item = match key[prefix.len()..].find('/') {
                    Some(end) => Item::Prefix(key[..=prefix.len() + end].to_owned()),
                    None => Item::Object(key.clone()),
                };
                if grouped.last() != Some(&item) {
                    grouped.push(item);
                }
            }
            for most in [1, 7, 1000] {
                assert_eq!(all(&bucket, prefix, after, Some("/"), most), grouped, "{prefix} after {after}");
            }
        }
    }
}
