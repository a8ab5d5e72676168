//! Locations: what a user writes to name a place, read once and for all.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::Key;

/// A place that a user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A directory on this machine: everything that doesn't begin with
    /// `scheme://`. A directory that does is written `./s3://odd`.
    Local(PathBuf),
    /// A bucket, or what is below a prefix of it: `s3://bucket[/prefix]`, or `gs://` for one of Google's.
    Bucket {
        /// Where the bucket is.
        service: Service,
        /// The bucket's name.
        bucket: String,
        /// What all keys of the place begin with: empty, or ending in `/`.
        prefix: String,
        /// The whole, as the user wrote it.
        written: String,
    },
}

/// Where a bucket is, by the scheme that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// At AWS, or anybody else who speaks S3: `s3://`.
    S3,
    /// At Google Cloud Storage: `gs://`.
    Google,
}

impl Service {
    /// The scheme, without `://`.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
        }
    }
}

/// What a user wrote and that names no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Nothing at all.
    #[error("the location is empty; write . for the current directory, s3://bucket or gs://bucket")]
    Empty,
    /// A local path written as a URL.
    #[error("{written}: write a local path as it is, without file://")]
    File {
        /// The whole.
        written: String,
    },
    /// A scheme that nobody knows.
    #[error(
        "{written}: {scheme}:// is not a scheme that brigade knows; write a directory, s3://bucket[/prefix], or \
         gs://bucket[/prefix] (a directory of this name is written ./{written})"
    )]
    Scheme {
        /// The scheme.
        scheme: String,
        /// The whole.
        written: String,
    },
    /// A bucket's scheme without its slashes: hardly a directory.
    #[error(
        "{written}: write {scheme}://bucket[/prefix] for a bucket (a directory of this name is written ./{written})"
    )]
    Slashes {
        /// The scheme.
        scheme: String,
        /// The whole.
        written: String,
    },
    /// A bucket that is no text.
    #[error("{written}: a bucket and its keys are UTF-8 text, and this is not")]
    NotText {
        /// The whole, as far as it can be shown.
        written: String,
    },
    /// An access key in the location.
    #[error(
        "{written}: a location holds no credentials (and those are known now to whoever sees this command); \
         set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with --profile"
    )]
    Credentials {
        /// The whole, without them.
        written: String,
    },
    /// `s3://` or `gs://` without a bucket.
    #[error("{written}: the bucket is missing; write {}://bucket[/prefix]", .service.scheme())]
    NoBucket {
        /// Where it would be.
        service: Service,
        /// The whole.
        written: String,
    },
    /// A name that no bucket has.
    #[error(
        "{written}: no bucket is called {bucket:?}: a name has 3 to 255 letters, digits, dots, hyphens and underscores \
         (an access point is named by its alias)"
    )]
    BucketName {
        /// The name.
        bucket: String,
        /// The whole.
        written: String,
    },
}

impl Location {
    /// Reads what a user wrote.
    ///
    /// A prefix is a directory: `s3://b/p` and `s3://b/p/` are the same. Beyond
    /// that one `/` nothing is added, removed or decoded: the prefix of
    /// `s3://b/p//` is `p//`, and that of `s3://b//x` is `/x/`.
    pub fn parse(written: &OsStr) -> Result<Self, LocationError> {
        if written.is_empty() {
            return Err(LocationError::Empty);
        }
        let shown = shown(&written.to_string_lossy());
        let Some(scheme) = scheme_of(written) else {
            let meant = ["s3", "gs"].into_iter().find(|scheme| shown.starts_with(&format!("{scheme}:")));
            let slashes = |scheme: &str| LocationError::Slashes { scheme: scheme.to_owned(), written: shown.clone() };
            return meant.map_or_else(|| Ok(Self::Local(written.into())), |scheme| Err(slashes(scheme)));
        };
        match scheme.as_str() {
            "s3" => Self::bucket(Service::S3, written.to_str().ok_or(LocationError::NotText { written: shown })?),
            "gs" => Self::bucket(Service::Google, written.to_str().ok_or(LocationError::NotText { written: shown })?),
            "file" => Err(LocationError::File { written: shown }),
            _ => Err(LocationError::Scheme { scheme, written: shown }),
        }
    }

    /// A bucket of a store that has a name: of what the user wrote, `below` is what follows on the
    /// store's name, `bucket[/prefix]`.
    pub fn in_store(written: &str, below: &str) -> Result<Self, LocationError> {
        Self::below(Service::S3, written, below)
    }

    fn bucket(service: Service, written: &str) -> Result<Self, LocationError> {
        Self::below(service, written, &written[service.scheme().len() + "://".len()..])
    }

