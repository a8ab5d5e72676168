//! What the program takes from the process's environment about showing things.
//! The AWS variables are not here: the S3 client reads those, as AWS's own
//! tools do.

use std::env;
use std::ffi::{OsStr, OsString};

/// What the environment says about showing things.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment {
    /// `NO_COLOR` is there and not empty (<https://no-color.org>).
    pub(crate) no_color: bool,
    /// `TERM` is `dumb`: a terminal without cursor movement or colour.
    pub(crate) dumb_terminal: bool,
}

impl Environment {
    /// The environment of this process.
    pub(crate) fn of_process() -> Self {
        Self::from_variables(|name| env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        Self {
            no_color: variable("NO_COLOR").is_some_and(|value| !value.is_empty()),
            dumb_terminal: variable("TERM").as_deref() == Some(OsStr::new("dumb")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_variables_count_as_missing() {
        let table =
            [(None, None, false, false), (Some(""), Some(""), false, false), (Some("1"), Some("dumb"), true, true)];
        for (no_color, term, expected_no_color, expected_dumb) in table {
            let variable = |name: &str| if name == "TERM" { term } else { no_color }.map(OsString::from);
            let environment = Environment::from_variables(variable);
            assert_eq!((environment.no_color, environment.dumb_terminal), (expected_no_color, expected_dumb));
        }
    }
}
