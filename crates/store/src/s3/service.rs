//! How a service is reached, as far as the scheme of a location says it.

use brigade_s3::{Account, Config};

use crate::Service;

impl Service {
    /// These settings, as they are for this service: whoever writes `gs://` has said who
    /// answers, and as whom.
    #[must_use]
    pub fn settings(self, given: &Config) -> Config {
        let account = match self {
            Self::S3 => Account::Aws,
            Self::Google => Account::Google,
        };
        Config { account, ..given.clone() }
    }
}
