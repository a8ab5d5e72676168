//! Connections: TLS, and a pool that keeps them alive.

use std::path::Path;
use std::sync::Arc;

use http::uri::Scheme;
use http::{Request, header};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config::Config;
use crate::error::ConfigError;
use crate::outgoing::Outgoing;
use crate::proxy::{Proxies, Proxy};
use crate::resolve::{Resolver, Turns};
use crate::route::Route;
use crate::tcp::Tcp;

/// Bytes of an answer that are taken from a connection at once, about: what
/// comes is copied to its body while it is in the processor's cache still.
/// 64 KiB cost a fifth more, 400 KiB a twentieth. The head of an answer may have
/// as many, where services send less than 8 KiB.
const READ: usize = 128 << 10;

/// Whether a request may take a connection that another one has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connections {
    /// They are kept, and used again.
    Kept,
    /// Each request has its own.
    New,
}

/// Sends requests over pooled connections.
pub(crate) struct Pool {
    client: Client<HttpsConnector<Route>, Outgoing>,
    /// One that keeps none, and goes to each address of a name in its turn.
    unpooled: Client<HttpsConnector<Route>, Outgoing>,
    turns: Arc<Turns>,
    proxies: Option<Arc<Proxies>>,
}

impl Pool {
    /// Makes the pool. Certificates are read only where they are needed: for a
    /// service, or a proxy, that is encrypted.
    pub(crate) fn new(
        config: &Config,
        ca_bundle: Option<&Path>,
        proxies: Option<Proxies>,
        is_encrypted: bool,
    ) -> Result<Self, ConfigError> {
        let is_encrypted = is_encrypted || proxies.as_ref().is_some_and(Proxies::is_encrypted);
        let proxies = proxies.map(Arc::new);
        let tls = tls(ca_bundle, is_encrypted)?;
        let turns = Arc::default();
        let client = |idle, resolver| {
            Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(idle)
                .pool_timer(TokioTimer::new())
                .http1_max_buf_size(READ)
                .build(connector(config, &tls, proxies.clone(), resolver))
        };
        let unpooled = client(0, Resolver::taking_turns(Arc::clone(&turns)));
        Ok(Self { client: client(config.max_idle_connections, Resolver::new()), unpooled, turns, proxies })
    }

    /// How many addresses of one name new connections were made to in turn; at least 1.
    pub(crate) fn addresses(&self) -> usize {
        self.turns.most()
    }

    /// Sends a request. To a proxy that hands it on, it says who we are; one that
    /// lets through has been told when the connection was made.
    pub(crate) fn request(&self, mut request: Request<Outgoing>, connections: Connections) -> ResponseFuture {
        let proxy = self.proxies.as_ref().and_then(|proxies| proxies.of(request.uri()));
        if let Some(authorization) = proxy.as_ref().and_then(Proxy::authorization)
            && request.uri().scheme() == Some(&Scheme::HTTP)
        {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        match connections {
            Connections::Kept => self.client.request(request),
            Connections::New => self.unpooled.request(request),
        }
    }
}

fn connector(
    config: &Config,
    tls: &ClientConfig,
    proxies: Option<Arc<Proxies>>,
    resolver: Resolver,
) -> HttpsConnector<Route> {
    let tcp = Tcp::new(resolver, config.connect_timeout);
    let over_tls = || HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_http1();
    let to_proxy = over_tls().wrap_connector(tcp.clone());
    over_tls().wrap_connector(Route { tcp, to_proxy, proxies })
}

fn tls(ca_bundle: Option<&Path>, is_encrypted: bool) -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::SystemCertificates(error.to_string()))?;
    let builder = match ca_bundle {
        _ if !is_encrypted => builder.with_root_certificates(RootCertStore::empty()),
        Some(bundle) => builder.with_root_certificates(roots_of(bundle)?),
        None => builder.with_native_roots().map_err(|error| ConfigError::SystemCertificates(error.to_string()))?,
    };
    Ok(builder.with_no_client_auth())
}

/// Whether the system has certificates to trust.
#[cfg(feature = "google")]
pub(crate) fn check_system_certificates() -> Result<(), ConfigError> {
    tls(None, true).map(drop)
}

fn roots_of(bundle: &Path) -> Result<RootCertStore, ConfigError> {
    let unusable = |reason: String| ConfigError::CaBundle { path: bundle.display().to_string(), reason };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(bundle).map_err(|error| unusable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("it holds no certificates".to_owned()));
    }
    Ok(roots)
}
