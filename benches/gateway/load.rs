//! Pull, accept, settle: the built program against providers on loopback.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::Options;
use super::process::Process;
use super::provider::Provider;
use super::world::PROVIDERS;

pub(crate) async fn load(options: &Options, providers: &[Provider]) {
    std::fs::create_dir_all(&options.dir).expect("the directory");
    configure(options, providers, 1);
    let began = Instant::now();
    let process = Process::start(&options.dir, &["pull", "--quiet"]);
    let (done, used) = process.finish().await;
    let took = began.elapsed();
    assert!(done, "the pull failed");
    let (records, raw) = providers
        .iter()
        .map(Provider::handed_out)
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let store = size_of(&options.dir.join("careweave-data"));
    println!("load: {} persons, seed {}", options.persons, options.seed);
    println!("  {records} records, {:.1} MB of JSON", raw as f64 / 1e6);
    println!("  {:.1} s: {:.0} records/s", took.as_secs_f64(), records as f64 / took.as_secs_f64());
    println!("  {:.0} us CPU a record (the gateway's)", micros(used.cpu) / records as f64);
    println!("  {} MB resident at most", used.peak_kb / 1024);
    println!("  store {:.1} MB, {:.2} of the JSON", store as f64 / 1e6, store as f64 / raw as f64);
}

/// Writes the configuration for these providers.
pub(crate) fn configure(options: &Options, providers: &[Provider], port: u16) {
    let mut text = format!(
        "data_dir = \"careweave-data\"\n[server]\nlisten = \"127.0.0.1:{port}\"\n\
         [security]\nmode = \"open\"\n"
    );
    for (id, provider) in PROVIDERS.iter().zip(providers) {
        let url = &provider.url;
        let _ = write!(
            text,
            "[[endpoint]]\nid = \"{id}\"\nname = \"{id}\"\nurl = \"{url}\"\n\
             pull = {{ page_size = 200 }}\n"
        );
    }
    std::fs::write(options.dir.join("careweave.toml"), text).expect("the configuration");
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn size_of(dir: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size_of(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
