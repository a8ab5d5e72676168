//! A server that runs, and what it takes to reach it.

use std::process::Command;

/// The region that every server answers to.
pub(crate) const REGION: &str = "us-east-1";

/// A pair of credentials.
#[derive(Clone)]
pub(crate) struct Credentials {
    /// The access key ID.
    pub(crate) access_key_id: String,
    /// The secret access key.
    pub(crate) secret_access_key: String,
}

/// A server that runs.
#[derive(Clone)]
pub(crate) struct Server {
    /// Its URL.
    pub(crate) endpoint: String,
    /// The only credentials that it accepts.
    pub(crate) credentials: Credentials,
}

impl Server {
    /// Sets the environment by which every S3 client finds the server, and
    /// nothing else of the machine that the test runs on.
    pub(crate) fn configure(&self, command: &mut Command) {
        command
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", &self.credentials.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &self.credentials.secret_access_key)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true");
    }
}
