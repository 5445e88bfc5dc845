//! `faxgate man` and `faxgate completions`: what a package puts beside the binary, made from the command line itself.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::Cli;

/// Arguments of `faxgate man`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Folder for the pages of all commands; without it, the main page goes to standard output
    folder: Option<PathBuf>,
}

/// Arguments of `faxgate completions`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionArgs {
    /// Shell to complete for
    shell: Shell,
}

/// Writes manual pages.
pub(super) fn man(args: &ManArgs) -> anyhow::Result<ExitCode> {
    let command = Cli::command();
    match &args.folder {
        Some(folder) => {
            let cannot = || format!("manual pages can't be written to {}", folder.display());
            std::fs::create_dir_all(folder).with_context(cannot)?;
            clap_mangen::generate_to(command, folder).with_context(cannot)?;
        }
        None => {
            let mut page = Vec::new();
            Man::new(command).render(&mut page)?;
            print(&page);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a completion script.
pub(super) fn completions(args: &CompletionArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "faxgate", &mut script);
    print(&script);
    ExitCode::SUCCESS
}

/// A reader that has gone is no reason to fail.
fn print(text: &[u8]) {
    drop(io::stdout().write_all(text));
}
