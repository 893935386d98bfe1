//! What is found, what is told apart, and what is handed out.
#![expect(clippy::unwrap_used, reason = "test")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;

fn pieces_of(name: &str, content: &[u8]) -> Vec<Result<Piece, Odd>> {
    bounded(name, content, &Bounds::default())
}

fn bounded(name: &str, content: &[u8], bounds: &Bounds) -> Vec<Result<Piece, Odd>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    read(&path.into(), bounds).collect()
}

/// `Type` or `Type:line` of pieces, `!code` of what is odd.
fn told(name: &str, content: &[u8]) -> Vec<String> {
    let tell = |item: &Result<Piece, Odd>| match item {
        Ok(Piece { place: Place { line: Some(line), .. }, resource_type, .. }) => {
            format!("{resource_type}:{line}")
        }
        Ok(piece) => piece.resource_type.to_string(),
        Err(odd) => format!("!{}", odd.why.code()),
    };
    pieces_of(name, content).iter().map(tell).collect()
}

#[test]
fn every_kind_of_file_is_told_apart() {
    let pretty = b"\xef\xbb\xbf{\r\n  \"resourceType\": \"Goal\"\r\n}\r\n";
    let by_lines = b"{\"resourceType\":\"Goal\"}\r\n\r\n{\"resourceType\":\"Task\"}\n{\"a\":\n";
    let by_entries = b"{\"resourceType\":\"Bundle\",\"entry\":[\n{\"resource\":{}}\n]}";
    let xml = b"<?xml version=\"1.0\"?><!-- <a> -->\n<Task xmlns='http://hl7.org/fhir'/>";
    let cases: [(&str, &[u8], &[&str]); 24] = [
        ("a.json", pretty, &["Goal"]),
        ("a.json", b" {\"resourceType\":\"Bundle\",\"entry\":[]} ", &["Bundle"]),
        ("a.json", by_lines, &["Goal:1", "Task:3", "!broken"]),
        ("a.ndjson", by_lines, &["Goal:1", "Task:3", "!broken"]),
        ("a.ndjson", b"{\"a\n{\"resourceType\":\"Task\"}", &["!broken", "Task:2"]),
        ("a.ndjson", b"{\"resourceType\":\"Task\"}", &["Task"]),
        ("a.ndjson", pretty, &["Goal"]),
        ("a.json", by_entries, &["Bundle"]),
        ("a.xml", xml, &["Task"]),
        ("noext", b"{\"resourceType\":\"Unheard\"}", &["Unheard"]),
        ("package.json", b"{\"name\":\"x\"}", &["!not-fhir"]),
        ("a.json", b"{\"resourceType\":\"Goal\"", &["!broken"]),
        ("a.json", b"{\"resourceType\":\"Goal\",\"x\":\"\xe4\"}", &["!broken"]),
        ("a.json", b"[{\"resourceType\":\"Goal\"}]", &["!not-fhir"]),
        ("a.json", b"\xef\xbb\xbf \r\n", &["!empty"]),
        ("a.json", b"", &["!empty"]),
        ("README.md", b"# Read me", &["!not-fhir"]),
        ("LICENSE", b"Apache", &["!not-fhir"]),
        ("a.hl7", b"MSH|^~\\&|", &["!not-fhir"]),
        ("a.xml", b"<ClinicalDocument xmlns=\"urn:hl7-org:v3\">", &["!not-fhir"]),
        ("a.html", b"<!doctype html><html>", &["!not-fhir"]),
        ("a.tar.zst", b"\x28\xb5\x2f\xfd\x00", &["!binary"]),
        ("a.json", b"\xff\xfe{\x00", &["!binary"]),
        ("a.bin", b"ab\x00c", &["!binary"]),
    ];
    for (name, content, expected) in cases {
        assert_eq!(told(name, content), expected, "{name} {}", content.escape_ascii());
    }
}

#[test]
fn what_is_not_fhir_is_called_by_its_name() {
    for (content, text) in [
        ("<!-- <html> --><section xmlns=\"urn:hl7-org:v3\"/>", "XML of something other than FHIR"),
        ("<?xml version=\"1.0\"?><!-- x --><ClinicalDocument>", "a C-CDA document, not FHIR"),
        ("<!DOCTYPE html>\n<html lang=\"en\">", "a web page, not FHIR"),
        ("<f:Task xmlns:f=\"http://hl7.org/fhir\">", "Task"),
        ("<", "XML without an element that can be read, not FHIR"),
    ] {
        let found = match pieces_of("a.xml", content.as_bytes()).remove(0) {
            Ok(piece) => piece.resource_type.into(),
            Err(odd) => odd.why.to_string(),
        };
        assert_eq!(found, text, "{content}");
    }
}

