//! Over TLS: certificates are checked, and payloads needn't be signed.

use std::sync::Arc;

use brigade_s3::{AccessKey, Client, ConfigError, ErrorKind, PutObject};
use bytes::Bytes;
use rcgen::{CertifiedKey, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::server::{Server, answer};

/// A certificate that a server on this machine may show.
fn certificate() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap()
}

fn acceptor(certified: &CertifiedKey<KeyPair>) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

#[tokio::test]
async fn a_service_whose_certificate_is_given_is_trusted() {
    let certified = certificate();
    let stored = answer("200 OK", "ETag: \"e\"\r\n", "");
    let server = Server::start_with([stored], Some(acceptor(&certified))).await;
    let bundle = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(bundle.path(), certified.cert.pem()).unwrap();
    let mut config = server.config();
    config.ca_bundle = Some(bundle.path().to_owned());
    config.sign = true;
    let session_token = Some("token".to_owned());
    config.access_key = Some(AccessKey { id: "AKID".to_owned(), secret: "secret".to_owned(), session_token });
    let bucket = Client::connect(config).await.unwrap().bucket("b");
    let object = PutObject { key: "k", body: Bytes::from(vec![7; 300 << 10]), ..PutObject::default() };
    bucket.put_object(object).await.unwrap();
    let sent = server.finish().await.remove(0);
    assert_eq!(sent.body.len(), 300 << 10);
    assert_eq!(sent.header("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"));
    assert_eq!(sent.header("x-amz-security-token"), Some("token"));
    let authorization = sent.header("authorization").unwrap();
    let signed = "SignedHeaders=host;x-amz-checksum-crc64nvme;x-amz-content-sha256;x-amz-date;x-amz-security-token,";
    assert!(authorization.contains(signed), "{authorization}");
}

#[tokio::test]
async fn a_service_with_another_certificate_is_not_trusted() {
    let trusted = certificate();
    let server = Server::start_with([answer("200 OK", "", "")], Some(acceptor(&certificate()))).await;
    let bundle = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(bundle.path(), trusted.cert.pem()).unwrap();
    let mut config = server.config();
    config.ca_bundle = Some(bundle.path().to_owned());
    let error = Client::connect(config).await.unwrap().bucket("b").head_bucket().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate);
    assert!(error.to_string().contains("--ca-bundle"), "{error}");
    assert!(server.finish().await.is_empty());
}

#[tokio::test]
async fn a_bundle_without_certificates_is_refused() {
    let server = Server::start_with([], Some(acceptor(&certificate()))).await;
    let empty = tempfile::NamedTempFile::new().unwrap();
    let missing = empty.path().with_extension("missing");
    for bundle in [empty.path().to_owned(), missing] {
        let mut config = server.config();
        config.ca_bundle = Some(bundle);
        let error = Client::connect(config).await.unwrap_err();
        assert!(matches!(error, ConfigError::CaBundle { .. }), "{error}");
    }
    server.finish().await;
}
