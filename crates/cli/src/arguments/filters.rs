//! `--exclude`, `--include` and `--exclude-from`, which count in the order of
//! the command line.

use std::path::PathBuf;

use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

const HEADING: &str = "Which keys";

/// The filter options, in the order of the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilterArguments(pub(crate) Vec<FilterArgument>);

/// One filter option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FilterArgument {
    /// `--exclude PATTERN`
    Exclude(String),
    /// `--include PATTERN`
    Include(String),
    /// `--exclude-from FILE`
    ExcludeFrom(PathBuf),
}

/// Written by hand because a derived one would put each option into a list of
/// its own and lose the order between them.
impl FromArgMatches for FilterArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut filters = Self::default();
        filters.update_from_arg_matches(matches)?;
        Ok(filters)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let mut found = Vec::new();
        collect(matches, "exclude", FilterArgument::Exclude, &mut found);
        collect(matches, "include", FilterArgument::Include, &mut found);
        collect(matches, "exclude-from", FilterArgument::ExcludeFrom, &mut found);
        found.sort_by_key(|(index, _)| *index);
        self.0 = found.into_iter().map(|(_, filter)| filter).collect();
        Ok(())
    }
}

/// Adds the values of one option, each with its place on the command line.
fn collect<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    option: &str,
    make: fn(T) -> FilterArgument,
    found: &mut Vec<(usize, FilterArgument)>,
) {
    let values = matches.get_many::<T>(option).into_iter().flatten();
    let indices = matches.indices_of(option).into_iter().flatten();
    found.extend(indices.zip(values).map(|(index, value)| (index, make(value.clone()))));
}

impl Args for FilterArguments {
    fn augment_args(command: Command) -> Command {
        let option = |name: &'static str| Arg::new(name).long(name).action(ArgAction::Append).help_heading(HEADING);
        command
            .arg(
                option("exclude")
                    .value_name("PATTERN")
                    .allow_hyphen_values(true)
                    .help("Leave out the keys that match; they are not deleted either")
                    .long_help(
                        "Leave out the keys that match; they are not deleted either.\n\n\
                         Patterns are gitignore's globs: without a `/` they match at any depth, with a `/` at the start \
                         or in the middle from the root, with one at the end everything below a directory. The last \
                         option that matches a key decides, in the order of the command line. If an --include comes \
                         first, everything else is left out.",
                    ),
            )
            .arg(
                option("include")
                    .value_name("PATTERN")
                    .allow_hyphen_values(true)
                    .help("Let in the keys that match, after all"),
            )
            .arg(
                option("exclude-from")
                    .value_name("FILE")
                    .value_parser(value_parser!(PathBuf))
                    .help("Read patterns from a file")
                    .long_help(
                        "Read patterns from a file in gitignore's manner: one a line, blank lines and lines that begin \
                         with `#` are skipped, and `!pattern` lets in. They count where the option stands on the \
                         command line.",
                    ),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
