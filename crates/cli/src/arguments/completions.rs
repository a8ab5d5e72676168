//! `brigade completions`.

use clap::Args;
use clap_complete::Shell;

/// Arguments of `brigade completions`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  brigade completions bash > ~/.local/share/bash-completion/completions/brigade
  brigade completions zsh > ~/.zfunc/_brigade
  brigade completions fish > ~/.config/fish/completions/brigade.fish")]
pub(crate) struct Completions {
    /// The shell that is to complete
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}