#[test]
fn a_file_is_taken_for_what_it_is_said_to_be() {
    let goal = "{\"resourceType\":\"Goal\"}";
    let xml = "<Task xmlns='http://hl7.org/fhir'/>";
    let lines = format!("garbage\n{goal}\n");
    let cases = [
        (goal, Format::Json, vec![true]),
        (goal, Format::Ndjson, vec![true]),
        (goal, Format::Xml, vec![false]),
        (xml, Format::Xml, vec![true]),
        (xml, Format::Json, vec![false]),
        (&lines, Format::Ndjson, vec![false, true]),
        (&lines, Format::Auto, vec![false]),
        ("", Format::Ndjson, vec![false]),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (content, format, expected) in cases {
        let path = folder.path().join("a");
        fs::write(&path, content).unwrap();
        let found = read_as(&path.into(), format, &Bounds::default());
        let usable: Vec<bool> = found.map(|piece| piece.is_ok()).collect();
        assert_eq!(usable, expected, "{content} as {format:?}");
    }
}

#[test]
fn pieces_are_the_bytes_as_they_stand_with_their_place() {
    let items = pieces_of("a.ndjson", b"\xef\xbb\xbf{\"resourceType\":\"A\", \"x\":1.50}\r\n{]\n");
    let piece = items[0].as_ref().unwrap();
    assert_eq!(&*piece.bytes, b"{\"resourceType\":\"A\", \"x\":1.50}");
    assert!(piece.place.to_string().ends_with("a.ndjson:1"));
    let odd = items[1].as_ref().unwrap_err();
    assert_eq!(odd.bytes.as_deref(), Some(&b"{]"[..]), "what is broken can be kept");
    assert!(odd.to_string().ends_with("a.ndjson:2: not JSON: reading stopped at line 1, column 2"));
    let document = pieces_of("b.json", b"\n{\"resourceType\":\"A\"}\n");
    assert!(document[0].as_ref().unwrap().place.to_string().ends_with("b.json"));
}

#[test]
fn what_is_beyond_a_bound_is_named_and_the_rest_is_read() {
    let bounds = Bounds { document_bytes_max: 40, line_bytes_max: 24, ..Bounds::default() };
    let long =
        b"{\"resourceType\":\"A\"}\n{\"resourceType\":\"A\",\"long\":1}\n{\"resourceType\":\"B\"}";
    let items = bounded("a.ndjson", long, &bounds);
    let lines: Vec<bool> = items.iter().map(Result::is_ok).collect();
    assert_eq!(lines, [true, false, true]);
    assert_eq!(items[1].as_ref().unwrap_err().why, Why::LineTooLong { max: 24 });
    let pretty = b"{\n\"resourceType\":\"A\",\n\"long\":\"                   \"}";
    let items = bounded("a.json", pretty, &bounds);
    assert_eq!(items[0].as_ref().unwrap_err().why, Why::TooLarge { max: 40 });
    assert_eq!(bounded("a.json", &pretty[..40], &bounds).len(), 1);
}

#[test]
fn ndjson_is_handed_out_before_its_end_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let mut file = fs::File::create(&path).unwrap();
    for _ in 0..50_000 {
        file.write_all(b"{\"resourceType\":\"Goal\"}\n").unwrap();
    }
    let mut pieces = read(&path.into(), &Bounds::default());
    assert!(pieces.by_ref().take(10).all(|piece| piece.is_ok()));
    file.set_len(24 * 45_000).unwrap();
    assert!(pieces.count() < 45_000, "the file was read to its end at once");
}

#[test]
fn a_walk_is_sorted_and_names_what_it_cannot_walk() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("b/inner")).unwrap();
    fs::create_dir_all(root.join(".hidden")).unwrap();
    for name in ["c.json", "a.json", "b/z.json", "b/inner/y.json", ".hidden/x.json", ".dot.json"] {
        fs::write(root.join(name), "{}").unwrap();
    }
    symlink(root, root.join("b/inner/loop")).unwrap();
    symlink(root.join("nowhere"), root.join("dangling.json")).unwrap();
    symlink(root.join("a.json"), root.join("same.json")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    let paths = [root.to_owned(), root.join("b"), root.join("a.json")];
    let walked = walk(&paths, &Bounds::default()).unwrap();
    let inside = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    let files: Vec<String> = walked.files.iter().map(|f| inside(&f.path)).collect();
    assert_eq!(files, ["a.json", "c.json", "b/z.json", "b/inner/y.json"]);
    let odd: Vec<String> =
        walked.odd.iter().map(|o| format!("{} {}", inside(&o.place.path), o.why.code())).collect();
    let expected = ["dangling.json unreadable", "socket special", "b/inner/loop again", "b again"];
    assert_eq!(odd, expected);
    assert!(walked.files.iter().all(|f| f.bytes == 2));
}

#[test]
fn a_walk_is_bounded_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..5 {
        fs::write(folder.path().join(format!("{n}.json")), "{}").unwrap();
    }
    let bounds = Bounds { files_max: 3, ..Bounds::default() };
    let walked = walk(&[folder.path().to_owned()], &bounds).unwrap();
    assert_eq!(walked.files.len(), 3);
    assert_eq!(walked.odd[0].why, Why::TooMany { max: 3 });
    let missing = walk(&[folder.path().join("none")], &bounds).unwrap_err();
    assert!(missing.to_string().contains("none"));
}

proptest! {
    #[test]
    fn any_bytes_are_told_apart(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        name in "[a-z]{1,3}\\.(json|ndjson|xml|md)"
    ) {
        prop_assert!(!pieces_of(&name, &bytes).is_empty());
    }

    #[test]
    fn no_line_is_lost(
        lines in proptest::collection::vec("\\{\"resourceType\":\"[A-Z]\"\\}|[{}a\" ]{0,6}", 1..9),
        end in "\r?\n"
    ) {
        let text = format!("{{\"resourceType\":\"A\"}}{end}{}", lines.join(&end));
        let expected = 1 + lines.iter().filter(|l| !l.trim().is_empty()).count();
        prop_assert_eq!(pieces_of("a.ndjson", text.as_bytes()).len(), expected);
    }
}
