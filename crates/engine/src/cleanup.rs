//! Cleaning up: finds the uploads in a store that were begun long ago, and gives them up.

use std::time::{Duration, SystemTime};

use brigade_store::{ClockSkew, Failure, FailureKind, ListingError, OpenUpload, OpenUploads, Store};
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

/// Which uploads are given up, and how.
#[derive(Clone, Copy, Debug)]
pub struct Cleanup {
    /// Those that were begun at least this long ago, by the store's clock.
    pub older_than: Duration,
    /// Whether nothing is changed, and only told what would be.
    pub dry_run: bool,
    /// How many requests are in flight at once; at least 1.
    pub jobs: usize,
    /// Tells the local time, which the store's is reckoned from.
    pub local_clock: fn() -> SystemTime,
}

/// What came of one upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The upload.
    pub upload: OpenUpload,
    /// How long ago it was begun; `None` where the store doesn't say when.
    pub age: Option<Duration>,
    /// What was done about it.
    pub outcome: UploadOutcome,
}

/// What was done about an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadOutcome {
    /// It was given up; in a dry run: would be.
    Aborted,
    /// It was begun too short a time ago, and left alone.
    Young,
    /// It could not be given up, or nothing says whether it should be.
    Failed(Failure),
}

/// How many uploads came to what; together they are those that were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UploadCounts {
    /// Given up; in a dry run: to be given up.
    pub aborted: u64,
    /// Left alone because they are too young.
    pub young: u64,
    /// Not given up, for the reason told.
    pub failed: u64,
}

impl UploadCounts {
    /// All that were found.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.aborted + self.young + self.failed
    }

    fn add(&mut self, outcome: &UploadOutcome) {
        *match outcome {
            UploadOutcome::Aborted => &mut self.aborted,
            UploadOutcome::Young => &mut self.young,
            UploadOutcome::Failed(_) => &mut self.failed,
        } += 1;
    }
}

/// Judges every upload under way in the store, gives up those that are old
/// enough, and tells of each, in the order of the listing. It ends early, without an
/// error, once `cancel` is cancelled; what is in flight then is waited for.
///
/// The counts hold whatever was done, also where the listing broke off.
pub async fn clean_up(
    store: &dyn Store,
    cleanup: &Cleanup,
    cancel: &CancellationToken,
    mut tell: impl FnMut(Judged),
) -> (UploadCounts, Result<(), ListingError>) {
    let mut counts = UploadCounts::default();
    let mut pages = store.open_uploads();
    loop {
        let page = match next_page(&mut *pages, cancel).await {
            Ok(Some(page)) => page,
            Ok(None) => return (counts, Ok(())),
            Err(error) => return (counts, Err(error)),
        };
        // The page's own answer may have told the store's time for the first time.
        let now = at_the_store((cleanup.local_clock)(), store.clock_skew().unwrap_or_default());
        let begun = page.into_iter().take_while(|_| !cancel.is_cancelled());
        let mut judged =
            stream::iter(begun.map(|upload| judge(store, cleanup, now, upload))).buffered(cleanup.jobs.max(1));
        while let Some(judged) = judged.next().await {
            counts.add(&judged.outcome);
            tell(judged);
        }
    }
}

async fn next_page(
    pages: &mut dyn OpenUploads,
    cancel: &CancellationToken,
) -> Result<Option<Vec<OpenUpload>>, ListingError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Ok(None),
        page = pages.next_page() => page,
    }
}

/// What the store's clock shows now.
pub(crate) fn at_the_store(local: SystemTime, skew: ClockSkew) -> SystemTime {
    let shown = if skew.store_ahead { local.checked_add(skew.by) } else { local.checked_sub(skew.by) };
    shown.unwrap_or(local)
}

