//! What packages ship beside the program: completions and manual pages.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::harness::Ended;

fn brigade<const N: usize>(args: [&str; N]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brigade"));
    command.env_clear().args(args);
    Ended::of(command)
}

#[test]
fn completions_are_scripts_that_their_shell_reads() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = brigade(["completions", shell]).exits(0).stdout;
        assert!(script.contains("max-delete"), "{shell}:\n{script}");
    }
    let script = brigade(["completions", "bash"]).exits(0).stdout;
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
    brigade(["completions", "no-such-shell"]).exits(2);
}

#[test]
fn each_command_has_a_manual_page() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("man1");
    brigade(["man", directory.to_str().unwrap()]).exits(0);
    for page in ["brigade", "brigade-sync", "brigade-ls", "brigade-serve", "brigade-demo"] {
        let text = std::fs::read_to_string(directory.join(page).with_extension("1")).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
}

#[test]
fn help_is_short_or_whole_and_in_groups() {
    let [short, whole] = ["-h", "--help"].map(|flag| brigade(["sync", flag]).exits(0).stdout);
    assert!(short.lines().count() < whole.lines().count());
    for heading in ["Safety:", "How to compare:", "Which keys:", "Output:", "S3:"] {
        assert!(short.contains(heading) && whole.contains(heading), "{heading} is missing in\n{short}");
    }
    assert!(whole.contains("Examples:") && whole.contains("Exit status:"));
    assert!(brigade(["--version"]).exits(0).stdout.starts_with("brigade "));
}
