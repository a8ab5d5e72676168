//! A bucket of a service, what may be counted on there, and where its requests go.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::client::Client;
use crate::dialect::{Dialect, Fact, Provider, Support};

/// A bucket of a service: its methods are S3's operations. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub(crate) client: Client,
    pub(crate) name: Arc<str>,
    pub(crate) dialect: Dialect,
}

impl Bucket {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What may be counted on: what the provider's table says, and what is
    /// remembered of the bucket. Of a provider that nobody has named, its answers
    /// can tell that it lists out of order: ask again after the first one.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        let inner = &self.client.0;
        let told = inner.provider == Provider::Unknown && inner.lists_otherwise.load(Ordering::Relaxed);
        if told { self.dialect.with(Fact::ListsByBytes, Support::No) } else { self.dialect }
    }

    /// Whether the provider itself promises this, and nothing that was found out
    /// speaks against it. What was only found out, by some tries, takes away no look that is made without it.
    #[must_use]
    pub fn is_promised(&self, fact: Fact) -> bool {
        [self.client.provider().dialect(), self.dialect()].iter().all(|dialect| dialect.of(fact).is_certain())
    }

    /// Whether what is there is looked at just before a write of the kind that this fact guards: where nothing is known
    /// to guard it, though the service keeps to the conditions of whole writes.
    #[must_use]
    pub fn is_looked_at_before(&self, fact: Fact) -> bool {
        let dialect = self.dialect();
        dialect.put_if_absent.is_certain() && !dialect.of(fact).is_certain()
    }

    /// The same bucket, in which this is counted on, whatever is known.
    #[must_use]
    pub fn assuming(&self, dialect: Dialect) -> Self {
        Self { dialect, ..self.clone() }
    }

    /// The same bucket, but that each request has a connection of its own.
    #[must_use]
    pub fn on_new_connections(&self) -> Self {
        Self { client: self.client.on_new_connections(), ..self.clone() }
    }

    /// Where its requests go: `https://bucket.host` or `https://host/bucket`.
    #[must_use]
    pub fn url(&self) -> String {
        let inner = &self.client.0;
        let region = inner.region_of(Some(&self.name));
        let address = inner.endpoint.address(inner.config.addressing, &region, Some(&self.name), None);
        format!("{}://{}{}", address.scheme, address.host, address.path.trim_end_matches('/'))
    }

    /// The region that its requests are signed for.
    #[must_use]
    pub fn region(&self) -> String {
        self.client.0.region_of(Some(&self.name)).to_string()
    }

    /// The service that it belongs to.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }
}
