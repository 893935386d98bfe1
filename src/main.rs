//! The careweave program.

use std::process::ExitCode;

fn main() -> ExitCode {
    careweave::cli::main()
}