    fn below(service: Service, written: &str, below: &str) -> Result<Self, LocationError> {
        let (bucket, prefix) = below.split_once('/').unwrap_or((below, ""));
        if bucket.is_empty() {
            return Err(LocationError::NoBucket { service, written: shown(written) });
        }
        if !may_name_a_bucket(bucket) {
            let (bucket, written, has_user) = (bucket.into(), shown(written), written.contains('@'));
            // A secret may have a `/`, and end what looks like the bucket.
            return Err(if has_user {
                LocationError::Credentials { written }
            } else {
                LocationError::BucketName { bucket, written }
            });
        }
        let end = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
        Ok(Self::Bucket { service, bucket: bucket.into(), prefix: format!("{prefix}{end}"), written: written.into() })
    }

    /// Whether it is part of a bucket: such a place is there only if something is in it.
    #[must_use]
    pub fn is_below_a_prefix(&self) -> bool {
        matches!(self, Self::Bucket { prefix, .. } if !prefix.is_empty())
    }

    /// The object in the bucket that may have been meant, by its name, as it was written; `None` of a whole bucket and
    /// of a directory. As a place, a name gets a slash at its end.
    #[must_use]
    pub fn object_name(&self) -> Option<&str> {
        let Self::Bucket { prefix, written, .. } = self else { return None };
        let name = if written.ends_with('/') { prefix } else { prefix.strip_suffix('/').unwrap_or(prefix) };
        Some(name).filter(|name| !name.is_empty())
    }

    /// Whether both are directories, and the same one, or one lies inside the other: a sync
    /// between them would read what it writes. The paths are resolved as far as they exist. Of buckets, what
    /// they are at tells, and that is known when they are opened.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (Self::Local(mine), Self::Local(theirs)) = (self, other) else { return false };
        let (mine, theirs) = (resolved(mine), resolved(theirs));
        mine.starts_with(&theirs) || theirs.starts_with(&mine)
    }
}

/// As the user wrote it.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Bucket { written, .. } => f.write_str(written),
        }
    }
}

/// What may be shown of a location that names no place: in one line, and
/// without what could be a user's name and password.
fn shown(written: &str) -> String {
    let after_scheme = written.find("://").map_or(0, |end| end + "://".len());
    let (scheme, rest) = written.split_at(after_scheme);
    let (user, host) = rest.rsplit_once('@').map_or(("", rest), |(_, host)| ("...@", host));
    Key::from(format!("{scheme}{user}{host}")).to_string()
}

/// What stands before `://`, in lower case, if it is a scheme (RFC 3986, 3.1).
fn scheme_of(written: &OsStr) -> Option<String> {
    let bytes = written.as_encoded_bytes();
    let end = bytes.windows(3).position(|window| window == b"://")?;
    let scheme = std::str::from_utf8(&bytes[..end]).ok()?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then(|| scheme.to_ascii_lowercase())
}

