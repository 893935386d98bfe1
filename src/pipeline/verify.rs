//! `verify`: proves of a store what the promises say of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::fhir::{Reference, ResourceType, StructureCheck, parse_reference};
use crate::flow::{Access, DerivedId, Disposition, Owner, View, unstamp_meta};
use crate::store::{ViewHead, verify_audit_chain};

use super::gateway::{Gateway, GatewayError};
use super::ledger::LedgerFilter;
use super::report::ledger_sums;
use super::weave::{OwnerView, weave_anew};

/// How many owners, homes or audit entries are read at once.
const PAGE: usize = 256;
/// Findings beyond this are counted, not listed.
const FINDINGS_MAX: usize = 1000;

/// Something that is not as promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked: `ledger`, `view`, `reference`, `structure`, `audit`.
    pub check: &'static str,
    /// What is wrong, in ids of ours.
    pub text: String,
}

/// What has been checked so far.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verified {
    /// Owners whose view was woven anew and compared.
    pub owners: u64,
    /// View resources compared.
    pub resources: u64,
    /// Ledger rows walked.
    pub ledger_rows: u64,
    /// References of the view resolved.
    pub references: u64,
    /// References that rightly point outside, because what they name never came.
    pub outside: u64,
    /// Audit entries chained.
    pub audit_entries: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How many there are, listed or not.
    pub findings_total: u64,
}

impl Gateway {
    /// Settles, then checks: the ledger balances, every view equals a rebuild, references
    /// resolve, every resource is valid, the audit chain holds. Tells progress in owners done.
    ///
    /// # Errors
    /// When the store fails.
    pub fn verify(&self, progress: &mut dyn FnMut(u64)) -> Result<Verified, GatewayError> {
        self.settle_all(&mut |_, _| {})?;
        let mut verified = Verified::default();
        self.verify_views(&mut verified, progress)?;
        self.verify_ledger(&mut verified)?;
        self.verify_audit(&mut verified)?;
        Ok(verified)
    }

    fn verify_views(
        &self,
        verified: &mut Verified,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), GatewayError> {
        let access = Access::system();
        let mut after: Option<Owner> = None;
        loop {
            let owners = self.store().owners(&access, after, PAGE)?;
            let Some(last) = owners.last() else { return Ok(()) };
            after = Some(*last);
            for owner in owners {
                let Some(head) = self.store().view(&access, owner)? else {
                    verified.found("view", format!("{} has no view", owner.id()));
                    continue;
                };
                let OwnerView { view, .. } = weave_anew(self, &head.homes)?;
                self.compare_view(&head, &view, verified)?;
                verified.owners += 1;
                progress(verified.owners);
            }
        }
    }

    fn compare_view(
        &self,
        head: &ViewHead,
        rebuilt: &View,
        verified: &mut Verified,
    ) -> Result<(), GatewayError> {
        let access = Access::system();
        let owner = head.owner;
        if rebuilt.owner != owner {
            verified.found("view", format!("{} would be {}", owner.id(), rebuilt.owner.id()));
            return Ok(());
        }
        let types: BTreeSet<ResourceType> =
            head.types.keys().chain(rebuilt.tables.keys()).copied().collect();
        for resource_type in types {
            let stored = self.store().table(&access, owner, resource_type)?;
            let ids = stored.iter().flat_map(|t| &t.rows).map(|r| r.id);
            let stored_ids: Vec<DerivedId> = ids.collect();
            let fresh = rebuilt.tables.get(&resource_type).map_or(&[][..], Vec::as_slice);
            let fresh_ids: Vec<DerivedId> = fresh.iter().map(|r| r.id).collect();
            if stored_ids != fresh_ids {
                let text = format!("{resource_type} rows of {} differ from a rebuild", owner.id());
                verified.found("view", text);
                continue;
            }
            let bodies = self.store().bodies(&access, owner, resource_type, &stored_ids)?;
            for (body, row) in bodies.iter().zip(fresh) {
                verified.resources += 1;
                let body = body.as_deref().unwrap_or_default();
                if unstamp_meta(body) != row.body {
                    let text = format!("{resource_type}/{} differs from a rebuild", row.id);
                    verified.found("view", text);
                }
                let name = format!("{resource_type}/{}", row.id);
                match serde_json::from_slice::<Value>(body) {
                    Ok(resource) => {
                        check_structure(&name, body, &resource, row.made_by_us, verified);
                        self.resolve_references(&name, &resource, verified)?;
                    }
                    Err(_) => verified.found("view", format!("{name} is not JSON")),
                }
            }
        }
        Ok(())
    }

