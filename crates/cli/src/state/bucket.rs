//! A ledger in a bucket: fetched before the run, and written back after it if
//! nobody else has written it meanwhile, so that a machine that forgets everything remembers.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use brigade_engine::copy::copy;
use brigade_engine::events::Outcome;
use brigade_engine::filters::LedgerFiles;
use brigade_engine::ledger::LedgerError;
use brigade_engine::ledger::sqlite::{Access, Binding, SqliteLedger};
use brigade_store::s3::Config;
use brigade_store::{Entry, Key, Location, Role, Store, Symlinks, open};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::StateError;

/// Where a ledger in a bucket is while a run uses it.
pub(super) struct InBucket {
    /// The place that it is in.
    above: Location,
    bucket: Arc<dyn Store>,
    key: Key,
    /// The version that was fetched.
    fetched: Option<Entry>,
    scratch: TempDir,
}

impl InBucket {
    /// Fetches the ledger, if it is there: it is a file of this machine then.
    pub(super) async fn fetch(location: &Location, s3: &Config, abandon: &CancellationToken) -> Result<Self, String> {
        let (above, key) = split(location)?;
        let bucket = open(&above, Role::Destination, s3, abandon).await.map_err(|error| error.to_string())?;
        let scratch = tempfile::tempdir().map_err(|error| format!("could not make a temporary directory: {error}"))?;
        let at = format!("the ledger {location}");
        let fetched = bucket.look(&key).await.map_err(|failure| format!("could not look at {at}: {failure}"))?;
        let this = Self { above, bucket, key, fetched, scratch };
        if let Some(version) = &this.fetched {
            let here = this.open_scratch(Role::Destination, s3, abandon).await?;
            came(copy(Arc::clone(&this.bucket), here, version.clone(), None).await)
                .map_err(|reason| format!("could not fetch {at}: {reason}"))?;
        }
        Ok(this)
    }

    /// Opens the file.
    pub(super) fn open(
        &self,
        location: &Location,
        binding: &Binding,
        access: Access,
    ) -> Result<Option<SqliteLedger>, StateError> {
        SqliteLedger::open(&self.path(), binding, access).map_err(|error| match error {
            LedgerError::NoLedger(_) | LedgerError::Damaged { .. } => StateError::Bucket(format!(
                "{location} is no ledger, or is damaged; if it is one, remove the object, and the next run compares \
                 everything anew"
            )),
            error => {
                StateError::Bucket(error.to_string().replace(&self.path().display().to_string(), &location.to_string()))
            }
        })
    }

    /// The object itself, if it lies in this place.
    pub(super) fn files_below(&self, place: &Location) -> Option<LedgerFiles> {
        let Location::Bucket { bucket, prefix, .. } = place else { return None };
        let Location::Bucket { bucket: its_bucket, prefix: above, .. } = &self.above else { return None };
        let directory = above.strip_prefix(prefix.as_str()).filter(|_| bucket == its_bucket)?;
        Some(LedgerFiles { directory: Key::from(directory), name: Some(self.key.as_bytes().to_vec()) })
    }

    /// The file.
    fn path(&self) -> PathBuf {
        self.scratch.path().join(OsStr::from_bytes(self.key.as_bytes()))
    }

    /// Writes the file back, unless somebody else has written the object since it was fetched.
    pub(super) async fn write_back(self, s3: &Config, abandon: &CancellationToken) -> Result<(), String> {
        let here = self.open_scratch(Role::Source { symlinks: Symlinks::Skip }, s3, abandon).await?;
        let version = here.look(&self.key).await.map_err(|failure| failure.to_string())?;
        let version = version.ok_or("its file is gone")?;
        came(copy(here, self.bucket, version, self.fetched).await)
    }

    async fn open_scratch(
        &self,
        role: Role,
        s3: &Config,
        abandon: &CancellationToken,
    ) -> Result<Arc<dyn Store>, String> {
        let scratch = Location::Local(self.scratch.path().to_owned());
        open(&scratch, role, s3, abandon).await.map_err(|error| error.to_string())
    }
}

/// The place that the object is in, and its key there.
fn split(location: &Location) -> Result<(Location, Key), String> {
    let Location::Bucket { service, bucket, prefix, written } = location else {
        return Err(format!("{location} is not in a bucket"));
    };
    let name = prefix.trim_end_matches('/');
    let (above, key) = name.rsplit_once('/').map_or(("", name), |(above, key)| (above, key));
    let above = if above.is_empty() { String::new() } else { format!("{above}/") };
    let above = Location::Bucket { service: *service, bucket: bucket.clone(), prefix: above, written: written.clone() };
    Ok((above, Key::from(key)))
}

fn came(copied: Result<Outcome, brigade_engine::error::Why>) -> Result<(), String> {
    match copied {
        Ok(Outcome::Sent { .. } | Outcome::InStep) => Ok(()),
        Ok(Outcome::Failed(failure)) => Err(failure.reason),
        Ok(Outcome::Withdrawn { reason } | Outcome::Unrepresentable { reason }) => Err(reason),
        Ok(Outcome::Restoring(_)) => Err("it lies in an archive".to_owned()),
        Ok(Outcome::Deleted) => Err("it was deleted".to_owned()),
        Err(why) => Err(why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_is_the_key() {
        let table = [
            ("s3://bucket/ledger", "", "ledger"),
            ("s3://bucket/ci/state/one.ledger", "ci/state/", "one.ledger"),
            ("s3://bucket/ci/one/", "ci/", "one"),
        ];
        for (written, above, key) in table {
            let (location, found) = split(&Location::parse(OsStr::new(written)).unwrap()).unwrap();
            assert!(matches!(location, Location::Bucket { prefix, .. } if prefix == above), "{written}");
            assert_eq!(found, Key::from(key), "{written}");
        }
    }
}
