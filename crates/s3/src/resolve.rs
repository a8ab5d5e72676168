//! Resolves host names: as the system does, but every name under `localhost`
//! is this machine (<https://www.rfc-editor.org/rfc/rfc6761#section-6.3>), so
//! that `bucket.localhost` reaches a server on it everywhere.

use std::io;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiFuture, GaiResolver, Name};
use tower_service::Service;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Resolver(GaiResolver);

impl Resolver {
    pub(crate) fn new() -> Self {
        Self(GaiResolver::new())
    }
}

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = io::Error;
    type Future = GaiFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> GaiFuture {
        let is_local = name.as_str().trim_end_matches('.').to_ascii_lowercase().ends_with(".localhost");
        let local = if is_local { "localhost".parse().ok() } else { None };
        self.0.call(local.unwrap_or(name))
    }
}