    /// Every relative reference of a served resource leads to an id that answers.
    fn resolve_references(
        &self,
        name: &str,
        resource: &Value,
        verified: &mut Verified,
    ) -> Result<(), GatewayError> {
        let mut literals = Vec::new();
        collect_references(resource, &mut literals);
        for literal in literals {
            match parse_reference(literal) {
                Reference::Relative { resource_type: kind, id: target, .. } => {
                    verified.references += 1;
                    let known = match target.parse::<DerivedId>() {
                        Ok(target) => self.store().issued(&Access::system(), target)?.is_some(),
                        Err(_) => false,
                    };
                    if !known {
                        let text = format!("{name}: a reference to a {kind} leads nowhere");
                        verified.found("reference", text);
                    }
                }
                Reference::Fragment(fragment) => {
                    verified.references += 1;
                    if !has_contained(resource, fragment) {
                        let text = format!("{name} lacks a contained resource");
                        verified.found("reference", text);
                    }
                }
                Reference::Absolute { .. }
                | Reference::Urn(_)
                | Reference::Conditional { .. }
                | Reference::Url(_)
                | Reference::Invalid(_) => verified.outside += 1,
            }
        }
        Ok(())
    }

    /// The rows of the ledger are as many as its sums say, and the sums balance.
    fn verify_ledger(&self, verified: &mut Verified) -> Result<(), GatewayError> {
        let mut rows: BTreeMap<&'static str, i64> = BTreeMap::new();
        self.ledger::<GatewayError>(&LedgerFilter::default(), &mut |row| {
            *rows.entry(row.disposition).or_default() += 1;
            Ok(())
        })?;
        verified.ledger_rows = rows.values().sum::<i64>().unsigned_abs();
        let counters = self.store().counters(&Access::system())?;
        let sums = ledger_sums(&counters, false);
        if !sums.balanced {
            let text = format!("received {} does not equal the sum of dispositions", sums.received);
            verified.found("ledger", text);
        }
        let counted = [
            (Disposition::Kept, sums.kept),
            (Disposition::Merged, sums.merged),
            (Disposition::Superseded, sums.superseded),
            (Disposition::Withdrawn, sums.withdrawn),
            (Disposition::Absent, sums.absent),
            (Disposition::Waiting, sums.waiting),
            (Disposition::Stored, sums.stored),
            (Disposition::Pending, sums.pending),
            (Disposition::Quarantined, sums.quarantined),
        ];
        for (disposition, count) in counted {
            let listed = rows.get(disposition.word()).copied().unwrap_or_default();
            if listed != count {
                let word = disposition.word();
                verified.found("ledger", format!("{listed} rows are {word}, {count} are counted"));
            }
        }
        Ok(())
    }

    fn verify_audit(&self, verified: &mut Verified) -> Result<(), GatewayError> {
        let access = Access::system();
        let mut after: u64 = 0;
        loop {
            // From the last entry of the page before, so that the pages are chained too.
            let rows = self.store().audit_trail(&access, after.saturating_sub(1), PAGE)?;
            if let Err(number) = verify_audit_chain(&rows) {
                let text = format!("entry {number} is not what was chained");
                verified.found("audit", text);
            }
            match rows.last() {
                Some(last) if last.number > after => after = last.number,
                Some(_) | None => break,
            }
        }
        verified.audit_entries = after;
        Ok(())
    }

    /// Marks everything dirty and settles it: what comes out must be what was there (P1).
    ///
    /// # Errors
    /// When the store fails.
    pub fn rebuild(
        &self,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<super::Settled, GatewayError> {
        self.store().mark_dirty(None)?;
        self.settle_all(progress)
    }
}

impl Verified {
    fn found(&mut self, check: &'static str, text: String) {
        self.findings_total += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { check, text });
        }
    }
}

/// What is served is valid R4. Questionable details that a source states are its own; what we
/// make has none.
fn check_structure(
    name: &str,
    body: &[u8],
    resource: &Value,
    made_by_us: bool,
    verified: &mut Verified,
) {
    let (Some(check), Ok(text)) = (StructureCheck::embedded(), std::str::from_utf8(body)) else {
        return;
    };
    for problem in check.check(text, resource) {
        if problem.fatal || made_by_us {
            let text = format!("{name}: {} at {}", problem.text, problem.expression);
            verified.found("structure", text);
        }
    }
}

fn collect_references<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(literal) if name == "reference" => into.push(literal),
                    _ => collect_references(member, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn has_contained(resource: &Value, fragment: &str) -> bool {
    let contained = resource.get("contained").and_then(Value::as_array);
    fragment.is_empty()
        || contained.is_some_and(|c| c.iter().any(|r| r.get("id").is_some_and(|i| i == fragment)))
}