async fn judge(store: &dyn Store, cleanup: &Cleanup, now: SystemTime, upload: OpenUpload) -> Judged {
    // One that was begun after now is as young as can be.
    let age = upload.initiated.map(|initiated| now.duration_since(initiated).unwrap_or_default());
    let outcome = match age {
        None => {
            let reason = "the service does not say when it was begun, so that it is left alone; \
                          `aws s3api abort-multipart-upload` aborts it";
            UploadOutcome::Failed(Failure::new(FailureKind::Failed, reason))
        }
        Some(age) if age < cleanup.older_than => UploadOutcome::Young,
        Some(_) if cleanup.dry_run => UploadOutcome::Aborted,
        Some(_) => match store.abandon_upload(&upload.key, &upload.id).await {
            Ok(()) => UploadOutcome::Aborted,
            Err(failure) => UploadOutcome::Failed(failure),
        },
    };
    Judged { upload, age, outcome }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use brigade_store::memory::{Call, MemoryOptions, MemoryStore, ticking_clock};
    use brigade_store::{Condition, NewObject, ObjectHeaders};

    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    /// Uploads of these keys, begun 1 s after the other from 900 s on.
    async fn store(keys: &[&str]) -> MemoryStore {
        let clock = ticking_clock(UNIX_EPOCH + Duration::from_mins(15));
        let store = MemoryStore::new(MemoryOptions { clock, page_size: 2, ..MemoryOptions::remote() });
        for key in keys {
            let (key, headers) = ((*key).into(), ObjectHeaders::default());
            store
                .begin(&NewObject {
                    key,
                    size: 1,
                    headers,
                    condition: Condition::Absent,
                    part_size: None,
                    digest: None,
                })
                .await
                .unwrap();
        }
        store
    }

    fn cleanup(seconds: u64, dry_run: bool) -> Cleanup {
        Cleanup { older_than: Duration::from_secs(seconds), dry_run, jobs: 2, local_clock: || UNIX_EPOCH + NOW }
    }

    /// A line for each upload, and the counts.
    async fn told(store: &MemoryStore, cleanup: Cleanup) -> (Vec<String>, UploadCounts) {
        let mut lines = Vec::new();
        let tell = |judged: Judged| {
            let outcome = match judged.outcome {
                UploadOutcome::Aborted => "aborted".to_owned(),
                UploadOutcome::Young => "young".to_owned(),
                UploadOutcome::Failed(failure) => failure.reason,
            };
            lines.push(format!("{} {} {outcome}", judged.upload.key, judged.age.unwrap().as_secs()));
        };
        let (counts, ended) = clean_up(store, &cleanup, &CancellationToken::new(), tell).await;
        ended.unwrap();
        (lines, counts)
    }

    #[tokio::test]
    async fn uploads_that_are_old_enough_are_given_up_and_each_is_told_of() {
        let store = store(&["a", "b", "c", "d", "e"]).await;
        store.fail(Call::AbandonUpload, "b", 1, Failure::new(FailureKind::Denied, "no"));
        let expected = ["a 100 aborted", "b 99 no", "c 98 aborted", "d 97 young", "e 96 young"];
        let (lines, counts) = told(&store, cleanup(98, false)).await;
        assert_eq!(lines, expected);
        assert_eq!((counts, counts.found()), (UploadCounts { aborted: 2, young: 2, failed: 1 }, 5));
        assert_eq!(store.unfinished_uploads(), 3);
        let (lines, _) = told(&store, cleanup(0, false)).await;
        assert_eq!(lines, ["b 99 aborted", "d 97 aborted", "e 96 aborted"]);
        assert_eq!(store.unfinished_uploads(), 0);
    }

    #[tokio::test]
    async fn a_dry_run_gives_up_nothing() {
        let store = store(&["a", "b"]).await;
        let (lines, counts) = told(&store, cleanup(100, true)).await;
        assert_eq!(lines, ["a 100 aborted", "b 99 young"]);
        assert_eq!(counts, UploadCounts { aborted: 1, young: 1, failed: 0 });
        assert_eq!((store.unfinished_uploads(), store.count(Call::AbandonUpload)), (2, 0));
    }

    #[tokio::test]
    async fn a_listing_that_breaks_off_keeps_what_was_counted() {
        let store = store(&["a", "b", "c"]).await;
        store.fail(Call::ListUploads, "b", 1, Failure::new(FailureKind::Denied, "no"));
        let (counts, ended) = clean_up(&store, &cleanup(0, false), &CancellationToken::new(), drop).await;
        assert_eq!((counts.aborted, ended.unwrap_err().reason), (2, "no".to_owned()));
    }

    #[tokio::test]
    async fn nothing_begins_any_more_once_it_is_cancelled() {
        let store = store(&["a", "b", "c"]).await;
        let cancel = CancellationToken::new();
        let slow = Cleanup { jobs: 1, ..cleanup(0, false) };
        let (counts, ended) = clean_up(&store, &slow, &cancel, |_| cancel.cancel()).await;
        assert_eq!((counts.found(), ended.is_ok()), (1, true));
        assert_eq!(store.unfinished_uploads(), 2);
    }

    #[test]
    fn the_time_is_the_stores() {
        let local = UNIX_EPOCH + NOW;
        let skew = |seconds, store_ahead| ClockSkew { by: Duration::from_secs(seconds), store_ahead };
        let table = [(skew(10, true), 1010), (skew(10, false), 990), (ClockSkew::default(), 1000)];
        for (skew, expected) in table {
            assert_eq!(at_the_store(local, skew), UNIX_EPOCH + Duration::from_secs(expected), "{skew:?}");
        }
    }

    #[tokio::test]
    async fn an_upload_whose_age_nobody_tells_is_left_alone_and_named() {
        let store: Arc<dyn Store> = Arc::new(store(&[]).await);
        let upload = |initiated| OpenUpload { key: "k".into(), id: "i".into(), initiated };
        let now = UNIX_EPOCH + NOW;
        let unknown = judge(&*store, &cleanup(0, false), now, upload(None)).await;
        assert!(matches!(unknown.outcome, UploadOutcome::Failed(failure) if failure.reason.contains("does not say")));
        let future = judge(&*store, &cleanup(1, false), now, upload(Some(now + NOW))).await;
        assert_eq!((future.age, future.outcome), (Some(Duration::ZERO), UploadOutcome::Young));
    }
}
