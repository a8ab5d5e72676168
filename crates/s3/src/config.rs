//! What a caller decides of a client.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::address::without_user;
use crate::bandwidth::Bandwidth;
use crate::dialect::{Provider, Remembered};
use crate::pace::RequestLimit;
use crate::writing::{CustomerKey, Writing};

/// What a caller decides of a client. What is left out (`None`) is looked for
/// in the environment, then in the profile, as AWS's own tools do.
#[derive(Clone)]
pub struct Config {
    /// Whose account it is for, which decides where all that is left out is looked for.
    pub account: Account,
    /// The service's address, `http://` or `https://`; without one
    /// `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, the profile's
    /// `endpoint_url`, or AWS.
    pub endpoint_url: Option<String>,
    /// The region; without one `AWS_REGION`, `AWS_DEFAULT_REGION`, the
    /// profile's, or `us-east-1`.
    pub region: Option<String>,
    /// The profile in the AWS files; without one `AWS_PROFILE`, or `default`.
    pub profile: Option<String>,
    /// Whether what the profile says of endpoint and region comes before the
    /// environment: where it was chosen for this client alone.
    pub profile_first: bool,
    /// The key to sign with; without one, whatever AWS's own tools would use.
    pub access_key: Option<AccessKey>,
    /// Whether requests are signed; `false` is for public buckets.
    pub sign: bool,
    /// Where the bucket's name goes.
    pub addressing: Addressing,
    /// Who answers at the endpoint; without it told from the endpoint's name.
    pub provider: Option<Provider>,
    /// What was found out before about buckets, beside what is known of the provider.
    pub remembered: Option<Remembered>,
    /// A file of PEM certificates to trust in place of the system's; without
    /// one `AWS_CA_BUNDLE`, or the profile's `ca_bundle`.
    pub ca_bundle: Option<PathBuf>,
    /// What is added to whatever is written.
    pub writing: Writing,
    /// The customer's key with which objects are encrypted: all that are read, and all that are written.
    pub customer_key: Option<CustomerKey>,
    /// Whether the requester pays, where a bucket asks for that.
    pub request_payer: bool,
    /// Connections to one host that are kept open while idle.
    pub max_idle_connections: usize,
    /// How often a request is sent at most, the first time included; at
    /// least 1. `u32::MAX`: what may pass is waited for as long as it takes.
    pub max_attempts: u32,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long nothing at all may move on a connection before it counts as broken.
    pub stall_timeout: Duration,
    /// How long an operation that copies inside the service may take to
    /// answer: completing a multipart upload.
    pub long_timeout: Duration,
    /// How many requests are sent a second at most.
    pub request_limit: Option<RequestLimit>,
    /// How many bytes of bodies pass a second at most.
    pub bandwidth: Option<Bandwidth>,
    /// The first pause before a request is sent again; it doubles each time.
    pub retry_pause: Duration,
    /// Cancelled when nobody waits for answers any more: what is under way
    /// then ends as [`crate::ErrorKind::Abandoned`], whatever it waits for.
    pub abandon: CancellationToken,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            account: Account::default(),
            endpoint_url: None,
            region: None,
            profile: None,
            profile_first: false,
            access_key: None,
            sign: true,
            addressing: Addressing::Auto,
            provider: None,
            remembered: None,
            ca_bundle: None,
            writing: Writing::default(),
            customer_key: None,
            request_payer: false,
            max_idle_connections: 256,
            max_attempts: 10,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_mins(1),
            long_timeout: Duration::from_mins(15),
            request_limit: None,
            bandwidth: None,
            retry_pause: Duration::from_millis(100),
            abandon: CancellationToken::new(),
        }
    }
}

/// What says whom it talks to, and as whom; an endpoint that holds a user and a
/// password will be refused, and is shown without them.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("endpoint_url", &self.endpoint_url.as_deref().map(without_user))
            .field("region", &self.region)
            .field("profile", &self.profile)
            .field("access_key", &self.access_key)
            .field("sign", &self.sign)
            .field("addressing", &self.addressing)
            .field("provider", &self.provider)
            .field("ca_bundle", &self.ca_bundle)
            .finish_non_exhaustive()
    }
}

/// Whose account a client is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Account {
    /// AWS's, or that of anybody who speaks S3: what is left out of a [`Config`] is
    /// looked for as AWS's own tools do.
    #[default]
    Aws,
    /// Google's: so is the provider; the endpoint is Google's, unless it is given or the profile that was
    /// named says another one; so is the key, but that one in `AWS_ACCESS_KEY_ID` is taken
    /// too where it is one of Google's.
    Google,
}

/// Where a bucket's name goes in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addressing {
    /// In the host's name at AWS, in the path everywhere else, and wherever
    /// the name can't stand in a host's name.
    #[default]
    Auto,
    /// In the path: `endpoint/bucket/key`.
    Path,
    /// In the host's name: `bucket.endpoint/key`.
    Virtual,
}

/// A key to sign with.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The access key id; no secret.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let access_key =
            AccessKey { id: "AKID".to_owned(), secret: "hush".to_owned(), session_token: Some("hush too".to_owned()) };
        let endpoint_url = Some("https://user:hush@host/base".to_owned());
        let shown = format!("{:?}", Config { endpoint_url, access_key: Some(access_key), ..Config::default() });
        assert!(shown.contains("AKID") && shown.contains("host/base") && !shown.contains("hush"), "{shown}");
    }
}
