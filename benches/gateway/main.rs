//! How fast the built program is: it pulls a made population from providers on loopback, then
//! serves it. `cargo bench --bench gateway -- help` tells the commands.
//!
//! The data is a function of the seed, the number of a person and the number of a record; the
//! providers make each page when it is asked for, so that neither memory nor disk is theirs.
#![expect(clippy::print_stdout, reason = "what it measures is what it prints")]

mod load;
mod process;
mod provider;
mod serve;
mod weave;
mod world;

// As the built program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::path::PathBuf;
use std::process::ExitCode;

use provider::Provider;
use world::World;

const HELP: &str = "\
cargo bench --bench gateway -- COMMAND [--persons N] [--seed S] [--dir DIR] [--seconds N]
                              [--only REQUEST]

  load    pulls the population into DIR with `careweave pull`; records per second, CPU per
          record, memory, size of the store against the raw JSON
  serve   serves DIR with `careweave serve` and asks at random: CPU per request of the server,
          latency at 1 and 32 connections
  weave   settles one person of 20,000 records, then one record more (no DIR needed)
  all     load, serve, weave

Defaults: 300 persons, seed 1, DIR a temporary directory, 5 seconds a measurement.
The figures of the README are of 10,000 persons.
";

/// What to measure on.
pub(crate) struct Options {
    pub(crate) persons: u32,
    pub(crate) seed: u64,
    pub(crate) dir: PathBuf,
    pub(crate) seconds: u64,
    /// The one kind of request to measure; empty for all.
    pub(crate) only: String,
}

impl Options {
    fn world(&self) -> World {
        World { seed: self.seed, persons: self.persons }
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let command = args.next().unwrap_or_else(|| "all".to_owned());
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let dir = temporary.path().to_owned();
    let mut options = Options { persons: 300, seed: 1, dir, seconds: 5, only: String::new() };
    while let Some(name) = args.next() {
        let value = args.next().unwrap_or_default();
        match name.as_str() {
            "--persons" => options.persons = value.parse().expect("a number of persons"),
            "--seed" => options.seed = value.parse().expect("a seed"),
            "--seconds" => options.seconds = value.parse().expect("a number of seconds"),
            "--only" => options.only = value,
            "--dir" => options.dir = value.into(),
            _ => return help(),
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let loads = matches!(command.as_str(), "load" | "all");
    let serves = matches!(command.as_str(), "serve" | "all");
    let weaves = matches!(command.as_str(), "weave" | "all");
    if !(loads || serves || weaves) {
        return help();
    }
    runtime.block_on(async {
        if !(loads || serves) {
            return;
        }
        let providers = Provider::start_all(options.world()).await;
        if loads {
            load::load(&options, &providers).await;
        }
        if serves {
            serve::serve(&options, &providers).await;
        }
    });
    if weaves {
        weave::weave(&options);
    }
    ExitCode::SUCCESS
}

fn help() -> ExitCode {
    eprint!("{HELP}");
    ExitCode::from(2)
}
