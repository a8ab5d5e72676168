//! `brigade man`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `brigade man`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  brigade man ~/.local/share/man/man1 && man brigade-sync")]
pub(crate) struct Man {
    /// The directory to write to; it is made if missing
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}
