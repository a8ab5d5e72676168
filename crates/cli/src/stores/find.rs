//! Where `brigade.toml` is: where the flag says, then the environment, then the home directory.
//!
//! Never the current directory: a file that came with somebody's tree could lead requests, signed with the
//! credentials of whoever works there, to another service.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

const NAME: &str = "brigade.toml";

/// The file to read. One that is named is read whether it is there or not.
pub(super) fn file(
    named: Option<&OsStr>,
    variable: impl Fn(&str) -> Option<OsString>,
    exists: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let named = named.map(OsStr::to_os_string).or_else(|| set("BRIGADE_CONFIG"));
    named.map(PathBuf::from).or_else(|| usual_places(variable).into_iter().find(|path| exists(path)))
}

/// Where it is looked for.
pub(super) fn usual_places(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // Relative paths in it are to be ignored (XDG Base Directory Specification).
    let xdg = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let above = xdg.or_else(|| set("HOME").map(|home| home.join(".config")));
    above.map(|above| above.join("brigade").join(NAME)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_comes_before_the_environment_and_that_before_the_home_directory() {
        let home = &[("HOME", "/home/x")][..];
        let xdg = &[("HOME", "/home/x"), ("XDG_CONFIG_HOME", "/xdg")][..];
        let table = [
            (None, home, true, Some("/home/x/.config/brigade/brigade.toml")),
            (None, xdg, true, Some("/xdg/brigade/brigade.toml")),
            (None, &[("HOME", "/h"), ("XDG_CONFIG_HOME", "relative")], true, Some("/h/.config/brigade/brigade.toml")),
            (None, xdg, false, None),
            (None, &[], true, None),
            (None, &[("HOME", "/h"), ("BRIGADE_CONFIG", "/own.toml")], false, Some("/own.toml")),
            (None, &[("HOME", "/h"), ("BRIGADE_CONFIG", "")], true, Some("/h/.config/brigade/brigade.toml")),
            (Some("flag.toml"), &[("BRIGADE_CONFIG", "/own.toml")], false, Some("flag.toml")),
        ];
        for (named, variables, exists, expected) in table {
            let variable =
                |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
            let found = file(named.map(OsStr::new), variable, |_| exists);
            assert_eq!(found.as_deref(), expected.map(Path::new), "{named:?} {variables:?}");
        }
    }
}