/// Whether any bucket may have this name: S3's rules of today
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>)
/// and those of old buckets, which allowed capitals, underscores and 255
/// characters. The service itself decides the rest.
pub(crate) fn may_name_a_bucket(name: &str) -> bool {
    (3..=255).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// The path without symlinks, `.` and `..`, as far as it exists; what doesn't
/// exist yet is appended by the letter.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let existing = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    let Some((above, mut resolved)) = existing else { return path };
    for component in path.strip_prefix(above).unwrap_or(Path::new("")).components() {
        match component {
            Component::ParentDir => _ = resolved.pop(),
            component => resolved.push(component),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(written: &str) -> Result<Location, LocationError> {
        Location::parse(OsStr::new(written))
    }

    #[test]
    fn buckets_are_read_with_their_prefix() {
        let table = [
            ("s3://bucket", "bucket", ""),
            ("s3://bucket/", "bucket", ""),
            ("s3://bucket/p", "bucket", "p/"),
            ("s3://bucket/p/", "bucket", "p/"),
            ("s3://bucket/p//", "bucket", "p//"),
            ("s3://bucket//", "bucket", "/"),
            ("s3://bucket//x", "bucket", "/x/"),
            ("s3://bucket/a b/../%20?x#y", "bucket", "a b/../%20?x#y/"),
            ("S3://Old_Bucket.2006/p", "Old_Bucket.2006", "p/"),
            ("gs://bucket", "bucket", ""),
            ("gs://my_bucket.example.org/p", "my_bucket.example.org", "p/"),
            ("GS://bucket//x", "bucket", "/x/"),
        ];
        for (written, bucket, prefix) in table {
            let service = if written.to_ascii_lowercase().starts_with("gs") { Service::Google } else { Service::S3 };
            let expected =
                Location::Bucket { service, bucket: bucket.into(), prefix: prefix.into(), written: written.to_owned() };
            assert_eq!(parse(written), Ok(expected), "{written}");
            assert_eq!(parse(written).unwrap().to_string(), written);
        }
    }

    #[test]
    fn an_object_is_named_as_it_was_written() {
        let table = [
            ("s3://bucket/a", Some("a")),
            ("s3://bucket/a/b c", Some("a/b c")),
            ("s3://bucket/a/", Some("a/")),
            ("gs://bucket//a//", Some("/a//")),
            ("s3://bucket", None),
            ("s3://bucket/", None),
            ("dir/a", None),
        ];
        for (written, name) in table {
            let location = parse(written).unwrap();
            assert_eq!(location.object_name(), name, "{written}");
            assert_eq!(location.is_below_a_prefix(), name.is_some(), "{written}");
        }
    }

    #[test]
    fn everything_without_a_scheme_is_a_local_path() {
        for written in [".", "/", "site", "s3", "./s3:/x", "./s3://x", "a b://x", "1a://x", "://x", "C:\\x"] {
            assert_eq!(parse(written), Ok(Location::Local(written.into())), "{written}");
            assert_eq!(parse(written).unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_names_no_place_says_what_to_write() {
        let table = [
            ("", "the location is empty; write . for the current directory"),
            ("s3://", "the bucket is missing; write s3://bucket[/prefix]"),
            ("s3:///p", "the bucket is missing; write s3://bucket[/prefix]"),
            ("s3://ab", "no bucket is called \"ab\": a name has 3 to 255"),
            ("s3://bu cket/p", "no bucket is called \"bu cket\""),
            ("s3://arn:aws:s3:::bucket", "an access point is named by its alias"),
            ("gs://", "the bucket is missing; write gs://bucket[/prefix]"),
            ("gs://bu cket/p", "no bucket is called \"bu cket\""),
            ("file:///tmp/x", "without file://"),
            (
                "s3:/bucket/p",
                "write s3://bucket[/prefix] for a bucket (a directory of this name is written ./s3:/bucket/p",
            ),
            ("gs:bucket", "write gs://bucket"),
            ("ftp://host/x", "ftp:// is not a scheme that brigade knows"),
        ];
        for (written, part) in table {
            let message = parse(written).unwrap_err().to_string();
            assert!(message.contains(part), "{written}: {message}");
        }
        let long = format!("s3://{}", "b".repeat(256));
        assert!(matches!(parse(&long), Err(LocationError::BucketName { .. })));
    }

    #[test]
    fn credentials_in_a_location_are_refused_and_not_repeated() {
        let table = [
            ("s3://AKID:hush@bucket/p", "s3://...@bucket/p: a location holds no credentials"),
            ("s3://AKID:hush/hush+hush@bucket", "s3://...@bucket: a location holds no credentials"),
            ("s3:///hush@bucket", "s3://...@bucket: the bucket is missing"),
            ("https://user:hush@host/p", "https://...@host/p: https:// is not a scheme"),
        ];
        for (written, part) in table {
            let error = parse(written).unwrap_err();
            assert!(error.to_string().contains(part), "{written}: {error}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
        assert!(parse("s3://bucket/user@host").is_ok());
    }

    #[test]
    fn what_names_no_place_does_not_command_the_terminal() {
        let error = parse("s3://\u{1b}[2J\n/p").unwrap_err().to_string();
        assert!(error.starts_with("s3://\\u{1b}[2J\\n/p: no bucket is called"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_are_local_or_an_error() {
        use std::os::unix::ffi::OsStrExt;
        let local = OsStr::from_bytes(b"d\xff");
        assert_eq!(Location::parse(local), Ok(Location::Local(local.into())));
        let bucket = OsStr::from_bytes(b"s3://bucket/\xff");
        assert!(matches!(Location::parse(bucket), Err(LocationError::NotText { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn local_places_overlap_by_where_they_really_are() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| Location::Local(root.path().join(path));
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        std::os::unix::fs::symlink(root.path().join("a"), root.path().join("link")).unwrap();
        let table = [
            ("a", "a", true),
            ("a", "a/b/../new", true),
            ("a", "link/b", true),
            ("a", "link/new/sub", true),
            ("a", "ab", false),
            ("a/b", "a/new", false),
            ("a", "new/../a/b", true),
        ];
        for (one, other, expected) in table {
            assert_eq!(at(one).overlaps(&at(other)), expected, "{one} {other}");
            assert_eq!(at(other).overlaps(&at(one)), expected, "{other} {one}");
        }
    }
}
