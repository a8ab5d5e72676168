//! Why a client could not be made, told so that a person knows what to do.

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The endpoint isn't an address. Where it names a user and a password,
    /// they are left out here.
    #[error(
        "the endpoint {0:?} is not an address; write it like https://host or http://host:port/path, \
         without a user, a password or a query"
    )]
    Endpoint(String),
    /// AWS's FIPS or dual-stack hosts are asked for, and the endpoint has none.
    #[error(
        "AWS's FIPS or dual-stack hosts are asked for, but {0} has none; set AWS_USE_FIPS_ENDPOINT=false and \
         AWS_USE_DUALSTACK_ENDPOINT=false, or leave out --endpoint-url"
    )]
    NoSuchHosts(String),
    /// A setting that is on or off is neither.
    #[error("{variable}, or the profile's setting of that meaning, is {value:?}; it can be true or false")]
    NotABoolean {
        /// The variable of the environment.
        variable: &'static str,
        /// What it is.
        value: String,
    },
    /// A proxy that is no HTTP proxy. A user and a password are left out here.
    #[error(
        "{variable} is {value:?}, which is not the address of an HTTP proxy; write it like http://host:port, or name the \
         hosts that are reached without a proxy in NO_PROXY"
    )]
    Proxy {
        /// The variable of the environment.
        variable: &'static str,
        /// What it is.
        value: String,
    },
    /// The CA bundle could not be read.
    #[error("the CA bundle {path} could not be used: {reason}; give a file of PEM certificates")]
    CaBundle {
        /// The file.
        path: String,
        /// What the system or the parser said.
        reason: String,
    },
    /// The system has no certificates to trust.
    #[error("the system's certificates could not be loaded: {0}; install them (ca-certificates), or give --ca-bundle")]
    SystemCertificates(String),
    /// There are no credentials.
    #[error(
        "no credentials were found ({0}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile with --profile, \
         or use --no-sign-request for a public bucket"
    )]
    NoCredentials(String),
    /// There are none for Google.
    #[error(
        "no credentials for Google Cloud Storage were found ({0}); run `gcloud auth application-default login`, name a file \
         of credentials in GOOGLE_APPLICATION_CREDENTIALS, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to an HMAC key, \
         or use --no-sign-request for a public bucket"
    )]
    NoGoogleCredentials(String),
    /// A token would be sent so that others could hear it.
    #[error("{0} is not encrypted, and a token of Google's would be sent there; use https://, or an HMAC key")]
    OverheardToken(String),
    /// A customer's key would be sent so that others could hear it.
    #[error("{0} is not encrypted, and a key for SSE-C would be sent there; use https://")]
    OverheardKey(String),
    /// Nothing says which project pays.
    #[error("--request-payer needs a project at Google that pays; name it in GOOGLE_CLOUD_PROJECT")]
    NoPayer,
    /// The profile that was named gives none.
    #[error(
        "the profile {profile} gives no credentials ({reason}); look at it in ~/.aws/config and ~/.aws/credentials, or \
         choose another one with --profile or AWS_PROFILE"
    )]
    ProfileWithoutCredentials {
        /// Its name.
        profile: String,
        /// Why.
        reason: String,
    },
    /// What gives the credentials didn't answer in time.
    #[error("{0}; see whether it waits for something, or choose another profile with --profile")]
    SlowCredentials(String),
}
