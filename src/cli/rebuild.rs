//! `rebuild`: weaves every view anew from the source versions.

use serde_json::json;

use super::gateway::{open_gateway, read_config};
use super::output::Output;
use super::{CliError, Common};

/// Marks everything dirty and settles it.
pub(super) fn run(common: &Common, output: &Output) -> Result<(), CliError> {
    let config = read_config(common)?;
    let gateway = open_gateway(&config)?;
    let bar = output.bar("rebuild");
    let settled = gateway.rebuild(&mut |done, left| {
        bar.set_length((done + left) as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    if output.is_json() {
        return output.json(&json!({"homes": settled.homes, "owners": settled.owners}));
    }
    output.line(&format!("wove {} views from {} homes", settled.owners, settled.homes))
}
