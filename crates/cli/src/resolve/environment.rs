//! What the program takes from the process's environment, read once. The AWS
//! variables are not here: the S3 client reads those, as AWS's own tools do.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;

/// What the program takes from the process's environment.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    /// `NO_COLOR` is there and not empty (<https://no-color.org>).
    pub(crate) no_color: bool,
    /// `TERM` is `dumb`: a terminal without cursor movement or colour.
    pub(crate) dumb_terminal: bool,
    /// `BRIGADE_SERVE_ACCESS_KEY_ID`.
    pub(crate) serve_access_key_id: Option<String>,
    /// `BRIGADE_SERVE_SECRET_ACCESS_KEY`.
    pub(crate) serve_secret_access_key: Option<String>,
}

impl Environment {
    /// The environment of this process.
    pub(crate) fn of_process() -> Self {
        Self::from_variables(|name| env::var_os(name))
    }

    /// Empty variables count as missing ones, as in AWS's tools.
    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let present = |name| variable(name).filter(|value| !value.is_empty());
        let text = |name| present(name).and_then(|value| value.into_string().ok());
        Self {
            no_color: present("NO_COLOR").is_some(),
            dumb_terminal: present("TERM").as_deref() == Some(OsStr::new("dumb")),
            serve_access_key_id: text("BRIGADE_SERVE_ACCESS_KEY_ID"),
            serve_secret_access_key: text("BRIGADE_SERVE_SECRET_ACCESS_KEY"),
        }
    }
}

/// Without the secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("no_color", &self.no_color)
            .field("dumb_terminal", &self.dumb_terminal)
            .field("serve_access_key_id", &self.serve_access_key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_variables_count_as_missing() {
        let empty = Environment::from_variables(|_| Some(OsString::new()));
        assert!(!empty.no_color && !empty.dumb_terminal && empty.serve_access_key_id.is_none());
        let full = Environment::from_variables(|name| Some(if name == "TERM" { "dumb" } else { "x" }.into()));
        assert!(full.no_color && full.dumb_terminal);
        assert_eq!(full.serve_access_key_id.as_deref(), Some("x"));
    }

    #[test]
    fn the_secret_is_not_shown() {
        let secret = Environment { serve_secret_access_key: Some("hunter2".to_owned()), ..Environment::default() };
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
