//! The null server: an S3 server on one thread that keeps nothing. It reads
//! each request, throws the body away and answers at once, with the right
//! ETag, so that it is the client that is measured. `GET /_counts` tells, and
//! forgets, how many requests of each kind came.

mod answer;
mod body;
mod connection;
mod head;
mod listing;
mod operation;
mod throttle;
mod versions;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::net::TcpListener;

use crate::content;
use throttle::Throttle;

/// What all connections share.
struct Server {
    /// How late each answer is.
    delay: Duration,
    /// What refuses requests that come too fast; `None` where none do.
    throttle: Option<Mutex<Throttle>>,
    /// When every object was written, as listings and as headers say it: when the server was started. A time
    /// to come would hide them from s5cmd.
    written: (String, String),
    counts: Mutex<BTreeMap<&'static str, u64>>,
    etags: Mutex<HashMap<u64, Arc<str>>>,
    /// The second in which it was last asked for, and `Date` in it.
    date: Mutex<(i64, Arc<str>)>,
}

/// Serves on this port of the loopback interface until the process is ended.
/// With `a_second`, more requests than that are refused.
pub(crate) fn serve(port: u16, delay_milliseconds: u64, a_second: Option<u32>) -> io::Result<()> {
    let server = Arc::new(Server::new(Duration::from_millis(delay_milliseconds), a_second));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let server = Arc::clone(&server);
            // A connection that breaks off is the client's to tell of.
            tokio::spawn(async move { connection::serve(&server, stream).await });
        }
    })
}

impl Server {
    fn new(delay: Duration, a_second: Option<u32>) -> Self {
        let written = Timestamp::now();
        let written = (written.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(), http_date(&written));
        let date = Mutex::new((i64::MIN, "".into()));
        let throttle = a_second.map(|a_second| Mutex::new(Throttle::new(a_second, Instant::now())));
        Self { delay, throttle, written, counts: Mutex::default(), etags: Mutex::default(), date }
    }

    /// What `Date` says now.
    fn date(&self) -> Arc<str> {
        let now = Timestamp::now();
        let mut date = self.date.lock().unwrap_or_else(PoisonError::into_inner);
        if date.0 != now.as_second() {
            *date = (now.as_second(), http_date(&now).into());
        }
        date.1.clone()
    }

    /// Whether a request that comes now is one too many.
    fn is_too_busy(&self) -> bool {
        let takes =
            |throttle: &Mutex<Throttle>| throttle.lock().unwrap_or_else(PoisonError::into_inner).takes(Instant::now());
        !self.throttle.as_ref().is_none_or(takes)
    }

    fn count(&self, operation: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(operation).or_default() += 1;
    }

    /// The counts since they were last asked for, as JSON.
    fn take_counts(&self) -> String {
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        let counts: Vec<String> = counts.iter().map(|(operation, count)| format!("\"{operation}\":{count}")).collect();
        format!("{{{}}}", counts.join(","))
    }

    /// The ETag of a synthetic object of this size, worked out once.
    fn etag(&self, size: u64) -> Arc<str> {
        let mut etags = self.etags.lock().unwrap_or_else(PoisonError::into_inner);
        etags.entry(size).or_insert_with(|| content::etag(size).into()).clone()
    }
}

fn http_date(time: &Timestamp) -> String {
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(time).unwrap_or_default()
}
