//! The bucket that a sync writes to: made if it isn't there, and told to keep versions.

use brigade_s3::{ErrorKind, Versioning};

use crate::Store;

/// What is done to a bucket before anything is written to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBucket {
    /// Whether it is made, if it isn't there.
    pub create: bool,
    /// Where it is made; otherwise in its client's region.
    pub region: Option<String>,
    /// Whether it is told to keep what is replaced and removed, as versions.
    pub keep_versions: bool,
}

/// What could not be done to a bucket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewBucketError {
    /// It isn't there, and could not be made.
    #[error("could not make the bucket {bucket}: {reason}")]
    Unmade {
        /// Its name.
        bucket: String,
        /// Why.
        reason: String,
    },
    /// It keeps no versions, and could not be told to.
    #[error("could not have the bucket {bucket} keep versions: {reason}")]
    Unversioned {
        /// Its name.
        bucket: String,
        /// Why.
        reason: String,
    },
}

impl NewBucket {
    /// Does it to the store's bucket; what was done, for a person. Nothing is done to what is no bucket.
    pub async fn prepare(&self, store: &dyn Store) -> Result<Vec<String>, NewBucketError> {
        let mut done = Vec::new();
        let Some(bucket) = store.in_bucket().map(crate::s3::BucketStore::bucket) else { return Ok(done) };
        let name = bucket.name();
        if self.create {
            match bucket.head_bucket().await {
                Err(error) if error.kind() == ErrorKind::NoSuchBucket => {
                    let made = bucket.create_bucket(self.region.as_deref()).await;
                    made.map_err(|error| NewBucketError::Unmade { bucket: name.to_owned(), reason: error.reason() })?;
                    done.push(format!("made the bucket {name}"));
                }
                // Whatever else is wrong with it, the listing says.
                _ => {}
            }
        }
        if self.keep_versions {
            let failed = |error: brigade_s3::Error| NewBucketError::Unversioned {
                bucket: name.to_owned(),
                reason: error.reason(),
            };
            if bucket.get_bucket_versioning().await.map_err(failed)? != Versioning::Enabled {
                bucket.put_bucket_versioning(Versioning::Enabled).await.map_err(failed)?;
                done.push(format!("the bucket {name} keeps versions from now on"));
            }
        }
        Ok(done)
    }
}
