//! The `faxgate` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    faxgate::cli::main()
}
