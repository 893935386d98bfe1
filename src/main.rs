//! The careweave program.

/// Weaving and ingest allocate much and small; with the system's allocator that was a quarter of
/// their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::process::ExitCode;

fn main() -> ExitCode {
    careweave::cli::main()
}
