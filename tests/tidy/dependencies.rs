//! What `Cargo.lock` may hold: an audit that needs no network.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Crates that must not come in: a second TLS stack, C libraries of the system, or code that is
/// known to be replaced.
const BANNED: [&str; 6] =
    ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl", "openssl-sys", "serde_yaml"];
/// Of these there must be one version: two would be two sets of types, or two stacks.
const SINGLE: [&str; 8] =
    ["axum", "hyper", "reqwest", "rustls", "serde_json", "sled", "tokio", "tower-http"];

#[test]
fn the_lock_file_holds_registry_crates_with_checksums_and_no_banned_ones() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = fs::read_to_string(root.join("Cargo.lock")).expect("Cargo.lock is committed");
    let complaints = complaints(&lock);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_audit_finds_each_fault() {
    let package = |name: &str, version: &str, from: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{from}\n")
    };
    let registry = "source = \"registry+x\"\nchecksum = \"a\"\n";
    let faulty = [
        package("openssl", "1.0.0", registry),
        package("a", "1.0.0", "source = \"git+x\"\n"),
        package("tokio", "1.0.0", registry),
        package("tokio", "2.0.0", registry),
    ]
    .concat();
    assert_eq!(complaints(&faulty).len(), 3, "{:?}", complaints(&faulty));
}

fn complaints(lock: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let line = package.lines().find(|line| line.starts_with(&format!("{name} = ")));
            line.and_then(|line| line.split('"').nth(1)).unwrap_or_default()
        };
        let (name, version, source) = (field("name"), field("version"), field("source"));
        versions.entry(name).or_default().push(version);
        if BANNED.contains(&name) {
            complaints.push(format!("{name} {version} is banned; find what brings it in"));
        }
        let is_ours = source.is_empty() && name == "careweave";
        if !is_ours && (!source.starts_with("registry+") || field("checksum").is_empty()) {
            complaints.push(format!("{name} {version} is from no registry or has no checksum"));
        }
    }
    for name in SINGLE {
        let found = versions.get(name).map(Vec::as_slice).unwrap_or_default();
        if found.len() > 1 {
            complaints.push(format!("{name} has several versions: {}", found.join(", ")));
        }
    }
    complaints
}
