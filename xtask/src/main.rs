//! Development tasks: `cargo xtask docs`, `docs --check`, `files` and `layers`.
//!
//! `docs` writes the files that are generated from the table of configuration keys, `files` lists every source file
//! with its purpose, `layers` checks crates, imports and sizes. Nothing here is part of the service.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool answers on standard output"
)]

mod docs;
mod files;
mod layers;
mod sources;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask docs [--check] | files | layers

  docs     write docs/configuration.md and config.example.toml from the table of configuration keys
  docs --check   fail when one of these files is not up to date
  files    list every Rust source file with the first sentence of its documentation
  layers   check the crate graph against docs/architecture.md, import cycles, and sizes";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    let root = sources::root();
    match arguments {
        ["docs"] => docs::write(&root),
        ["docs", "--check"] => docs::check(&root),
        ["files"] => files::list(&root),
        ["layers"] => layers::check(&root),
        _ => bail!("{USAGE}"),
    }
}
