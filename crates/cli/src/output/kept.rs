//! What `brigade versions` found, as lines for a person or for a program.

use std::time::SystemTime;

use brigade_store::{KeptVersion, Key};
use serde::Serialize;

use super::json::{self, KeyField};
use super::listing::timestamp;
use crate::arguments::Format;

/// The line of one version, shown under this key, with its end; and since when it is superseded, if that is known.
pub(crate) fn line(format: Format, key: &Key, version: &KeptVersion, superseded: Option<SystemTime>) -> String {
    match format {
        Format::Text => text(key, version, superseded),
        Format::Json => json::line(&Body::Version {
            key: KeyField::new(key),
            version: VersionField::new(version),
            superseded: superseded.and_then(timestamp).map(|time| time.to_string()),
        }),
    }
}

fn text(key: &Key, version: &KeptVersion, superseded: Option<SystemTime>) -> String {
    let size = version.content.as_ref().map_or_else(|| "DELETED".to_owned(), |content| content.size.to_string());
    let state = match superseded {
        _ if version.is_current => "current".to_owned(),
        Some(until) => format!("until {}", seconds(until)),
        None => "not current".to_owned(),
    };
    // Escaped as a key is.
    let (written, id) = (seconds(version.modified), Key::from(version.id.as_str()).to_string());
    format!("{written:<20} {size:>14}  {state:<26}  {id:<32}  {key}\n")
}

/// A time in UTC, in whole seconds: S3 keeps no finer ones.
fn seconds(time: SystemTime) -> String {
    timestamp(time).map_or_else(String::new, |time| format!("{time:.0}"))
}

/// What every event of a version has.
#[derive(Serialize)]
pub(super) struct VersionField<'a> {
    version_id: &'a str,
    current: bool,
    delete_marker: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_class: Option<&'a str>,
}

impl<'a> VersionField<'a> {
    pub(super) fn new(version: &'a KeptVersion) -> Self {
        Self {
            version_id: version.id.as_str(),
            current: version.is_current,
            delete_marker: version.is_delete_marker(),
            modified: timestamp(version.modified).map(|time| time.to_string()),
            size: version.content.as_ref().map(|content| content.size),
            etag: version.content.as_ref().map(|content| content.etag.as_str()),
            storage_class: version.content.as_ref().and_then(|content| content.storage_class.as_deref()),
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Version {
        #[serde(flatten)]
        key: KeyField<'a>,
        #[serde(flatten)]
        version: VersionField<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        superseded: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use brigade_store::KeptContent;

    use super::*;

    fn version(is_current: bool, content: Option<KeptContent>) -> KeptVersion {
        let modified = UNIX_EPOCH + Duration::from_secs(1_706_933_106);
        KeptVersion {
            key: "k".into(),
            id: "i\u{9b}".into(),
            modified,
            is_current,
            is_placed: true,
            is_cut_off: false,
            content,
        }
    }

    #[test]
    fn people_read_columns_and_programs_json() {
        let content = || Some(KeptContent { size: 12_345, etag: "e".to_owned(), storage_class: None });
        let later = Some(UNIX_EPOCH + Duration::from_secs(1_706_933_200));
        let table = [
            (
                version(true, content()),
                None,
                "2024-02-03T04:05:06Z          12345  current                     i\\u{9b}                           k\n",
                r#""current":true,"delete_marker":false,"modified":"2024-02-03T04:05:06Z","size":12345,"etag":"e"}"#,
            ),
            (
                version(false, None),
                later,
                "2024-02-03T04:05:06Z        DELETED  until 2024-02-03T04:06:40Z  i\\u{9b}                           k\n",
                r#""current":false,"delete_marker":true,"modified":"2024-02-03T04:05:06Z","superseded":"2024-02-03T04:06:40Z"}"#,
            ),
            (
                version(false, content()),
                None,
                "2024-02-03T04:05:06Z          12345  not current                 i\\u{9b}                           k\n",
                r#""current":false,"delete_marker":false,"modified":"2024-02-03T04:05:06Z","size":12345,"etag":"e"}"#,
            ),
        ];
        for (version, superseded, text, json) in table {
            assert_eq!(line(Format::Text, &version.key, &version, superseded), text);
            let start = r#"{"version":1,"type":"version","key":"k","version_id":"i\u009b","#;
            assert_eq!(line(Format::Json, &version.key, &version, superseded).trim_end(), format!("{start}{json}"));
        }
    }
}
