//! `brigade cat` as it was typed, to which bytes of which object.

use brigade_store::s3::Config;
use brigade_store::{Key, Location, VersionId};

use super::byte_range::ByteRange;
use super::s3::Probed;
use super::{UsageError, s3};
use crate::arguments;

/// Requests in flight at once.
const JOBS: usize = 8;

/// What is to be shown.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The bucket, from its root.
    pub(crate) bucket: Location,
    /// The object's name there.
    pub(crate) key: Key,
    /// Which version, if it needn't be the current one.
    pub(crate) version: Option<VersionId>,
    /// Which bytes, if not all.
    pub(crate) range: Option<ByteRange>,
    /// How to reach it.
    pub(crate) s3: Config,
}

/// Decides what was asked for.
pub(crate) fn resolve(arguments: &arguments::Cat) -> Result<Asked, UsageError> {
    let (location, s3) = s3::one_place(&arguments.location, &arguments.s3, JOBS, Probed::Believed)?;
    let key = location.object_name().map(Key::from);
    let (service, bucket, written) = match location {
        Location::Local(path) => return Err(UsageError::CatOfFile { path: path.display().to_string() }),
        Location::Bucket { service, bucket, written, .. } => (service, bucket, written),
    };
    let Some(key) = key else { return Err(UsageError::CatOfBucket(written)) };
    Ok(Asked {
        key,
        bucket: Location::Bucket { service, bucket, prefix: String::new(), written },
        version: arguments.version_id.as_deref().map(VersionId::from),
        range: arguments.range,
        s3: s3::read_with(s3, &arguments.key)?,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn parse(line: &[&str]) -> Result<Asked, String> {
        let line = ["brigade", "cat"].iter().chain(line);
        match Arguments::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Command::Cat(cat) => resolve(&cat).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_object_is_named_exactly() {
        for (url, key) in [
            ("s3://bucket/a", "a"),
            ("s3://bucket/a/b c", "a/b c"),
            ("s3://bucket/a/", "a/"),
            ("s3://bucket//a//", "/a//"),
        ] {
            let asked = parse(&[url]).unwrap();
            assert_eq!((asked.key, asked.bucket.to_string().as_str()), (key.into(), url));
        }
        let all = parse(&["s3://bucket/a", "--range", "-5", "--version-id=v1"]).unwrap();
        assert_eq!((all.range, all.version), (Some(ByteRange::Last(5)), Some("v1".into())));
    }

    #[test]
    fn what_is_no_object_is_a_usage_error() {
        let table: [(&[&str], &str); 4] = [
            (&["/etc/hosts"], "/etc/hosts is no object; use cat"),
            (&["s3://bucket"], "s3://bucket is a bucket; name an object in it"),
            (&["s3://bucket/"], "name an object in it"),
            (&["s3://bucket/a", "--range=b"], "write 0-511, 512- or -512"),
        ];
        for (line, part) in table {
            let error = parse(line).unwrap_err();
            assert!(error.contains(part), "{line:?}: {error}");
        }
    }
}
