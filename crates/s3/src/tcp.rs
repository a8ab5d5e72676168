//! TCP connections to services and proxies: no small piece waits, and little
//! that is written waits in the kernel.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::resolve::Resolver;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Bytes that the kernel takes of each connection, about, beyond what it has
/// sent: enough that none stands still until we are woken (the option's author
/// says so of 128 KiB and less, <https://git.kernel.org/linus/c9bee3b7fdec>).
/// Else it takes megabytes, which have left the processor's cache when they are
/// sent: 5 GiB in parts took 7 % longer so, 1 GiB of a file 8 %.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 << 10;

/// A TCP connection.
pub(crate) type Socket = TokioIo<TcpStream>;

/// Makes TCP connections.
#[derive(Clone)]
pub(crate) struct Tcp(HttpConnector<Resolver>);

impl Tcp {
    /// For connections that take no longer to make than the limit.
    pub(crate) fn new(resolver: Resolver, limit: Duration) -> Self {
        let mut connector = HttpConnector::new_with_resolver(resolver);
        // Some will carry TLS.
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(limit));
        Self(connector)
    }
}

impl Service<Uri> for Tcp {
    type Response = Socket;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Socket, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let connecting = self.0.call(address);
        Box::pin(async move {
            let socket = connecting.await?;
            #[cfg(target_os = "linux")]
            hold_little_unsent(&socket);
            Ok(socket)
        })
    }
}

#[cfg(target_os = "linux")]
fn hold_little_unsent(socket: &Socket) {
    // A kernel that doesn't know the option is only slower.
    let _ = socket2::SockRef::from(socket.inner()).set_tcp_notsent_lowat(UNSENT);
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn little_waits_in_the_kernel_and_nothing_for_company() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mut tcp = Tcp::new(Resolver::new(), Duration::from_mins(1));
        let socket = tcp.call(address.parse().unwrap()).await.unwrap();
        assert!(socket.inner().nodelay().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(socket2::SockRef::from(socket.inner()).tcp_notsent_lowat().unwrap(), UNSENT);
    }
}
