//! The `match` commands: tables in, pairs, persons and models out; and what odd tables are told.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::site::Site;

const HEADER: &str = "id,given,family,gender,dob,line,city,zip,phone,ssn";
const FAMILIES: [&str; 12] = [
    "Okonkwo",
    "Vestergren",
    "Brandvold",
    "Quistgaard",
    "Lindqvist",
    "Abernathy",
    "Castellano",
    "Dubrovsky",
    "Eisenhart",
    "Fairweather",
    "Grabowski",
    "Hashimoto",
];
const GIVEN: [&str; 10] = [
    "Ingrid",
    "Tobias",
    "Marisol",
    "Desmond",
    "Philippa",
    "Anselm",
    "Beatrix",
    "Cornelius",
    "Dorothea",
    "Ephraim",
];

/// Eighty persons; of every second one there is another row, with slips and gaps. Pairs of ids.
fn people() -> (Vec<String>, BTreeSet<(String, String)>) {
    let (mut rows, mut pairs) = (Vec::new(), BTreeSet::new());
    for n in 0..80_usize {
        let (given, family) = (GIVEN[n % 10], FAMILIES[(n / 10 + n) % 12]);
        let dob = format!("19{:02}-{:02}-{:02}", 30 + n * 11 % 67, 1 + n % 12, 1 + n * 3 % 28);
        let line = format!("{} Alder Street", 100 + n * 37);
        let (zip, phone) = (10_000 + n * 613, format!("212-7{:02}-{:04}", n, 1_000 + n * 91));
        let ssn = format!("{}-{:02}-{:04}", 200 + n, 10 + n, 2_000 + n * 17);
        let gender = if n % 2 == 0 { "female" } else { "male" };
        let rest = format!("{gender},{dob},{line},Springfield,{zip}");
        rows.push(format!("p{n}-a,{given},{family},{rest},{phone},{ssn}"));
        if n % 2 == 0 {
            let family = if n % 4 == 0 { family.to_uppercase() } else { format!("{family}n") };
            let ssn = if n % 6 == 0 { "" } else { &ssn };
            rows.push(format!("p{n}-b,{given},{family},{rest},,{ssn}"));
            pairs.insert((format!("p{n}-a"), format!("p{n}-b")));
        }
    }
    (rows, pairs)
}

fn table(header: &str, rows: &[String]) -> String {
    let mut text = format!("{header}\n");
    rows.iter().for_each(|row| writeln!(text, "{row}").unwrap());
    text
}

