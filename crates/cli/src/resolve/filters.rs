//! The filter options as the engine's rules, in the order of the command line.

use std::fs;
use std::path::{Path, PathBuf};

use brigade_engine::filters::{Filters, Rule};

use super::UsageError;
use crate::arguments::{FilterArgument, FilterArguments};

/// The rules, compiled, and where each of them was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) filters: Filters,
    pub(crate) origins: Vec<Origin>,
}

/// Where a rule was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// On the command line: as `--exclude` or `--include`.
    CommandLine,
    /// In a file that `--exclude-from` names.
    File {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
}

/// Reads the pattern files and compiles all rules.
pub(crate) fn resolve(arguments: &FilterArguments) -> Result<Resolved, UsageError> {
    let (rules, origins): (Vec<Rule>, Vec<Origin>) = rules(arguments)?.into_iter().unzip();
    let filters = Filters::new(&rules).map_err(|reason| {
        let first = rules.iter().position(|rule| rule.pattern() == reason.pattern);
        match first.map(|place| &origins[place]) {
            Some(Origin::File { path, line }) => {
                UsageError::PatternInFile { path: path.display().to_string(), line: *line, reason }
            }
            Some(Origin::CommandLine) | None => UsageError::Pattern(reason),
        }
    })?;
    Ok(Resolved { filters, origins })
}

/// The rules in order, those of a file where its option stands.
fn rules(FilterArguments(arguments): &FilterArguments) -> Result<Vec<(Rule, Origin)>, UsageError> {
    let mut rules = Vec::new();
    for argument in arguments {
        match argument {
            FilterArgument::Exclude(pattern) => rules.push((Rule::Exclude(pattern.clone()), Origin::CommandLine)),
            FilterArgument::Include(pattern) => rules.push((Rule::Include(pattern.clone()), Origin::CommandLine)),
            FilterArgument::ExcludeFrom(path) => {
                let in_file = |(line, rule)| (rule, Origin::File { path: path.clone(), line });
                rules.extend(rules_in_file(&read(path)?).map(in_file));
            }
        }
    }
    Ok(rules)
}

fn read(path: &Path) -> Result<String, UsageError> {
    fs::read_to_string(path).map_err(|reason| UsageError::PatternFile { path: path.display().to_string(), reason })
}

/// The rules in the text of a file in gitignore's manner
/// (<https://git-scm.com/docs/gitignore>): blank lines and comments are
/// skipped, `!` lets in, `\#` and `\!` begin a pattern with that character,
/// and trailing spaces don't count unless escaped. Each with its line, counted from 1.
fn rules_in_file(text: &str) -> impl Iterator<Item = (usize, Rule)> {
    let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().map(without_trailing_spaces);
    (1..).zip(lines).filter_map(|(number, line)| {
        let rule = match line.as_bytes().first()? {
            b'#' => return None,
            b'!' => Rule::Include(line[1..].to_owned()),
            _ => Rule::Exclude(line.to_owned()),
        };
        Some((number, rule))
    })
}

fn without_trailing_spaces(line: &str) -> &str {
    let trimmed = line.trim_end_matches(' ');
    let escapes = trimmed.len() - trimmed.trim_end_matches('\\').len();
    // An odd number of backslashes: the last of them escapes the space after it.
    if escapes % 2 == 1 && trimmed.len() < line.len() { &line[..=trimmed.len()] } else { trimmed }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn arguments(line: &[&str]) -> FilterArguments {
        let line = ["brigade", "sync"].iter().chain(line).chain(&["a", "s3://b"]);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Sync(sync) => sync.job.filters,
            other => panic!("{other:?}"),
        }
    }

    fn exclude(pattern: &str) -> Rule {
        Rule::Exclude(pattern.to_owned())
    }

    fn include(pattern: &str) -> Rule {
        Rule::Include(pattern.to_owned())
    }

    #[test]
    fn rules_keep_the_order_of_the_command_line() {
        let table: [(&[&str], Vec<Rule>); 5] = [
            (&[], vec![]),
            (&["--exclude", "*", "--include", "*.jpg"], vec![exclude("*"), include("*.jpg")]),
            (&["--include", "*.jpg", "--exclude", "*"], vec![include("*.jpg"), exclude("*")]),
            (
                &["--include=a", "--exclude=b", "--delete", "--include", "c", "--exclude=d"],
                vec![include("a"), exclude("b"), include("c"), exclude("d")],
            ),
            (&["--exclude", "-x", "--include=-y"], vec![exclude("-x"), include("-y")]),
        ];
        for (line, expected) in table {
            let expected: Vec<_> = expected.into_iter().map(|rule| (rule, Origin::CommandLine)).collect();
            assert_eq!(rules(&arguments(line)).unwrap(), expected, "{line:?}");
        }
    }

    #[test]
    fn the_rules_of_a_file_stand_where_its_option_stands() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "# scraps\n*.tmp\n!keep.tmp\n").unwrap();
        let path = file.path().to_str().unwrap();
        let line = ["--include", "first", "--exclude-from", path, "--exclude", "last"];
        let in_line = |line| Origin::File { path: path.into(), line };
        let expected = [
            (include("first"), Origin::CommandLine),
            (exclude("*.tmp"), in_line(2)),
            (include("keep.tmp"), in_line(3)),
            (exclude("last"), Origin::CommandLine),
        ];
        assert_eq!(rules(&arguments(&line)).unwrap(), expected);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = resolve(&arguments(&["--exclude-from", "/nonexistent/patterns"])).unwrap_err();
        assert!(error.to_string().starts_with("could not read the patterns in /nonexistent/patterns: "), "{error}");
    }

    #[test]
    fn a_line_that_is_no_glob_is_named_with_its_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "# scraps\n\n*.tmp\n[bad\n").unwrap();
        let path = file.path().to_str().unwrap();
        let error = resolve(&arguments(&["--exclude", "fine", "--exclude-from", path])).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{path}, line 4: the pattern \"[bad\" is not a glob: ")), "{error}");
        let error = resolve(&arguments(&["--exclude", "[bad", "--exclude-from", path])).unwrap_err().to_string();
        assert!(error.starts_with("the pattern \"[bad\" "), "{error}");
    }

    #[test]
    fn files_are_read_in_the_manner_of_gitignore() {
        let text = "\u{feff}# comment\n\n   \n*.tmp\n!keep.tmp\r\n\\#literal\n\\!literal\n/a b/  \nend\\ \nend\\\\ ";
        let expected = [
            exclude("*.tmp"),
            include("keep.tmp"),
            exclude("\\#literal"),
            exclude("\\!literal"),
            exclude("/a b/"),
            exclude("end\\ "),
            exclude("end\\\\"),
        ];
        assert!(rules_in_file(text).map(|(_, rule)| rule).eq(expected));
    }
}
