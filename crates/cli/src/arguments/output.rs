//! The options of every command that tells of many objects.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::Format;

/// How a run is shown.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OutputArguments {
    /// How results are written to standard output
    #[arg(long = "output", value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub(crate) format: Format,

    /// How progress is shown on standard error
    #[arg(long, value_enum, value_name = "HOW", default_value_t, help_heading = "Output")]
    pub(crate) progress: Progress,

    /// Also write every event to this file, as --output json does
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) report: Option<OsString>,

    /// Name each object and what came of it; twice: more; three times: each request
    ///
    /// Once: also each of the failures that are alike, of which only the first 20 are named otherwise. Twice: also
    /// objects that a run found in step by their content, and each retry. Three times: also each request, on standard
    /// error.
    #[arg(long, short, action = ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,

    /// Say only what went wrong; json is always whole
    #[arg(long, short, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
}

/// What a run costs.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CostArguments {
    /// What requests cost, for the summary: a file of prices (docs/formats/price-list.md)
    ///
    /// Without it, requests to AWS are counted at S3's list price, and no others.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) price_list: Option<PathBuf>,
}

/// How progress is shown (`--progress`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// A bar on a terminal, plain lines elsewhere
    #[default]
    Auto,
    /// A bar
    Bar,
    /// A line every 30 seconds
    Plain,
    /// Nothing
    None,
}
