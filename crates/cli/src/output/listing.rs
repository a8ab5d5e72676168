//! What `brigade ls` found, as lines for a person or for a program.

use std::time::SystemTime;

use brigade_store::browse::Found;
use brigade_store::{Entry, Key};
use jiff::Timestamp;
use serde::Serialize;

use super::json::{self, KeyField};
use crate::arguments::Format;

/// The line of one thing that was found, with its end.
pub(crate) fn line(format: Format, found: &Found) -> String {
    match format {
        Format::Text => text(found),
        Format::Json => json::line(&match found {
            Found::Bucket(name) => Body::Bucket { name },
            Found::Prefix(key) => Body::Prefix { key: KeyField::new(key) },
            Found::Object(entry) => Body::Entry {
                key: KeyField::new(&entry.key),
                size: entry.size,
                modified: timestamp(entry.modified).map(|time| time.to_string()),
                etag: entry.etag(),
            },
        }),
    }
}

fn text(found: &Found) -> String {
    match found {
        Found::Bucket(name) => format!("{}\n", Key::from(name.as_str())),
        Found::Prefix(key) => columns("", "DIR", key),
        Found::Object(entry) => columns(&seconds(entry), &entry.size.to_string(), &entry.key),
    }
}

fn columns(time: &str, size: &str, key: &Key) -> String {
    format!("{time:<20} {size:>14}  {key}\n")
}

/// The modification time in UTC, in whole seconds: S3 keeps no finer ones.
fn seconds(entry: &Entry) -> String {
    timestamp(entry.modified).map_or_else(String::new, |time| format!("{time:.0}"))
}

/// None for a time that no calendar has: a file may claim to be of any year.
pub(super) fn timestamp(time: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(time).ok()
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Bucket {
        name: &'a str,
    },
    Prefix {
        #[serde(flatten)]
        key: KeyField<'a>,
    },
    Entry {
        #[serde(flatten)]
        key: KeyField<'a>,
        size: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        modified: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        etag: Option<&'a str>,
    },
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use brigade_store::Version;

    use super::*;

    fn object(key: Key) -> Found {
        Found::Object(Entry {
            key,
            size: 12_345,
            modified: UNIX_EPOCH + Duration::new(1_706_933_106, 500_000_000),
            version: Version::object("abc-2"),
        })
    }

    #[test]
    fn people_read_columns() {
        let table = [
            (object(Key::from("a b")), "2024-02-03T04:05:06Z          12345  a b\n"),
            (Found::Prefix(Key::from("sub/")), "                                DIR  sub/\n"),
            (Found::Bucket("bucket".to_owned()), "bucket\n"),
        ];
        for (found, expected) in table {
            assert_eq!(line(Format::Text, &found), expected);
        }
    }

    #[test]
    fn programs_read_json() {
        let table = [
            (
                object(Key::from("a\nb")),
                r#"{"version":1,"type":"entry","key":"a\nb","size":12345,"modified":"2024-02-03T04:05:06.5Z","etag":"abc-2"}"#,
            ),
            (
                object(Key::new(&b"a\xff"[..])),
                r#"{"version":1,"type":"entry","key_base64":"Yf8=","size":12345,"modified":"2024-02-03T04:05:06.5Z","etag":"abc-2"}"#,
            ),
            (Found::Prefix(Key::from("sub/")), r#"{"version":1,"type":"prefix","key":"sub/"}"#),
            (Found::Bucket("bucket".to_owned()), r#"{"version":1,"type":"bucket","name":"bucket"}"#),
        ];
        for (found, expected) in table {
            assert_eq!(line(Format::Json, &found).trim_end(), expected);
        }
    }
}
