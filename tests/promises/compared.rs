//! Views, made comparable: ids of ours become names that say what they stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::test_runner::TestCaseError;

use careweave::fhir::ResourceType;
use careweave::flow::{Access, DerivedId, Disposition, Home, Owner, RecordKey, unstamp_meta};
use careweave::pipeline::{Gateway, LedgerFilter};
use careweave::store::{Store, TableRow, ViewHead};

use super::world::World;

const MANY: usize = 100_000;
const ID_LEN: usize = 26;
/// The longest chain of references among things made by us.
const MADE_DEPTH: usize = 4;

/// What names begin with that tell which source versions stand behind a row.
const MEMBERS: &str = "members of ";

/// A name for everything, and what is said of it; two stores with the same content have the same.
pub(crate) type Snapshot = BTreeMap<String, String>;

/// The settled store without ids of ours, versions and times, and without whose id is shown.
pub(crate) fn snapshot(world: &World) -> Snapshot {
    let store = world.gateway.store().as_ref();
    let (records, mut names) = record_names(store);
    let views = views(store);
    for view in &views {
        for (resource_type, rows) in &view.tables {
            for (row, _) in rows.iter().filter(|(row, _)| !row.made_by_us) {
                let members: Vec<String> = row.members.iter().map(|m| m.key.to_string()).collect();
                // Another person's records are referred to by their own ids, shown or not.
                for id in row.aliases.iter().chain([&row.id]) {
                    names.insert(id.to_string(), format!("<{resource_type} {members:?}>"));
                }
            }
        }
    }
    // What we made refers to what we made: a line of a checklist to the checklist.
    for _ in 0..MADE_DEPTH {
        for view in &views {
            name_things_made(view, &mut names);
        }
    }
    let mut snapshot = Snapshot::new();
    for view in &views {
        note_view(view, &records, &names, &mut snapshot);
    }
    for review in store.reviews(&Access::system(), None, MANY).unwrap() {
        let name = format!("review {:?} {:?}", review.a, review.b);
        snapshot.insert(name, format!("{:?} {}", review.grade, review.reason));
    }
    snapshot
}

/// The same, whichever source versions said it. What a task was once said to be is told of on
/// purpose, so that is left out too.
pub(crate) fn said_in(snapshot: Snapshot) -> Snapshot {
    let now = |name: &str, text: &str| {
        !name.starts_with(MEMBERS) && !text.contains("\"illegal-transition\"")
    };
    snapshot.into_iter().filter(|(name, text)| now(name, text)).collect()
}

/// The settled store to the byte: ids, versions, times, everything.
pub(crate) fn to_the_byte(world: &World) -> Snapshot {
    let store = world.gateway.store().as_ref();
    let mut snapshot = Snapshot::new();
    for View { owner, head, tables, dispositions } in views(store) {
        snapshot.insert(format!("{owner:?}"), format!("{:?}", (head.homes, head.next_change)));
        snapshot.insert(format!("{owner:?} dispositions"), format!("{dispositions:?}"));
        for (resource_type, rows) in tables {
            for (row, body) in rows {
                let text = format!("{body}\n{row:?}");
                snapshot.insert(format!("{resource_type}/{}", row.id), text);
            }
        }
    }
    let counters = store.counters(&Access::system()).unwrap();
    let counters = counters.into_iter().filter(|(_, count)| *count != 0);
    snapshot.insert("counters".to_owned(), format!("{:?}", counters.collect::<BTreeMap<_, _>>()));
    snapshot
}

/// Says where two snapshots differ.
pub(crate) fn assert_same(a: &Snapshot, b: &Snapshot) -> Result<(), TestCaseError> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differing: Vec<&String> = names.into_iter().filter(|n| a.get(*n) != b.get(*n)).collect();
    if differing.is_empty() {
        return Ok(());
    }
    let mut text = format!("{} of {} differ:\n", differing.len(), a.len().max(b.len()));
    for name in differing.iter().take(4) {
        let side = |s: &Snapshot| s.get(*name).cloned().unwrap_or_else(|| "(nothing)".to_owned());
        let (a, b) = (side(a), side(b));
        let at = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
        let part = |s: &str| s.chars().skip(at.saturating_sub(150)).take(500).collect::<String>();
        writeln!(text, "== {name}\n  at {at}\n  a: {}\n  b: {}", part(&a), part(&b)).unwrap();
    }
    Err(TestCaseError::fail(text))
}

/// P3: everything received is on the ledger once, and the store proves itself.
pub(crate) fn assert_conserved(world: &World) -> Result<(), TestCaseError> {
    let report = world.gateway.report().unwrap();
    let sums = report.ledger;
    if !sums.balanced || sums.received.unsigned_abs() != world.received.received() {
        let received = world.received;
        return Err(TestCaseError::fail(format!("unbalanced: {sums:?}\nreceived {received:?}")));
    }
    let mut rows: BTreeMap<&'static str, i64> = BTreeMap::new();
    let count = &mut |row: careweave::pipeline::LedgerRow| {
        *rows.entry(row.disposition).or_default() += 1;
        Ok::<(), careweave::pipeline::GatewayError>(())
    };
    world.gateway.ledger(&LedgerFilter::default(), count).unwrap();
    let on_rows: i64 = rows.values().sum();
    let once = sums.received - sums.repeats - sums.not_records - sums.quarantined;
    let quarantined = rows.get("quarantined").copied().unwrap_or_default();
    if on_rows - quarantined != once {
        return Err(TestCaseError::fail(format!("{rows:?} are not the {once} of {sums:?}")));
    }
    let verified = world.gateway.verify(&mut |_| {}).unwrap();
    if verified.findings_total > 0 {
        return Err(TestCaseError::fail(format!("{:#?}", verified.findings)));
    }
    Ok(())
}

