//! The `faxgate` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    faxgate_base::memory::give_back_large_blocks();
    faxgate::cli::main()
}
