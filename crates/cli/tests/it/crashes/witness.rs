//! What the server's log says of the runs of a round: nothing that was finished
//! was done again, and no more than what was in flight was begun twice.

use std::collections::BTreeSet;

use super::committed::Committed;
use crate::harness::RequestRecord;

/// What the server saw, run by run.
pub(super) struct Witness {
    /// All but the last were killed.
    runs: Vec<Vec<RequestRecord>>,
    jobs: usize,
}

/// What was done again after kills, of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Repeated {
    pub(super) puts: usize,
    pub(super) parts: usize,
    pub(super) gets: usize,
    pub(super) deletions: usize,
    pub(super) pages: usize,
}

impl std::ops::AddAssign for Repeated {
    fn add_assign(&mut self, more: Self) {
        self.puts += more.puts;
        self.parts += more.parts;
        self.gets += more.gets;
        self.deletions += more.deletions;
        self.pages += more.pages;
    }
}

/// What a request is about: the key, and the part of it.
type Subject = (String, String);

impl Witness {
    /// Of runs that began at these places of the log.
    pub(super) fn new(mut records: Vec<RequestRecord>, beginnings: &[usize], jobs: u64) -> Self {
        let mut runs: Vec<_> = beginnings.iter().rev().map(|&place| records.split_off(place)).collect();
        runs.reverse();
        Self { runs, jobs: usize::try_from(jobs).unwrap() }
    }

    /// Asserts all of it, and counts what was done again.
    pub(super) fn testify(&self) -> Repeated {
        self.assert_finished_only_once("UploadPart");
        self.assert_finished_only_once("PutObject");
        self.assert_finished_only_once("CompleteMultipartUpload");
        let mut repeated = Repeated {
            puts: self.assert_few_repeated("PutObject"),
            parts: self.assert_few_repeated("UploadPart"),
            gets: self.assert_few_repeated("GetObject"),
            ..Repeated::default()
        };
        for killed in 0..self.runs.len().saturating_sub(1) {
            repeated.deletions += self.repeated("DeleteObject", killed).len();
            repeated.pages += self.repeated("ListObjectsV2", killed).len();
        }
        repeated
    }

    /// Asserts that no run did again what the one before it had committed.
    pub(super) fn assert_nothing_committed_was_done_again(&self, committed: &[Committed]) {
        for (committed, next) in committed.iter().zip(&self.runs[1..]) {
            committed.assert_not_done_again(next);
        }
    }

    /// Asserts that an upload got no part.
    pub(super) fn assert_empty(&self, upload_id: &str) {
        let id = format!("uploadId={upload_id}");
        let parts = self.runs.iter().flatten().filter(|it| it.operation.as_deref() == Some("UploadPart"));
        let sent = parts.filter(|it| it.query.contains(&id)).count();
        assert_eq!(sent, 0, "an upload with parts was left behind");
    }

    /// What a run that was killed had finished is never asked for again.
    fn assert_finished_only_once(&self, operation: &str) {
        for killed in 0..self.runs.len() {
            let finished = subjects(&self.runs[killed], operation, |it| it.status == Some(200));
            let again = self.after(killed, operation);
            let both: Vec<_> = finished.intersection(&again).collect();
            assert!(both.is_empty(), "{operation} that run {} had finished was done again: {both:?}", killed + 1);
        }
    }

    /// What a run that was killed had begun is begun again for no more objects than it had in flight.
    fn assert_few_repeated(&self, operation: &str) -> usize {
        let mut all = 0;
        for killed in 0..self.runs.len().saturating_sub(1) {
            let repeated = self.repeated(operation, killed);
            let (count, jobs) = (repeated.len(), self.jobs);
            assert!(count <= jobs, "{count} of {operation} were repeated after run {}: {repeated:?}", killed + 1);
            all += count;
        }
        all
    }

    fn repeated(&self, operation: &str, killed: usize) -> BTreeSet<Subject> {
        let begun = subjects(&self.runs[killed], operation, |_| true);
        // Only the next run can tell what was lost by this kill.
        let again = self.runs.get(killed + 1).map(|next| subjects(next, operation, |_| true));
        begun.intersection(&again.unwrap_or_default()).cloned().collect()
    }

    fn after(&self, killed: usize, operation: &str) -> BTreeSet<Subject> {
        self.runs[killed + 1..].iter().flat_map(|run| subjects(run, operation, |_| true)).collect()
    }
}

fn subjects(run: &[RequestRecord], operation: &str, is_one: impl Fn(&RequestRecord) -> bool) -> BTreeSet<Subject> {
    let of_it = run.iter().filter(|it| it.operation.as_deref() == Some(operation) && is_one(it));
    of_it.map(|it| (it.key.clone().unwrap_or_default(), what_of(it))).collect()
}

/// The part's number, or the page's place.
fn what_of(record: &RequestRecord) -> String {
    let mut parameters = record.query.split('&');
    let shown = parameters
        .find(|it| ["partNumber=", "continuation-token=", "start-after="].iter().any(|name| it.starts_with(name)));
    shown.unwrap_or_default().to_owned()
}
