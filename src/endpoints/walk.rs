//! One part of a pull: the first page, and then every next one, each with its cursor.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use jiff::Timestamp;

use super::outcome::PartError;
use super::page::{PageHead, outcome_code};
use super::plan::PullPlan;
use super::sink::{PageSink, Progress, PullProgress};
use crate::flow::{Cursor, Hash};
use crate::net::{Fetched, Fetcher, Url};

pub(super) const ACCEPT: &str = "application/fhir+json, application/json;q=0.9";

/// Pages in a row that bring nothing but a next link; a server that filters after paging has
/// some, one that goes in circles has no end of them.
const EMPTY_PAGES_MAX: u32 = 50;

/// One running pull.
pub(super) struct Run<S> {
    pub(super) fetcher: Fetcher,
    pub(super) plan: PullPlan,
    pub(super) sink: Arc<S>,
    pub(super) tally: Tally,
    pub(super) failures: AtomicU32,
    /// The sink failed: nothing more can be taken.
    pub(super) stopped: AtomicBool,
}

/// How far it is.
pub(super) struct Tally {
    progress: Arc<dyn Progress>,
    parts_done: AtomicUsize,
    parts: AtomicUsize,
    entries: AtomicU64,
    announced: AtomicU64,
}

/// Pages and entries of a walk, and the Patients seen on it.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) pages: u64,
    pub(super) entries: u64,
    pub(super) patients: Vec<Box<str>>,
}

/// What the cursor says after the last page.
pub(super) enum End {
    /// The part is complete.
    Complete,
    /// It goes on with this URL.
    GoOn(Url),
    /// It starts anew next time: something of it failed.
    StartAnew,
}

/// Where paging leads.
enum Next {
    Page(Url),
    End,
    Astray(PartError),
}

impl<S: PageSink> Run<S> {
    /// Takes the page at `first` and those after it. The cursor is what was stored last.
    pub(super) async fn walk(
        &self,
        part: &Arc<str>,
        first: Url,
        cursor: &mut Cursor,
        end: End,
        walked: &mut Walked,
    ) -> Result<(), PartError> {
        let mut url = first;
        // Hashes, so that a hundred thousand long URLs stay small.
        let mut seen = HashSet::new();
        let mut empty = 0;
        loop {
            seen.insert(Hash::of(url.as_str().as_bytes()));
            let fetched = self.fetch(&url).await?;
            let head =
                PageHead::read(&fetched.body, &**part == "Patient").ok_or(PartError::NotABundle)?;
            cursor.began.get_or_insert_with(|| self.beginning(&fetched));
            empty = if head.entries == 0 { empty + 1 } else { 0 };
            let next = self.next(&url, head.next.as_deref(), &seen, walked.pages + 1, empty);
            let moved = self.moved(cursor, &next, &end);
            if walked.pages == 0 {
                self.tally.announce(head.total.unwrap_or(0));
            }
            let taken = self.sink.page(part.clone(), fetched.body, moved.clone()).await;
            let receipt = taken.inspect_err(|_| self.stopped.store(true, Ordering::Relaxed))?;
            // Only now: a page that was refused must come again.
            *cursor = moved;
            walked.pages += 1;
            walked.entries += receipt.entries;
            walked.patients.extend(head.patients);
            self.tally.received(receipt.entries);
            url = match next {
                Next::Page(next) => next,
                Next::End => return Ok(()),
                Next::Astray(error) => return Err(error),
            };
        }
    }

    /// The cursor as it is once the page that led to `next` is stored.
    fn moved(&self, from: &Cursor, next: &Next, end: &End) -> Cursor {
        let mut cursor = from.clone();
        cursor.state = "running".into();
        cursor.next_page = match (next, end) {
            (Next::Page(url), End::Complete | End::GoOn(_)) | (Next::End, End::GoOn(url)) => {
                Some(url.as_str().into())
            }
            (Next::Page(_), End::StartAnew) | (Next::End, _) | (Next::Astray(_), _) => None,
        };
        if matches!((next, end), (Next::End, End::Complete)) {
            self.complete(&mut cursor);
        }
        cursor
    }

    /// The cursor of a part of which everything was taken.
    fn complete(&self, cursor: &mut Cursor) {
        let until = cursor.began.and_then(|began| began.checked_sub(self.plan.overlap).ok());
        cursor.complete_until = until.max(cursor.complete_until);
        cursor.began = None;
        cursor.state = "complete".into();
    }

