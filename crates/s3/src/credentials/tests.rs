//! Credentials that end, and providers that are stuck.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

const HOUR: Duration = Duration::from_hours(1);

/// Gives credentials that each last an hour longer, and after `good` times none.
#[derive(Clone, Debug)]
struct Fleeting {
    given: Arc<AtomicU64>,
    good: u64,
    end: SystemTime,
}

impl ProvideCredentials for Fleeting {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let given = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        future::ProvideCredentials::ready(if given <= self.good {
            let end = self.end + HOUR * u32::try_from(given).unwrap_or(0);
            Ok(Credentials::new(format!("id{given}"), "secret", None, Some(end), "test"))
        } else {
            Err(CredentialsError::not_loaded("gone"))
        })
    }
}

async fn cached(good: u64) -> (CachedCredentials, Arc<AtomicU64>, SystemTime) {
    let start = SystemTime::UNIX_EPOCH;
    let given = Arc::new(AtomicU64::new(0));
    let provider = SharedCredentialsProvider::new(Fleeting { given: given.clone(), good, end: start });
    let first = super::first(&provider, Duration::ZERO).await.unwrap();
    (CachedCredentials::holding(first, provider, Giver::default()), given, start)
}

async fn id(cached: &CachedCredentials, now: SystemTime) -> Result<String, String> {
    let current = cached.current(now).await.map_err(|error| error.to_string())?;
    Ok(current.access_key_id().to_owned())
}

#[tokio::test]
async fn credentials_are_renewed_before_they_expire() {
    let (cached, given, start) = cached(2).await;
    assert_eq!(id(&cached, start + HOUR - MARGIN - PAUSE).await.as_deref(), Ok("id1"));
    assert_eq!(id(&cached, start + HOUR - MARGIN).await.as_deref(), Ok("id2"));
    assert_eq!(given.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn old_credentials_serve_as_long_as_they_last() {
    let (cached, given, start) = cached(1).await;
    let renewal = start + HOUR - MARGIN;
    assert_eq!(id(&cached, renewal).await.as_deref(), Ok("id1"));
    assert_eq!(id(&cached, renewal + PAUSE / 2).await.as_deref(), Ok("id1"));
    assert_eq!(given.load(Ordering::Relaxed), 2, "it waits before it tries again");
    assert_eq!(id(&cached, renewal + PAUSE).await.as_deref(), Ok("id1"));
    assert!(id(&cached, start + HOUR).await.unwrap_err().contains("gone"));
}

/// Gives credentials only after they are waited for no more.
#[derive(Debug)]
struct Stuck;

impl ProvideCredentials for Stuck {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(std::future::pending())
    }
}

#[tokio::test]
async fn a_provider_that_is_stuck_is_not_waited_for_without_end() {
    let stuck = SharedCredentialsProvider::new(Stuck);
    let error = super::first(&stuck, Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLate(Duration::ZERO)));
    assert!(error.to_string().contains("a credential_process"), "{error}");

    let start = SystemTime::UNIX_EPOCH;
    let old = Credentials::new("old", "secret", None, Some(start + HOUR), "test");
    let cached =
        CachedCredentials { renewal_limit: Duration::ZERO, ..CachedCredentials::holding(old, stuck, Giver::default()) };
    assert_eq!(id(&cached, start + HOUR - MARGIN).await.as_deref(), Ok("old"));
    assert!(id(&cached, start + HOUR).await.unwrap_err().contains("waited for in vain"));
    assert!(cached.replace(Instant::now()).await.is_err());
}

// Time stands still but for what is waited for.
#[tokio::test(start_paused = true)]
async fn a_metadata_service_that_is_silent_is_not_waited_for() {
    let start = tokio::time::Instant::now();
    let error = Impatient(Stuck).provide_credentials().await.unwrap_err();
    assert!(matches!(error, CredentialsError::CredentialsNotLoaded(_)), "the next in the chain is not asked");
    assert!(with_causes(&error).contains("no metadata service answered within 1500 ms"));
    assert!(start.elapsed() < Duration::from_secs(2));
}

/// Fails so often for a reason that may pass, then gives credentials.
#[derive(Debug)]
struct Hiccups {
    asked: Arc<AtomicU64>,
    failures: u64,
}

impl ProvideCredentials for Hiccups {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        future::ProvideCredentials::ready(if asked > self.failures {
            Ok(Credentials::new("new", "secret", None, None, "test"))
        } else {
            Err(CredentialsError::provider_error("busy"))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_pass_is_waited_for_and_one_wait_is_for_all() {
    for (failures, attempts, has_come, times) in [(4, 5, true, 5), (5, 5, false, 5), (9, 2, false, 2), (0, 1, true, 1)]
    {
        let asked = Arc::new(AtomicU64::new(0));
        let provider = Hiccups { asked: Arc::clone(&asked), failures };
        let old = Credentials::new("old", "secret", None, None, "test");
        let shared = SharedCredentialsProvider::new(provider);
        let cached = CachedCredentials {
            renewal_attempts: attempts,
            ..CachedCredentials::holding(old, shared, Giver::default())
        };
        let sent = Instant::now();
        let (one, other) = tokio::join!(cached.replace(sent), cached.replace(sent));
        assert_eq!((one.is_ok(), other.is_ok()), (has_come, has_come), "{failures} failures, {attempts} attempts");
        assert_eq!(asked.load(Ordering::Relaxed), times, "{failures} failures, {attempts} attempts");
    }
}

#[tokio::test]
async fn only_one_request_waits_while_the_old_credentials_last() {
    let (cached, given, start) = cached(2).await;
    let turn = cached.turn.lock().await;
    assert_eq!(id(&cached, start + HOUR - MARGIN).await.as_deref(), Ok("id1"));
    drop(turn);
    assert_eq!(id(&cached, start + HOUR - MARGIN).await.as_deref(), Ok("id2"));
    assert_eq!(given.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn refused_credentials_are_replaced_once_for_all_requests() {
    let before = Instant::now();
    let (cached, given, _) = cached(9).await;
    cached.replace(before).await.unwrap();
    assert_eq!(given.load(Ordering::Relaxed), 1, "they are newer than the request");
    cached.replace(Instant::now()).await.unwrap();
    assert_eq!(given.load(Ordering::Relaxed), 2);
}
