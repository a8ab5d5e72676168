//! What objects, parts and uploads are dated with.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use s3s::dto::Timestamp;

/// The machine's clock, or a time that it was set to.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<SystemTime>>);

impl Clock {
    /// From now on it stands at this time; with `None` it goes as the machine's does.
    pub(crate) fn stand_at(&self, time: Option<SystemTime>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }

    /// Now, in whole seconds: S3 keeps times no finer.
    pub(crate) fn now(&self) -> Timestamp {
        let set = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = set.unwrap_or_else(SystemTime::now).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs()))
    }
}
