//! How a run is shown, and what it costs, as plain data.

use std::path::PathBuf;

use super::UsageError;
use crate::arguments::{CostArguments, Format, OutputArguments};
use crate::output::progress::Style;
use crate::output::text::Verbosity;
use crate::prices::{self, PriceList};

/// How a run is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// How results are written.
    pub(crate) format: Format,
    /// How progress is shown.
    pub(crate) progress: Style,
    /// How much is said.
    pub(crate) verbosity: Verbosity,
    /// Where every event is written besides.
    pub(crate) report: Option<PathBuf>,
}

/// What the arguments say; `can_draw` says whether progress can be drawn on standard error.
pub(crate) fn resolve(arguments: &OutputArguments, can_draw: bool) -> Output {
    let OutputArguments { format, progress, report, verbose, quiet } = arguments;
    Output {
        format: *format,
        progress: Style::resolve(*progress, can_draw, *quiet),
        verbosity: Verbosity::of(*quiet, *verbose),
        report: report.as_ref().map(PathBuf::from),
    }
}

/// What requests cost, if the person said so.
pub(crate) fn prices(arguments: &CostArguments) -> Result<Option<PriceList>, UsageError> {
    Ok(arguments.price_list.as_deref().map(prices::read).transpose()?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    #[test]
    fn each_command_that_tells_of_many_objects_takes_the_same() {
        let table = [
            &["sync", "a", "s3://bucket"][..],
            &["restore", "s3://bucket", "a"],
            &["rm", "s3://bucket/p"],
            &["check", "a", "s3://bucket"],
        ];
        let output = |line: &[&str], more: &[&str]| {
            let arguments = Arguments::try_parse_from(["brigade"].iter().chain(line).chain(more)).ok()?;
            let output = match arguments.command {
                Command::Sync(sync) => sync.output,
                Command::Restore(restore) => restore.output,
                Command::Rm(rm) => rm.output,
                Command::Check(check) => check.output,
                other => panic!("{other:?}"),
            };
            Some(resolve(&output, true))
        };
        let plain = Output { format: Format::Text, progress: Style::Bar, verbosity: Verbosity::Normal, report: None };
        let all = Output {
            format: Format::Json,
            progress: Style::Hidden,
            verbosity: Verbosity::VeryVerbose,
            report: Some("r".into()),
        };
        for line in table {
            assert_eq!(output(line, &[]), Some(plain.clone()), "{line:?}");
            let said = ["--output=json", "--progress=none", "--report=r", "-vv"];
            assert_eq!(output(line, &said), Some(all.clone()), "{line:?}");
            assert_eq!(output(line, &["-q"]).map(|output| output.verbosity), Some(Verbosity::Quiet), "{line:?}");
            assert_eq!(output(line, &["-q", "-v"]), None, "{line:?}");
            let takes_prices = output(line, &["--price-list=p"]).is_some();
            assert_eq!(takes_prices, line[0] != "check", "a check says nothing of its cost");
        }
    }
}
