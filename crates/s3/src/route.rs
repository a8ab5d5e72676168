//! The way to a host: straight, or through a proxy, which hands on requests
//! that aren't encrypted and lets through connections that are.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Uri, header};
use http_body_util::Empty;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::upgrade::Upgraded;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tower_service::Service;

use crate::proxy::{Proxies, Proxy, ProxyError};
use crate::tcp::{Socket, Tcp};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Makes connections by whichever way leads to the host.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) tcp: Tcp,
    /// To a proxy, which may want TLS for itself.
    pub(crate) to_proxy: HttpsConnector<Tcp>,
    pub(crate) proxies: Option<Arc<Proxies>>,
}

impl Service<Uri> for Route {
    type Response = Way;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Way, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.as_ref().and_then(|proxies| proxies.of(&address)) else {
            let connecting = self.tcp.call(address);
            return Box::pin(async move { Ok(Way::Straight(connecting.await?)) });
        };
        let connecting = self.to_proxy.call(proxy.uri().clone());
        Box::pin(async move {
            let connection =
                connecting.await.map_err(|source| ProxyError::Unreachable { proxy: proxy.to_string(), source })?;
            if address.scheme() == Some(&Scheme::HTTPS) {
                Ok(Way::Tunnel(tunnel(connection, &address, &proxy).await?))
            } else {
                Ok(Way::Forwarding(Box::new(connection)))
            }
        })
    }
}

/// Has the proxy connect us to the host
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6>).
/// hyper-util's `Tunnel` does so too, but doesn't say with which status a proxy refused.
async fn tunnel(connection: ToProxy, address: &Uri, proxy: &Proxy) -> Result<Upgraded, BoxError> {
    let broken = |source| ProxyError::Broken { proxy: proxy.to_string(), source };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(connection).await.map_err(broken)?;
    // Its end shows in the answer, or in what is upgraded.
    tokio::spawn(connection.with_upgrades());
    let port = address.port_u16().unwrap_or(443);
    let host = format!("{}:{port}", address.host().unwrap_or_default());
    let mut request = Request::connect(host.as_str()).header(header::HOST, host.as_str());
    if let Some(authorization) = proxy.authorization() {
        request = request.header(header::PROXY_AUTHORIZATION, authorization);
    }
    let answer = sender.send_request(request.body(Empty::<Bytes>::new())?).await.map_err(broken)?;
    if !answer.status().is_success() {
        return Err(ProxyError::Refused { proxy: proxy.to_string(), status: answer.status() }.into());
    }
    Ok(hyper::upgrade::on(answer).await.map_err(broken)?)
}

type ToProxy = MaybeHttpsStream<Socket>;

/// A connection by one way or another.
pub(crate) enum Way {
    /// To the host itself.
    Straight(Socket),
    /// To a proxy that reads requests and hands them on.
    Forwarding(Box<ToProxy>),
    /// Through a proxy that reads nothing.
    Tunnel(Upgraded),
}

impl Connection for Way {
    fn connected(&self) -> Connected {
        match self {
            Self::Straight(connection) => connection.connected(),
            // Requests then name the whole address
            // (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2).
            Self::Forwarding(connection) => connection.connected().proxy(true),
            Self::Tunnel(_) => Connected::new(),
        }
    }
}

impl Read for Way {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Straight(connection) => Pin::new(connection).poll_read(context, buffer),
            Self::Forwarding(connection) => Pin::new(connection).poll_read(context, buffer),
            Self::Tunnel(connection) => Pin::new(connection).poll_read(context, buffer),
        }
    }
}

impl Write for Way {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Straight(connection) => Pin::new(connection).poll_write(context, bytes),
            Self::Forwarding(connection) => Pin::new(connection).poll_write(context, bytes),
            Self::Tunnel(connection) => Pin::new(connection).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Straight(connection) => Pin::new(connection).poll_flush(context),
            Self::Forwarding(connection) => Pin::new(connection).poll_flush(context),
            Self::Tunnel(connection) => Pin::new(connection).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Straight(connection) => Pin::new(connection).poll_shutdown(context),
            Self::Forwarding(connection) => Pin::new(connection).poll_shutdown(context),
            Self::Tunnel(connection) => Pin::new(connection).poll_shutdown(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Straight(connection) => connection.is_write_vectored(),
            Self::Forwarding(connection) => connection.is_write_vectored(),
            Self::Tunnel(connection) => connection.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Straight(connection) => Pin::new(connection).poll_write_vectored(context, slices),
            Self::Forwarding(connection) => Pin::new(connection).poll_write_vectored(context, slices),
            Self::Tunnel(connection) => Pin::new(connection).poll_write_vectored(context, slices),
        }
    }
}
