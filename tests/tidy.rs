//! The rules of the house that a compiler does not check: who may import whom, what pure modules
//! may not name, how long a file or function may be, names, and what lies at the top level.

#[path = "tidy/dependencies.rs"]
mod dependencies;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules by layer. A module may import its own layer only where `IN_LAYER` says so.
const LAYERS: [&[&str]; 5] = [
    &["fhir"],
    &["config", "telemetry", "flow", "net", "compare", "files"],
    &[
        "endpoints",
        "ingest",
        "identity",
        "reconcile",
        "care",
        "documents",
        "store",
        "security",
        "simulator",
        "population",
    ],
    &["pipeline"],
    &["api", "ui", "cli"],
];

/// What a module may import of its own layer: (importer, imported).
const IN_LAYER: [(&str, &str); 10] = [
    ("config", "flow"),
    ("telemetry", "flow"),
    ("net", "flow"),
    ("compare", "flow"),
    ("api", "ui"),
    ("api", "cli"),
    ("ui", "api"),
    ("ui", "cli"),
    ("cli", "api"),
    ("cli", "ui"),
];

/// Modules without clock, socket, disk or store.
const PURE: [&str; 6] = ["ingest", "identity", "reconcile", "compare", "care", "documents"];
const IMPURE: [&str; 9] = [
    "std::time",
    "Timestamp::now",
    "Zoned::now",
    "tokio",
    "reqwest",
    "std::fs",
    "std::net",
    "std::env",
    "sled",
];

const BANNED_NAMES: [&str; 8] =
    ["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"];
const BANNED_MACROS: [&str; 2] = ["todo!", "unimplemented!"];

const TOP_LEVEL: [&str; 10] = [
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "deploy",
    "fixtures",
    "profiles",
    "src",
];
/// Beside those: this folder, and what running and testing leave behind.
const TOP_LEVEL_TOO: [&str; 4] = ["careweave-data", "proptest-regressions", "target", "tests"];

const LINES_MAX: usize = 499;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

#[test]
fn the_sources_keep_the_rules_of_the_house() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut complaints = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for path in rust_files(&root.join(folder)) {
            let text = fs::read_to_string(&path).expect("sources are UTF-8 text");
            let inside = path.strip_prefix(root).expect("it was found below the root");
            complaints.extend(file_complaints(inside, &text));
        }
    }
    let count = complaints.len();
    assert!(count == 0, "{count} complaints:\n{}", complaints.join("\n"));
}

#[test]
fn the_top_level_holds_what_the_design_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = fs::read_dir(root).expect("the root can be read");
    let strangers: BTreeSet<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .filter(|name| {
            !TOP_LEVEL.contains(&name.as_str()) && !TOP_LEVEL_TOO.contains(&name.as_str())
        })
        .collect();
    assert!(strangers.is_empty(), "move these below an allowed folder: {strangers:?}");
}

#[test]
fn each_rule_finds_its_fault() {
    let long_function = format!("//! x\nfn a() {{\n{}}}\n", "    b();\n".repeat(70));
    let cases = [
        ("src/fhir/a.rs", "//! x\nuse crate::flow::Home;\n", "fhir may not import flow"),
        ("src/flow/a.rs", "//! x\nuse crate::{fhir, net::Url};\n", "flow may not import net"),
        ("src/ingest/a.rs", "//! x\nfn a() { crate::store::b() }\n", "ingest may not import store"),
        ("src/store/a.rs", "//! x\nuse crate::{\n    api::A,\n};\n", "store may not import api"),
        ("src/odd/a.rs", "//! x\n", "no layer"),
        ("src/identity/a.rs", "//! x\nuse std::time::Instant;\n", "may not name std::time"),
        ("src/api/a.rs", "use std::fmt;\n", "first line"),
        ("src/api/helpers.rs", "//! x\n", "name"),
        ("src/api/util/a.rs", "//! x\n", "name"),
        ("src/api/a.rs", "//! x\nfn a() { todo!() }\n", "todo!"),
        ("src/api/a.rs", &long_function, "70 lines"),
        ("src/api/a.rs", &format!("//! {}\n", "ä".repeat(97)), "100 columns"),
        ("src/api/a.rs", &"//! x\n".repeat(500), "499 lines"),
    ];
    for (path, text, expected) in cases {
        let complaints = file_complaints(Path::new(path), text);
        assert!(complaints.iter().any(|c| c.contains(expected)), "{path}: {complaints:?}");
    }
}

