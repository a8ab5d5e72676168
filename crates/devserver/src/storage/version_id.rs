//! The ids of versions.

use std::fmt;
use std::time::SystemTime;

use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// Which version of its key one is. Clients are told no more of it than S3's tell:
/// that it is some text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct VersionId(Option<String>);

/// What the null version is called
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html>).
const NULL: &str = "null";

impl VersionId {
    /// The one that is written while the bucket gives no ids. A key has one at the most.
    pub(crate) const NULL: Self = Self(None);

    /// That of the version which was written as the `sequence`-th. With the time, it is
    /// one that nobody had before, whatever was removed and however often the server began.
    pub(crate) fn new(sequence: u64) -> Self {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(Some(format!("{:016x}{sequence:016x}", time.as_nanos())))
    }

    /// The id of that text.
    pub(crate) fn parse(text: &str) -> S3Result<Self> {
        let is_ours = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match text {
            NULL => Ok(Self::NULL),
            _ if is_ours => Ok(Self(Some(text.to_owned()))),
            _ => Err(s3_error!(InvalidArgument, "Invalid version id specified")),
        }
    }

    /// The id that a request names, if it does.
    pub(crate) fn asked(text: Option<&str>) -> S3Result<Option<Self>> {
        text.map(Self::parse).transpose()
    }

    /// As the how many-th it was written; `None` of the null version.
    pub(crate) fn sequence(&self) -> Option<u64> {
        u64::from_str_radix(self.0.as_deref()?.get(16..)?, 16).ok()
    }

    /// What tells the file's name from that of the null version.
    pub(crate) fn suffix(&self) -> String {
        self.0.as_ref().map(|id| format!(".{id}")).unwrap_or_default()
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or(NULL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let id = VersionId::new(7);
        assert_eq!((VersionId::parse(&id.to_string()).unwrap(), id.sequence()), (id.clone(), Some(7)));
        assert_ne!(id, VersionId::new(8));
        assert_eq!((VersionId::parse("null").unwrap(), VersionId::NULL.sequence()), (VersionId::NULL, None));
        for wrong in ["", "Null", "../../etc/passwd", &"g".repeat(32), &"0".repeat(31)] {
            assert!(VersionId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
