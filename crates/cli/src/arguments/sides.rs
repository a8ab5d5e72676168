//! How to reach one side, where the two are not reached alike.

use std::path::PathBuf;

use brigade_store::s3::Provider;
use clap::Args;

use super::s3::provider_names;

/// How SOURCE or DEST is reached, where that differs from what is said for both.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "S3, of one side")]
pub(crate) struct SideArguments {
    /// The profile for SOURCE, in the AWS configuration files
    ///
    /// What it says of endpoint and region comes before the environment, which doesn't say which side it speaks of.
    #[arg(long, value_name = "NAME")]
    pub(crate) source_profile: Option<String>,

    /// The profile for DEST
    #[arg(long, value_name = "NAME")]
    pub(crate) dest_profile: Option<String>,

    /// Send the requests about SOURCE to this server
    #[arg(long, value_name = "URL")]
    pub(crate) source_endpoint_url: Option<String>,

    /// Send the requests about DEST to this server
    #[arg(long, value_name = "URL")]
    pub(crate) dest_endpoint_url: Option<String>,

    /// The region of SOURCE
    #[arg(long, value_name = "REGION")]
    pub(crate) source_region: Option<String>,

    /// The region of DEST
    #[arg(long, value_name = "REGION")]
    pub(crate) dest_region: Option<String>,

    /// The provider of SOURCE
    #[arg(long, value_name = "NAME", value_parser = provider_names())]
    pub(crate) source_provider: Option<Provider>,

    /// The provider of DEST
    #[arg(long, value_name = "NAME", value_parser = provider_names())]
    pub(crate) dest_provider: Option<Provider>,

    /// Send the requests about SOURCE unsigned, for a public bucket
    #[arg(long)]
    pub(crate) source_no_sign_request: bool,

    /// A file with the key that objects in SOURCE are encrypted with (SSE-C): 32 bytes, or those in base64
    #[arg(long, value_name = "FILE")]
    pub(crate) source_sse_c_key: Option<PathBuf>,

    /// A file with the key that objects in DEST are, and will be, encrypted with (SSE-C)
    #[arg(long, value_name = "FILE")]
    pub(crate) dest_sse_c_key: Option<PathBuf>,
}
