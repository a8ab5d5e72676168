//! TLS before a server that has none, with a certificate that nobody trusts by itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// TLS before a server. It ends when this is dropped.
pub(crate) struct TlsFront {
    /// Where it is: `https://127.0.0.1:port`.
    pub(crate) url: String,
    directory: TempDir,
    _runtime: Runtime,
}

impl TlsFront {
    /// Before the server with this URL (`http://127.0.0.1:port`); its certificate is for 127.0.0.1.
    pub(crate) fn before(url: &str) -> Self {
        let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), certified.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let front = format!("https://{}", listener.local_addr().unwrap());
        let behind = url.strip_prefix("http://").unwrap().to_owned();
        runtime.spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    // Clients that don't trust it, or don't speak TLS, go away.
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let mut server = TcpStream::connect(behind).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { url: front, directory, _runtime: runtime }
    }

    /// The file with the certificate.
    pub(crate) fn ca_bundle(&self) -> PathBuf {
        Path::new(self.directory.path()).join("ca.pem")
    }
}