fn write(site: &Site, name: &str, text: &str) -> String {
    let path = site.path(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The rows of a CSV file below its header, which must be this.
fn rows_of(path: &Path, header: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(header));
    lines.map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

const PAIRS: &str = "id_a,id_b,weight_bits,probability,grade";

#[test]
fn a_table_is_deduplicated_and_measured() {
    let site = Site::new(&[]);
    let (rows, truth) = people();
    let file = write(&site, "people.csv", &table(HEADER, &rows));
    let told: Vec<String> = truth.iter().map(|(a, b)| format!("{a},{b}")).collect();
    let known = write(&site, "truth.csv", &table("id_a,id_b", &told));
    let persons_of = |id: &str| id.split('-').next().unwrap().to_owned();
    let by_person: Vec<String> = rows
        .iter()
        .map(|row| row.split(',').next().unwrap())
        .map(|id| format!("{id},{}", persons_of(id)))
        .collect();
    let entities = write(&site, "entities.csv", &table("id,person", &by_person));
    for (truth_file, trained) in [(&known, false), (&entities, true)] {
        let mut args = vec!["match", "dedupe", &file, "--out", "pairs.csv", "--json"];
        args.extend(["--clusters", "persons.csv", "--truth", truth_file]);
        args.extend(trained.then_some("--train"));
        let report = site.json(&args);
        assert_eq!((&report["records"], &report["persons"]["probable"]), (&120.into(), &80.into()));
        for of in ["probable", "persons_probable"] {
            let share = &report["truth"][of];
            let shares = ["truth", "right", "wrong"].map(|name| share[name].as_u64().unwrap());
            assert_eq!(shares, [40, 40, 0], "{of}: {report:#}");
        }
        assert!(report["truth"]["curve"].as_array().unwrap().len() > 5);

        let pairs = rows_of(&site.path("pairs.csv"), PAIRS);
        let found: BTreeSet<(String, String)> = pairs
            .iter()
            .filter(|row| row[4] == "certain" || row[4] == "probable")
            .map(|row| (row[0].clone(), row[1].clone()))
            .collect();
        assert_eq!(found, truth);
        for row in &pairs {
            let (bits, share): (f64, f64) = (row[2].parse().unwrap(), row[3].parse().unwrap());
            assert!((share - 1.0 / (1.0 + (-bits).exp2())).abs() < 1e-2, "{row:?}");
        }
        let clusters = rows_of(&site.path("persons.csv"), "id,person");
        assert_eq!(clusters.len(), 120, "every record has its person");
        assert!(clusters.iter().all(|row| persons_of(&row[0]) == persons_of(&row[1])));
    }
    // Only what the gateway would link by itself: never more persons put together.
    let certain = ["--least", "certain", "--clusters", "certain.csv", "--out", "pairs.csv"];
    let text = site.run(&[&["match", "dedupe", &file][..], &certain].concat(), 0);
    assert!(text.contains("120 records") && text.contains("persons by certain links"), "{text}");
    let together = |name: &str| {
        let rows = rows_of(&site.path(name), "id,person");
        rows.iter().filter(|row| row[0] != row[1]).count()
    };
    assert!(together("certain.csv") <= together("persons.csv") && together("certain.csv") > 0);
}

#[test]
fn two_tables_are_linked_by_their_own_column_names() {
    let site = Site::new(&[]);
    let (rows, truth) = people();
    let (second, first): (Vec<String>, Vec<String>) =
        rows.into_iter().partition(|row| row.split(',').next().unwrap().ends_with("-b"));
    let theirs = HEADER.replace("given", "vorname").replace("dob", "geburt").replace("id,", "nr,");
    let a = write(&site, "a.csv", &table(&theirs, &first));
    // Quotes, a byte order mark and CRLF are nothing odd to a spreadsheet.
    let quoted = |text: String| {
        let lines = text.lines().map(|line| format!("\"{}\"", line.replace(',', "\",\"")));
        format!("\u{feff}{}\r\n", lines.collect::<Vec<_>>().join("\r\n"))
    };
    let b = write(&site, "b.csv", &quoted(table(&theirs, &second)));
    let columns = ["--columns", "given=vorname,dob=geburt", "--id", "nr"];
    let args = ["match", "link", &a, &b, "--out", "pairs.csv", "--json"];
    let report = site.json(&[&args[..], &columns].concat());
    assert_eq!(report["records"], 120);
    let pairs = rows_of(&site.path("pairs.csv"), PAIRS);
    let likely = pairs.iter().filter(|row| row[4] == "certain" || row[4] == "probable");
    let found: BTreeSet<(String, String)> =
        likely.map(|row| (row[0].clone(), row[1].clone())).collect();
    assert_eq!(found, truth, "the first file's id comes first");
    assert!(pairs.iter().all(|row| row[0].ends_with("-a") && row[1].ends_with("-b")));
}

#[test]
fn a_model_is_learned_used_and_explains() {
    let site = Site::new(&[]);
    let (rows, _) = people();
    let file = write(&site, "people.csv", &table(HEADER, &rows));
    let train = ["match", "train", &file, "--out", "model.json", "--seed", "5", "--json"];
    let report = site.json(&train);
    assert_eq!(report["training"]["records"], 120);
    assert_eq!(report["training"]["seed"], 5);
    assert!(report["links"]["after"].as_u64().unwrap() > 0, "{report:#}");
    let model = std::fs::read(site.path("model.json")).unwrap();
    site.json(&train);
    let again = std::fs::read(site.path("model.json")).unwrap();
    assert!(again == model, "the same file and seed, the same model to the byte");
    let told = site.run(&["match", "train", &file, "--out", "model.json"], 0);
    assert!(told.contains("would be gained") && told.contains("match activate"), "{told}");

    let explain = |more: &[&str]| {
        let args = ["match", "explain", "p4-a", "p4-b", "--file", &file, "--json"];
        site.json(&[&args[..], more].concat())
    };
    let (plain, learned) = (explain(&[]), explain(&["--model", "model.json"]));
    assert_ne!(plain["weight_bits"], learned["weight_bits"], "each by its own weights");
    for explained in [plain, learned] {
        let steps = explained["waterfall"].as_array().unwrap();
        assert_eq!(steps[0]["field"], "prior");
        let total: f64 = steps.iter().map(|step| step["weight_bits"].as_f64().unwrap()).sum();
        assert!((total - explained["weight_bits"].as_f64().unwrap()).abs() < 1e-9);
        assert!(["certain", "probable"].contains(&explained["grade"].as_str().unwrap()));
    }
    let text = site.run(&["match", "explain", "p4-a", "p4-b", "--file", &file], 0);
    assert!(text.contains("birth date") && text.contains("grade: "), "{text}");
}

#[test]
fn odd_tables_are_read_or_refused_by_what_is_wrong() {
    let site = Site::new(&[]);
    let (rows, _) = people();
    let file = write(&site, "people.csv", &table(HEADER, &rows));
    let empty = write(&site, "empty.csv", "");
    let header = write(&site, "header.csv", &format!("{HEADER}\n"));
    let unknown = write(&site, "unknown.csv", "colour,shape\nred,round\n");
    let semicolons = write(&site, "semicolons.csv", "id;given;family\n1;Ann;Lee\n");
    let strangers = write(&site, "strangers.csv", "id,person\nx1,1\nx2,1\n");
    let folder = site.path("folder");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    let dedupe = |input: &str, more: &[&str], status: i32| {
        let args = ["match", "dedupe", input, "--out", "out.csv"];
        site.run(&[&args[..], more].concat(), status)
    };
    for (input, more, status, says) in [
        (&*empty, &[][..], 2, "is empty"),
        (&unknown, &[], 2, "--columns"),
        (&semicolons, &[], 2, "commas"),
        ("not-there.csv", &[], 1, "not-there.csv"),
        (folder, &[], 1, "folder"),
        (&file, &["--columns", "given=first"], 2, "no column \"first\""),
        (&file, &["--columns", "nickname=given"], 2, "unknown column"),
        (&file, &["--columns", "given"], 2, "KNOWN=THEIRS"),
        (&file, &["--id", "number"], 2, "no column \"number\""),
        (&file, &["--model", "not-there.json"], 2, "not-there.json"),
        (&file, &["--model", &file], 2, "match model"),
        (&file, &["--truth", &unknown], 2, "none of its ids"),
        (&file, &["--truth", &strangers], 2, "none of its ids"),
        (&file, &["--truth", &empty], 2, "is empty"),
        (&file, &["--clusters", folder], 2, "could not write"),
        (&header, &["--train"], 1, "too few"),
    ] {
        let told = dedupe(input, more, status);
        assert!(told.contains(says), "{input} {more:?}: {told}");
        assert!(!told.contains("Okonkwo"), "no row is told: {told}");
    }
    let none = site.json(&["match", "dedupe", &header, "--out", "out.csv", "--json"]);
    assert_eq!((&none["records"], &none["certain"]), (&0.into(), &0.into()));
    assert!(rows_of(&site.path("out.csv"), PAIRS).is_empty());
    // Rows too short, too long, not UTF-8, with a line break in quotes: read as far as they say.
    let mut odd = b"id,given,family,dob\n1,Ann\n2,Ann,Lee,1970-01-02,more,and more\n3,".to_vec();
    odd.extend(b"\xff\xfe,\"Le\ne\",19700102\n\n4,,,not a date\n");
    std::fs::write(site.path("odd.csv"), odd).unwrap();
    let read = site.json(&["match", "dedupe", "odd.csv", "--out", "out.csv", "--json"]);
    assert_eq!(read["records"], 4);
    let told = site.run(&["match", "explain", "p4-a", "nobody", "--file", &file], 2);
    assert!(told.contains("no record \"nobody\""), "{told}");
    let told = site.run(&["match", "train", &file, "--out", folder], 2);
    assert!(told.contains("could not write"), "{told}");
}
