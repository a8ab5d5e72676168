//! Connections: TCP without delay, TLS, a pool that keeps them alive. Proxies
//! that the environment names (`HTTPS_PROXY` and the like) aren't supported yet.

use std::path::Path;
use std::sync::Arc;

use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config::Config;
use crate::error::ConfigError;
use crate::outgoing::Outgoing;
use crate::resolve::Resolver;

/// Sends requests over pooled connections.
pub(crate) type Pool = Client<HttpsConnector<HttpConnector<Resolver>>, Outgoing>;

/// Makes the pool. Certificates are read only where they are needed.
pub(crate) fn pool(config: &Config, ca_bundle: Option<&Path>, is_encrypted: bool) -> Result<Pool, ConfigError> {
    let connector = connector(config, tls(ca_bundle, is_encrypted)?);
    Ok(Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(config.max_idle_connections)
        .pool_timer(TokioTimer::new())
        .build(connector))
}

fn connector(config: &Config, tls: ClientConfig) -> HttpsConnector<HttpConnector<Resolver>> {
    let mut tcp = HttpConnector::new_with_resolver(Resolver::new());
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(config.connect_timeout));
    HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp)
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
