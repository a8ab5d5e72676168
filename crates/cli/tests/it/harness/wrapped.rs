//! Commands that another program starts, after it has taken something from them.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

/// The command as the last arguments of this one: in its environment, which
/// has nothing of this machine's, and in its directory.
pub(crate) fn wrapped<'a>(wrapper: impl IntoIterator<Item = &'a str>, command: &Command) -> Command {
    let mut words = wrapper.into_iter();
    let mut outer = Command::new(words.next().unwrap());
    outer.args(words).arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        outer.env(name, value.unwrap_or_default());
    }
    if let Some(directory) = command.get_current_dir() {
        outer.current_dir(directory);
    }
    outer
}

/// The command, without root's power to pass over the permissions of files.
pub(crate) fn bound_by_permissions(command: &Command) -> Command {
    // Only root has that power, and only root may give it up.
    let own_files_owner = tempfile::tempfile().unwrap().metadata().unwrap().uid();
    if own_files_owner == 0 {
        wrapped(["setpriv", "--bounding-set=-dac_override,-dac_read_search"], command)
    } else {
        wrapped(["env"], command)
    }
}

/// The command under this limit, which is an option of `prlimit`.
pub(crate) fn limited(limit: &str, command: &Command) -> Command {
    wrapped(["prlimit", limit], command)
}
