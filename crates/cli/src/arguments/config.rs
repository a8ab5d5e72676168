//! `brigade config`.

use std::ffi::OsString;

use clap::{Args, Subcommand};

/// Arguments of `brigade config`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
brigade.toml gives names to stores, for NAME:bucket/prefix wherever a location is written (docs/config.md):

  [store.nas]
  endpoint-url = \"http://nas:9000\"
  profile = \"nas\"

It holds no secrets: those stand in the profile, in the AWS files.

Examples:
  brigade config check
  brigade config check --config ./brigade.toml

Exit status: 0 the file is right, or there is none, 1 something in it is wrong, 2 usage.")]
pub(crate) struct Config {
    /// What to do.
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Say which file is read, and what it makes of each store
    Check {
        /// The file; otherwise the one that BRIGADE_CONFIG names, or the one in the home directory
        #[arg(long, value_name = "FILE")]
        config: Option<OsString>,
    },
}
