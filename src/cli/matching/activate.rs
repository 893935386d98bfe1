//! `match activate`: what another model would change in the store, and taking it into use.

use std::path::PathBuf;

use clap::Args;

use super::super::output::Output;
use super::super::{CliError, Common};

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ActivateArgs {
    /// The model file
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Only says what would change
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &ActivateArgs, _: &Common, _: &Output) -> Result<(), CliError> {
    let _ = (&args.model, args.dry_run);
    Err(CliError::Failed("not built".into()))
}
