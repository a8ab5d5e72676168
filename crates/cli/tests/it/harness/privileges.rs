//! Commands that may do no more than an ordinary user's, also where tests run as root.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

/// The command, without root's power to pass over the permissions of files.
pub(crate) fn bound_by_permissions(command: &Command) -> Command {
    // Only root has that power, and only root may give it up.
    let own_files_owner = tempfile::tempfile().unwrap().metadata().unwrap().uid();
    let mut bound = Command::new(if own_files_owner == 0 { "setpriv" } else { "env" });
    if own_files_owner == 0 {
        bound.arg("--bounding-set=-dac_override,-dac_read_search");
    }
    bound.arg(command.get_program()).args(command.get_args());
    // The command has nothing of this machine in its environment.
    bound.env_clear();
    for (name, value) in command.get_envs() {
        bound.env(name, value.unwrap_or_default());
    }
    if let Some(directory) = command.get_current_dir() {
        bound.current_dir(directory);
    }
    bound
}
