//! The ledger: one row per source version, and what became of it (P3).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::flow::{Access, DerivedId, Disposition, Home, RecordDisposition, RecordHeader};
use crate::store::StoredRecord;

use super::gateway::{Gateway, GatewayError};

/// How many homes or quarantined inputs are read at once.
const PAGE: usize = 256;

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// The endpoint.
    pub endpoint: Arc<str>,
    /// The resource type; empty if a quarantined input has none.
    #[serde(rename = "type")]
    pub resource_type: Box<str>,
    /// The id at the endpoint.
    pub id: Box<str>,
    /// The version: `versionId` if the endpoint states it, else `#` and its number.
    pub version: Box<str>,
    /// What became of it, in the ledger's word.
    pub disposition: &'static str,
    /// Id of the person.
    pub person: Option<Box<str>>,
    /// The record's own counterpart in the view.
    pub view: Option<Box<str>>,
    /// The rule that decided.
    pub rule: Box<str>,
    /// In words.
    pub reason: Box<str>,
}

/// Which rows are wanted.
#[derive(Clone, Debug, Default)]
pub struct LedgerFilter {
    /// Of this endpoint only.
    pub endpoint: Option<Arc<str>>,
    /// Of this type only.
    pub resource_type: Option<Box<str>>,
}

impl LedgerFilter {
    fn admits(&self, endpoint: &str, resource_type: &str) -> bool {
        self.endpoint.as_ref().is_none_or(|e| **e == *endpoint)
            && self.resource_type.as_ref().is_none_or(|t| **t == *resource_type)
    }
}

impl Gateway {
    /// Walks the ledger, home by home; rows of one record come in version order, the current one
    /// last. Quarantined input comes at the end.
    ///
    /// # Errors
    /// When the store fails, or `row` does.
    pub fn ledger<E: From<GatewayError>>(
        &self,
        filter: &LedgerFilter,
        row: &mut dyn FnMut(LedgerRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let access = Access::system();
        let store = self.store();
        let mut after: Option<Home> = None;
        loop {
            let homes = store.homes(&access, after.as_ref(), PAGE).map_err(GatewayError::from)?;
            let Some(last) = homes.last() else { break };
            after = Some(last.clone());
            for home in &homes {
                if filter.endpoint.as_ref().is_none_or(|e| e == home.endpoint()) {
                    self.home_rows(home, filter, row)?;
                }
            }
        }
        let mut after = None;
        loop {
            let unusable = store.quarantine(&access, after, PAGE).map_err(GatewayError::from)?;
            let Some(last) = unusable.last() else { return Ok(()) };
            after = Some(last.hash);
            for input in unusable {
                if filter.admits(&input.endpoint, &input.resource_type) {
                    row(LedgerRow {
                        endpoint: input.endpoint,
                        resource_type: input.resource_type,
                        id: input.id,
                        version: "".into(),
                        disposition: Disposition::Quarantined.word(),
                        person: None,
                        view: None,
                        rule: input.code,
                        reason: input.reason,
                    })?;
                }
            }
        }
    }

    fn home_rows<E: From<GatewayError>>(
        &self,
        home: &Home,
        filter: &LedgerFilter,
        row: &mut dyn FnMut(LedgerRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let (records, dispositions, person) = self.home_with_dispositions(home)?;
        for record in records {
            let key = &record.header.key;
            if !filter.admits(&key.endpoint, key.resource_type.name()) {
                continue;
            }
            let current = record.header.versions().len() - 1;
            for (number, version) in record.header.versions().iter().enumerate() {
                if version.home != *home {
                    continue;
                }
                let of_record = dispositions.get(&record.id).filter(|_| number == current);
                row(ledger_row(&record.header, number, of_record, person))?;
            }
        }
        Ok(())
    }

    fn home_with_dispositions(&self, home: &Home) -> Result<HomeRows, GatewayError> {
        let access = Access::system();
        let store = self.store();
        let records = store.home(&access, home)?.records;
        let owner = match home {
            Home::Shared(key) => Some(crate::flow::Owner::Directory(store.id_key().record(key))),
            Home::Chart(_) | Home::Directory(_) => store.link(&access, home)?.and_then(|l| l.owner),
        };
        let dispositions = match owner {
            Some(owner) => store.dispositions(&access, owner)?,
            None => Vec::new(),
        };
        let person = owner.filter(|_| home.chart().is_some()).map(|o| o.id());
        Ok((records, dispositions.into_iter().map(|d| (d.id, d)).collect(), person))
    }
}

type HomeRows = (Vec<StoredRecord>, BTreeMap<DerivedId, RecordDisposition>, Option<DerivedId>);

fn ledger_row(
    header: &RecordHeader,
    number: usize,
    of_record: Option<&RecordDisposition>,
    person: Option<DerivedId>,
) -> LedgerRow {
    let version = &header.versions()[number];
    let is_current = number + 1 == header.versions().len();
    let name = match &version.stamp.version_id {
        Some(id) => id.clone(),
        None => format!("#{}", number + 1).into(),
    };
    let (disposition, rule, reason): (_, Box<str>, Box<str>) = match of_record {
        Some(d) => (d.disposition, d.rule.clone(), d.reason.clone()),
        None if is_current => {
            (Disposition::Pending, "accepted".into(), "accepted, not settled yet".into())
        }
        None => (Disposition::Superseded, "newer-version".into(), "a later version came".into()),
    };
    let view = of_record.and_then(|d| d.view).map(|(t, id)| format!("{t}/{id}").into());
    LedgerRow {
        endpoint: header.key.endpoint.clone(),
        resource_type: header.key.resource_type.name().into(),
        id: (&*header.key.id).into(),
        version: name,
        disposition: disposition.word(),
        person: person.map(|id| id.to_string().into()),
        view,
        rule,
        reason,
    }
}
