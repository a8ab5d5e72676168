//! What was found out before about a bucket: whoever makes a client knows where that is kept.

use std::fmt;
use std::sync::Arc;

use super::Dialect;

type Lookup = dyn Fn(&str, &str) -> Option<Dialect> + Send + Sync;

/// Looks up what was found out before about a bucket of a service.
#[derive(Clone)]
pub struct Remembered(Arc<Lookup>);

impl Remembered {
    /// By this function of a service ([`crate::Client::service`]) and the name
    /// of a bucket; `None` where nothing is remembered. It is called once for each
    /// [`crate::Client::bucket`].
    pub fn by(lookup: impl Fn(&str, &str) -> Option<Dialect> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// What was found out about the bucket; nothing, where nothing is remembered.
    pub(crate) fn of(&self, service: &str, bucket: &str) -> Dialect {
        (self.0)(service, bucket).unwrap_or(Dialect::UNKNOWN)
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered")
    }
}
