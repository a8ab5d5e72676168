//! The versions that a [`MemoryStore`] is told that it keeps.

use std::time::Duration;

use async_trait::async_trait;

use super::{Call, MemoryStore};
use crate::{Failure, KeptVersion, Key, ListingError, VersionListing, Versioning};

impl MemoryStore {
    /// Adds a version, behind those that were added: key after key, of each the newest first.
    pub fn add_version(&self, version: KeptVersion) {
        self.state().versions.push(version);
    }

    /// Switches versions on or off, as somebody else would.
    pub fn set_versioning(&self, versioning: Versioning) {
        self.state().versioning = Some(versioning);
    }

    /// The versions that are there, in their order.
    #[must_use]
    pub fn kept_versions(&self) -> Vec<KeptVersion> {
        self.state().versions.clone()
    }

    /// Removes one version, if it is there.
    pub(super) async fn remove_version(&self, version: &KeptVersion) -> Result<(), Failure> {
        let name = Key::from(format!("{} {}", version.key, version.id.as_str()));
        self.call(Call::RemoveVersion, &name, |state| {
            state.versions.retain(|kept| (&kept.key, &kept.id) != (&version.key, &version.id));
            Ok(())
        })
        .await
    }
}

/// A listing under way. Like a service's it goes on behind a version, and fails where that is gone.
pub(super) struct MemoryVersions {
    store: MemoryStore,
    of: Option<Key>,
    last: Option<KeptVersion>,
}

impl MemoryVersions {
    pub(super) fn new(store: MemoryStore, of: Option<Key>) -> Self {
        Self { store, of, last: None }
    }
}

#[async_trait]
impl VersionListing for MemoryVersions {
    async fn next_page(&mut self) -> Result<Option<Vec<KeptVersion>>, ListingError> {
        if self.store.options.page_of_versions_takes > Duration::ZERO {
            tokio::time::sleep(self.store.options.page_of_versions_takes).await;
        }
        let size = self.store.options.page_size.max(1);
        let after = self.last.as_ref().map_or_else(|| Key::from(""), |last| last.key.clone());
        let error = |reason: String| ListingError { location: self.store.options.location.clone(), reason };
        let page = self.store.call(Call::ListVersions, &after, |state| {
            let place = self.last.as_ref().map(|last| state.versions.iter().position(|kept| kept == last));
            Ok(place.map_or(Some(0), |place| Some(place? + 1)).map(|start| {
                let rest = state.versions.iter().skip(start);
                let wanted = rest.filter(|kept| self.of.as_ref().is_none_or(|of| kept.key == *of));
                wanted.take(size).cloned().collect::<Vec<_>>()
            }))
        });
        let page = page.await.map_err(|failure| error(failure.reason))?;
        let page = page.ok_or_else(|| error("the version that the page is to begin after is gone".to_owned()))?;
        self.last = page.last().cloned().or_else(|| self.last.take());
        Ok((!page.is_empty()).then_some(page))
    }
}
