//! Killing a run: at which instant, and what it was doing then.

use std::fmt;
use std::fs::File;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::dice::Dice;
use super::stage::Stage;
use crate::harness::RequestRecord;

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trigger {
    /// So long after its start.
    Instant(Duration),
    /// When so many requests of this operation have come.
    Received(&'static str, usize),
    /// When so many requests of this operation were answered.
    Answered(&'static str, usize),
}

/// What a run was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doing {
    Starting,
    Listing,
    Uploading,
    Downloading,
    Deleting,
    Multipart,
}

impl Doing {
    pub(super) const ALL: [Self; 6] =
        [Self::Starting, Self::Listing, Self::Uploading, Self::Downloading, Self::Deleting, Self::Multipart];

    fn of(record: &RequestRecord) -> Self {
        match record.operation.as_deref() {
            Some("ListObjectsV2") => Self::Listing,
            Some("PutObject") => Self::Uploading,
            Some("GetObject") => Self::Downloading,
            // A deletion of files looks at the source before it.
            Some("DeleteObject" | "DeleteObjects" | "HeadObject") => Self::Deleting,
            Some("CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" | "ListParts") => Self::Multipart,
            _ => Self::Starting,
        }
    }
}

/// A run that was killed.
pub(super) struct Killed {
    pub(super) doing: Doing,
    /// How many requests had come and were not answered.
    pub(super) in_flight: usize,
}

impl fmt::Display for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "killed while {:?} with {} requests in flight", self.doing, self.in_flight)
    }
}

impl Trigger {
    /// Draws one that most runs of such a stage come to.
    pub(super) fn draw(stage: &Stage, dice: &mut Dice) -> Self {
        if dice.happens(30) {
            let most = if stage.is_slow { 2500 } else { 600 };
            return Self::Instant(Duration::from_millis(dice.number(30..=most)));
        }
        let (operation, most) = dice.one_of(stage.operations());
        let number = usize::try_from(dice.number(1..=most)).unwrap();
        if dice.happens(60) { Self::Received(operation, number) } else { Self::Answered(operation, number) }
    }

    fn is_due(self, started: Instant, records: &[RequestRecord]) -> bool {
        let count = |operation: &str, answered: bool| {
            let of_it = |record: &&RequestRecord| record.operation.as_deref() == Some(operation);
            records.iter().filter(of_it).filter(|record| !answered || record.status.is_some()).count()
        };
        match self {
            Self::Instant(after) => started.elapsed() >= after,
            Self::Received(operation, number) => count(operation, false) >= number,
            Self::Answered(operation, number) => count(operation, true) >= number,
        }
    }
}

/// Starts a run and kills it at that instant; `None` where it came to its end before.
pub(super) fn run_until(stage: &Stage, trigger: Trigger) -> Option<Killed> {
    let log = stage.scene.log();
    let before = log.requests();
    let said = stage.scene.path("said");
    let mut command = stage.command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&said).unwrap());
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}: {}", std::fs::read_to_string(said).unwrap());
            return None;
        }
        let records = &log.records()[before..];
        if trigger.is_due(started, records) {
            return Some(kill(stage, child, before));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn kill(stage: &Stage, mut child: Child, before: usize) -> Killed {
    child.kill().unwrap();
    let records = stage.scene.log().records().split_off(before);
    child.wait().unwrap();
    let unanswered: Vec<Doing> = records.iter().filter(|it| it.status.is_none()).map(Doing::of).collect();
    // Where several things were under way, the one that had come furthest.
    let doing = unanswered.iter().max().copied().or_else(|| records.last().map(Doing::of));
    wait_until_quiet(stage);
    Killed { doing: doing.unwrap_or(Doing::Starting), in_flight: unanswered.len() }
}

/// The server may still be reading what the run had sent before it died: what it
/// will answer of that, it answers now, and not while the next run is on.
fn wait_until_quiet(stage: &Stage) {
    const QUIET: Duration = Duration::from_millis(100);
    let mut last = stage.scene.log().records();
    loop {
        thread::sleep(QUIET);
        let now = stage.scene.log().records();
        if now == last {
            return;
        }
        last = now;
    }
}
