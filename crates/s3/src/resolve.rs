//! Resolves host names: as the system does, but every name under `localhost`
//! is this machine (<https://www.rfc-editor.org/rfc/rfc6761#section-6.3>), so
//! that `bucket.localhost` reaches a server on it everywhere.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    system: GaiResolver,
    turns: Option<Arc<Turns>>,
}

impl Resolver {
    /// One that gives the addresses of a name in the system's order.
    pub(crate) fn new() -> Self {
        Self { system: GaiResolver::new(), turns: None }
    }

    /// One that gives each of them in its turn.
    pub(crate) fn taking_turns(turns: Arc<Turns>) -> Self {
        Self { turns: Some(turns), ..Self::new() }
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.system.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let is_local = name.as_str().trim_end_matches('.').to_ascii_lowercase().ends_with(".localhost");
        let local = if is_local { "localhost".parse().ok() } else { None };
        let resolving = self.system.call(local.unwrap_or(name));
        let turns = self.turns.clone();
        Box::pin(async move {
            let addresses = resolving.await?.collect::<Vec<_>>();
            Ok(match turns {
                Some(turns) => turns.next(addresses).into_iter(),
                None => addresses.into_iter(),
            })
        })
    }
}

/// Whose turn it is, of the servers that stand behind one name with an address each.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    count: AtomicUsize,
    most: AtomicUsize,
}

impl Turns {
    /// How many addresses a name has had at most; at least 1.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed).max(1)
    }

    /// The address to connect to, and no other one: one that can't be reached
    /// is not to be taken for another one. But this machine is one server, which need not
    /// listen on each of its own addresses.
    fn next(&self, addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let mut addresses = with_a_route(addresses);
        addresses.sort_unstable();
        addresses.dedup();
        let count = addresses.len();
        self.most.fetch_max(count, Ordering::Relaxed);
        addresses.rotate_left(self.count.fetch_add(1, Ordering::Relaxed) % count.max(1));
        if addresses.iter().any(|address| !address.ip().is_loopback()) {
            addresses.truncate(1);
        }
        addresses
    }
}

/// Those that this machine could send something to: where it has no IPv6, no
/// sync gets to such an address either. All, where it could send nothing at all.
fn with_a_route(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let routed: Vec<SocketAddr> = addresses.iter().copied().filter(|address| has_route(*address)).collect();
    if routed.is_empty() { addresses } else { routed }
}

/// Asks the system alone: to connect a socket for datagrams sends nothing.
fn has_route(address: SocketAddr) -> bool {
    let socket = match address {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)),
    };
    socket.is_ok_and(|socket| socket.connect((address.ip(), 443)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
    }

    #[test]
    fn each_address_has_its_turn_whatever_their_order() {
        let turns = Turns::default();
        assert_eq!(turns.most(), 1);
        let orders = [["192.0.2.8", "192.0.2.7"], ["192.0.2.7", "192.0.2.8"], ["192.0.2.8", "192.0.2.7"]];
        let met: Vec<SocketAddr> = orders.iter().flat_map(|order| turns.next(addresses(order))).collect();
        assert_eq!(met, addresses(&["192.0.2.7", "192.0.2.8", "192.0.2.7"]));
        assert_eq!(turns.most(), 2);
    }

    #[test]
    fn this_machine_is_one_server() {
        let turns = Turns::default();
        let two = addresses(&["127.0.0.2", "127.0.0.1", "127.0.0.1"]);
        assert_eq!(turns.next(two.clone()), addresses(&["127.0.0.1", "127.0.0.2"]));
        assert_eq!(turns.next(two), addresses(&["127.0.0.2", "127.0.0.1"]));
        assert_eq!(turns.most(), 2);
    }
}
