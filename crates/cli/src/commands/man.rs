//! `brigade man`: a manual page for each command.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};

use crate::arguments::{Arguments, Man};
use crate::exit::Exit;
use crate::output::{self, Streams, To};

/// Runs the command.
pub(crate) fn run(arguments: &Man, mut streams: Streams) -> Exit {
    let exit = match write_pages(&arguments.directory) {
        Ok(names) => {
            for name in names {
                streams.text(To::Out, &format!("{}\n", arguments.directory.join(name).display()));
            }
            Exit::InStep
        }
        Err(reason) => {
            let directory = arguments.directory.display();
            output::error(&mut streams, &format!("could not write the manual pages to {directory}: {reason}"));
            Exit::CouldNotRun
        }
    };
    output::unless_unwritten(&mut streams, exit)
}

/// Writes `brigade.1` and a `brigade-COMMAND.1` for each command, and returns their names.
fn write_pages(directory: &Path) -> io::Result<Vec<String>> {
    fs::create_dir_all(directory)?;
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    let mut names = vec![write_page(directory, program.clone())?];
    for command in program.get_subcommands() {
        // The page of `sync` is that of `brigade-sync`, as git's manual has it; its usage line says `brigade sync`.
        let name = format!("brigade-{}", command.get_name());
        names.push(write_page(directory, command.clone().name(name))?);
    }
    Ok(names)
}

fn write_page(directory: &Path, command: Command) -> io::Result<String> {
    let name = format!("{}.1", command.get_name());
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    fs::write(directory.join(&name), page)?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page() {
        let directory = tempfile::tempdir().unwrap();
        let names = write_pages(directory.path()).unwrap();
        let commands = Arguments::command();
        let expected: Vec<String> = std::iter::once("brigade.1".to_owned())
            .chain(commands.get_subcommands().map(|command| format!("brigade-{}.1", command.get_name())))
            .collect();
        assert_eq!(names, expected);
        let sync = fs::read_to_string(directory.path().join("brigade-sync.1")).unwrap();
        for part in ["brigade sync", "max\\-delete", "Examples:"] {
            assert!(sync.contains(part), "{part} is missing in\n{sync}");
        }
    }
}
