//! `brigade serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Arguments of `brigade serve`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
This is a development server: it has one pair of credentials, no TLS, no users and no policies. Objects survive a \
restart; how they lie in DIR is the server's own affair, and one server at a time uses it. It stops at Ctrl-C.

Standard output has the lines to paste into another terminal, standard error everything else.

The credentials are taken from BRIGADE_SERVE_ACCESS_KEY_ID and BRIGADE_SERVE_SECRET_ACCESS_KEY; without them, new ones \
are made at each start and printed.

Examples:
  brigade serve /tmp/buckets --bucket site
  brigade serve /tmp/buckets --listen 127.0.0.1:0")]
pub(crate) struct Serve {
    /// The directory that holds the buckets; it must exist
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// A bucket to make if it is missing; may be given several times
    #[arg(long = "bucket", value_name = "NAME")]
    pub(crate) buckets: Vec<String>,

    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9711")]
    pub(crate) listen: SocketAddr,
}