/// The view resource that states a record, and by which rule, by the record.
pub(crate) type Shown = BTreeMap<RecordKey, (DerivedId, Box<str>)>;

/// Which view resource states each record, by the record.
pub(crate) fn shown_as(gateway: &Gateway) -> Shown {
    let mut shown = BTreeMap::new();
    for view in views(gateway.store().as_ref()) {
        for (row, _) in view.tables.values().flatten().filter(|(row, _)| !row.made_by_us) {
            let stated = row.members.iter().map(|m| (m.key.clone(), (row.id, m.rule.clone())));
            shown.extend(stated);
        }
    }
    shown
}

/// An owner with all that is shown of it.
struct View {
    owner: Owner,
    head: ViewHead,
    tables: BTreeMap<ResourceType, Vec<(TableRow, String)>>,
    dispositions: Vec<careweave::flow::RecordDisposition>,
}

fn views(store: &dyn Store) -> Vec<View> {
    let access = Access::system();
    let owners = store.owners(&access, None, MANY).unwrap();
    let view = |owner: Owner| {
        let mut head = store.view(&access, owner).unwrap().unwrap();
        // A chart that only a reference named, and that no record lives in any more, may or may
        // not have come to be, by the order in which things came; nothing of it is shown.
        head.homes.retain(|home| {
            let held = store.home(&access, home).unwrap().records;
            held.iter().any(|record| record.header.home() == home)
        });
        let tables = head.types.keys().map(|resource_type| {
            let rows = store.table(&access, owner, *resource_type).unwrap().unwrap().rows.clone();
            let all: Vec<DerivedId> = rows.iter().map(|row| row.id).collect();
            let bodies = store.bodies(&access, owner, *resource_type, &all).unwrap();
            let text = |body: &Option<bytes::Bytes>| {
                String::from_utf8(unstamp_meta(body.as_deref().unwrap())).unwrap()
            };
            (*resource_type, rows.into_iter().zip(bodies.iter().map(text)).collect())
        });
        let tables = tables.collect();
        View { owner, head, tables, dispositions: store.dispositions(&access, owner).unwrap() }
    };
    let is_something = |view: &View| !view.head.homes.is_empty() || !view.tables.is_empty();
    owners.into_iter().map(view).filter(is_something).collect()
}

type Names = BTreeMap<String, String>;

fn record_names(store: &dyn Store) -> (BTreeMap<DerivedId, RecordKey>, Names) {
    let access = Access::system();
    let mut records = BTreeMap::new();
    for home in store.homes(&access, None, MANY).unwrap() {
        let held = store.home(&access, &home).unwrap().records;
        records.extend(held.into_iter().map(|r| (r.id, r.header.key)));
        // What is referred to by its chart alone has a name too.
        if let Home::Chart(chart) = &home {
            let patient = chart.patient_record();
            records.insert(store.id_key().record(&patient), patient);
        }
    }
    let names = records.iter().map(|(id, key)| (id.to_string(), format!("<{key}>"))).collect();
    (records, names)
}

fn name_things_made(view: &View, names: &mut Names) {
    for (resource_type, rows) in &view.tables {
        for (row, body) in rows.iter().filter(|(row, _)| row.made_by_us) {
            let own = row.id.to_string();
            names.insert(own.clone(), "<self>".to_owned());
            let name = match resource_type.name() {
                "CarePlan" => format!("<woven plan of {:?}>", view.head.homes),
                _ => format!("<{resource_type} {}>", renamed(body, names)),
            };
            names.insert(own, name);
        }
    }
}

fn note_view(
    view: &View,
    records: &BTreeMap<DerivedId, RecordKey>,
    names: &Names,
    snapshot: &mut Snapshot,
) {
    let mut names = names.clone();
    for (row, _) in view.tables.values().flatten().filter(|(row, _)| !row.made_by_us) {
        let alias = |id: &DerivedId| (id.to_string(), "<an alias>".to_owned());
        names.extend(row.aliases.iter().map(alias));
    }
    let names = &names;
    let owner = format!("owner of {:?}", view.head.homes);
    snapshot.insert(owner.clone(), format!("{:?}", view.head.next_change));
    for (row, body) in view.tables.values().flatten() {
        let name = names.get(&row.id.to_string()).unwrap();
        let mut text = renamed(body, names);
        let members = row.members.iter().map(|m| format!("{} {:?}", m.key, m.version_id));
        snapshot.insert(format!("{MEMBERS}{name}"), members.collect::<Vec<_>>().join("\n"));
        for choice in &row.choices {
            let choice = renamed(&format!("{} {}", choice.element, choice.rule), names);
            write!(text, "\nchoice {choice}").unwrap();
        }
        snapshot.insert(format!("row {name}"), text);
    }
    for disposition in &view.dispositions {
        let word = match disposition.disposition {
            Disposition::Kept | Disposition::Merged => "shown",
            other => other.word(),
        };
        let shown = disposition.view.map(|(_, id)| id.to_string());
        let shown = shown.map(|id| names.get(&id).cloned().unwrap_or(id));
        let key = records.get(&disposition.id).map_or("?".to_owned(), ToString::to_string);
        snapshot.insert(format!("record {key}"), format!("{word} {shown:?} in {owner}"));
    }
}

/// The text with ids of ours by name.
fn renamed(text: &str, names: &Names) -> String {
    let mut out = String::with_capacity(text.len());
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(if end == ID_LEN {
            names.get(word).map_or(word, String::as_str)
        } else {
            word
        });
        rest = after;
    }
    out.push_str(rest);
    out
}
