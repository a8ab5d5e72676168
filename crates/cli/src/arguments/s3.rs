//! The options of every command that reaches S3.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use brigade_store::s3::Provider;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::resolve::bandwidth::Timetable;
use crate::resolve::duration::Span;

/// How to reach S3. What isn't given here is taken from the AWS environment
/// variables and files, with their usual meaning.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "S3")]
pub(crate) struct S3Arguments {
    /// Take the stores that have names (NAME:bucket/prefix) from this file (docs/config.md)
    ///
    /// Otherwise BRIGADE_CONFIG names it, or it is XDG_CONFIG_HOME/brigade/brigade.toml or
    /// ~/.config/brigade/brigade.toml, if it is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<OsString>,

    /// Send requests to this server instead of AWS
    ///
    /// Otherwise AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile says where.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,

    /// The region of the bucket
    ///
    /// Otherwise AWS_REGION, AWS_DEFAULT_REGION or the profile says it. A bucket that turns out to be elsewhere is
    /// followed there.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// The profile in the AWS configuration files
    ///
    /// Otherwise AWS_PROFILE names it.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// Send requests unsigned, for public buckets
    #[arg(long)]
    pub(crate) no_sign_request: bool,

    /// Where the bucket's name goes: in the path or in the host name
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    pub(crate) addressing: Addressing,

    /// The provider, where it can't be told from the endpoint
    ///
    /// It decides what the server is trusted with (conditional writes, order of listings). Unknown providers get the
    /// cautious choice, and what `brigade probe` has found out.
    #[arg(long, value_name = "NAME", value_parser = provider_names())]
    pub(crate) provider: Option<Provider>,

    /// Certificates (PEM) to trust instead of the system's
    ///
    /// Otherwise AWS_CA_BUNDLE names the file.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,

    /// How often a request that failed for a passing reason is sent again
    #[arg(long, value_name = "N", default_value = "9")]
    pub(crate) retries: u32,

    /// Send what failed for a passing reason again for as long as it takes, even where nothing ever answered
    #[arg(long, conflicts_with = "retries")]
    pub(crate) retry_forever: bool,

    /// How long nothing may move on a connection before it counts as broken: 30s, 2m
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = positive_span)]
    pub(crate) timeout: Span,

    /// Send at most this many requests a second
    #[arg(long, value_name = "N")]
    pub(crate) max_requests_per_second: Option<NonZeroU32>,

    /// Let at most this much pass a second, in and out together: 10MiB, or by local time 08:00=1MiB,18:30=off
    #[arg(long, value_name = "RATE")]
    pub(crate) bandwidth: Option<Timetable>,

    /// Agree to pay for requests to a requester-pays bucket
    #[arg(long)]
    pub(crate) request_payer: bool,
}

/// What objects are read with that are encrypted with a key of one's own.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "S3")]
pub(crate) struct KeyArguments {
    /// A file with the key that the objects are encrypted with (SSE-C): 32 bytes, or those in base64
    #[arg(long, value_name = "FILE")]
    pub(crate) sse_c_key: Option<PathBuf>,
}

/// Some time, of a day at most; none at all would break every connection.
fn positive_span(text: &str) -> Result<Span, String> {
    match text.parse::<Span>() {
        Ok(Span(span)) if span.is_zero() => Err("it must be more than zero".to_owned()),
        Ok(Span(span)) if span > Duration::from_hours(24) => Err("it is a day at most".to_owned()),
        parsed => parsed.map_err(|error| error.to_string()),
    }
}

/// Takes the providers' names, and offers them in help, completions and for typos.
pub(super) fn provider_names() -> impl TypedValueParser<Value = Provider> {
    PossibleValuesParser::new(Provider::ALL.map(Provider::name)).try_map(|name| name.parse::<Provider>())
}

/// Where the bucket's name goes (`--addressing`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Addressing {
    /// In the host name on AWS, in the path elsewhere
    #[default]
    Auto,
    /// `https://host/bucket/key`
    Path,
    /// `https://bucket.host/key`
    Virtual,
}
