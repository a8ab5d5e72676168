//! The running server: listener, connections, shut-down.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::change_log::{ChangeLog, ChangeRecord};
use crate::config::Config;
use crate::faults::Faults;
use crate::gate::{Account, Gate};
use crate::google::{Google, GoogleTerms};
use crate::layer::Layer;
use crate::request_log::{RequestLog, RequestRecord};
use crate::service::Service;
use crate::storage::{OpenError, Shared, Storage};
use crate::terms::Terms;
use crate::virtual_hosts::Localhost;

/// How long [`Server::stop`] waits for requests under way.
const GRACE: Duration = Duration::from_secs(5);

/// A running server. It stops when this is dropped; [`Server::stop`] waits for
/// it.
pub struct Server {
    address: SocketAddr,
    google_address: Option<SocketAddr>,
    storage: Arc<Storage>,
    faults: Arc<Faults>,
    terms: Arc<Terms>,
    google_terms: Arc<GoogleTerms>,
    log: Arc<RequestLog>,
    changes: Arc<ChangeLog>,
    stop: CancellationToken,
    accepting: Vec<JoinHandle<()>>,
}

/// Why a server could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The directory could not be made or read.
    #[error("can't use {} to keep buckets: {source}", directory.display())]
    Directory {
        /// The directory of the configuration.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another server uses the directory.
    #[error("another server uses {}: stop it, or choose another directory", directory.display())]
    InUse {
        /// The directory of the configuration.
        directory: PathBuf,
    },
    /// A bucket could not be made.
    #[error("can't make the bucket {name:?}: {reason}")]
    Bucket {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The address could not be listened on.
    #[error("can't listen on {address}: {source}; choose another address, or port 0 for a free one")]
    Listen {
        /// The address of the configuration.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl Server {
    /// Reads the directory and begins to answer. Needs a Tokio runtime with
    /// time and I/O.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let listen_error = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let changes = Arc::new(ChangeLog::default());
        let kept = config.record_requests.then(|| Arc::clone(&changes));
        let terms = Arc::new(Terms::default());
        let shared = Shared { order: config.listing_order, clock: Arc::clone(&terms.written), changes: kept };
        let storage = Arc::new(open_storage(&config, shared).await?);
        let faults = Arc::new(Faults::default());
        let log = Arc::new(RequestLog::default());
        let mut builder = S3ServiceBuilder::new(Service { storage: Arc::clone(&storage) });
        builder.set_host(Localhost);
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(protocol()))));
        builder.set_auth(Account(config.credentials.clone()));
        let stop = CancellationToken::new();
        builder.set_access(Gate {
            anonymous: config.anonymous,
            terms: Arc::clone(&terms),
            faults: Arc::clone(&faults),
            stop: stop.clone(),
        });
        let (service, requests) = (builder.build(), Arc::new(AtomicU64::new(1)));
        let layer = |google| Layer {
            service: service.clone(),
            log: config.record_requests.then(|| Arc::clone(&log)),
            requests: Arc::clone(&requests),
            terms: Arc::clone(&terms),
            google,
        };
        let mut ports = vec![(listener, layer(None))];
        let google_terms = Arc::new(GoogleTerms::default());
        let mut google_address = None;
        if config.google {
            let listener = TcpListener::bind((address.ip(), 0)).await.map_err(listen_error)?;
            google_address = Some(listener.local_addr().map_err(listen_error)?);
            let google = Google { account: config.credentials.clone(), terms: Arc::clone(&google_terms) };
            ports.push((listener, layer(Some(google))));
        }
        let accept = |(listener, layer)| tokio::spawn(accept(listener, Arc::new(layer), stop.clone()));
        let accepting = ports.into_iter().map(accept).collect();
        Ok(Self { address, google_address, storage, faults, terms, google_terms, log, changes, stop, accepting })
    }

    /// The address that it listens on, with the port that was free.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint for clients, such as `http://127.0.0.1:9000`. There, buckets
    /// are addressed by path; below `localhost` by the name of the host too.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The endpoint for clients of Google Cloud Storage, where [`Config::google`] asks for it. The id of the
    /// account's HMAC key there is `GOOG` and the one here, and its secret is the same.
    #[must_use]
    pub fn google_url(&self) -> Option<String> {
        Some(format!("http://{}", self.google_address?))
    }

    /// What requests there must bring.
    #[must_use]
    pub fn google_terms(&self) -> &GoogleTerms {
        &self.google_terms
    }

    /// The faults on order.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What signatures must be like.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The requests so far, in the order in which they came.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.log.records()
    }

    /// How many requests so far were of this operation, as S3 names it.
    #[must_use]
    pub fn count(&self, operation: &str) -> usize {
        self.requests().iter().filter(|record| record.operation.as_deref() == Some(operation)).count()
    }

    /// The objects that were put or removed so far, in the order in which that was done.
    #[must_use]
    pub fn changes(&self) -> Vec<ChangeRecord> {
        self.changes.records()
    }

    /// Forgets the requests and changes so far.
    pub fn clear_requests(&self) {
        self.log.clear();
        self.changes.clear();
    }

    /// From now on listings lag: they show what is there now, whatever is put or removed
    /// later, as those of a store do that is not consistent at once. What is asked for by its
    /// key is as it is. With `false` they show everything again.
    pub fn let_listings_lag(&self, lag: bool) {
        self.storage.set_lagging(lag);
    }

    /// Stops listening, gives requests under way five seconds to end, and
    /// closes what is left.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for accepting in &mut self.accepting {
            // It ends by itself; that it panicked is nothing to act on here.
            let _ = accepting.await;
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// How `s3s` reads requests. It doesn't look at the clock, because it knows
/// only the machine's: the gate does, by the server's.
fn protocol() -> S3Config {
    let mut protocol = S3Config::default();
    protocol.presigned_url_max_skew_time_secs = u32::MAX;
    protocol
}

