//! The pull of one patient: `$everything`, or type by type.
//! <https://hl7.org/fhir/R4/patient-operation-everything.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::capability::Offered;
use super::outcome::{PartError, PartOutcome, PartState};
use super::plan::Roster;
use super::puller::PER_PATIENT;
use super::sink::PageSink;
use super::walk::{End, Run, Walked};
use crate::flow::Cursor;
use crate::net::Url;

/// How the pull of one patient ended.
pub(super) struct PatientPull {
    walked: Walked,
    /// What failed (a type or `$everything`), and why.
    failed: Vec<(&'static str, PartError)>,
}

/// One request of a patient's pull.
struct Stage {
    name: &'static str,
    url: Url,
}

impl<S: PageSink + 'static> Run<S> {
    /// Pulls one patient.
    pub(super) async fn pull_patient(
        self: Arc<Self>,
        id: Box<str>,
        types: Arc<[Offered]>,
        everything: bool,
    ) -> PatientPull {
        let part: Arc<str> = format!("Patient/{id}").into();
        let mut pull = PatientPull { walked: Walked::default(), failed: Vec::new() };
        let mut cursor = self.earlier(&part);
        let stages = self.stages(&id, &types, everything, cursor.complete_until);
        let (begin, resumed) = self.begin(&stages, &cursor);
        if resumed.is_none() {
            (cursor.next_page, cursor.began) = (None, None);
        }
        let mut first = resumed;
        for (index, stage) in stages.iter().enumerate().skip(begin) {
            let end = || match stages.get(index + 1) {
                _ if !pull.failed.is_empty() => End::StartAnew,
                Some(next) => End::GoOn(next.url.clone()),
                None => End::Complete,
            };
            let end = end();
            let url = first.take().unwrap_or_else(|| stage.url.clone());
            match self.walk(&part, url, &mut cursor, end, &mut pull.walked).await {
                Ok(()) => {}
                Err(PartError::Gone) => {
                    if let Err(error) = self.sink.gone(&id).await {
                        pull.failed.push((stage.name, error.into()));
                    }
                    break;
                }
                // Nothing more can be asked or taken; the cursor says where to go on.
                Err(error) if error.is_stop() => {
                    pull.failed.push((stage.name, error));
                    break;
                }
                Err(error) => {
                    cursor.next_page = None;
                    pull.failed.push((stage.name, error));
                }
            }
        }
        self.end_patient(&part, &cursor, pull).await
    }

    async fn end_patient(
        &self,
        part: &Arc<str>,
        cursor: &Cursor,
        mut pull: PatientPull,
    ) -> PatientPull {
        self.tally.part_done();
        let untouched = pull.walked.pages == 0;
        if let Some((name, error)) = pull.failed.first()
            && !(error.is_interrupted() && untouched)
        {
            let reason = format!("{name}: {error}");
            if let Err(error) = self.store_failure(part, cursor, &reason).await {
                pull.failed.push(("cursor", error));
            }
        }
        pull
    }

    /// The requests of a patient's pull, in order.
    fn stages(
        &self,
        id: &str,
        types: &[Offered],
        everything: bool,
        since: Option<Timestamp>,
    ) -> Vec<Stage> {
        if everything {
            let count = self.plan.page_size.to_string();
            let since = since.map(|since| format!("{since:.3}"));
            let mut query = vec![("_count", count.as_str())];
            query.extend(since.as_deref().map(|since| ("_since", since)));
            let url = self.plan.base.join(&["Patient", id, "$everything"], &query);
            return vec![Stage { name: "$everything", url }];
        }
        let mut stages = Vec::new();
        if matches!(self.plan.roster, Roster::Listed(_)) {
            let url = self.search_url("Patient", Some(("_id", id)), since);
            stages.push(Stage { name: "Patient", url });
        }
        stages.extend(types.iter().filter_map(|offered| {
            let name = offered.resource_type.name();
            let url = self.search_url(name, Some((offered.by_patient?, id)), since);
            Some(Stage { name, url })
        }));
        stages
    }

    /// The stage to begin with, and the page at which an earlier pull stopped in it.
    fn begin(&self, stages: &[Stage], cursor: &Cursor) -> (usize, Option<Url>) {
        let Some(url) = self.resumed(cursor) else { return (0, None) };
        let path = self.plan.base.rest(&url).unwrap_or_default();
        let same = |stage: &Stage| self.plan.base.rest(&stage.url).unwrap_or_default() == path;
        match stages.iter().position(same) {
            Some(index) => (index, Some(url)),
            None => (0, None),
        }
    }
}

impl PatientPull {
    /// All patients in one outcome, without naming any.
    pub(super) fn summary(pulls: &[Self], left_out: usize) -> PartOutcome {
        let failed = pulls.iter().filter(|pull| !pull.failed.is_empty()).count();
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for (name, error) in pulls.iter().flat_map(|pull| &pull.failed) {
            *reasons.entry(format!("{name}: {error}")).or_default() += 1;
        }
        // The most frequent reason; of equals the first by name.
        let worst = reasons.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
        let state = match worst {
            Some((reason, _)) => {
                let text = format!("{failed} of {} patients incomplete; {reason}", pulls.len());
                PartState::Failed(text.into())
            }
            None if left_out > 0 => PartState::Failed(
                format!("{left_out} patients left out; raise limits.roster_max").into(),
            ),
            None => PartState::Complete,
        };
        PartOutcome {
            part: PER_PATIENT.into(),
            pages: pulls.iter().map(|pull| pull.walked.pages).sum(),
            entries: pulls.iter().map(|pull| pull.walked.entries).sum(),
            state,
        }
    }
}