#[test]
fn what_is_allowed_is_not_complained_about() {
    let cases = [
        ("src/pipeline/a.rs", "//! x\nuse crate::{fhir::A, store::B};\nuse crate::identity::C;\n"),
        ("src/net/a.rs", "//! x\n//! See [`crate::api`].\nuse crate::flow::A; // crate::ui\n"),
        ("src/compare/a.rs", "//! x\nconst ASLED: u8 = 1;\n#[cfg(test)]\nuse std::fs;\n"),
        ("src/identity/tests.rs", "//! x\nuse std::fs;\n"),
        ("src/lib.rs", "//! x\npub mod fhir;\n"),
        ("src/api/a.rs", "//! x\ntrait A {\n    fn b(\n        c: u8,\n    );\n}\n"),
    ];
    for (path, text) in cases {
        assert_eq!(file_complaints(Path::new(path), text), Vec::<String>::new(), "{path}");
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect();
    found.sort();
    found
}

/// Everything wrong with one file, each with what to do.
fn file_complaints(path: &Path, text: &str) -> Vec<String> {
    let shown = path.display();
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push(format!("{shown}: the first line says with //! what the module is"));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        found.push(format!("{shown}: {lines} lines, more than {LINES_MAX} lines; split by noun"));
    }
    for (index, line) in text.lines().enumerate() {
        if line.chars().count() > COLUMNS_MAX {
            found.push(format!("{shown}:{}: more than {COLUMNS_MAX} columns", index + 1));
        }
    }
    for (line, length) in long_functions(text) {
        found.push(format!(
            "{shown}:{line}: a function of {length} lines, more than {FUNCTION_LINES_MAX} lines; \
             split it"
        ));
    }
    if let Some(name) = banned_name(path) {
        found.push(format!("{shown}: the name {name} says nothing; name what it is about"));
    }
    let code = code_of(text);
    if path.starts_with("src") {
        for name in BANNED_MACROS.iter().filter(|name| names_word(&code, name)) {
            found.push(format!("{shown}: {name} left; build it or leave the function out"));
        }
        found.extend(layer_complaints(path, &code));
        found.extend(purity_complaints(path, &code));
    }
    found
}

fn banned_name(path: &Path) -> Option<&'static str> {
    let stems = path.iter().filter_map(|part| part.to_str()?.split('.').next());
    stems.into_iter().find_map(|stem| BANNED_NAMES.into_iter().find(|banned| *banned == stem))
}

/// The text without comments, as far as lines tell.
fn code_of(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim_start().starts_with("//") {
        true => "",
        false => line.split(" // ").next().unwrap_or_default(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The first-level module of a file below `src`; `lib.rs` and `main.rs` have none.
fn module_of(path: &Path) -> Option<String> {
    let mut parts = path.iter().skip(1);
    let first = parts.next()?.to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!["lib", "main"].contains(&name)).then(|| name.to_owned())
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn layer_complaints(path: &Path, code: &str) -> Vec<String> {
    let Some(module) = module_of(path) else {
        return Vec::new();
    };
    let shown = path.display();
    let Some(layer) = layer_of(&module) else {
        return vec![format!(
            "{shown}: module {module} has no layer; give it one in tests/tidy.rs"
        )];
    };
    let forbidden = imports(code).into_iter().filter(|import| {
        let same = *import == module || IN_LAYER.contains(&(module.as_str(), import.as_str()));
        !same && layer_of(import).is_some_and(|other| other >= layer)
    });
    forbidden
        .map(|import| {
            format!(
                "{shown}: {module} may not import {import}; move what both need to a lower layer, \
                 or hand it in"
            )
        })
        .collect()
}

/// The first-level modules that some code names after `crate::`, also in braces.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_heads(group)),
            None => found.extend(identifier(rest)),
        }
    }
    found
}

/// The first names of a brace group: `{a::b, c::{d, e}}` has `a` and `c`.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 0_usize;
    let mut at_head = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_head = true,
            c if at_head && !c.is_whitespace() => {
                heads.extend(identifier(&group[at..]));
                at_head = false;
            }
            _ => {}
        }
    }
    heads
}

fn identifier(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

fn purity_complaints(path: &Path, code: &str) -> Vec<String> {
    let is_test = path.iter().any(|part| part == "tests.rs" || part == "tests");
    let Some(module) = module_of(path).filter(|m| PURE.contains(&m.as_str()) && !is_test) else {
        return Vec::new();
    };
    let tested = code.split("#[cfg(test)]").next().unwrap_or_default();
    let named = IMPURE.iter().filter(|name| names_word(tested, name));
    let complaint = |name| {
        format!("{}: {module} is pure and may not name {name}; hand the value in", path.display())
    };
    named.map(complaint).collect()
}

/// Whether a name occurs that is no part of a longer one.
fn names_word(code: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name)
        .any(|(at, _)| !code[..at].ends_with(part) && !code[at + name.len()..].starts_with(part))
}

/// Functions that are too long, as (line of the signature, lines); rustfmt's indentation says
/// where they end.
fn long_functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| begins_function(line));
    starts
        .filter_map(|(start, line)| {
            let length = function_length(&lines[start..], line)?;
            (length > FUNCTION_LINES_MAX).then_some((start + 1, length))
        })
        .collect()
}

fn begins_function(line: &str) -> bool {
    let words = line.split_whitespace();
    let mut words = words.skip_while(|word| {
        ["pub", "async", "const", "unsafe"].contains(word) || word.starts_with("pub(")
    });
    words.next() == Some("fn")
}

fn function_length(lines: &[&str], signature: &str) -> Option<usize> {
    let opening = lines.iter().position(|line| line.ends_with(['{', ';', '}']))?;
    if !lines[opening].ends_with('{') {
        return None;
    }
    let indent = &signature[..signature.len() - signature.trim_start().len()];
    let end = format!("{indent}}}");
    let body = lines[opening..].iter().position(|line| *line == end)?;
    Some(opening + body + 1)
}
