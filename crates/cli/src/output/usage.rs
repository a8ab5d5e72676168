//! What `brigade du` found out, as lines for a person or for a program.

use brigade_engine::usage::Usage;
use brigade_store::{Key, RequestCount};
use serde::Serialize;

use super::figures::{bytes, count};
use super::json::{self, KeyField, Requests};
use crate::arguments::Format;
use crate::exit::Exit;

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// For whom.
    pub(crate) format: Format,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Total<'a> {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What the whole holds; `None` where it is not known.
    pub(crate) usage: Option<Usage>,
    /// Places that could not be read.
    pub(crate) failed: u64,
    /// Why it didn't come to its end.
    pub(crate) error: Option<&'a str>,
    /// The whole, as the person wrote it.
    pub(crate) location: &'a str,
    /// What was sent.
    pub(crate) requests: &'a [RequestCount],
}

impl Shown {
    /// The line of a directory, with its end.
    pub(crate) fn directory(self, prefix: &Key, usage: Usage) -> String {
        let Usage { objects, bytes } = usage;
        match self.format {
            Format::Text => columns(usage, &prefix.to_string()),
            Format::Json => json::line(&Body::Directory { key: KeyField::new(prefix), objects, bytes }),
        }
    }

    /// The last line, with its end; none where the reason on standard error says it all.
    pub(crate) fn total(self, total: &Total<'_>) -> String {
        match self.format {
            Format::Text => {
                let whole = Key::from(total.location).to_string();
                total.usage.map_or_else(String::new, |usage| columns(usage, &whole))
            }
            Format::Json => json::line(&Body::Summary {
                exit_code: total.exit.code(),
                error: total.error,
                objects: total.usage.map(|usage| usage.objects),
                bytes: total.usage.map(|usage| usage.bytes),
                failed: total.failed,
                requests: Requests::of(total.requests),
            }),
        }
    }
}

/// `    12.3 MiB        1,204  sub/`
fn columns(usage: Usage, place: &str) -> String {
    format!("{:>12} {:>14}  {place}\n", bytes(usage.bytes), count(usage.objects))
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Directory {
        #[serde(flatten)]
        key: KeyField<'a>,
        objects: u64,
        bytes: u64,
    },
    Summary {
        exit_code: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        objects: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
        failed: u64,
        requests: Vec<Requests<'a>>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: Usage = Usage { objects: 1204, bytes: 12_897_485 };

    fn total(usage: Option<Usage>) -> Total<'static> {
        let (exit, error) = if usage.is_some() { (Exit::InStep, None) } else { (Exit::CouldNotRun, Some("why")) };
        Total { exit, usage, failed: 0, error, location: "s3://b/p", requests: &[] }
    }

    #[test]
    fn people_read_columns() {
        let shown = Shown { format: Format::Text };
        assert_eq!(shown.directory(&Key::from("a\n/"), USAGE), "    12.3 MiB          1,204  a\\n/\n");
        assert_eq!(shown.total(&total(Some(USAGE))), "    12.3 MiB          1,204  s3://b/p\n");
        assert_eq!(shown.total(&total(None)), "");
    }

    #[test]
    fn programs_read_json() {
        let shown = Shown { format: Format::Json };
        let directory = shown.directory(&Key::from("a/"), USAGE);
        let expected = r#"{"version":1,"type":"directory","key":"a/","objects":1204,"bytes":12897485}"#;
        assert_eq!(directory.trim_end(), expected);
        let all = shown.total(&total(Some(USAGE)));
        let expected =
            r#"{"version":1,"type":"summary","exit_code":0,"objects":1204,"bytes":12897485,"failed":0,"requests":[]}"#;
        assert_eq!(all.trim_end(), expected);
        let none = shown.total(&total(None));
        let expected = r#"{"version":1,"type":"summary","exit_code":1,"error":"why","failed":0,"requests":[]}"#;
        assert_eq!(none.trim_end(), expected);
    }
}