async fn open_storage(config: &Config, shared: Shared) -> Result<Storage, StartError> {
    let (directory, page_limit) = (config.directory.clone(), config.page_limit);
    let opened = tokio::task::spawn_blocking(move || Storage::open(&directory, page_limit, shared)).await;
    let directory = || config.directory.clone();
    let storage = opened.unwrap_or_else(|error| Err(io::Error::other(error).into())).map_err(|error| match error {
        OpenError::InUse => StartError::InUse { directory: directory() },
        OpenError::System(source) => StartError::Directory { directory: directory(), source },
    })?;
    for name in &config.buckets {
        make_bucket(&storage, name).map_err(|reason| StartError::Bucket { name: name.clone(), reason })?;
    }
    Ok(storage)
}

fn make_bucket(storage: &Storage, name: &str) -> Result<(), String> {
    if !s3s::path::check_bucket_name(name) {
        return Err("a name has 3 to 63 lower-case letters, digits, dots and hyphens".to_owned());
    }
    if storage.bucket(name).is_ok() {
        return Ok(());
    }
    storage.create_bucket(name, None).map_err(|error| error.message().unwrap_or("the directory refuses it").to_owned())
}

/// Takes connections until it is told to stop, and then sees them end.
async fn accept(listener: TcpListener, layer: Arc<Layer>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&layer), stop.clone()));
                }
                // Most likely too many open files: wait for some to be closed.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        // Waited for, because the directory is free for another server only then.
        connections.shutdown().await;
    }
}

/// Answers the requests of one connection.
async fn serve(stream: TcpStream, layer: Arc<Layer>, stop: CancellationToken) {
    // Only speed is lost without it.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let layer = Arc::clone(&layer);
        async move { layer.answer(request).await }
    });
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer);
    let mut connection = std::pin::pin!(connection);
    // How a connection ends, by a fault or by its client, concerns nobody.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