    /// Where a page leads.
    fn next(
        &self,
        page: &Url,
        link: Option<&str>,
        seen: &HashSet<Hash>,
        pages: u64,
        empty: u32,
    ) -> Next {
        let Some(link) = link else { return Next::End };
        let Some(url) = self.plan.base.follow(page, link) else {
            return Next::Astray(PartError::ForeignLink);
        };
        if seen.contains(&Hash::of(url.as_str().as_bytes())) || empty >= EMPTY_PAGES_MAX {
            return Next::Astray(PartError::Circle(pages));
        }
        if pages >= self.plan.pages_max {
            return Next::Astray(PartError::TooManyPages(self.plan.pages_max));
        }
        Next::Page(url)
    }

    /// Gets a page; counts failures in a row over the whole endpoint.
    async fn fetch(&self, url: &Url) -> Result<Fetched, PartError> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(PartError::Stopped);
        }
        let failures = self.failures.load(Ordering::Relaxed);
        if failures >= self.plan.failures_max {
            return Err(PartError::Open(failures));
        }
        let fetched = tokio::select! {
            biased;
            // An answer that is not here yet is no page in hand.
            () = self.sink.stopping() => return Err(PartError::Interrupted),
            fetched = self.fetcher.get(url, ACCEPT) => fetched,
        };
        let result = match fetched {
            Ok(fetched) => classify(fetched),
            Err(error) => Err(error.into()),
        };
        match &result {
            Err(error) if error.is_trouble() => {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
            Ok(_) | Err(_) => self.failures.store(0, Ordering::Relaxed),
        }
        result
    }

    /// When the pull of a part began, by the server's clock if it tells: `_lastUpdated` is
    /// compared with that one.
    fn beginning(&self, fetched: &Fetched) -> Timestamp {
        fetched.date.unwrap_or_else(Timestamp::now)
    }

    /// Stores that a part failed. Where it stands in its pages is kept, unless it must start
    /// anew.
    pub(super) async fn store_failure(
        &self,
        part: &Arc<str>,
        cursor: &Cursor,
        reason: &str,
    ) -> Result<(), PartError> {
        let state = format!("failed: {reason}").into_boxed_str();
        Ok(self.sink.failed(part.clone(), Cursor { state, ..cursor.clone() }).await?)
    }

    /// What an earlier pull left of a part.
    pub(super) fn earlier(&self, part: &str) -> Cursor {
        if self.plan.full {
            return Cursor::default();
        }
        self.plan.cursors.get(part).cloned().unwrap_or_default()
    }

    /// The page at which an earlier pull stopped, if it lies under the base.
    pub(super) fn resumed(&self, cursor: &Cursor) -> Option<Url> {
        let url = Url::parse(cursor.next_page.as_deref()?).ok()?;
        self.plan.base.contains(&url).then_some(url)
    }
}

impl Tally {
    pub(super) fn new(progress: Arc<dyn Progress>) -> Self {
        Self {
            progress,
            parts_done: AtomicUsize::new(0),
            parts: AtomicUsize::new(0),
            entries: AtomicU64::new(0),
            announced: AtomicU64::new(0),
        }
    }

    pub(super) fn expect_parts(&self, more: usize) {
        self.parts.fetch_add(more, Ordering::Relaxed);
        self.tell();
    }

    pub(super) fn part_done(&self) {
        self.parts_done.fetch_add(1, Ordering::Relaxed);
        self.tell();
    }

    fn announce(&self, total: u64) {
        self.announced.fetch_add(total, Ordering::Relaxed);
    }

    fn received(&self, entries: u64) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.tell();
    }

    fn tell(&self) {
        self.progress.update(PullProgress {
            parts_done: self.parts_done.load(Ordering::Relaxed),
            parts: self.parts.load(Ordering::Relaxed),
            entries: self.entries.load(Ordering::Relaxed),
            announced: self.announced.load(Ordering::Relaxed),
        });
    }
}

fn classify(fetched: Fetched) -> Result<Fetched, PartError> {
    let status = fetched.status.as_u16();
    let code = || outcome_code(&fetched.body);
    match status {
        200 => Ok(fetched),
        401 => Err(PartError::Unauthorised),
        410 => Err(PartError::Gone),
        400 | 403 | 404 | 405 | 422 => Err(PartError::Refused { status, code: code() }),
        _ => Err(PartError::Status { status, code: code() }),
    }
}
